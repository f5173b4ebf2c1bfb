"""What happened after a kill, told by everybody who saw it: the system, the services' own log, and the clients.

A log tells the time of day and everything else monotonic seconds: they are laid on each other when they are read.
"""

import asyncio
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.faultbench.diary import Diary, Entry
from tests.faults.town import Town
from tests.server.processes import engine_of, is_running, workers_of

LOOK_SECONDS: Final = 0.01
FIND_SECONDS: Final = 0.05  # between looks through all processes, which cost more
_EVERY_LINE: Final = frozenset({"feed opened", "feed closed"})  # what clients tell better
_KNOWN: Final = frozenset({"event", "level", "logger", "time"})


class Witness:
    """Looks at the process that is killed and at the one in its place, from the kill until `stop`."""

    def __init__(self, place: Town, kind: str, pid: int, at: float) -> None:
        self.entries: list[Entry] = [Entry(at, kind, f"process {pid} is killed")]
        self._place = place
        self._kind = kind
        self._pid = pid
        self._others = self._processes()
        self._task = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Look no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _note(self, what: str) -> None:
        self.entries.append(Entry(time.monotonic(), self._kind, what))

    def _processes(self) -> set[int]:
        parent = self._place.server.process.pid
        if self._kind == "worker":
            return {one.pid for one in workers_of(parent)}
        engine = engine_of(parent)
        return set() if engine is None else {engine}

    async def _look(self) -> None:
        while is_running(self._pid):  # noqa: ASYNC110 - a process of others tells nobody that it ends
            await asyncio.sleep(LOOK_SECONDS)
        self._note("it has ended")
        while _is_left(self._pid):  # noqa: ASYNC110 - as above
            await asyncio.sleep(LOOK_SECONDS)
        self._note("its end was noticed by its parent")
        while not (new := self._processes() - self._others - {self._pid}):  # noqa: ASYNC110 - as above
            await asyncio.sleep(FIND_SECONDS)
        self._note(f"process {min(new)} is in its place")


def _is_left(pid: int) -> bool:
    """Whether the system still keeps what is left of a process, for whoever started it."""
    return Path(f"/proc/{pid}").exists()


def pressure() -> dict[str, float]:
    """How long somebody on this machine has waited for a processor, and for a disk, in seconds; only Linux tells."""
    found = {}
    for what in ("cpu", "io"):
        try:
            first = Path(f"/proc/pressure/{what}").read_text(encoding="ascii").splitlines()[0]
        except OSError:
            continue
        found[what] = int(first.rpartition("total=")[2]) / 1e6
    return found


def logged(lines: Iterable[str], at: float, until: float) -> list[Entry]:
    """What the services' log says of that time."""
    now, of_day, found = time.monotonic(), time.time(), []
    for line in lines:
        try:
            said: dict[str, Any] = json.loads(line)
            when = datetime.fromisoformat(said["time"]).replace(tzinfo=UTC).timestamp() - of_day + now
        except (ValueError, KeyError, TypeError):
            continue
        if at <= when <= until and said.get("event") not in _EVERY_LINE:
            more = "".join(f", {key} {value}" for key, value in said.items() if key not in _KNOWN and value is not None)
            found.append(Entry(when, "log", f"{said.get('event')}{more}"))
    return found


def timeline(
    place: Town, witness: Witness | None, diaries: Iterable[Diary], at: float, until: float
) -> list[tuple[float, str, str]]:
    """Everything, in order: seconds since the kill, who, and what."""
    found = logged(tuple(place.server.said), at, until)
    found += witness.entries if witness is not None else []
    for diary in diaries:
        found += diary.since(at, until)
        if (served := diary.served_after(at)) is not None:
            found.append(Entry(served, diary.who, "is acknowledged what it said after the kill"))
    return [(round(one.at - at, 3), one.who, one.what) for one in sorted(found, key=lambda one: one.at)]
