"""prometheus.yml, the part of it that describes scraping; what is not known is refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pocket.addresses import LOCAL_NAMES, LOOPBACK
from pocket.rows import Labels

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Known to Prometheus, without meaning here: the store keeps all exemplars, and takes samples of any order; the
# attributes to promote are in receive/otlp.
_IGNORED = {"storage", "otlp"}
_JOB_KEYS = {
    "job_name", "scrape_interval", "scrape_timeout", "metrics_path", "scheme", "static_configs", "dns_sd_configs"
}  # fmt: skip


class ConfigError(Exception):
    """The file cannot be used; the message is one line that says where and why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address to scrape, and its labels. `host` is the name it was configured by."""

    host: str
    port: int
    labels: Labels = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Job:
    """One scrape_config; times in seconds."""

    name: str
    interval: float
    timeout: float
    targets: tuple[Target, ...]
    metrics_path: str = "/metrics"
    scheme: str = "http"


def load(path: Path) -> list[Job]:
    """The jobs of a prometheus.yml. Raises ConfigError."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    try:
        return _jobs(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def resolvable(jobs: list[Job], hosts: Collection[str], offset: int) -> list[tuple[Job, Target]]:
    """The targets whose host is in `hosts`, moved to loopback and by the port offset, and local ones as they are.

    Docker's DNS would answer for running services alone, so the others are left out as they would be there.
    """
    return [
        (job, Target(LOOPBACK, target.port + (offset if target.host in hosts else 0), target.labels))
        for job in jobs
        for target in job.targets
        if target.host in hosts or target.host in LOCAL_NAMES
    ]


def _jobs(document: Any) -> list[Job]:
    _keys("the file", document, {"global", "scrape_configs", *_IGNORED})
    general = _keys(
        "global", document.get("global") or {}, {"scrape_interval", "scrape_timeout", "evaluation_interval"}
    )
    interval = _seconds("global.scrape_interval", general.get("scrape_interval", "1m"))
    timeout = _seconds("global.scrape_timeout", general.get("scrape_timeout", "10s"))
    items = _list("scrape_configs", document.get("scrape_configs") or [])
    jobs = [_job(item, interval, timeout) for item in items]
    names = [job.name for job in jobs]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"found multiple scrape configs with job name {name!r}")
    return jobs


def _job(item: Any, interval: float, timeout: float) -> Job:
    _keys("scrape_configs", item, _JOB_KEYS)
    name = item.get("job_name")
    if not isinstance(name, str) or not name:
        raise ConfigError("scrape_configs: job_name is missing")
    where = f"job {name!r}"
    interval = _seconds(f"{where}: scrape_interval", item.get("scrape_interval", interval))
    timeout = min(interval, _seconds(f"{where}: scrape_timeout", item.get("scrape_timeout", timeout)))
    if item.get("scheme", "http") != "http":
        raise ConfigError(f"{where}: scheme {item['scheme']!r} is not supported, only http")
    path = item.get("metrics_path", "/metrics")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ConfigError(f"{where}: metrics_path must begin with /")
    targets = (
        *(t for static in _list(where, item.get("static_configs") or []) for t in _static(where, static)),
        *(t for dns in _list(where, item.get("dns_sd_configs") or []) for t in _dns(where, dns)),
    )
    return Job(name, interval, timeout, targets, path)


def _static(where: str, item: Any) -> list[Target]:
    _keys(f"{where}: static_configs", item, {"targets", "labels"})
    labels = item.get("labels") or {}
    if not isinstance(labels, dict) or not all(
        isinstance(k, str) and isinstance(v, str) and _LABEL.fullmatch(k) for k, v in labels.items()
    ):
        raise ConfigError(f"{where}: static_configs: labels must be names with strings")
    return [_address(where, text, labels) for text in _list(where, item.get("targets") or [])]


def _address(where: str, text: Any, labels: Labels) -> Target:
    host, _, port = str(text).rpartition(":")
    if not host or "/" in host:
        raise ConfigError(f"{where}: {text!r} is not a host:port address")
    return Target(host, _port(where, port), labels)


def _dns(where: str, item: Any) -> list[Target]:
    _keys(f"{where}: dns_sd_configs", item, {"names", "type", "port", "refresh_interval"})
    if item.get("type", "SRV") != "A":
        raise ConfigError(f"{where}: dns_sd_configs: type {item.get('type', 'SRV')!r} is not supported, only A")
    port = _port(where, item.get("port"))
    return [Target(str(name), port) for name in _list(where, item.get("names") or [])]


def _port(where: str, value: Any) -> int:
    if not str(value).isdigit() or not 0 < int(value) < 1 << 16:
        raise ConfigError(f"{where}: {value!r} is not a port")
    return int(value)


def _keys(where: str, item: Any, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise ConfigError(f"{where}: a mapping is expected")
    unknown = sorted(str(key) for key in item if key not in known)
    if unknown:
        raise ConfigError(f"{where}: {unknown[0]!r} is not supported by the pocket stack")
    return item


def _list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ConfigError(f"{where}: a list is expected")
    return value


def _seconds(where: str, value: Any) -> float:
    """Prometheus' durations: 5s, 1m30s, 500ms."""
    if isinstance(value, float):
        return value
    match = _DURATION.fullmatch(str(value))
    if match is None or not any(match.groups()):
        raise ConfigError(f"{where}: {value!r} is not a duration")
    hours, minutes, seconds, ms = (int(part or 0) for part in match.groups())
    total = hours * 3600 + minutes * 60 + seconds + ms / 1000
    if total <= 0:
        raise ConfigError(f"{where}: must be positive")
    return total
