from pathlib import Path
from typing import Any

import pytest

from pocket.config import Settings
from pocket.derive import Generator, registry
from pocket.derive.service_graph import WAIT_MS
from pocket.own_metrics import OwnMetrics
from pocket.rows import Sample, Span
from pocket.store import Store

T0 = 1_700_000_000_000
SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5


class Counted:
    """What the generator asks of a store, without one."""

    def __init__(self) -> None:
        self.own_metrics = OwnMetrics()

    def dropped(self) -> dict[str, float]:
        """Amounts by reason."""
        [family] = self.own_metrics.dropped.collect()
        return {sample.labels["reason"]: sample.value for sample in family.samples}


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def generator(counted: Counted) -> Generator:
    return Generator(counted)  # type: ignore[arg-type]


def span(service: str, number: int, parent: int = 0, kind: int = SERVER, ms: int = 30, **more: Any) -> Span:
    fields = {"name": f"s{number}", "resource": {"service.name": service} if service else {}, **more}
    return Span(
        trace_id="ab" * 16, span_id=f"{number:016x}", parent_span_id=f"{parent:016x}" if parent else "", kind=kind,
        start_ns=T0 * 10**6, end_ns=(T0 + ms) * 10**6, **fields,
    )  # fmt: skip


def latest(samples: list[Sample], prefix: str) -> dict[tuple[str, ...], float]:
    """Values at the collection by (name, then label values), without buckets."""
    return {
        tuple(s.labels.values()): s.value
        for s in samples
        if s.labels["__name__"].startswith(prefix) and "le" not in s.labels and s.t_ms != before(s)
    }


def before(sample: Sample) -> int:
    return T0 - 5000 if sample.t_ms < T0 else -1


def edges(generator: Generator, t_ms: int = T0) -> dict[tuple[str, ...], float]:
    return latest(generator.collect(t_ms)[0], "traces_service_graph_request_total")


TOTAL = "traces_service_graph_request_total"


def test_span_metrics_as_tempo_names_them(generator: Generator) -> None:
    generator.add([span("roller", 1, ms=30), span("roller", 1, ms=70, status=2, kind=1)], T0)
    samples, exemplars = generator.collect(T0)
    calls = {"__name__": "traces_spanmetrics_calls_total", "service": "roller", "span_name": "s1"}
    ok = {**calls, "span_kind": "SPAN_KIND_SERVER", "status_code": "STATUS_CODE_UNSET"}
    bad = {**calls, "span_kind": "SPAN_KIND_INTERNAL", "status_code": "STATUS_CODE_ERROR"}
    assert [s for s in samples if s.labels == ok] == [Sample(ok, T0 - 5000, 0.0), Sample(ok, T0, 1.0)]
    assert [s.value for s in samples if s.labels == bad] == [0.0, 1.0]
    series = {**ok, "__name__": "traces_spanmetrics_latency_bucket"}
    buckets = {
        s.labels["le"]: s.value for s in samples if s.t_ms == T0 and {**s.labels, "le": ""} == {**series, "le": ""}
    }
    assert (buckets["0.025"], buckets["0.05"], buckets["10.0"], buckets["+Inf"]) == (0, 1, 1, 1)
    assert list(buckets) == [*sorted(list(buckets)[:-1], key=float), "+Inf"]
    assert latest(samples, "traces_spanmetrics_latency_sum")[
        "traces_spanmetrics_latency_sum", "roller", "s1", "SPAN_KIND_SERVER", "STATUS_CODE_UNSET"
    ] == pytest.approx(0.03)
    [own] = [e for e in exemplars if e.series == {**series, "le": "0.05"}]
    assert (own.labels, own.value) == ({"trace_id": "ab" * 16}, 0.03)


def test_counters_go_on_and_exemplars_are_told_once(generator: Generator) -> None:
    generator.add([span("roller", 1, kind=1)], T0)
    generator.collect(T0)
    generator.add([span("roller", 1, kind=1)], T0)
    samples, exemplars = generator.collect(T0 + 5000)
    assert len(exemplars) == 1
    assert [s.value for s in samples if s.labels["__name__"] == "traces_spanmetrics_calls_total"] == [2.0]
    samples, exemplars = generator.collect(T0 + 10_000)
    assert exemplars == []


@pytest.mark.parametrize("server_first", [False, True])
def test_client_and_server_make_an_edge_in_either_order(generator: Generator, server_first: bool) -> None:
    pair = [span("frontend", 1, kind=CLIENT, ms=50), span("roller", 2, parent=1, ms=40, status=2)]
    for each in reversed(pair) if server_first else pair:
        generator.add([each], T0)
    samples, exemplars = generator.collect(T0)
    assert latest(samples, "traces_service_graph_") == {
        ("traces_service_graph_request_total", "frontend", "roller"): 1,
        ("traces_service_graph_request_failed_total", "frontend", "roller"): 1,
        ("traces_service_graph_request_server_seconds_count", "frontend", "roller"): 1,
        ("traces_service_graph_request_server_seconds_sum", "frontend", "roller"): 0.04,
        ("traces_service_graph_request_client_seconds_count", "frontend", "roller"): 1,
        ("traces_service_graph_request_client_seconds_sum", "frontend", "roller"): 0.05,
    }
    assert {e.series["__name__"] for e in exemplars if e.series["__name__"].startswith("traces_service")} == {
        "traces_service_graph_request_server_seconds_bucket", "traces_service_graph_request_client_seconds_bucket"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "server"),
    [
        ({"db.system.name": "postgresql", "db.namespace": "dice", "server.address": "postgres"}, "postgres"),
        ({"db.namespace": "dice", "peer.service": "pg", "server.address": "postgres"}, "pg"),
        ({"db.system": "redis", "network.peer.address": "10.0.0.1", "network.peer.port": 6379}, "10.0.0.1:6379"),
        ({"db.system.name": "postgresql"}, "postgresql"),
        ({"db.system.name": "postgresql", "db.namespace": "dice"}, "dice"),
    ],
)
def test_a_database_needs_no_server_span(generator: Generator, attributes: dict[str, Any], server: str) -> None:
    generator.add([span("die-service", 1, kind=CLIENT, attributes=attributes)], T0)
    assert edges(generator) == {(TOTAL, "die-service", server, "database"): 1}


def test_virtual_nodes_once_the_wait_is_over(generator: Generator) -> None:
    generator.add([span("roller", 1)], T0)  # root server span
    generator.add([span("roller", 2, kind=CLIENT, attributes={"peer.service": "bank"})], T0)
    generator.add([span("roller", 3, kind=CLIENT)], T0)  # nobody knows whom it called
    generator.add([span("die-service", 9, parent=8)], T0)  # its client never comes
    assert edges(generator, T0 + WAIT_MS - 1) == {}
    assert edges(generator, T0 + WAIT_MS) == {
        (TOTAL, "user", "roller", "virtual_node"): 1, (TOTAL, "roller", "bank", "virtual_node"): 1
    }  # fmt: skip
    assert edges(generator, T0 + 9 * WAIT_MS) == edges(generator, T0 + 9 * WAIT_MS)


def test_a_call_that_never_arrived_is_a_failed_edge(generator: Generator) -> None:
    """As after a time-out: the caller names its peer, whose own span comes too late."""
    attributes = {"peer.service": "die-service", "error.type": "ReadTimeout"}
    generator.add([span("roller", 1, kind=CLIENT, status=2, attributes=attributes)], T0)
    generator.collect(T0 + WAIT_MS)
    generator.add([span("die-service", 2, parent=1)], T0 + WAIT_MS + 1)
    samples, _ = generator.collect(T0 + 3 * WAIT_MS)
    lost = {s.labels["__name__"]: s.value for s in samples if s.labels.get("connection_type") == "virtual_node"}
    assert (lost[TOTAL], lost["traces_service_graph_request_failed_total"]) == (1, 1)
    assert {s.labels["client"] for s in samples if "client" in s.labels} == {"roller"}


def test_messaging_and_spans_without_a_service(generator: Generator) -> None:
    generator.add([span("a", 1, kind=PRODUCER), span("b", 2, parent=1, kind=CONSUMER)], T0)
    generator.add([span("", 3, kind=CLIENT), span("", 4, parent=3)], T0)
    generator.add([span("c", 5, kind=1)], T0)
    assert edges(generator) == {(TOTAL, "a", "b", "messaging_system"): 1}


def test_cardinality_is_bounded_and_counted(
    generator: Generator, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MAX_SERIES", 3)
    generator.add([span("roller", n, kind=1) for n in range(5)], T0)
    samples, _ = generator.collect(T0)
    assert len(latest(samples, "traces_spanmetrics_calls_total")) == 3
    assert counted.dropped() == {"cardinality": 4}  # two counters, two histograms


def test_waiting_edges_are_bounded_and_counted(
    generator: Generator, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pocket.derive.service_graph.MAX_WAITING", 2)
    generator.add([span("roller", n, kind=CLIENT) for n in range(1, 6)], T0)
    generator.collect(T0)
    assert counted.dropped() == {"waiting": 3}


@pytest.mark.parametrize(
    ("address", "port", "name"),
    [("127.0.0.1", 15432, "postgres"), ("127.0.0.1", 15433, "127.0.0.1"), ("db.example", 15432, "db.example")],
)
def test_a_database_on_loopback_has_its_name_of_the_compose_file(
    counted: Counted, address: str, port: int, name: str
) -> None:
    generator = Generator(counted, {15432: "postgres"})  # type: ignore[arg-type]
    attributes = {"db.system.name": "postgresql", "server.address": address, "server.port": port}
    generator.add([span("die-service", 1, kind=CLIENT, attributes=attributes)], T0)
    assert edges(generator) == {(TOTAL, "die-service", name, "database"): 1}


def test_what_is_not_updated_is_forgotten(generator: Generator) -> None:
    generator.add([span("roller", 1, kind=1)], T0)
    assert generator.collect(T0)[0]
    assert generator.collect(T0 + registry.STALE_MS)[0] == []


async def test_samples_reach_the_store(tmp_path: Path) -> None:
    store = Store(Settings(data_dir=tmp_path))
    generator = Generator(store)
    generator.add([span("roller", 1)])
    generator.write()
    store.flush()
    assert "traces_spanmetrics_calls_total" in store.metrics.label_values("__name__", [], 0, 1 << 60)
    assert store.metrics.exemplars([], 0, 1 << 60)[0].labels == {"trace_id": "ab" * 16}
    store.close()
