"""One place in ten for what has just arrived: nobody can have watched it, so that no algorithm would ever name it."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def with_arrivals(ranked: Sequence[T], arrivals: Sequence[T], share: float, limit: int) -> list[tuple[T, bool]]:
    """The list with arrivals in the middle of each so many places, each entry with whether it is one of them.

    Both are the best first, and nothing is in the list twice: an arrival that stands high enough by itself needs no
    place that is kept. Where either has too few, the other fills the places.
    """
    every = round(min(1 / share, 2 * limit + 2)) if share > 0 else 0  # where no list is so long, none has a place
    rest, new = list(reversed(ranked)), list(reversed(arrivals))
    placed: list[tuple[T, bool]] = []
    used: set[T] = set()
    while len(placed) < limit and (rest or (new and every)):
        is_kept = every > 0 and len(placed) % every == every // 2
        entry = _next(new, used) if is_kept else None
        is_new = entry is not None
        if entry is None:
            entry = _next(rest, used)
        if entry is None and every:
            entry, is_new = _next(new, used), True
        if entry is None:
            break
        used.add(entry)
        placed.append((entry, is_new))
    return placed


def _next(left: list[T], used: set[T]) -> T | None:
    while left:
        entry = left.pop()
        if entry not in used:
            return entry
    return None
