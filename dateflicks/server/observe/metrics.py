"""What is counted, one registry for each app, so that several apps in one process do not mix.

Labels come from closed sets only (declared routes, names of services, types of frames), never from what a client sent.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All metrics of one app. Feeds count their sockets, frames and close codes here."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "dateflicks_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.latency = Histogram(
            "dateflicks_request_seconds",
            "From the whole head of a request to its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("dateflicks_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.sockets = Gauge("dateflicks_sockets", "Open WebSockets.", ("service",), registry=self.registry)
        self.frames = Counter("dateflicks_frames", "Frames received.", ("service", "type"), registry=self.registry)
        self._frames: dict[tuple[str, str], Counter] = {}  # by label: to look one up costs more than to count
        self.closes = Counter(
            "dateflicks_socket_closes", "WebSockets that ended.", ("service", "code"), registry=self.registry
        )
        self.database_up = Gauge(
            "dateflicks_database_up", "1 when the service's database answers.", ("service",), registry=self.registry
        )
        self.loop_lag = Gauge(
            "dateflicks_loop_lag_seconds", "The longest wait of the event loop lately.", registry=self.registry
        )

    def frame(self, service: str, kind: str) -> None:
        """Count a frame of a feed."""
        counter = self._frames.get((service, kind))
        if counter is None:
            counter = self._frames[service, kind] = self.frames.labels(service, kind)
        counter.inc()

    def exposition(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
