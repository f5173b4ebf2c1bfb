"""What is counted, one registry for each app, so that several apps in one process do not mix.

Labels come from closed sets only (declared routes, names of services, types of frames, commands of the database, codes
of errors), never from what a client sent. What is known anyway is looked up when somebody asks (`before`), so that it
costs nothing meanwhile. `docs/seeing-inside.md` says what each number tells.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dateflicks import __version__

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began doubles what is told

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
DATABASE_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
DRIFT_BUCKETS: Final = (0.01, 0.025, 0.05, 0.08, 0.15, 0.3, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """All metrics of one app. Feeds count their sockets, frames and close codes here."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._before: list[Callable[[], None]] = []
        self.lag = 0.0  # the last one seen, in seconds
        self.is_bus_up: Callable[[], bool] = lambda: True
        ProcessCollector(registry=registry)
        Gauge("dateflicks_build_info", "1; which version runs.", ("version",), registry=registry).labels(
            __version__
        ).set(1)
        # --- requests -----------------------------------------------------------------------------------------------
        self.requests = Counter(
            "dateflicks_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.latency = Histogram(
            "dateflicks_request_seconds",
            "From the whole head of a request to its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge("dateflicks_requests_in_flight", "Requests being answered.", registry=registry)
        # --- feeds --------------------------------------------------------------------------------------------------
        self.sockets = Gauge("dateflicks_sockets", "Open WebSockets.", ("service",), registry=registry)
        self.opened = Counter("dateflicks_sockets_opened", "WebSockets opened.", ("service",), registry=registry)
        self.frames = Counter("dateflicks_frames", "Frames received.", ("service", "type"), registry=registry)
        self._frames: dict[tuple[str, str], Counter] = {}  # by label: to look one up costs more than to count
        self.refusals = Counter(
            "dateflicks_frames_refused", "Frames answered with an error.", ("service", "code"), registry=registry
        )
        self.closes = Counter(
            "dateflicks_socket_closes", "WebSockets that ended.", ("service", "code"), registry=registry
        )
        self.acks = Histogram(
            "dateflicks_ack_seconds",
            "From a message's arrival to its acknowledgement, with it on disk.",
            buckets=BUCKETS,
            registry=registry,
        )
        # --- is everyone in step? -----------------------------------------------------------------------------------
        self.drift = Histogram(
            "dateflicks_drift_seconds",
            "How far from the timeline players were, by their reports.",
            buckets=DRIFT_BUCKETS,
            registry=registry,
        )
        self.changes = Counter(
            "dateflicks_timecode_events", "What was told of playbacks, by reason.", ("reason",), registry=registry
        )
        self.playbacks = Gauge(
            "dateflicks_playbacks",
            "Playbacks kept here: all, playing, waiting, pending.",
            ("state",),
            registry=registry,
        )
        self.participants = Gauge(
            "dateflicks_participants",
            "People at the playbacks kept here: present, buffering, excused.",
            ("state",),
            registry=registry,
        )
        self.repairs = Counter(
            "dateflicks_repairs", "What the database had and no hint had told.", ("service",), registry=registry
        )
        # --- what it stands on --------------------------------------------------------------------------------------
        self.database_up = Gauge(
            "dateflicks_database_up", "1 when the service's database answers.", ("service",), registry=registry
        )
        self.database = Histogram(
            "dateflicks_database_seconds",
            "What one command took, by the driver's word.",
            ("command",),
            buckets=DATABASE_BUCKETS,
            registry=registry,
        )
        self.database_failures = Counter(
            "dateflicks_database_failures", "Commands that failed.", ("command",), registry=registry
        )
        self.unknown = Counter(
            "dateflicks_database_outcomes_unknown", "Writes of which nobody knows whether they were.", registry=registry
        )
        self.loop_lag = Gauge(
            "dateflicks_loop_lag_seconds", "The longest wait of the event loop lately.", registry=registry
        )
        self.tasks = Gauge("dateflicks_tasks", "Tasks of the event loop.", registry=registry)

    def before(self, look: Callable[[], None]) -> None:
        """Call this whenever somebody asks, to set what is known anyway; it must not wait, nor raise."""
        self._before.append(look)

    def frame(self, service: str, kind: str) -> None:
        """Count a frame of a feed."""
        counter = self._frames.get((service, kind))
        if counter is None:
            counter = self._frames[service, kind] = self.frames.labels(service, kind)
        counter.inc()

    def exposition(self) -> bytes:
        """All of it, as Prometheus reads it; asked for in the loop's thread."""
        self.tasks.set(len(asyncio.all_tasks()))
        for look in self._before:
            look()
        return generate_latest(self.registry)
