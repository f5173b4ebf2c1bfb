"""The processes of a running `serve`: its workers and its embedded database, by what the system knows of them."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class WorkerProcess:
    """One worker, and the place it was given."""

    pid: int
    place: dict[str, Any]

    @property
    def worker_id(self) -> str:
        """Its name on the bus."""
        return str(self.place["worker_id"])


def children_of(pid: int) -> list[int]:
    """The running children of a process."""
    return sorted(child for child, parent, _ in _running() if parent == pid)


def members_of(group: int) -> list[int]:
    """The running processes of a group."""
    return sorted(member for member, _, its_group in _running() if its_group == group)


def _running() -> Iterator[tuple[int, int, int]]:
    """Processes with their parents and groups; those that ended and were not yet collected do not count."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if state not in "ZX":
            yield int(stat.parent.name), int(parent), int(group)


def words_of(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def workers_of(pid: int) -> list[WorkerProcess]:
    """The workers of a parent, by their numbers."""
    found = []
    for child in children_of(pid):
        words = words_of(child)
        place = words[words.index("--place") + 1] if "--place" in words else ""
        if place.startswith("{"):  # otherwise one that is only tried
            found.append(WorkerProcess(child, json.loads(place)))
    return sorted(found, key=lambda one: int(one.place["number"]))


def engine_of(pid: int) -> int | None:
    """The embedded database that a process runs, if it does."""
    return next((child for child in children_of(pid) if any("nxchild" in word for word in words_of(child))), None)


def is_running(pid: int) -> bool:
    """Whether a process is there, and not a mere remainder."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to a process that this test has started; it may be gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
