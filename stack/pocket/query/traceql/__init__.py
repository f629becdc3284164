"""TraceQL: text → `ast` (parse) → spansets of traces (search) or time series (metrics).

Traces come from a `TraceSource`. The behaviour is Tempo's, read from grafana/tempo pkg/traceql; what is not
evaluated here is refused, never guessed.
"""

from pocket.query.traceql import ast
from pocket.query.traceql.metrics import instant as metrics_instant
from pocket.query.traceql.metrics import query_range as metrics_range
from pocket.query.traceql.parse import parse, parse_attribute
from pocket.query.traceql.search import Match, search
from pocket.query.traceql.source import TraceSource
from pocket.query.traceql.trace import Trace

__all__ = [
    "Match",
    "Trace",
    "TraceSource",
    "ast",
    "metrics_instant",
    "metrics_range",
    "parse",
    "parse_attribute",
    "search",
]
