"""A list for two, made of what each of them, and the two as one, would be shown.

What a model says of a film is comparable within one person only, so it is counted in that person's own measure: z, how
many of their standard deviations a film lies above the mean of all candidates. A film's score is

    mean z + lower_weight × (min z − mean z) + n / (n + 10) × z of the couple's joint profile,

n being the films that the two watched together: what they liked as a couple counts as soon as there is something.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

JOINT_HALF: Final = 10  # films watched together after which the couple counts half as much as the two themselves
LIMIT: Final = 200
ROUNDING: Final = 1e-9  # of the largest score: what differs by less is the same

Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ForTwo:
    """A film of the list: its score, and how well it fits each of the two (0 to 1; None where nothing is known)."""

    video_id: str
    score: float
    fits: tuple[float | None, float | None]


def for_two(
    first: Scores,
    second: Scores,
    *,
    joint: Scores | None = None,
    joint_films: int = 0,
    lower_weight: float = 0.0,
    excluded: Collection[str] = (),
    limit: int = LIMIT,
) -> list[ForTwo]:
    """The films for two, the best first: of all that there is a score for, but for those excluded.

    A film that one of them has no score for is taken for as good as the last that they have one for: lists are cut
    from below. Who has no scores at all, or the same for every film, has no say.
    """
    candidates = sorted({*_told(first), *_told(second), *_told(joint or {})} - set(excluded))
    members = [z_scores(scores, candidates) for scores in (first, second)]
    has_say = [one for one in members if one is not None]
    couple = z_scores(joint or {}, candidates) if joint_films > 0 else None
    share = joint_films / (joint_films + JOINT_HALF) if couple is not None else 0.0
    combined = [
        _of_members([one[at] for one in has_say], lower_weight) + (share * couple[at] if couple is not None else 0.0)
        for at in range(len(candidates))
    ]
    best = sorted(range(len(candidates)), key=lambda at: (-combined[at], candidates[at]))[:limit]
    fits = [fits_of(one) if one is not None else [None] * len(candidates) for one in members]
    return [ForTwo(candidates[at], combined[at], (fits[0][at], fits[1][at])) for at in best]


def z_scores(scores: Scores, candidates: Sequence[str]) -> list[float] | None:
    """One person's scores of these films in their own measure; None when they tell nothing."""
    told = _told(scores)
    known = [told[one] for one in candidates if one in told]
    if not known:
        return None
    lowest = min(known)
    values = [told.get(one, lowest) for one in candidates]
    scale = max(map(abs, values)) or 1.0  # squares of huge numbers overflow, those of tiny ones vanish
    values = [value / scale for value in values]
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / spread for value in values] if spread > ROUNDING else None


def fits_of(values: Sequence[float]) -> list[float]:
    """How well each film fits one person, 0 to 1: where it stands among all, counted in powers of the rank.

    The best is 1, the last about 0. The rank itself would say 99 % of everything worth a look; in powers the tenth of
    3,000 is 0.71 and the hundredth 0.42. Films of one score share the middle of their ranks.
    """
    order = sorted(range(len(values)), key=lambda at: -values[at])
    fits = [1.0] * len(values)
    bottom = math.log(len(values)) if len(values) > 1 else 1.0
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        fit = 1.0 - math.log((start + end + 1) / 2) / bottom
        for at in order[start:end]:
            fits[at] = max(fit, 0.0)
        start = end
    return fits


def _of_members(values: Sequence[float], lower_weight: float) -> float:
    if not values:
        return 0.0
    mean = sum(values) / len(values)
    return mean + lower_weight * (min(values) - mean)


def _told(scores: Scores) -> dict[str, float]:
    """Without what is no number: a model that failed on a film says nothing of it."""
    return {video_id: float(score) for video_id, score in scores.items() if math.isfinite(score)}
