"""/metrics: plain text, or OpenMetrics, which has exemplars, for those who ask for it."""

from prometheus_client import REGISTRY, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response

from telemetry.service import Service


def configure(service: Service) -> None:
    """`target_info` says which process the other metrics are of, in the words of its spans and log lines."""
    disable_created_metrics()
    attributes = service.resource.attributes.items()
    REGISTRY.set_target_info({key.replace(".", "_"): str(value) for key, value in attributes})


async def metrics(request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), headers={"content-type": content_type})
