"""Label names and values, and the label sets of streams."""

from __future__ import annotations

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.loki import encode
from pocket.api.loki import parameters as params
from pocket.api.times import HOUR
from pocket.query import logql

_SINCE_NS = 6 * HOUR  # without a start


def labels(call: Call) -> Response:
    span = params.bounds(call.form, _SINCE_NS)
    if not call.form.get("query"):
        return _listed(call.store.logs.label_names(span.start_ns, span.end_ns))
    streams = call.store.logs.streams(params.matchers(call.form), span.start_ns, span.end_ns)
    return _listed(sorted({name for labels in streams for name in labels}))


def values(call: Call) -> Response:
    span = params.bounds(call.form, _SINCE_NS)
    name, matchers = call.path["name"], params.matchers(call.form)
    return _listed(call.store.logs.label_values(name, span.start_ns, span.end_ns, matchers))


def _listed(found: list[str]) -> Response:
    """Loki leaves `data` out when there is nothing."""
    return encode.success(found) if found else answers.json({"status": "success"})


def series(call: Call) -> Response:
    span = params.bounds(call.form)
    selectors = [text for text in call.form.all("match[]", "match") if text.replace(" ", "") != "{}"] or [""]
    found: dict[encode.LabelKey, dict[str, str]] = {}
    for text in selectors:
        matchers = logql.parse_matchers(text, empty=True) if text else ()
        for labels in call.store.logs.streams(matchers, span.start_ns, span.end_ns):
            found[tuple(sorted(labels.items()))] = labels
    return encode.success([found[key] for key in sorted(found)])
