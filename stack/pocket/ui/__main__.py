"""`python -m pocket.ui`: the same UI in front of the full stack, or of any Prometheus, Loki, Tempo, Pyroscope."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from pocket.addresses import LOOPBACK, url
from pocket.asgi.head import BoundedHead
from pocket.asgi.origin import OwnPages
from pocket.config import Settings
from pocket.ui import app, proxy


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pocket.ui", description=__doc__)
    parser.add_argument("--port", type=int, default=3001)
    for uid in ("prometheus", "loki", "tempo", "pyroscope"):
        parser.add_argument(f"--{uid}", metavar="URL", default=url(uid))
    parser.add_argument("--dashboards", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--stage", type=int)
    parser.add_argument("--data-dir", type=Path, help="where `workshop check` left check.json")
    return parser.parse_args(argv)


def build(options: argparse.Namespace) -> Starlette:
    settings = Settings(
        data_dir=(options.data_dir or Path(tempfile.gettempdir())).absolute(),
        dashboards=tuple(folder.absolute() for folder in options.dashboards),
        stage=options.stage,
        hosts=("postgres",),  # where Docker publishes it; without it, its panels say so
    )
    uids = ("prometheus", "loki", "tempo", "pyroscope")
    return app(settings, {uid: proxy.app(getattr(options, uid)) for uid in uids})


if __name__ == "__main__":
    options = arguments()
    uvicorn.run(
        OwnPages(build(options)),
        host=LOOPBACK,
        port=options.port,
        log_level="warning",
        http=BoundedHead,
        ws="websockets-sansio",  # the default is the legacy one, which the library is about to drop
    )
