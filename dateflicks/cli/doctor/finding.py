"""What a check tells: how one thing is, in words for people, and what to type where something is to be done."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How a thing is; a note is good to know and stops nobody."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` is what to type, empty where nothing is to be done."""

    name: str
    state: State
    found: str
    fix: str = ""

    def record(self) -> dict[str, Any]:
        """It as a record for people and programs."""
        return {"name": self.name, "state": self.state.value, "found": self.found, "fix": self.fix}


def fine(name: str, found: str) -> Finding:
    """All is well."""
    return Finding(name, State.OK, found)


def note(name: str, found: str, fix: str = "") -> Finding:
    """Good to know."""
    return Finding(name, State.NOTE, found, fix)


def wrong(name: str, found: str, fix: str) -> Finding:
    """Something is to be done."""
    return Finding(name, State.WRONG, found, fix)
