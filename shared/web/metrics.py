"""HTTP metrics of a process: requests by route template, never by what callers put into a path."""

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)  # seconds

_requests = Counter("waapi_http_requests", "Requests answered", ("service", "method", "route", "status"))
_latency = Histogram(
    "waapi_http_request_seconds",
    "Seconds until a request was answered",
    ("service", "method", "route"),
    buckets=_LATENCY_BUCKETS,
)


def observe_request(service: str, method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request. Methods that nobody defined share one label, since callers may invent them."""
    known = method if method in _METHODS else "OTHER"
    _requests.labels(service, known, route, str(status)).inc()
    _latency.labels(service, known, route).observe(seconds)


def metrics_text() -> tuple[bytes, str]:
    """All metrics of the process in Prometheus' text form, and its content type."""
    return generate_latest(), CONTENT_TYPE_LATEST
