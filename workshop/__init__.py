"""The command `workshop`: starts a stage without Docker, drives it, judges it.

cli         the commands a learner types
compose/    a stage's docker-compose.yml → services, with host names and ports moved to this machine
run/        the supervisor: processes, health, logs, the guard that lets nothing outlive it
check/      the lesson's judge: asks the public query APIs of whichever stack runs
"""
