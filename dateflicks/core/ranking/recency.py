"""How much what was watched long ago still counts: by how many films were watched after it."""

from collections.abc import Sequence
from typing import Final

FLOOR: Final = 0.3  # the oldest film still counts this much of the newest
HALF_LIFE_FILMS: Final = 12.0  # measured as best on MovieLens by time


def recency_weights(times: Sequence[float], half_life: float | None = HALF_LIFE_FILMS) -> list[float]:
    """The factor of each film of one person by when it was watched: 0.3 + 0.7 × ½^(age / half-life), age in films.

    Films of one instant are of one age, that of the newest of them. Without a half-life all count in full.
    """
    if half_life is None:
        return [1.0] * len(times)
    ages: dict[float, int] = {}
    for age, at in enumerate(sorted(times, reverse=True)):
        ages.setdefault(at, age)
    return [FLOOR + (1 - FLOOR) * 0.5 ** (ages[at] / half_life) for at in times]
