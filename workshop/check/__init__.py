"""The lesson's judge. Asks the public query APIs and nothing else, so either stack will do.

manifest, stages   what each stage has: services × signals, edges, spans, families (one entry a stage)
apis               the query APIs and the services, by port
services … lessons the questions, each a Check; all are gathered by `questions`
runner, report     asks them until a deadline; the table, the JSON
"""
