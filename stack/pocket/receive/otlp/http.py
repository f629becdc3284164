"""OTLP over HTTP (opentelemetry.io/docs/specs/otlp/#otlphttp): `/v1/traces`, `/v1/logs`, `/v1/metrics`."""

from __future__ import annotations

from collections.abc import Mapping

from anyio import CapacityLimiter, to_thread
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pocket.asgi.body import BodyError
from pocket.receive.otlp.encoding import JSON, PROTOBUF, MalformedError, decode, encode
from pocket.receive.otlp.receiver import REQUESTS, THREAD_BYTES, Receiver
from pocket.store import StoreError, StoreFull, TooLargeError

_CODES = {
    400: Code.INVALID_ARGUMENT, 413: Code.INVALID_ARGUMENT, 415: Code.INVALID_ARGUMENT, 503: Code.UNAVAILABLE
}  # fmt: skip


def routes(receiver: Receiver) -> list[Route]:
    """POST routes, one a signal."""
    # One decoder at a time: more only take the interpreter lock from the store's writer and the event loop.
    decoders = CapacityLimiter(1)
    endpoints = {signal: _Endpoint(signal, receiver, decoders) for signal in REQUESTS}
    return [Route(f"/v1/{signal}", endpoint.post, methods=["POST"]) for signal, endpoint in endpoints.items()]


def refuse(status: int, message: str, headers: Mapping[str, str]) -> Response:
    """A `Status` message in the request's encoding; JSON where that is unknown."""
    encoding = PROTOBUF if _content_type(headers) == PROTOBUF else JSON
    retry = {"retry-after": "1"} if status == 503 else {}
    body = encode(Status(code=_CODES.get(status, Code.UNKNOWN), message=message), encoding)
    return Response(body, status, retry, encoding)


class _Endpoint:
    def __init__(self, signal: str, receiver: Receiver, decoders: CapacityLimiter) -> None:
        self._signal, self._receiver, self._decoders = signal, receiver, decoders

    async def post(self, request: Request) -> Response:
        content_type = _content_type(request.headers)
        if content_type not in (PROTOBUF, JSON):
            return refuse(415, f"Content-Type must be {PROTOBUF} or {JSON}", request.headers)
        body = await request.body()
        try:
            if len(body) > THREAD_BYTES:
                answer = await to_thread.run_sync(self._take, body, content_type, limiter=self._decoders)
            else:
                answer = self._take(body, content_type)
            await self._receiver.durable()
        except MalformedError as error:
            return refuse(400, f"malformed request: {error}", request.headers)
        except (BodyError, TooLargeError) as error:
            return refuse(413, str(error), request.headers)
        except (StoreFull, StoreError) as error:
            self._receiver.refused(self._signal)
            return refuse(503, str(error), request.headers)
        return Response(answer, media_type=content_type)

    def _take(self, body: bytes, content_type: str) -> bytes:
        self._receiver.admit()
        message = decode(body, content_type, REQUESTS[self._signal])
        return encode(self._receiver.export(self._signal, message), content_type)


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
