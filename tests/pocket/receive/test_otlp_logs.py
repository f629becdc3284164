from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList

from pocket.admission.bounds import Bounds
from pocket.receive.otlp.logs import entries
from pocket.rows import LogEntry


def pair(key: str, **value: Any) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(**value))


def test_a_record_as_loki_keeps_it(now: int, bounds: Bounds) -> None:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.extend(
        [pair("service.name", string_value="roller"), pair("service.namespace", string_value="ns"),
         pair("host.name", string_value="h")]
    )  # fmt: skip
    scope_logs = resource_logs.scope_logs.add()
    scope_logs.scope.name = "lib"
    nested = KeyValueList(values=[pair("c.d", int_value=1)])
    scope_logs.log_records.add(
        time_unix_nano=now, observed_time_unix_nano=now + 1, severity_number=9, severity_text="INFO",
        body=AnyValue(string_value="hello"), trace_id=b"1" * 16, span_id=b"2" * 8, event_name="e",
        attributes=[pair("a.b", bool_value=True), pair("m", kvlist_value=nested)],
    )  # fmt: skip
    scope_logs.log_records.add(
        observed_time_unix_nano=now, body=AnyValue(kvlist_value=KeyValueList(values=[pair("k", int_value=1)]))
    )
    [first, second], rejected = entries(request, bounds)
    assert rejected.count == 0
    labels = {"service_name": "roller", "service_namespace": "ns"}
    assert first == LogEntry(labels, now, "hello", {
        "host_name": "h", "scope_name": "lib", "a_b": "true", "m_c_d": "1", "observed_timestamp": str(now + 1),
        "severity_number": "9", "severity_text": "INFO", "trace_id": (b"1" * 16).hex(),
        "span_id": (b"2" * 8).hex(), "event_name": "e",
    })  # fmt: skip
    assert second == LogEntry(labels, now, '{"k":1}', {"host_name": "h", "scope_name": "lib"})


def test_without_a_service_and_out_of_time(bounds: Bounds) -> None:
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    records.add(body=AnyValue(string_value="x"))
    records.add(time_unix_nano=1)
    [entry], rejected = entries(request, bounds)
    assert entry.labels == {"service_name": "unknown_service"}
    assert bounds.holds(entry.t_ns)
    assert rejected.message == "log record outside of the history kept (1)"
