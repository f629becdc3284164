"""How much there is of each stream: what Logs Drilldown draws before it asks for lines (pkg/querier)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from starlette.responses import Response

from pocket.api import answers
from pocket.api.endpoint import Call
from pocket.api.form import BadRequest
from pocket.api.loki import encode
from pocket.api.loki import parameters as params
from pocket.api.loki.encode import LabelKey
from pocket.api.times import Range
from pocket.query import logql
from pocket.rows import Labels, Matcher
from pocket.store import Store


def stats(call: Call) -> Response:
    """Streams, chunks, entries and bytes of a selector."""
    span = params.bounds(call.form)
    matchers = logql.parse_matchers(call.form.get("query"))
    return answers.json(call.store.logs.stats(matchers, span.start_ns, span.end_ns))


def volume(call: Call) -> Response:
    form, span = call.form, params.bounds(call.form)
    limit, by = params.positive(form, "limit", 100), form.get("aggregateBy", "series")
    if by not in ("series", "labels"):
        raise BadRequest("invalid aggregation option")
    targets = [name for name in form.get("targetLabels").split(",") if name]
    matchers = logql.parse_matchers(form.get("query"), empty=True)
    found = _volumes(call.store, matchers, span, targets, by_label=by == "labels")
    values = encode.vector(dict(list(found.items())[:limit]), span.end_ns)
    return encode.result("vector", values, {"totalEntriesReturned": len(values)})


def _volumes(
    store: Store, matchers: Sequence[Matcher], span: Range, targets: Sequence[str], by_label: bool
) -> dict[LabelKey, float]:
    """Bytes of log lines by label set (`targets`, else the labels the selector names), largest first."""
    wanted = set(targets) if targets or by_label else {matcher.name for matcher in matchers}
    totals: Counter[LabelKey] = Counter()
    names = store.logs.label_names(span.start_ns, span.end_ns)
    for labels in store.logs.streams(matchers, span.start_ns, span.end_ns):
        if not labels.keys() >= set(targets):
            continue
        size = store.logs.stats(_exactly(labels, names), span.start_ns, span.end_ns)["bytes"]
        for key in _keys(labels, wanted, by_label):
            totals[key] += size
    return {key: float(size) for key, size in sorted(totals.items(), key=lambda item: (-item[1], item[0]))}


def _keys(labels: Labels, wanted: set[str], by_label: bool) -> list[LabelKey]:
    if by_label:
        return [((name, ""),) for name in labels if not wanted or name in wanted]
    return [tuple(sorted((name, value) for name, value in labels.items() if not wanted or name in wanted))]


def _exactly(labels: Labels, names: Iterable[str]) -> list[Matcher]:
    """Matchers of one stream alone: its labels, and no other of `names`."""
    return [Matcher(name, "=", labels.get(name, "")) for name in {*names, *labels}]
