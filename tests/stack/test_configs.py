"""Each component's configuration, judged by the component itself (REAL_TOOLS_DIR or PATH)."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Run = Callable[..., Any]
ALLOY = sorted(Path(__file__).parents[2].glob("st*/alloy/config.alloy"))
# What Prometheus scrapes: job → DNS name and port. The job is the service's OpenTelemetry name.
JOBS = {
    "dice-roller": ("dice-roller", 8001),
    "streamlit-frontend": ("frontend", 8501),
    "die-service": ("die-service", 8002),
    "usage-service": ("usage-service", 8003),
    "postgres": ("postgres-exporter", 9187),
}


@pytest.mark.parametrize("config", ALLOY, ids=lambda config: config.parents[1].name)
def test_alloy_is_formatted_and_valid(tool: Callable[[str], Run], config: Path) -> None:
    alloy = tool("alloy")
    formatted = alloy("fmt", config)
    assert formatted.returncode == 0, formatted.stderr
    assert formatted.stdout == config.read_text(encoding="utf-8")
    validated = alloy("validate", "--stability.level=public-preview", config)  # as the Compose file runs it
    assert validated.returncode == 0, validated.stderr


@pytest.mark.parametrize("config", ALLOY, ids=lambda config: config.parents[1].name)
def test_a_line_read_again_keeps_its_time(config: Path) -> None:
    """Else Loki takes it for another line (`tests/pocket/route/test_against_alloy.py` asks Alloy itself)."""
    stages = re.findall(r"^\tstage\.timestamp \{\n(.*?)^\t\}", config.read_text(encoding="utf-8"), re.M | re.S)
    assert stages
    for stage in stages:
        assert re.search(r'^\t\taction_on_duplicate_timestamp += "keep"$', stage, re.M)


def test_prometheus(tool: Callable[[str], Run], stack: Path, tmp_path: Path) -> None:
    config = stack / "prometheus/prometheus.yml"
    if " 2." in tool("promtool")("--version").stdout.partition("(")[0]:  # Debian's knows all of it but `otlp`
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
        assert document.pop("otlp").keys() == {"promote_resource_attributes"}
        config = tmp_path / "prometheus.yml"
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
    checked = tool("promtool")("check", "config", "--lint=all", "--lint-fatal", config)
    assert checked.returncode == 0, checked.stderr


def test_loki(tool: Callable[[str], Run], stack: Path) -> None:
    verified = tool("loki")(f"-config.file={stack / 'loki/loki.yaml'}", "-verify-config")
    assert verified.returncode == 0, verified.stderr


def test_tempo(tool: Callable[[str], Run], stack: Path) -> None:
    verified = tool("tempo")(f"-config.file={stack / 'tempo/tempo.yaml'}", "-config.verify=true")
    assert verified.returncode == 0, verified.stderr
    assert "warn" not in verified.stderr.lower()


def test_pyroscope(tool: Callable[[str], Run], stack: Path) -> None:
    # It has no flag that verifies; listing the modules reads the file first, strictly.
    parsed = tool("pyroscope")(f"-config.file={stack / 'pyroscope/pyroscope.yaml'}", "-modules")
    assert parsed.returncode == 0, parsed.stderr


def test_collector(tool: Callable[[str], Run], stack: Path) -> None:
    validated = tool("otelcol")("validate", f"--config={stack / 'otelcol/config.yaml'}")
    assert validated.returncode == 0, validated.stderr


def test_prometheus_finds_every_service_by_dns(stack: Path) -> None:
    config = yaml.safe_load((stack / "prometheus/prometheus.yml").read_text())
    found = {}
    for job in config["scrape_configs"]:
        (discovery,) = job["dns_sd_configs"]
        assert discovery["type"] == "A"
        found[job["job_name"]] = (discovery["names"][0], discovery["port"])
        assert set(job) == {"job_name", "dns_sd_configs"}  # the pocket stack reads nothing else
    assert found == JOBS


def test_tempo_writes_service_graph_and_span_metrics(stack: Path) -> None:
    config = yaml.safe_load((stack / "tempo/tempo.yaml").read_text())
    processors = config["overrides"]["defaults"]["metrics_generator"]["processors"]
    assert set(processors) == {"service-graphs", "span-metrics"}
    (remote,) = config["metrics_generator"]["storage"]["remote_write"]
    assert remote["url"] == "http://prometheus:9090/api/v1/write"
    assert remote["send_exemplars"] is True


def test_nothing_phones_home(stack: Path, services: dict[str, dict[str, Any]]) -> None:
    for component, section in {"loki": "analytics", "pyroscope": "analytics", "tempo": "usage_report"}.items():
        config = yaml.safe_load((stack / component / f"{component}.yaml").read_text())
        assert config[section]["reporting_enabled"] is False, component
    assert "--disable-reporting" in services["alloy"]["command"]
    grafana = services["grafana"]["environment"]
    assert grafana["GF_ANALYTICS_REPORTING_ENABLED"] == "false"
    assert grafana["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"
    assert grafana["GF_PLUGINS_PREINSTALL_AUTO_UPDATE"] == "false"
