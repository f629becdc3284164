"""JSON and plain-text answers, the latter as Go's http.Error writes them."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from pocket.store import StoreError


def json(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json; charset=UTF-8")


def plain(text: str, status: int = 200) -> Response:
    return Response(text, status, {"x-content-type-options": "nosniff"}, media_type="text/plain; charset=utf-8")


async def unavailable(_: Request, error: Exception) -> Response:
    """The store cannot be read at the moment; it opens itself anew."""
    return plain(str(error), 503)


UNAVAILABLE = {StoreError: unavailable}
