"""Prometheus metrics. Each web process counts for itself; `/metrics` adds them up where
`PROMETHEUS_MULTIPROC_DIR` is set (as `manage.py up` does)."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter("fanfare_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "fanfare_request_seconds",
    "Seconds to answer a request",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
REDIS_FAILURES = Counter("fanfare_redis_failures_total", "Calls that Redis did not answer", ["use"])
UNLIMITED = Counter("fanfare_unlimited_requests_total", "Requests served without a rate limit")
MOVES = Counter("fanfare_moves_total", "Participations moved", ["kind", "to"])
