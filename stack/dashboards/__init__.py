"""The stages' Grafana dashboards, written in Python and committed as JSON in the stages' folders.

queries (text) → panels (one question each) → rows (what several share) → red, rolling, database, usage, signals
(rows by subject) → stages (which rows when) → __main__.
"""
