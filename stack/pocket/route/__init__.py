"""Alloy's twin: what happens to log lines between the containers and Loki, and the usage route."""

from pocket.route.pipeline import process
from pocket.route.push import container_sink, push_sink
from pocket.route.queue import UsageQueue
from pocket.route.usage import UsageRoute

__all__ = ["UsageQueue", "UsageRoute", "container_sink", "process", "push_sink"]
