"""JSON and plain-text answers, the latter as Go's http.Error writes them."""

from __future__ import annotations

from json import dumps
from typing import Any

import orjson
from starlette.responses import Response


def json(body: Any, status: int = 200) -> Response:
    return Response(_encoded(body), status, media_type="application/json; charset=UTF-8")


def _encoded(body: Any) -> bytes:
    """A byte that is no UTF-8, as in the answer to `"\\xff"`, becomes the replacement character."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:
        text = dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-16", "surrogatepass")
        return text.decode("utf-16", "replace").encode()


def plain(text: str, status: int = 200) -> Response:
    return Response(text, status, {"x-content-type-options": "nosniff"}, media_type="text/plain; charset=utf-8")
