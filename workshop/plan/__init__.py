"""A compose file read as processes: what has to run for a stage without Docker, and where."""

from workshop.plan.stack import DATABASE, GRAFANA_PASSWORD, POCKET
from workshop.plan.stage import TRAFFIC_SCRIPT, Plan, make_plan, traffic_environment

__all__ = [
    "DATABASE", "GRAFANA_PASSWORD", "POCKET", "TRAFFIC_SCRIPT", "Plan", "make_plan", "traffic_environment"
]  # fmt: skip
