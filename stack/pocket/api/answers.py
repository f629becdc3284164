"""JSON and plain-text answers, the latter as Go's http.Error writes them."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.responses import Response


def json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json; charset=UTF-8")


def plain(text: str, status: int = 200) -> Response:
    return Response(text, status, {"x-content-type-options": "nosniff"}, media_type="text/plain; charset=utf-8")
