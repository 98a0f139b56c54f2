"""Requests counted, timed and logged."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from prometheus_client import Counter, Histogram

from ledgerbee.platform.logs import log_request

REQUESTS: Final = Counter("ledgerbee_http_requests_total", "Requests answered", ["method", "route", "status"])
DURATION: Final = Histogram(
    "ledgerbee_http_request_duration_seconds",
    "Time to answer",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
#: Asked all the time by machines: their answers are logged when they are no success.
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def record_request(
    request_id: str,
    method: str,
    path: str,
    route: str,
    status: int,
    seconds: float,
    noted: Mapping[str, str] | None = None,
) -> None:
    """Count, time and log an answered request.

    `route` is the template of its path, never the address itself: ids and search terms stay out of metrics. `noted` is
    what the log says beside.
    """
    method = method if method in _METHODS else "OTHER"
    requests, duration = _meters(method, route, status)
    requests.inc()
    duration.observe(seconds)
    if path not in _PROBES or status >= 400:
        log_request(request_id, method, path, status, int(seconds * 1000), noted)


@lru_cache(maxsize=4096)
def _meters(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    """The two metrics of a kind of request: looking a label up costs more than counting."""
    return REQUESTS.labels(method, route, status), DURATION.labels(method, route)
