"""This service's own counters; HTTP itself is counted in telemetry/red.py."""

from prometheus_client import Counter, Histogram

ROLLS = Counter("dice_rolls", "Rolls by die and result.", ["die_type", "result"])
VALUE = Histogram("dice_roll_value", "What the dice showed, one bucket a face.", ["die_type"], buckets=range(1, 8))
DIE_SERVICE_REQUESTS = Counter("die_service_requests", "Requests to die-service.", ["die_type", "status"])
DIE_SERVICE_DURATION = Histogram(
    "die_service_request_duration_seconds",
    "Time until die-service answered or was given up.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)
REJECTED = Counter("admission_rejected", "Refused at once, as all places were taken, by what for.", ["limit"])
