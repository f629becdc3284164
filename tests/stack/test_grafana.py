"""Grafana's provisioning: fixed uids, every link between signals with its exact keys, `$$` for `$`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

TYPES = {
    "prometheus": "prometheus", "loki": "loki", "tempo": "tempo",
    "pyroscope": "grafana-pyroscope-datasource", "postgres": "grafana-postgresql-datasource",
}  # fmt: skip
DataSources = dict[str, dict[str, Any]]


def expand(value: Any) -> Any:
    """What Grafana makes of a provisioned value in an empty environment: `$$` → `$`, `$NAME` and `${NAME}` → ''.

    Source: pkg/services/provisioning/values (os.Expand on each part between `$$`).
    """
    if isinstance(value, dict):
        return {key: expand(item) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item) for item in value]
    if not isinstance(value, str):
        return value
    parts = (re.sub(r"\$(\{[^}]*\}|\w+)", "", part) for part in value.split("$$"))
    return "$".join(parts)


@pytest.fixture
def provisioned(stack: Path) -> DataSources:
    config = yaml.safe_load((stack / "grafana/provisioning/datasources/datasources.yaml").read_text())
    assert config["apiVersion"] == 1
    return {source["uid"]: expand(source) for source in config["datasources"]}


def test_uids_and_types_are_fixed(provisioned: DataSources) -> None:
    assert {uid: source["type"] for uid, source in provisioned.items()} == TYPES
    assert [uid for uid, source in provisioned.items() if source.get("isDefault")] == ["prometheus"]


def test_data_sources_ask_the_components_of_the_compose_file(
    provisioned: DataSources, services: dict[str, dict[str, Any]]
) -> None:
    for uid in TYPES.keys() - {"postgres"}:
        host, port = provisioned[uid]["url"].removeprefix("http://").split(":")
        assert f"127.0.0.1:{port}:{port}" in services[host]["ports"]
    assert provisioned["postgres"]["url"] == "postgres:15432"


def test_every_link_leads_to_a_data_source(provisioned: DataSources) -> None:
    links = re.findall(r"'datasourceUid': '([^']*)'", str(provisioned))
    assert set(links) == {"tempo", "loki", "prometheus", "pyroscope"}


def test_exemplars_lead_to_the_trace(provisioned: DataSources) -> None:
    destinations = provisioned["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert {one["name"]: one["datasourceUid"] for one in destinations} == {"trace_id": "tempo", "traceID": "tempo"}


def test_logs_lead_to_the_trace_by_structured_metadata(provisioned: DataSources) -> None:
    (field,) = provisioned["loki"]["jsonData"]["derivedFields"]
    assert (field["matcherType"], field["matcherRegex"]) == ("label", "trace_id")
    assert (field["datasourceUid"], field["url"]) == ("tempo", "${__value.raw}")


def test_a_span_leads_to_its_logs_metrics_and_profiles(provisioned: DataSources) -> None:
    links = provisioned["tempo"]["jsonData"]
    logs, metrics, profiles = links["tracesToLogsV2"], links["tracesToMetrics"], links["tracesToProfiles"]
    assert logs["query"] == '{${__tags}} | trace_id = "${__trace.traceId}"'
    assert logs["customQuery"] is True
    assert logs["tags"] == [{"key": "service.name", "value": "service_name"}]  # Alloy's label
    assert metrics["tags"] == [{"key": "service.name", "value": "service"}]  # the span metrics' label
    for query in metrics["queries"]:
        assert "{$__tags" in query["query"]
        assert "[$__rate_interval]" in query["query"]
    assert profiles["profileTypeId"] == "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
    assert profiles["tags"] == [{"key": "service.name", "value": "service_name"}]


def test_service_map_and_node_graph_are_on(provisioned: DataSources) -> None:
    assert provisioned["tempo"]["jsonData"]["serviceMap"] == {"datasourceUid": "prometheus"}
    assert provisioned["tempo"]["jsonData"]["nodeGraph"] == {"enabled": True}


@pytest.mark.parametrize(
    ("attributes", "die"),
    [
        ({"http.route": "/dice/{identifier}", "dice.die_type": "risky", "dice.die_found": True}, "risky"),
        ({"dice.die_type": "x' OR '1'='1"}, None),
        ({"http.route": "/dice"}, None),
    ],
)
def test_a_span_leads_to_its_row(provisioned: DataSources, attributes: dict[str, Any], die: str | None) -> None:
    (correlation,) = provisioned["tempo"]["correlations"]
    assert correlation["targetUID"] == "postgres"
    assert isinstance(correlation["description"], str)  # Grafana does not start without
    assert "type" not in correlation  # it belongs into config: Grafana panics on a text here
    config = correlation["config"]
    assert (config["type"], config["field"]) == ("query", "traceID")
    (transformation,) = config["transformations"]
    as_grafana_has_them = json.dumps(
        [{"key": key, "value": value} for key, value in attributes.items()], separators=(",", ":")
    )
    match = re.search(transformation["expression"], as_grafana_has_them)
    assert (match[1] if match else None) == die
    assert config["target"]["rawSql"].endswith(f"identifier = '${{{transformation['mapValue']}}}'")


def test_an_unescaped_dollar_would_be_lost() -> None:
    assert expand("${__value.raw}") == ""
    assert expand("$${__value.raw}") == "${__value.raw}"
    assert expand("{$$__tags}") == "{$__tags}"


def test_dashboards_come_from_the_stage_folders(stack: Path, services: dict[str, dict[str, Any]]) -> None:
    config = yaml.safe_load((stack / "grafana/provisioning/dashboards/stages.yaml").read_text())
    (provider,) = config["providers"]
    mounts = dict(volume.removesuffix(":ro").split(":") for volume in services["grafana"]["volumes"])
    for stage in range(1, 7):
        assert mounts[f"../stage{stage}/grafana-dashboards"] == f"{provider['options']['path']}/stage{stage}"


def test_no_login_and_loopback_only(services: dict[str, dict[str, Any]]) -> None:
    environment = services["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Admin"
    assert services["grafana"]["ports"] == ["127.0.0.1:3000:3000"]


DASHBOARDS = sorted(Path(__file__).parents[2].glob("stage[1-6]/grafana-dashboards/*.json"))


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where `after` lacks or changes what `before` says; what it adds (defaults) is none of it."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before:
            yield from lost(before[key], after.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after, strict=True)):
            yield from lost(*pair, f"{path}[{index}]")
    elif before != after:
        yield path


def empty(value: Any, path: str = "") -> Iterator[str]:
    """The last three names of the way to each null: Grafana's own JSON has them nowhere else."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else ((None, each) for each in value):
            yield from empty(inner, path if key is None else f"{path}.{key}")
    elif value is None:
        yield "." + ".".join(path.split(".")[-3:])


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_grafanas_own_models_read_the_dashboard(file: Path) -> None:
    written = json.loads(file.read_text(encoding="utf-8"))
    plugins.register_default_plugins()
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))
    unknown = {re.sub(r"\[\d+\]", "", path) for path in lost(written, read)}
    assert unknown <= {".panels.targets.tableType"}  # newer than the models
    assert set(empty(written)) <= {".thresholds.steps.value"}  # Grafana's −∞
