"""Rows of stage 5: queries and pool as the service sees them, connections and size as the server does."""

from __future__ import annotations

from dashboards import panels
from dashboards.colors import BAD, GOOD, OUTCOMES, PERCENTILES, PLAIN, SERVICES, STATES
from dashboards.panels import Panel
from dashboards.queries import promql, sql, traceql
from dashboards.rows import RATE, Row, quantiles, share

EXPORTER = 'job="postgres"'
SERVER = f'{EXPORTER}, datname="dice"'
DICE = "SELECT identifier, faces, error_rate, shakes FROM die_specifications ORDER BY shakes, identifier"


def queries(job: str) -> Row:
    """What a service asks of its database, and the pool it asks through."""
    selector = f'job="{job}"'
    asked = f"database_queries_total{{{selector}}}"
    failed = f'database_queries_total{{{selector}, result!="success"}}'
    return Row(
        f"{job}: database",
        [
            panels.lines(
                "Queries by type and result",
                "Refused connections, timeouts and an exhausted pool are results, too.",
                "suffix:queries/s",
                promql(f"sum by (query_type, result) (rate({asked}{RATE}))", "{{query_type}} {{result}}"),
                stacked=True,
                colors=OUTCOMES,
            ),
            panels.lines(
                "Query latency",
                "Includes the wait for a connection, and failures. A dot is a request: its trace has the SQL.",
                "s",
                *quantiles("database_query_duration_seconds", selector),
                colors=PERCENTILES,
            ),
            _pool(selector),
            panels.lines(
                "Query error ratio",
                "0 in good times, 1 in an outage. It returns to 0 by itself: the pool finds the database again.",
                "percentunit",
                promql(share(failed, asked), "failed"),
                colors={"^failed$": BAD},
                soft_max=0.05,
            ),
        ],
    )


def _pool(selector: str) -> Panel:
    panel = panels.lines(
        "Connection pool",
        "Open connections, idle ones, and the limit. At the limit with none idle, the pool is exhausted.",
        "short",
        promql(f"sum(database_connection_pool_size{{{selector}}})", "open"),
        promql(f"sum(database_connection_pool_available{{{selector}}})", "waiting for work"),
        promql(f"sum(database_connection_pool_limit{{{selector}}})", "limit"),
        colors={"^open$": PLAIN, "^waiting for work$": GOOD, "^limit$": BAD},
    )
    return panels.limit(panel, "limit")


def server() -> Row:
    """PostgreSQL as its exporter sees it."""
    return Row(
        "PostgreSQL",
        [
            panels.state(
                "Database up",
                "pg_up: whether the exporter could connect at the last scrape. The exporter itself keeps running.",
                promql(f"max(pg_up{{{EXPORTER}}})", "up"),
                words=("down", "up"),
            ),
            panels.number(
                "Backends",
                "Connections to the database, including the exporter's own. Compare with the sum of the pools.",
                "none",
                promql(f"sum(pg_stat_database_numbackends{{{SERVER}}})", "backends"),
                color=SERVICES["postgres"],
            ),
            panels.number(
                "Database size",
                "Disk space of the database, with PostgreSQL's own tables.",
                "bytes",
                promql(f"sum(pg_database_size_bytes{{{SERVER}}})", "size"),
                color=SERVICES["postgres"],
            ),
            panels.state(
                "Dice in the table",
                "What die-service found when it last looked. 0 while it cannot reach the database.",
                promql('max(die_specifications_loaded{job="die-service"})', "dice"),
            ),
            panels.lines(
                "Connections by state",
                "Idle ones belong to pools. “Idle in transaction” holds locks and does nothing.",
                "short",
                promql(f"sum by (state) (pg_stat_activity_count{{{SERVER}}})", "{{state}}"),
                stacked=True,
                colors=STATES,
            ),
            panels.records(
                "The dice", "The table itself, read by SQL: what the query of a database span finds.", sql(DICE)
            ),
            panels.traces(
                "Traces with a query",
                "Requests that reached the database, found by an attribute of the instrumentation's spans.",
                traceql('{span.db.system.name="postgresql"}'),
            ),
            panels.traces(
                "Connections acquired and opened",
                "The service makes these spans itself: the instrumentation has none for a connection that is "
                "awaited or refused. In an outage they are red.",
                traceql('{name="acquire connection" || name="connect"}'),
            ),
        ],
    )
