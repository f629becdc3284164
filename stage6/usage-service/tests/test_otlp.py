"""Whatever bytes come: an answer that OTLP knows, and never a 500."""

import gzip

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lines import line, request

from main import app

TYPES = ["application/x-protobuf", "application/json", "text/plain", "", "APPLICATION/JSON ;charset=utf-8"]
ENCODINGS = ["identity", "gzip", "GZIP ", "br", ""]
GOOD = request(line(), "no json").SerializeToString()


def mutated(draw: st.DrawFn) -> bytes:
    """Bytes of any kind, or a good request with a piece replaced."""
    piece, at = draw(st.binary(max_size=40)), draw(st.integers(0, len(GOOD)))
    return draw(st.sampled_from([piece, GOOD[:at] + piece + GOOD[at + len(piece) :], GOOD[:at], piece + GOOD]))


@given(st.composite(mutated)(), st.sampled_from(TYPES), st.sampled_from(ENCODINGS), st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
async def test_any_body_gets_an_answer_of_otlp(content: bytes, kind: str, encoding: str, packed: bool) -> None:
    transport = httpx.ASGITransport(app)
    headers = {"content-type": kind, "content-encoding": encoding}
    async with httpx.AsyncClient(transport=transport, base_url="http://usage-service") as client:
        body = gzip.compress(content) if packed else content
        answer = await client.post("/v1/logs", content=body, headers=headers)
    assert answer.status_code in (200, 400, 415, 503)  # 503: an event, and there is no database
    if answer.status_code != 200:
        assert answer.content
    assert "retry-after" in answer.headers or answer.status_code != 503
