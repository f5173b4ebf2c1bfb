"""Telling our own commands' echoes from what a user did: a memory of three seconds. Pure."""

from collections import deque
from typing import Final

REMEMBERED_SECONDS: Final = 3.0


class Echoes:
    """What was asked of the player and has not come back yet, oldest first."""

    def __init__(self) -> None:
        self._asked: deque[tuple[str, object, float]] = deque(maxlen=64)

    def expect(self, name: str, value: object, now: float) -> None:
        """A command was sent after which the player will say that `name` became `value`."""
        self._asked.append((name, value, now))

    def is_echo(self, name: str, value: object, now: float) -> bool:
        """Whether this change is one of ours. It and those asked before it are used up: changes come in order."""
        while self._asked and self._asked[0][2] < now - REMEMBERED_SECONDS:
            self._asked.popleft()
        for index, (asked, wanted, _) in enumerate(self._asked):
            if asked == name and wanted == value:
                used = index + 1
                kept = [entry for i, entry in enumerate(self._asked) if i >= used or entry[0] != name]
                self._asked = deque(kept, maxlen=64)
                return True
        return False
