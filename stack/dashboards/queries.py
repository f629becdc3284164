"""Query targets in Grafana's JSON model, one function a data source."""

from __future__ import annotations

from grafana_foundation_sdk.builders import grafanapyroscope, loki, prometheus, tempo
from grafana_foundation_sdk.cog import variants as cog_variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models import tempo as tempo_models
from grafana_foundation_sdk.models.dashboard import DataSourceRef

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
LOKI = DataSourceRef(type_val="loki", uid="loki")
TEMPO = DataSourceRef(type_val="tempo", uid="tempo")
PYROSCOPE = DataSourceRef(type_val="grafana-pyroscope-datasource", uid="pyroscope")
POSTGRES = DataSourceRef(type_val="grafana-postgresql-datasource", uid="postgres")
CPU_PROFILE = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"


class SqlQuery(cog_variants.Dataquery, Builder["SqlQuery"]):
    """A query of Grafana's SQL data sources, for which the SDK has no model."""

    def __init__(self, raw_sql: str) -> None:
        self.raw_sql, self.ref_id = raw_sql, ""

    def build(self) -> SqlQuery:
        return self

    def to_json(self) -> dict[str, object]:
        return {"rawSql": self.raw_sql, "format": "table", "refId": self.ref_id}


def promql(expr: str, legend: str = "", *, instant: bool = False, exemplar: bool = False) -> prometheus.Dataquery:
    """A range query, or with `instant` a single value at the end of the time range."""
    query = prometheus.Dataquery().expr(expr).legend_format(legend or "__auto").exemplar(exemplar)
    return query.instant() if instant else query.range()


def buckets(expr: str, *, instant: bool = False) -> prometheus.Dataquery:
    """A histogram's `sum by (le)`; Grafana turns its cumulative buckets into counts per bucket."""
    return promql(expr, "{{le}}", instant=instant, exemplar=not instant).format(
        prometheus_models.PromQueryFormat.HEATMAP
    )


def logql(expr: str, legend: str = "") -> loki.Dataquery:
    return loki.Dataquery().expr(expr).query_type("range").legend_format(legend)


def traceql(query: str, limit: int = 20) -> tempo.Dataquery:
    """The newest traces: without the hint Tempo answers the first `limit` that it comes across."""
    newest = f"{query} with (most_recent=true)"
    return (
        tempo.Dataquery()
        .query(newest)
        .query_type("traceql")
        .limit(limit)
        .table_type(tempo_models.SearchTableType.TRACES)
    )


def service_map() -> tempo.Dataquery:
    return tempo.Dataquery().query_type("serviceMap")


def cpu_profile(service: str) -> grafanapyroscope.Dataquery:
    selector = f'{{service_name="{service}"}}'
    return grafanapyroscope.Dataquery().profile_type_id(CPU_PROFILE).label_selector(selector).query_type("profile")


def sql(raw_sql: str) -> SqlQuery:
    return SqlQuery(raw_sql)
