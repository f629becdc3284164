"""What the page counts. Not in page.py, which Streamlit runs at every click: a metric can be made but once."""

from prometheus_client import Counter, Histogram

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5, 5)

CLICKS = Counter("streamlit_button_clicks", "Clicks on Roll.", ["die_type"])
REQUESTS = Counter("streamlit_requests", "Requests to the roller by status.", ["die_type", "status"])
DURATION = Histogram(
    "streamlit_request_duration_seconds",
    "Time until the roller's answer, or until there is none.",
    ["die_type"],
    buckets=LATENCY_BUCKETS,
)
