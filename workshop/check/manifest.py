"""The form of a stage's entry: one matrix of services × signals and one list of edges is what checks go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EXPORTER = "postgres-exporter"  # in the compose file; its job is the database's name


@dataclass(frozen=True)
class ServiceSignals:
    """A service and what it sends. `name` is its service.name and job; `compose` its name in the compose file."""

    name: str
    compose: str
    port: int
    families: tuple[str, ...] = ()  # metric families of its /metrics, as the text format names them
    logs: bool = True
    traces: bool = True
    profiles: bool = True
    exemplars: str = ""  # a histogram whose buckets carry trace ids
    health_path: str = "/healthz"


@dataclass(frozen=True)
class Hop:
    """A span to be found: `name` is a regular expression for the whole name; kind is OTLP's, "" for any."""

    service: str
    name: str
    kind: str = ""


@dataclass(frozen=True)
class Stage:
    """A stage. `paths` are chains of spans, each below the one before it, in the trace of `request`."""

    number: int
    services: tuple[ServiceSignals, ...]
    edges: tuple[tuple[str, str], ...]  # service graph: client, server
    request: str  # path and query at the roller, asked with a traceparent of the check's own
    paths: tuple[tuple[Hop, ...], ...]
    answers: tuple[str, ...] = ()  # services that have log lines of that trace
    click_paths: tuple[tuple[Hop, ...], ...] = ()  # the same for a click on the frontend's Roll
    click_answers: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()  # Prometheus jobs; default: the services
    exporter_metrics: Mapping[str, str] = field(default_factory=dict)  # metric → job, asked of Prometheus
    lessons: tuple[str, ...] = ()  # names in lessons.LESSONS

    @property
    def jobs(self) -> tuple[str, ...]:
        return self.targets or tuple(service.name for service in self.services)

    def compose(self, *names: str) -> tuple[str, ...]:
        """Services' compose names, each once; for a job without an entry its exporter's, or its own."""
        known = {service.name: service.compose for service in self.services}
        exported = dict.fromkeys(self.exporter_metrics.values(), EXPORTER)
        return tuple(dict.fromkeys((known | exported).get(name, name) for name in names))

    @property
    def asked(self) -> tuple[str, ...]:
        """The services that the check's own request goes through."""
        return self.compose(*(hop.service for path in self.paths for hop in path))

    @property
    def clicked(self) -> tuple[str, ...]:
        """The services that its click goes through."""
        return self.compose(*(hop.service for path in self.click_paths for hop in path))
