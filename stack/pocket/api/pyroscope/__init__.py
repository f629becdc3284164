"""Pyroscope's querier on port 4040: connect's unary calls in protobuf or JSON, and the old `/pyroscope/render`."""

from pocket.api.pyroscope.routes import app

__all__ = ["app"]
