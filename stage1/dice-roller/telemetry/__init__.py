"""The signals of one service, a file each. Importing configures nothing: main.py makes the calls, in order.

service.py     who sends
logs.py        log lines as JSON, with trace ids
tracing.py     spans
profiling.py   CPU profiles
red.py         rate, errors and duration of a FastAPI app's routes
exposition.py  /metrics
export.py      hardening: what is lost is counted, and nothing waits for a backend

Take the folder home as it is; stage 1's main.py shows the calls.
"""
