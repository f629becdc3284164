from pocket.rows import Matcher, ProfileSample
from pocket.store import Store

CPU = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
WALL = "wall:wall:nanoseconds:wall:nanoseconds"
ROLLER, OTHER = {"service_name": "roller"}, {"service_name": "other", "span_id": "ab"}


def test_stacks_come_back_by_type_labels_and_time(store: Store) -> None:
    rows = [
        ProfileSample(CPU, ROLLER, 1000, ("main", "roll"), 10),
        ProfileSample(CPU, OTHER, 1500, ("main",), 5),
        ProfileSample(WALL, ROLLER, 2000, ("main", "roll"), 7),
        ProfileSample(CPU, ROLLER, 3000, ("main", "roll"), 20),
    ]
    store.append_profiles(rows)
    store.flush()
    profiles = store.profiles
    assert profiles.types() == [CPU, WALL]
    assert profiles.series([], 0, 5000) == [{"service_name": "other", "span_id": "ab"}, ROLLER]
    assert profiles.series([], 1600, 5000) == [ROLLER]
    assert list(profiles.select(CPU, [], 0, 3000)) == [rows[0], rows[1], rows[3]]
    assert list(profiles.select(CPU, [Matcher("service_name", "=", "roller")], 1001, 2999)) == []
    assert list(profiles.select(CPU, [Matcher("service_name", "=", "roller")], 1000, 2999)) == [rows[0]]
    assert list(profiles.select("x", [], 0, 5000)) == []
