"""Rows of stage 6: usage events, as emitted, as stored, and as they lie in the table."""

from __future__ import annotations

from dashboards import panels
from dashboards.colors import BAD, QUIET, SERVICES, WARNING
from dashboards.queries import promql, sql
from dashboards.red import Red
from dashboards.rows import RATE, Row

SERVICE = Red("usage-service", only='handler="/v1/logs"')
USERS = """\
SELECT username AS "user",
       count(*) FILTER (WHERE event = 'roll') AS rolls,
       count(*) FILTER (WHERE event = 'sign_in') AS "sign-ins",
       max(occurred_at) AS "last seen"
FROM usage_events GROUP BY username ORDER BY rolls DESC, username LIMIT 20"""
KINDS = """\
SELECT event, count(*) AS events, count(DISTINCT username) AS users, max(occurred_at) AS newest
FROM usage_events GROUP BY event ORDER BY event"""


def usage() -> Row:
    emitted = 'usage_events_total{job="streamlit-frontend"}'
    stored = 'usage_events_stored_total{job="usage-service"}'
    again = 'usage_events_duplicate_total{job="usage-service"}'
    rejected = 'usage_events_rejected_total{job="usage-service"}'
    return Row(
        "Usage events",
        [
            panels.lines(
                "Emitted and stored",
                "Both ends of the route. In an outage the lower line stops, then shoots up: the queue empties.",
                "suffix:events/s",
                promql(f"sum(rate({emitted}{RATE}))", "emitted by the frontend"),
                promql(f"sum(rate({stored}{RATE}))", "stored by usage-service"),
                colors={
                    "^emitted": SERVICES["streamlit-frontend"],
                    "^stored": SERVICES["usage-service"],
                },
            ),
            panels.lines(
                "Emitted by event",
                "The log lines with usage: true. User names are in these events only, not in the counters.",
                "suffix:events/s",
                promql(f"sum by (event) (rate({emitted}{RATE}))", "{{event}}"),
                colors={"^roll$": "blue", "^sign_in$": "purple", "^sign_out$": QUIET},
            ),
            panels.lines(
                "Duplicates and rejects",
                "At least once means: sometimes twice. The table's key makes it once. Refused: not usage events.",
                "suffix:events/s",
                promql(f"sum(rate({again}{RATE}))", "stored already"),
                promql(f"sum(rate({rejected}{RATE}))", "no usage events"),
                colors={"^stored already$": WARNING, "^no usage events$": BAD},
                soft_max=1,
            ),
            panels.records(
                "Events in the table",
                "By SQL. Take a count that must be right from here, not from a rate.",
                sql(KINDS),
            ),
            panels.records(
                "Users", "User names are here, and in no metric, label or span.", sql(USERS), size=(24, 8)
            ),
        ],
    )
