"""PostgreSQL's own figures for Prometheus: `python -m workshop.infrastructure.postgres_exporter`.

The part of prometheus-community/postgres_exporter that the lessons show, under the same names and labels, set up
by the same environment variables: DATA_SOURCE_NAME, or DATA_SOURCE_URI with DATA_SOURCE_USER and DATA_SOURCE_PASS.
Every scrape asks the database anew: when it is down, `pg_up` is 0 and nothing else is claimed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import asyncpg
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pocket.addresses import LOOPBACK
from workshop.errors import WorkshopError

CONNECT_SECONDS, QUERY_SECONDS = 1.5, 1.5  # together below the scrape's time-out of 4 s
DATABASES = "SELECT datid, datname, numbackends FROM pg_stat_database WHERE datid <> 0"
SIZES = "SELECT datname, pg_database_size(oid) AS size FROM pg_database"
# Every database × state has a sample, as the original makes them: a series at 0 is not a missing one. Like the
# original it leaves its own connection out.
IN_TRANSACTION = ("idle in transaction", "idle in transaction (aborted)")
STATES = ("active", "idle", *IN_TRANSACTION, "fastpath function call", "disabled")
BACKEND = ("usename", "application_name", "backend_type", "wait_event_type", "wait_event")
ACTIVITY = f"""
SELECT d.datname, s.state, {", ".join(BACKEND)}, count(a.pid) AS count
FROM pg_database d CROSS JOIN unnest($1::text[]) AS s(state)
LEFT JOIN pg_stat_activity a ON a.datname = d.datname AND a.state = s.state AND a.pid <> pg_backend_pid()
GROUP BY d.datname, s.state, {", ".join(BACKEND)}
"""  # noqa: S608 - the names are ours


class PostgresCollector(Collector):
    """Asks once a scrape; scrapes come in threads of their own."""

    def __init__(self, data_source: str) -> None:
        self.data_source = data_source
        self.was_up: bool | None = None

    def collect(self) -> Iterable[Metric]:
        try:
            families = asyncio.run(self._ask())
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            self._say_change(False, f": {type(error).__name__}: {error}")
            families = []
        else:
            self._say_change(True, "")
        up = GaugeMetricFamily(
            "pg_up", "Whether the last scrape could connect to PostgreSQL.", value=bool(families)
        )
        return [up, *families]

    def _say_change(self, up: bool, reason: str) -> None:
        if up is not self.was_up:
            print(f"postgres_exporter: the database is {'up' if up else 'down'}{reason}", file=sys.stderr)
        self.was_up = up

    async def _ask(self) -> list[Metric]:
        connection = await asyncpg.connect(self.data_source, timeout=CONNECT_SECONDS)
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                databases = await connection.fetch(DATABASES)
                activity = await connection.fetch(ACTIVITY, STATES)
                sizes = await connection.fetch(SIZES)
        finally:
            connection.terminate()
        return [backends_family(databases), activity_family(activity), size_family(sizes)]


Rows = Sequence[Mapping[str, object]]


def backends_family(rows: Rows) -> Metric:
    help_text = "Number of backends currently connected to this database."
    return family("pg_stat_database_numbackends", help_text, ("datid", "datname"), "numbackends", rows)


def activity_family(rows: Rows) -> Metric:
    labels = ("datname", "state", *BACKEND)
    return family("pg_stat_activity_count", "number of connections in this state", labels, "count", rows)


def size_family(rows: Rows) -> Metric:
    return family("pg_database_size_bytes", "Disk space used by the database", ("datname",), "size", rows)


def family(name: str, help_text: str, labels: Sequence[str], value: str, rows: Rows) -> Metric:
    """A sample a row; a NULL is an empty label, which Prometheus takes for none."""
    found = GaugeMetricFamily(name, help_text, labels=labels)
    for row in rows:
        found.add_metric(
            [str(row[label] if row[label] is not None else "") for label in labels], number(row[value])
        )
    return found


def number(value: object) -> float:
    """PostgreSQL's exact numbers (Decimal), too."""
    return float(str(value))


def data_source(environment: Mapping[str, str]) -> str:
    """The connection URL; WorkshopError when nothing names the database."""
    if name := environment.get("DATA_SOURCE_NAME"):
        return name
    if not (uri := environment.get("DATA_SOURCE_URI")):
        raise WorkshopError("DATA_SOURCE_NAME or DATA_SOURCE_URI must say where the database is.")
    user, password = environment.get("DATA_SOURCE_USER", ""), environment.get("DATA_SOURCE_PASS", "")
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{uri}"


def listen_address(words: Sequence[str]) -> tuple[str, int]:
    """`[host]:port` as the real exporter takes it, but all interfaces are read as loopback alone."""
    parser = argparse.ArgumentParser(prog="workshop.infrastructure.postgres_exporter", description=__doc__)
    default = os.environ.get("PG_EXPORTER_WEB_LISTEN_ADDRESS", ":9187")
    parser.add_argument("--web.listen-address", dest="address", default=default)
    host, _, port = str(parser.parse_args(words).address).rpartition(":")
    if not port.isdigit():
        raise WorkshopError(f"--web.listen-address needs [host]:port, not {host}:{port}")
    return LOOPBACK if host in ("", "0.0.0.0") else host, int(port)  # noqa: S104 - refused, not bound


def main(words: Sequence[str]) -> int:
    stop = threading.Event()
    for number_ in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number_, lambda *_: stop.set())
    try:
        host, port = listen_address(words)
        registry = CollectorRegistry()
        registry.register(PostgresCollector(data_source(os.environ)))
        server, _ = start_http_server(port, host, registry)
    except WorkshopError as error:
        print(f"postgres_exporter: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"postgres_exporter: cannot listen: {error.strerror}", file=sys.stderr)
        return 1
    stop.wait()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
