"""Which methods each declared path knows: for refusing two declarations of one call, and for `Allow`."""

import re
from collections.abc import Iterable
from typing import Final

_PARAMETER: Final = re.compile(r"\{[A-Za-z]+\}")


class Paths:
    """The declared paths of an app."""

    def __init__(self) -> None:
        self._methods: dict[str, set[str]] = {}
        self._patterns: dict[str, re.Pattern[str]] = {}

    def add(self, path: str, methods: Iterable[str]) -> None:
        """Declare a path's methods. Raises ValueError for one that is declared already."""
        shape = _PARAMETER.sub("{}", path)  # what a parameter is called makes no difference
        known = self._methods.setdefault(shape, set())
        for method in methods:
            if method in known:
                raise ValueError(f"{method} {path} is declared twice")
            known.add(method)
        self._patterns[shape] = re.compile("[^/]+".join(re.escape(part) for part in shape.split("{}")) + "/?")

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that a request's path knows, sorted; `/sessions/events` is never a `/sessions/{id}`."""
        matching = [shape for shape, pattern in self._patterns.items() if pattern.fullmatch(path)]
        if not matching:
            return ()
        return tuple(sorted(self._methods[min(matching, key=_words_first)]))


def _words_first(shape: str) -> list[bool]:
    """To order the shapes of one path as routing does: from the left, a word comes before a parameter."""
    return [part == "{}" for part in shape.split("/")]
