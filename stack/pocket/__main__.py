"""`python -m pocket`: the pocket stack as a process."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pocket.addresses import MAX_OFFSET
from pocket.config import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT, then 0; 1 and one line on stderr if it cannot start."""
    settings = _settings(arguments)
    logging.basicConfig(format="pocket: %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Late: an error in the arguments should not wait for these imports.
    import uvloop

    from pocket import process_memory
    from pocket.receive.scrape import ConfigError
    from pocket.server import Pocket, PortTakenError
    from pocket.store import StoreError

    sys.setswitchinterval(0.001)  # five times as often as usual: the event loop waits for the threads of queries
    process_memory.be_the_first_victim()
    process_memory.limit(2 * settings.memory_bytes)  # the last line; queries end at half of it

    async def serve() -> None:
        await Pocket(settings).run()

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve())
    except (PortTakenError, ConfigError, StoreError) as error:
        print(f"pocket: {error}", file=sys.stderr)
        return 1
    return 0


HOST_HELP = "a service that runs here; who calls the port calls it"


def _settings(arguments: Sequence[str] | None) -> Settings:
    parser = argparse.ArgumentParser(prog="pocket", description="Telemetry in one process.")
    parser.add_argument("--data-dir", type=Path, required=True, help="where telemetry is kept")
    parser.add_argument("--port-offset", type=int, default=0, metavar="K", help="added to every port")
    parser.add_argument("--prometheus-config", type=Path, metavar="F", help="prometheus.yml with what to scrape")
    parser.add_argument("--host", action="append", default=[], metavar="NAME[:PORT]", help=HOST_HELP)
    parser.add_argument("--dashboards", action="append", type=Path, default=[], metavar="DIR")
    parser.add_argument("--stage", type=int, metavar="N")
    parser.add_argument("--usage-endpoint", metavar="URL", help="OTLP/HTTP logs URL that usage events go to")
    parser.add_argument("--retention-hours", type=float, default=6.0)
    parser.add_argument("--retention-bytes", type=int, default=1 << 30)
    given = parser.parse_args(arguments)
    if not 0 <= given.port_offset <= MAX_OFFSET:
        parser.error(f"--port-offset must be between 0 and {MAX_OFFSET}")
    if given.retention_hours <= 0 or given.retention_bytes <= 0:
        parser.error("--retention-hours and --retention-bytes must be positive")
    hosts = [host.partition(":") for host in given.host]
    return Settings(
        data_dir=given.data_dir.absolute(),
        port_offset=given.port_offset,
        prometheus_config=given.prometheus_config and given.prometheus_config.absolute(),
        hosts=tuple(name for name, _, _ in hosts),
        peers={int(port): name for name, _, port in hosts if port.isdecimal()},
        dashboards=tuple(path.absolute() for path in given.dashboards),
        stage=given.stage,
        usage_endpoint=given.usage_endpoint,
        retention_seconds=int(given.retention_hours * 3600),
        retention_bytes=given.retention_bytes,
    )


if __name__ == "__main__":
    sys.exit(main())
