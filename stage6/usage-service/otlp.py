"""OTLP logs over HTTP, the receiving side: a request's body to log records, and answers a sender understands.

See opentelemetry.io/docs/specs/otlp/#otlphttp: a sender repeats what is answered with 429, 502, 503 or 504, and
gives up what is answered with anything else that is no success. So a mistake in the body is a 400, never a 500.
"""

import zlib
from collections.abc import Iterator

from fastapi import Request, Response
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

MAX_BYTES = 8 << 20  # also once decompressed; Alloy sends at most 1000 lines at a time
PROTOBUF, JSON = "application/x-protobuf", "application/json"
GZIP = 16 + zlib.MAX_WBITS


class OtlpError(Exception):
    """What is wrong with a request, and the status to answer with."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read(request: Request) -> list[LogRecord]:
    """The records of all resources and scopes. Raises OtlpError."""
    if content_type(request) not in (PROTOBUF, JSON):
        raise OtlpError(415, f"The content type has to be {PROTOBUF} or {JSON}.")
    message = parse(decompressed(request, await body(request)), content_type(request))
    return list(records(message))


async def body(request: Request) -> bytes:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BYTES:
            raise OtlpError(413, f"The body is larger than {MAX_BYTES} bytes.")
    return bytes(content)


def decompressed(request: Request, content: bytes) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return content
    if encoding != "gzip":
        raise OtlpError(415, "The content encoding has to be gzip or identity.")
    unpacker = zlib.decompressobj(GZIP)
    try:
        plain = unpacker.decompress(content, MAX_BYTES + 1)
    except zlib.error as error:
        raise OtlpError(400, f"The body is not gzip: {error}.") from error
    if len(plain) > MAX_BYTES:
        raise OtlpError(413, f"The body is larger than {MAX_BYTES} bytes once decompressed.")
    if not unpacker.eof:
        raise OtlpError(400, "The body is cut off.")
    return plain


def parse(content: bytes, kind: str) -> ExportLogsServiceRequest:
    """OTLP's JSON has ids in hex where Protobuf's has base64; nothing here reads an id from there."""
    try:
        if kind == PROTOBUF:
            return ExportLogsServiceRequest.FromString(content)
        if not content.lstrip().startswith(b"{"):  # Parse takes [] for an empty message
            raise ParseError("an object is needed")
        return Parse(content, ExportLogsServiceRequest(), ignore_unknown_fields=True)
    except (DecodeError, ParseError, UnicodeDecodeError, RecursionError) as error:
        raise OtlpError(400, f"The body is no ExportLogsServiceRequest: {error}") from error


def records(request: ExportLogsServiceRequest) -> Iterator[LogRecord]:
    for resource in request.resource_logs:
        for scope in resource.scope_logs:
            yield from scope.log_records


def success(request: Request, rejected: int, reason: str) -> Response:
    message = ExportLogsServiceResponse()
    if rejected:
        message.partial_success.rejected_log_records = rejected
        message.partial_success.error_message = reason
    return answer(request, 200, message)


def failure(request: Request, status: int, reason: str) -> Response:
    """A google.rpc.Status, as OTLP asks; it says when to come again where that makes sense."""
    response = answer(request, status, Status(message=reason))
    if status == 503:
        response.headers["retry-after"] = "1"
    return response


def answer(request: Request, status: int, message: Message) -> Response:
    if content_type(request) == PROTOBUF:
        return Response(message.SerializeToString(), status, media_type=PROTOBUF)
    return Response(MessageToJson(message, indent=None), status, media_type=JSON)
