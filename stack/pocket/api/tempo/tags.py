"""Tag names and values: what the query editor offers (Tempo's search/tags and search/tag/…/values)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.form import BadRequest
from pocket.api.tempo import parameters as params
from pocket.api.times import Range
from pocket.query import traceql
from pocket.query.errors import ParseError
from pocket.query.traceql import ast
from pocket.query.traceql.evaluate import matches
from pocket.query.traceql.fields import KINDS, STATUSES, compile_field
from pocket.query.traceql.trace import NO_ROOT, Trace
from pocket.rows import Span
from pocket.store import Store

Json = dict[str, Any]

INTRINSICS = [
    "duration", "event:name", "event:timeSinceStart", "instrumentation:name", "instrumentation:version", "kind",
    "link:spanID", "link:traceID", "name", "rootName", "rootServiceName", "span:duration", "span:id", "span:kind",
    "span:name", "span:parentID", "span:status", "span:statusMessage", "status", "statusMessage", "trace:duration",
    "trace:id", "trace:rootName", "trace:rootService", "traceDuration",
]  # fmt: skip
_SCOPES = ("intrinsic", "resource", "span", "event", "link", "instrumentation")
_KEYWORDS = {"status": [str(status) for status in STATUSES], "kind": [str(kind) for kind in KINDS]}
_UNBOUNDED = ("duration", "traceDuration", "trace:id", "span:id", "span:parentID", "event:timeSinceStart")
MAX_VALUES = 1000
# Where no index knows the values, the newest traces stand for all.
MAX_TRACES = 500
_MATCHER = re.compile(
    r'[\w.:"-]+\s*(?:=~|!~|!=|>=|<=|=|>|<)\s*(?:"(?:\\.|[^"\\])*"|`[^`]*`|[\w.]+)(?=\s*(?:&&|\}|$))'
)


# ---- names
def names_v1(call: Call) -> Response:
    scope = call.form.get("scope")
    found = _scopes(call.store, scope, params.seconds_range(call.form))
    wanted = [names for name, names in found.items() if name != "intrinsic" or scope == "intrinsic"]
    return answers.json({"tagNames": sorted({name for names in wanted for name in names}), "metrics": {}})


def names_v2(call: Call) -> Response:
    found = _scopes(call.store, call.form.get("scope"), params.seconds_range(call.form))
    listed = [{"name": scope, "tags": names} for scope, names in found.items()]
    return answers.json({"scopes": listed, "metrics": {}})


def _scopes(store: Store, scope: str, span: Range) -> dict[str, list[str]]:
    """Names by scope, all scopes or the one asked for. Raises BadRequest for a scope that does not exist."""
    if scope not in ("", "none", *_SCOPES):
        raise BadRequest(f"invalid scope: {scope}")
    wanted = [scope] if scope in _SCOPES else list(_SCOPES)
    found = {name: _NAMES[name](store, span) for name in wanted}
    return {name: names for name, names in found.items() if names}


def _event_names(store: Store, span: Range) -> list[str]:
    return sorted({name for item, _ in _newest(store, span) for event in item.events for name in event.attributes})


def _scope_names(store: Store, span: Range) -> list[str]:
    return sorted({name for item, _ in _newest(store, span) for name in item.scope_attributes})


def _link_names(store: Store, span: Range) -> list[str]:
    return sorted({name for item, _ in _newest(store, span) for link in item.links for name in link.attributes})


_NAMES: dict[str, Callable[[Store, Range], list[str]]] = {
    "intrinsic": lambda _store, _span: INTRINSICS,
    "resource": lambda store, span: store.traces.attribute_names("resource", span.start_ns, span.end_ns),
    "span": lambda store, span: store.traces.attribute_names("span", span.start_ns, span.end_ns),
    "event": _event_names,
    "link": _link_names,
    "instrumentation": _scope_names,
}


# ---- values
def values_v1(call: Call) -> Response:
    found = _plain_values(call.store, _tag(call), params.seconds_range(call.form))
    return answers.json({"tagValues": found, "metrics": {}})


def values_v2(call: Call) -> Response:
    found = _values(call.store, _tag(call), call.form.get("q"), params.seconds_range(call.form))
    return answers.json({"tagValues": found, "metrics": {}})


def _tag(call: Call) -> str:
    """Grafana encodes the name twice; the server has undone it once."""
    return unquote(call.path["tag"])


def _values(store: Store, tag: str, query: str, span: Range) -> list[Json]:
    """`{type, value}` of a tag's values, of the spans that `query` selects. Raises BadRequest."""
    try:
        named = traceql.parse_attribute(tag)
    except ParseError as error:
        raise BadRequest(f"please provide a valid tagName: {error.message}") from None
    if isinstance(named, ast.Intrinsic) and named.name in _KEYWORDS:
        return [{"type": "keyword", "value": text} for text in _KEYWORDS[named.name]]
    found = dict.fromkeys((_type(value), _text(value)) for value in _raw(store, named, query, span))
    ordered = sorted(islice(found, MAX_VALUES), key=lambda item: item[1])
    return [{"type": kind, **({"value": text} if text else {})} for kind, text in ordered]


def _plain_values(store: Store, tag: str, span: Range) -> list[str]:
    """The values of a bare name, in whatever scope: the first version of the API."""
    if tag in _KEYWORDS:
        return []
    named = ast.Intrinsic(tag) if tag in INTRINSICS and ":" not in tag else ast.Attribute("", tag)
    return sorted({_text(value) for value in _raw(store, named, "", span)})[:MAX_VALUES]


def _raw(store: Store, named: ast.Named, query: str, span: Range) -> Iterator[Any]:
    filter_ = _lenient(query)
    if isinstance(named, ast.Intrinsic):
        if named.name not in _UNBOUNDED:
            yield from _evaluated(store, named, filter_, span)
    elif filter_ is None and named.scope in ("", "resource", "span"):
        for scope in (named.scope,) if named.scope else ("resource", "span"):
            found = store.traces.attribute_values(scope, named.name, span.start_ns, span.end_ns)  # type: ignore[arg-type]
            yield from _flat(found)
    else:
        yield from _evaluated(store, named, filter_, span)


def _evaluated(store: Store, named: ast.Named, query: ast.Query | None, span: Range) -> Iterator[Any]:
    evaluate = compile_field(named)
    found = (evaluate(item, trace) for item, trace in _newest(store, span, query))
    return (value for value in _flat(found) if value not in (None, "", NO_ROOT))


def _flat(found: Iterable[Any]) -> Iterator[Any]:
    for value in found:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _newest(store: Store, span: Range, query: ast.Query | None = None) -> Iterator[tuple[Span, Trace]]:
    chosen = matches(store.traces, query or traceql.parse("{}"), span.start_ns, span.end_ns)
    for trace, spansets in islice(chosen, MAX_TRACES):
        for spanset in spansets:
            for item in spanset.spans:
                yield item, trace


def _lenient(text: str) -> ast.Query | None:
    """The query of an editor in use: if it is not complete, its complete comparisons, all to hold at once."""
    if not text.strip(" {}"):
        return None
    try:
        return traceql.parse(text)
    except ParseError:
        pass
    try:
        return traceql.parse("{" + " && ".join(_MATCHER.findall(text)) + "}")
    except ParseError:
        return None


def _type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
    return "string"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
