"""CPU profiles: a hundred looks a second at what each thread does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from telemetry.export import finish
from telemetry.service import Service


def configure(service: Service) -> dict[str, Any]:
    """The profiler's options; none, and no profiler, where PYROSCOPE_SERVER_ADDRESS is not set."""
    address = os.getenv("PYROSCOPE_SERVER_ADDRESS", "")
    if not address:
        return {}
    if not address.startswith(("http://", "https://")):
        raise SystemExit(f"PYROSCOPE_SERVER_ADDRESS must be like http://pyroscope:4040, not {address!r}")
    tags = {"stage": service.version, "service_instance_id": service.instance}
    return {"application_name": service.name, "server_address": address, "tags": tags, "upload_interval": 5}


@contextmanager
def running(options: dict[str, Any]) -> Iterator[None]:
    if not options:
        yield
        return
    import pyroscope  # a native library: only for those who use it

    pyroscope.configure(**options)
    yield
    finish(pyroscope.shutdown)
