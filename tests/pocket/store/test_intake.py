from pocket.rows import LogEntry, MetricMetadata
from pocket.store.intake import Intake


def entries(*seconds: int) -> list[LogEntry]:
    return [LogEntry({"a": "b"}, second * 10**9, "x", {}) for second in seconds]


def test_the_oldest_fraction_is_of_bytes_and_not_of_time() -> None:
    intake = Intake()
    for second in range(0, 5 * 3600, 10):  # five quiet hours, and a minute with nine tenths of all
        intake.add("logs", entries(second), 1.0)
    for second in range(5 * 3600, 5 * 3600 + 60):
        intake.add("logs", entries(second), 270.0)
    cut = intake.take_oldest(0.4)
    assert cut is not None
    assert 5 * 3600 + 15 < cut < 5 * 3600 + 25
    assert intake.take_oldest(0.0) == cut + 1  # what lies before is forgotten


def test_what_was_there_before_the_start_is_spread_evenly() -> None:
    intake = Intake()
    intake.spread(1000.0, 2000.0, 100.0)
    cut = intake.take_oldest(0.5)
    assert cut is not None
    assert 1490 <= cut <= 1520


def test_nothing_known() -> None:
    intake = Intake()
    intake.add("metadata", [MetricMetadata("m", "gauge")], 5.0)  # has no time
    assert intake.take_oldest(0.5) is None
