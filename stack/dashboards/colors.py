"""Colors with a meaning, the same on every panel of every stage.

Names are Grafana's, which has a shade of each for each theme. Services have fixed ones: mid-tones that stand out
by 3:1 from a light ground and from a dark one. The pocket UI draws services in the same colors in all its views.
"""

from __future__ import annotations

Colors = dict[str, str]  # a series' name, as a regular expression without the slashes → its color

GOOD, WARNING, BAD, PLAIN, QUIET = "semi-dark-green", "dark-yellow", "semi-dark-red", "semi-dark-blue", "#808b9a"
SERVICES: Colors = {
    "traffic-gen": "#808b9a",
    "streamlit-frontend": "#9163d9",
    "dice-roller": "#4c7de8",
    "die-service": "#c8702a",
    "usage-service": "#12939a",
    "postgres": "#5b7fa3",
    "user": "#b1609a",  # Tempo's name for callers without spans
}
# Status codes, and the words the services use where there is none. A 499 is a caller who went away.
OUTCOMES: Colors = {
    r"^(2\d\d|success|ok)$": GOOD,
    r"^3\d\d$": PLAIN,
    r"(^| )(4\d\d|cancelled|not_found)$": WARNING,
    r"(^| )(5\d\d|failure|failed|error|timeout|unreachable|unavailable|pool_exhausted)$": BAD,
}
LEVELS: Colors = {
    "^info$": PLAIN,
    "^(warn|warning)$": WARNING,
    "^(error|critical|fatal)$": BAD,
    "^(debug|trace|unknown)$": QUIET,
}
PERCENTILES: Colors = {"^p50$": "blue", "^p95$": "purple", "^p99$": "orange"}
DICE: Colors = {"^fair": "blue", "^heavy": "purple", "^risky": "orange", "^unknown": QUIET}
STATES: Colors = {
    "^active$": GOOD,
    "^idle$": PLAIN,
    "^idle in transaction$": WARNING,
    r"^idle in transaction \(aborted\)$": BAD,
    "^(disabled|fastpath function call)$": QUIET,
}


def of_services(names: Colors = SERVICES) -> Colors:
    return {f"^{name}$": color for name, color in names.items()}


def of_die(die: str) -> str:
    return DICE[f"^{die}"]
