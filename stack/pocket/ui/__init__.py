"""The UI: static pages and the Grafana-shaped HTTP they need; a client of the query APIs and of nothing else."""

from pocket.ui.site import app

__all__ = ["app"]
