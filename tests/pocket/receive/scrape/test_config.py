from pathlib import Path

import pytest

from pocket.receive.scrape import ConfigError, load
from pocket.receive.scrape.config import Target, resolvable

REAL = Path(__file__).parents[4] / "stack" / "prometheus" / "prometheus.yml"

GOOD = """
global: {scrape_interval: 5s, scrape_timeout: 1m30s, evaluation_interval: 1m}
scrape_configs:
  - job_name: a
    static_configs: [{targets: ['localhost:9100', 'elsewhere:1'], labels: {env: dev}}]
  - job_name: b
    scrape_interval: 500ms
    metrics_path: /m
    dns_sd_configs: [{names: [frontend, gone], type: A, port: 8501, refresh_interval: 5s}]
"""


def write(path: Path, text: str) -> Path:
    file = path / "prometheus.yml"
    file.write_text(text)
    return file


def test_jobs_and_targets(tmp_path: Path) -> None:
    a, b = load(write(tmp_path, GOOD))
    assert (a.name, a.interval, a.timeout, a.metrics_path) == ("a", 5.0, 5.0, "/metrics")
    assert a.targets[0] == Target("localhost", 9100, {"env": "dev"})
    assert (b.name, b.interval, b.timeout, b.metrics_path) == ("b", 0.5, 0.5, "/m")
    found = resolvable([a, b], {"frontend"}, 1000)
    assert [(job.name, t.host, t.port, t.labels) for job, t in found] == [
        ("a", "127.0.0.1", 9100, {"env": "dev"}),  # an address that somebody wrote down is meant
        ("b", "127.0.0.1", 9501, {}),
    ]


def test_the_stack_s_own_file_is_understood() -> None:
    jobs = load(REAL)
    assert {"dice-roller", "streamlit-frontend", "die-service", "postgres"} <= {job.name for job in jobs}
    assert resolvable(jobs, {"dice-roller"}, 0)[0][1].port == 8001


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not valid YAML"),
        ("[]", "the file: a mapping is expected"),
        ("rule_files: [x]", "the file: 'rule_files' is not supported by the pocket stack"),
        ("global: {scrape_interval: 5x}", "global.scrape_interval: '5x' is not a duration"),
        ("global: {scrape_interval: 0s}", "global.scrape_interval: must be positive"),
        ("scrape_configs: 5", "scrape_configs: a list is expected"),
        ("scrape_configs: [{}]", "job_name is missing"),
        ("scrape_configs: [{job_name: a, relabel_configs: []}]", "'relabel_configs' is not supported"),
        ("scrape_configs: [{job_name: a, scheme: https}]", "job 'a': scheme 'https' is not supported"),
        ("scrape_configs: [{job_name: a, metrics_path: m}]", "must begin with /"),
        ("scrape_configs: [{job_name: a}, {job_name: a}]", "multiple scrape configs with job name 'a'"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: [x]}]}]", "'x' is not a host:port address"),
        ("scrape_configs: [{job_name: a, static_configs: [{targets: ['x:0']}]}]", "'0' is not a port"),
        ("scrape_configs: [{job_name: a, static_configs: [{labels: {'a-b': c}}]}]", "labels must be names"),
        ("scrape_configs: [{job_name: a, dns_sd_configs: [{names: [x]}]}]", "type 'SRV' is not supported, only A"),
        ("scrape_configs: [{job_name: a, dns_sd_configs: [{names: [x], type: A}]}]", "None is not a port"),
    ],
)
def test_what_is_not_understood_is_named_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert says in str(caught.value)
    assert "prometheus.yml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yml")
