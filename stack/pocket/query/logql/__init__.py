"""LogQL: text → `ast` (parse) → records through pipelines (streams) or numbers (metric).

Logs come from a `LogSource`. The behaviour is Loki's, read from grafana/loki pkg/logql; what is not evaluated here
is refused, never guessed.
"""

from pocket.query.logql import ast
from pocket.query.logql.evaluate import instant as metric_instant
from pocket.query.logql.evaluate import query_range as metric_range
from pocket.query.logql.parse import parse, parse_log_query, parse_matchers
from pocket.query.logql.record import Record
from pocket.query.logql.source import LogSource
from pocket.query.logql.streams import Line, Stream
from pocket.query.logql.streams import select as streams

__all__ = [
    "Line",
    "LogSource",
    "Record",
    "Stream",
    "ast",
    "metric_instant",
    "metric_range",
    "parse",
    "parse_log_query",
    "parse_matchers",
    "streams",
]
