"""Checks a stage. Asks the public query APIs and nothing else, so either stack will do.

- manifest, stages: what each stage has: services × signals, edges, spans, families (one entry a stage)
- apis: the query APIs and the services, by port
- services, metrics, logs, traces, profiles, lessons, dashboards: the questions; `questions` gathers them
- runner, report: asks them until a deadline; the table, the JSON
"""
