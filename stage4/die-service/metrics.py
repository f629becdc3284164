"""This service's own counters; HTTP itself is counted in telemetry/red.py."""

from prometheus_client import Counter, Gauge

REQUESTED = Counter("die_specifications_requested", "Requests for a die's specification.", ["die_type"])
LISTED = Counter("die_list_requests", "Requests for the list of dice.")
LOADED = Gauge("die_specifications_loaded", "Dice this service knows.")
