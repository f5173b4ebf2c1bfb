"""What stands beside an app and is looked at for its metrics: the bus, the certificate, the database."""

from collections.abc import Callable
from typing import Final, Protocol

from prometheus_client import Counter, Gauge

from dateflicks.server.bus.local import Bus
from dateflicks.server.observe.metrics import Metrics


class Certificate(Protocol):
    """That of a port which speaks TLS."""

    @property
    def expires_in(self) -> float | None:
        """Seconds that it is still valid for, where that is known."""

    @property
    def is_old(self) -> bool:
        """Whether its files hold another one, which is no good."""


def watch_certificate(metrics: Metrics, certificate: Certificate) -> None:
    """How long it is still valid, and whether its renewal was no good."""
    left = Gauge(
        "dateflicks_certificate_valid_seconds", "How long the certificate is valid.", registry=metrics.registry
    )
    is_old = Gauge("dateflicks_certificate_is_old", "1 when the renewed files are no good.", registry=metrics.registry)

    def look() -> None:
        left.set(certificate.expires_in if certificate.expires_in is not None else float("nan"))
        is_old.set(1 if certificate.is_old else 0)

    metrics.before(look)


def watch_bus(metrics: Metrics, bus: Bus) -> None:
    """Whether other processes are heard, and what became of the hints."""
    registry = metrics.registry
    is_up = Gauge("dateflicks_bus_up", "1 when the other processes are heard.", registry=registry)
    hints = Counter("dateflicks_bus_hints", "Hints to and from other processes.", ("outcome",), registry=registry)
    counted = dict.fromkeys(("sent", "received", "dropped"), 0)

    def look() -> None:
        is_up.set(1 if bus.is_up else 0)
        for outcome, before in counted.items():
            now = int(getattr(bus, outcome, 0))
            hints.labels(outcome).inc(max(0, now - before))
            counted[outcome] = now

    metrics.before(look)
    metrics.is_bus_up = lambda: bus.is_up


class Database(Protocol):
    """What tells of each command, and counts the writes of which nobody knows."""

    @property
    def outcomes_unknown(self) -> int:
        """How many such writes there were."""

    def on_command(self, told: Callable[[str, float, bool], None]) -> None:
        """Call this with each command's name, the seconds that it took, and whether it was carried out."""


def watch_database(metrics: Metrics, database: Database) -> None:
    """What its commands take."""
    counted = 0

    def told(command: str, seconds: float, succeeded: bool) -> None:
        name = command if command in _COMMANDS else "other"
        metrics.database.labels(name).observe(seconds)
        if not succeeded:
            metrics.database_failures.labels(name).inc()

    def look() -> None:
        nonlocal counted
        metrics.unknown.inc(database.outcomes_unknown - counted)
        counted = database.outcomes_unknown

    database.on_command(told)
    metrics.before(look)


_COMMANDS: Final = frozenset(
    {"find", "insert", "update", "delete", "getMore", "ping", "createIndexes", "count", "aggregate"}
)
