"""What there is to ask for: profile types, label names and values, series."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.responses import Response

from pocket.api.endpoint import Call
from pocket.api.form import BadRequest
from pocket.api.pyroscope.connect import Message, read, write
from pocket.api.pyroscope.messages import MESSAGES
from pocket.query import profiles
from pocket.rows import Labels
from pocket.store import Store

FAR_MS = 2**53  # an end of 0 is "now and later" to those calls that may leave it out


def profile_types(call: Call) -> Response:
    read(call, "ProfileTypesRequest")
    return write(call, "ProfileTypesResponse", profile_types=map(_profile_type, call.store.profiles.types()))


def _profile_type(profile_type: str) -> Message:
    name, kind, unit, period_type, period_unit = profiles.type_parts(profile_type)
    return MESSAGES["ProfileType"](
        ID=profile_type, name=name, sample_type=kind, sample_unit=unit,
        period_type=period_type, period_unit=period_unit,
    )  # fmt: skip


def names(call: Call) -> Response:
    found = {name for labels in _series(call.store, read(call, "LabelNamesRequest")) for name in labels}
    return write(call, "LabelNamesResponse", names=sorted(found))


def values(call: Call) -> Response:
    request = read(call, "LabelValuesRequest")
    if not request.name:
        raise BadRequest("name is required")
    found = {labels[request.name] for labels in _series(call.store, request, [request.name])}
    return write(call, "LabelValuesResponse", names=sorted(found))


def series(call: Call) -> Response:
    request = read(call, "SeriesRequest")
    found = _series(call.store, request, request.label_names)
    return write(call, "SeriesResponse", labels_set=[MESSAGES["Labels"](labels=pairs(labels)) for labels in found])


def pairs(labels: Mapping[str, str]) -> list[Message]:
    """Labels as messages, by name."""
    return [MESSAGES["LabelPair"](name=name, value=value) for name, value in sorted(labels.items())]


def _series(store: Store, request: Message, names: Iterable[str] = ()) -> list[Labels]:
    """The series of any of the request's selectors."""
    found: dict[tuple[tuple[str, str], ...], Labels] = {}
    for text in list(request.matchers) or [""]:
        matchers = profiles.parse_selector(text)
        for labels in profiles.series(store.profiles, matchers, list(names), request.start, request.end or FAR_MS):
            found[tuple(sorted(labels.items()))] = labels
    return [found[key] for key in sorted(found)]
