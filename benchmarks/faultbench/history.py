"""What everybody saw of a session and its film, and whether that can be: no two truths, and none that goes back.

Beside `account.py`, which does the same for the talk. Each finding is a sentence about what nobody should have seen.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

APART_SECONDS: Final = 0.005  # a timeline that two were told: numbers are rounded to a microsecond, clocks are led
TERMINAL: Final = frozenset({"rejected", "cancelled", "ended"})
OWN: Final = ("ticket", "invitation", "role")  # what each of the two sees for themselves alone


@dataclass(frozen=True, slots=True)
class Observed:
    """One timecode, as somebody was told it; `at` is the server's clock in milliseconds."""

    revision: int
    status: str
    rate: float
    position: float
    at: float

    def place_at(self, instant: float) -> float:
        """Where it puts the film at an instant of the server's clock."""
        return self.position + self.rate * max(0.0, instant - self.at) / 1000


@dataclass(slots=True)
class Observer:
    """Somebody, and all timecodes that they were told, in that order."""

    name: str
    seen: list[Observed] = field(default_factory=list)


def check_timelines(observers: Sequence[Observer], stored: str | None = None) -> list[str]:
    """Nobody was told an older state than they knew, or two of one revision; all end with the same, and so is it kept.

    `stored` is the status in the database.
    """
    wrongs = []
    for one in observers:
        for before, after in itertools.pairwise(one.seen):
            if after.revision < before.revision:
                wrongs.append(f"{one.name} was told revision {after.revision} behind {before.revision}")
            elif after.revision == before.revision and after.status != before.status:
                wrongs.append(f"{one.name} was told revision {after.revision} as {before.status} and as {after.status}")
    if any(not one.seen for one in observers):
        return [*wrongs, "somebody was told nothing"]
    first, *others = observers
    last = first.seen[-1]
    for other in others:
        also = other.seen[-1]
        if (also.revision, also.status, also.rate) != (last.revision, last.status, last.rate):
            wrongs.append(f"{first.name} ends with {last}, {other.name} with {also}")
            continue
        instant = max(last.at, also.at)
        if abs(last.place_at(instant) - also.place_at(instant)) > APART_SECONDS:
            wrongs.append(f"the film ends at {last} for {first.name}, at {also} for {other.name}")
    if stored is not None and stored != last.status:
        wrongs.append(f"{last.status} is what everybody was told, {stored} is what is kept")
    return wrongs


Document = Mapping[str, Any]


def check_sessions(seen: Mapping[str, Sequence[Document]], stored: Document) -> list[str]:
    """One session, as each of its people saw it over time, and as it is kept: one end at most, the same for all.

    `seen` has everything that a person was told or answered, by their name and in that order.
    """
    wrongs = []
    ends = {one["state"] for documents in seen.values() for one in documents if one["state"] in TERMINAL}
    if stored["state"] in TERMINAL:
        ends.add(stored["state"])
    if len(ends) > 1:
        wrongs.append(f"one session has ended as {', '.join(sorted(ends))}")
    for name, documents in seen.items():
        for before, after in itertools.pairwise(documents):
            if before["state"] in TERMINAL and after["state"] != before["state"]:
                wrongs.append(f"for {name} it was {before['state']}, and then {after['state']}")
        if not documents:
            wrongs.append(f"{name} was told nothing")
        elif _common(documents[-1]) != _common(stored):
            wrongs.append(f"{name} ends with {_common(documents[-1])}, kept is {_common(stored)}")
    return wrongs


def _common(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in OWN}
