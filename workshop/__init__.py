"""The command `workshop`: starts a stage without Docker, drives it, judges it.

- cli: the commands a learner types; up, status, traffic, diff: what they do
- compose: a stage's docker-compose.yml → services, with host names and ports moved to this machine
- infrastructure: what stands in for a stage's images (PostgreSQL, its exporter); the table is in images
- plan: all that has to run for a stage
- run: the supervisor: processes, health, logs, the guard that lets nothing outlive it
- check: asks the public query APIs of whichever stack runs
"""
