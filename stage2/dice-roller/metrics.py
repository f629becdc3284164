"""This service's own counters; HTTP itself is counted in telemetry/red.py."""

from prometheus_client import Counter, Histogram

ROLLS = Counter("dice_rolls", "Rolls by die and result.", ["die_type", "result"])
VALUE = Histogram("dice_roll_value", "What the dice showed, one bucket a face.", ["die_type"], buckets=range(1, 8))
