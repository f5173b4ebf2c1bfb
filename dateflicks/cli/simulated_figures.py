"""What is seen of a simulation: each second as a line or as records, and the sum of it at the end."""

from collections.abc import Sequence
from typing import Any, Final

from dateflicks.cli.demo.measuring import nearest_rank
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Format, Printer
from dateflicks.cli.simulated_rooms import Room
from dateflicks.client.sentences import clock_text

TOLD: Final = ("at", "session_id", "status", "position", "clients", "moving", "apart_ms", "p95_ms")
SUMMARY: Final = (
    "seconds", "sessions", "clients", "samples", "p50_ms", "p95_ms", "p99_ms", "max_ms", "worst_ms", "in_play",
    "seeks", "lines_lost", "clock_ms",
)  # fmt: skip


def check_fields(names: Sequence[str]) -> None:
    """Raises CliError for a field that neither a second nor the sum has."""
    known = (*TOLD, "reason", *SUMMARY, "summary")
    for name in names:
        if name not in known:
            raise CliError(Exit.USAGE, f"There is no field '{name}' here.", hint=nearest(name, known))


class Live:
    """Each second: one line that is written over on a terminal, else a line for each session."""

    def __init__(self, environment: CliEnvironment) -> None:
        self._environment = environment
        self._form = environment.printer.form
        self._is_live = self._form is Format.TABLE and environment.stderr.isatty() and not environment.is_quiet
        self._last: list[dict[str, Any]] = []

    def __enter__(self) -> "Live":
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_live and self._last:
            self._environment.stderr.write("\r\x1b[K")
            self._environment.stderr.flush()

    def tell(self, records: list[dict[str, Any]]) -> None:
        """Show this second."""
        self._last = records
        if self._is_live:
            self._environment.stderr.write(f"\r\x1b[K{_line(records)}")
            self._environment.stderr.flush()
        elif self._form is not Format.TABLE:
            for record in records:
                show(self._environment, record, TOLD)


def show(environment: CliEnvironment, record: dict[str, Any], columns: tuple[str, ...]) -> None:
    """Write one record, with those of the chosen fields that are its own."""
    form, fields = environment.printer.form, [name for name in environment.fields if name in record]
    if environment.fields and not fields:
        return
    color = environment.is_colored(environment.stdout)
    printer = Printer(environment.stdout, form, fields, color=color, width=None)
    (printer.one if form is Format.TABLE else printer.event)(record, columns)


def _line(records: list[dict[str, Any]]) -> str:
    first = records[0]
    apart = [record["p95_ms"] for record in records if record["p95_ms"] is not None]
    where = f"{first['at']:.0f} s  {first['status'] or 'connecting'} at {clock_text(first['position'])}"
    far = f"{max(apart):.2f} ms apart at most" if apart else "standing"
    many = f" in {len(records)} sessions" if len(records) > 1 else ""
    return f"{where}  {far}{many}"


def summary(rooms: Sequence[Room], elapsed: float) -> dict[str, Any]:
    """The whole simulation as a record."""
    settled = sorted(value for room in rooms for value in room.settled)
    watchers = [one for room in rooms for one in room.watchers]
    looks = sum(room.looks for room in rooms)
    clocks = [one.viewer.clock.uncertainty for one in watchers if one.viewer.clock.ready]

    def rank(share: float) -> float | None:
        return round(nearest_rank(settled, share), 3) if settled else None

    return {
        "summary": True,
        "seconds": round(elapsed, 1),
        "sessions": len(rooms),
        "clients": len(watchers),
        "samples": len(settled),
        "p50_ms": rank(0.5),
        "p95_ms": rank(0.95),
        "p99_ms": rank(0.99),
        "max_ms": rank(1.0),
        "worst_ms": round(max((room.worst for room in rooms), default=0.0), 3),
        "in_play": round(sum(room.moving_looks for room in rooms) / looks, 3) if looks else 0.0,
        "seeks": sum(one.player.physics.seeks for one in watchers),
        "lines_lost": sum(one.lines_lost for one in watchers),
        "clock_ms": round(1_000 * max(clocks), 3) if clocks else None,
    }
