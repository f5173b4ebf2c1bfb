"""Who may run a job: a document that one owner at a time has taken, changed by compare-and-set, renewed while the run
lasts. An owner that is gone loses it when its time is over, or at once when it was a process of this machine.

Clocks of machines that share a database may differ by less than the slack.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.server.jobs.records import LEASES
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, Duplicate
from dateflicks.server.storage.table import Table

LEASE_SECONDS: Final = 60.0
SLACK_SECONDS: Final = 15.0
TRIES: Final = 8


class LeaseHeld(DateflicksError):
    """Somebody else runs it at this moment."""

    def __init__(self, name: str, stored: Document) -> None:
        who = f"process {stored['pid']} of {stored['host']}"
        super().__init__(f"{name} is being run by {who}, since {_clock(stored['takenAt'])}.")


def _clock(seconds: float) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(seconds))


def this_place() -> str:
    """What tells the processes of this machine, of this boot and of this container apart from all others; or ''."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _has_started_at(pid: int) -> str:
    """When a process began, so that another one with its number is not taken for it; '' when there is none.

    One that has ended and waits to be collected is none: where nobody does that, it stays for ever.
    """
    try:
        words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return "" if words[0] in "ZX" else words[19]
    except (OSError, IndexError):
        return ""


@dataclass(slots=True)
class Lease:
    """What was taken; `left` is the run that an owner which is gone had not ended."""

    table: Table
    document: Document
    left: str | None
    now: Callable[[], float]

    async def renew(self) -> bool:
        """Keep it for longer; False when somebody else has it. Raises Unavailable."""
        return await self._write({"expiresAt": self.now() + LEASE_SECONDS})

    async def attach(self, child: int) -> bool:
        """Note the process that does the work: while it lives the lease is held, even if its owner is gone."""
        return await self._write({"child": child, "childBegan": f"p{_has_started_at(child)}"})

    @property
    def is_over(self) -> bool:
        """Whether others may take it by now."""
        return self.now() > float(self.document["expiresAt"])

    async def release(self) -> None:
        """Give it back, unless somebody else has it. Raises Unavailable."""
        await self._write({"expiresAt": 0.0, "runId": None})

    async def _write(self, changes: Document) -> bool:
        for _ in range(TRIES):
            changed = {**self.document, **changes, "rev": self.document["rev"] + 1}
            if await self.table.replace(changed, self.document["rev"]):
                self.document = changed
                return True
            stored = await self.table.get(self.document["_id"])
            if stored is None or stored["token"] != self.document["token"]:
                return False
            if stored == changed:
                self.document = changed
                return True  # an earlier try was carried out
            self.document = stored
        return False


class Leases:
    """The leases of this process. `now` is Unix time. All raise Unavailable when the database is away."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._table = database.table(LEASES)
        self._now = now
        self._place = this_place()

    async def take(self, name: str, run_id: str) -> Lease:
        """Take the lease of a subject for this run. Raises LeaseHeld."""
        key = f"lease:{name}"
        for _ in range(TRIES):
            stored = await self._table.get(key)
            if stored is not None and self._is_held(stored):
                raise LeaseHeld(name, stored)
            wanted = self._wanted(key, run_id, 1 if stored is None else stored["rev"] + 1)
            if stored is None:
                try:
                    await self._table.insert(wanted)
                except Duplicate:
                    continue
                return Lease(self._table, wanted, None, self._now)
            if await self._table.replace(wanted, stored["rev"]) or await self._table.get(key) == wanted:
                return Lease(self._table, wanted, stored["runId"], self._now)
        raise Unavailable(f"Others keep taking the lease of {name}. Try again in a moment.")

    async def is_held(self, name: str) -> bool:
        """Whether somebody runs it."""
        stored = await self._table.get(f"lease:{name}")
        return stored is not None and self._is_held(stored)

    async def left(self, name: str) -> str | None:
        """The run that an owner which is gone has left behind; the lease is given back."""
        stored = await self._table.get(f"lease:{name}")
        if stored is None or stored["runId"] is None or self._is_held(stored):
            return None
        released = {**stored, "expiresAt": 0.0, "runId": None, "rev": stored["rev"] + 1}
        return str(stored["runId"]) if await self._table.replace(released, stored["rev"]) else None

    def _wanted(self, key: str, run_id: str, rev: int) -> Document:
        now, pid = self._now(), os.getpid()
        return {
            "_id": key,
            "rev": rev,
            "token": f"t{secrets.token_hex(8)}",
            "runId": run_id,
            "host": socket.gethostname(),
            "place": self._place,
            "pid": pid,
            "began": f"p{_has_started_at(pid)}",
            "child": pid,
            "childBegan": f"p{_has_started_at(pid)}",
            "takenAt": now,
            "expiresAt": now + LEASE_SECONDS,
        }

    def _is_held(self, stored: Document) -> bool:
        if stored["runId"] is None or stored["expiresAt"] + SLACK_SECONDS < self._now():
            return False
        is_here = self._place != "" and stored["place"] == self._place
        if not is_here:
            return True
        processes = ((stored["pid"], stored["began"]), (stored["child"], stored["childBegan"]))
        return any((began := _has_started_at(pid)) and noted == f"p{began}" for pid, noted in processes)
