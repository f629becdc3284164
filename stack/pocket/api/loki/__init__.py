"""Loki's query API on port 3100. Errors are plain text with the status Loki gives; times in and out are Loki's."""

from pocket.api.loki.routes import app

__all__ = ["app"]
