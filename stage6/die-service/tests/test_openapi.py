"""Whatever the OpenAPI document allows, and much that it does not: a documented answer, never a traceback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error

from main import app


@asynccontextmanager
async def without_export(app: FastAPI) -> AsyncIterator[None]:
    """The exporter's thread draws random numbers, which Hypothesis would take for the strategies' doing."""
    yield


app.router.lifespan_context = without_export
schema = schemathesis.openapi.from_asgi("/openapi.json", app)
schema.config.generation.update(modes=list(schemathesis.GenerationMode))


@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_documented(case: schemathesis.Case) -> None:
    response = case.call()
    case.validate_response(response, excluded_checks=[not_a_server_error])
    assert "Traceback" not in response.text
    if response.status_code >= 500:
        assert response.json()["detail"]
