"""Tempo's query API on port 3200. Errors are plain text with the status Tempo gives."""

from pocket.api.tempo.routes import app

__all__ = ["app"]
