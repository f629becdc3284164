"""This service's own counters; HTTP and the database are counted in files of their own."""

from prometheus_client import Counter, Gauge

REQUESTED = Counter("die_specifications_requested", "Requests for a die's specification.", ["die_type"])
LISTED = Counter("die_list_requests", "Requests for the list of dice.")
LOADED = Gauge("die_specifications_loaded", "Dice this service could serve when it last looked.")
