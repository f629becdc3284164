import json
from typing import Any

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pocket.admission.bounds import Bounds
from pocket.admission.limits import METADATA_BYTES
from pocket.admission.log_entries import MAX_LINE, check
from pocket.asgi.body import BodyError
from pocket.receive.loki import decode, parse_labels
from pocket.receive.messages import LokiPush
from pocket.rows import LogEntry

JSON, PROTO, LIMIT = "application/json", "application/x-protobuf", 1 << 20


def pushed(*streams: dict[str, Any]) -> bytes:
    return json.dumps({"streams": list(streams)}).encode()


def snappy(message: Any) -> bytes:
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


def test_json() -> None:
    body = pushed({"stream": {"service_name": "a"}, "values": [["5", "x"], ["6", "y", {"trace_id": "t"}]]})
    assert decode(body, JSON, LIMIT) == [
        LogEntry({"service_name": "a"}, 5, "x", {}), LogEntry({"service_name": "a"}, 6, "y", {"trace_id": "t"})
    ]  # fmt: skip


def test_protobuf() -> None:
    message = LokiPush()
    stream = message.streams.add(labels='{a="b", c_1="d\\"é, }"}')
    entry = stream.entries.add(line="x")
    entry.timestamp.seconds, entry.timestamp.nanos = 5, 7
    entry.structuredMetadata.add(name="trace_id", value="t")
    labels = {"service_name": "unknown_service", "a": "b", "c_1": 'd"é, }'}
    for kind in (PROTO, ""):
        assert decode(snappy(message), kind, LIMIT) == [LogEntry(labels, 5_000_000_007, "x", {"trace_id": "t"})]


@pytest.mark.parametrize(
    "text", ["", "a", "{a=b}", '{a="b}', '{a="b" c="d"}', '{1a="b"}', '{a="\\q\\"}', "{a='b'}"]
)
def test_malformed_labels(text: str) -> None:
    with pytest.raises(BodyError, match="error parsing labels"):
        parse_labels(text)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"streams": 1}', b'{"streams": [1]}',
     b'{"streams": [{"stream": {}, "values": []}]}',
     pushed({"stream": {"a": 1}, "values": [["1", "x"]]}), pushed({"stream": {"a": "b"}, "values": [[1, "x"]]}),
     pushed({"stream": {"a": "b"}, "values": [["x", "x"]]}), pushed({"stream": {"a": "b"}, "values": [["1"]]}),
     pushed({"stream": {"a": "b"}, "values": [["1", 5]]}),
     pushed({"stream": {"a": "b"}, "values": [["1", "x", 5]]}),
     pushed({"stream": {"a": "b"}, "values": [["1", "x", {"k": 5}]]}),
     pushed({"stream": {"a-b": "b"}, "values": [["1", "x"]]}),
     pushed({"stream": {f"l{n}": "v" for n in range(16)}, "values": [["1", "x"]]}),
     pushed({"stream": {"a": "v" * 3000}, "values": [["1", "x"]]})],
)  # fmt: skip
def test_malformed_json_is_400(body: bytes) -> None:
    with pytest.raises(BodyError) as caught:
        decode(body, JSON, LIMIT)
    assert caught.value.status == 400


def test_nothing_at_all_is_422_as_in_loki() -> None:
    with pytest.raises(BodyError) as caught:
        decode(b'{"streams": []}', JSON, LIMIT)
    assert (caught.value.status, caught.value.message) == (
        422, "error at least one valid stream is required for ingestion"
    )  # fmt: skip


def test_broken_and_oversized_snappy() -> None:
    with pytest.raises(BodyError) as caught:
        decode(b"\xff\xff\xff", PROTO, LIMIT)
    assert caught.value.status == 400
    with pytest.raises(BodyError) as caught:
        decode(bytes(cramjam.snappy.compress_raw(bytes(LIMIT + 1))), PROTO, LIMIT)
    assert caught.value.status == 413


def test_loki_refuses_times_and_long_lines_and_keeps_the_rest(now: int, bounds: Bounds) -> None:
    entries = [
        LogEntry({"a": "b"}, t, line, {})
        for t, line in ((now, "good"), (5, "old"), (now + 3600 * 10**9, "new"), (now, "x" * (MAX_LINE + 1)))
    ]
    good, wrong = check(entries, bounds)
    assert [entry.line for entry in good] == ["good"]
    assert wrong is not None
    assert wrong.startswith("""entry for stream '{a="b"}' has timestamp too old: 1970-01-01T00:00:00Z, oldest""")
    assert check(entries[2:], bounds)[1] == check(entries[2:3], bounds)[1]
    assert "too new" in str(check(entries[2:], bounds)[1])
    assert "max entry size" in str(check(entries[3:], bounds)[1])
    assert "too new: " in str(check([LogEntry({}, 1 << 80, "", {})], bounds)[1])


def test_a_line_is_measured_in_bytes(now: int, bounds: Bounds) -> None:
    fits, too_long = "é" * (MAX_LINE // 2), "é" * (MAX_LINE // 2 + 1)
    good, wrong = check([LogEntry({"a": "b"}, now, line, {}) for line in (fits, too_long)], bounds)
    assert [entry.line for entry in good] == [fits]
    assert f"with length '{MAX_LINE + 2}' bytes" in str(wrong)
    metadata = {"a": "é" * (METADATA_BYTES // 2)}
    assert "structured metadata" in str(check([LogEntry({"a": "b"}, now, "x", metadata)], bounds)[1])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([JSON, PROTO]))
def test_any_bytes_are_refused_or_decoded(body: bytes, kind: str) -> None:
    for attempt in (body, bytes(cramjam.snappy.compress_raw(body))):
        status = 400
        try:
            decode(attempt, kind, LIMIT)
        except BodyError as error:
            status = error.status
        assert 400 <= status < 500


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=30))
def test_any_label_value_survives_go_quoting(value: str) -> None:
    assert parse_labels("{a=" + json.dumps(value, ensure_ascii=False).replace("\x7f", "\\x7f") + "}") == {
        "a": value
    }
