"""A list for two, made of what each of them, and the two as one, would be shown.

What a model says of a film is comparable within one person only, so it is counted in that person's own measure: z, how
many of their standard deviations a film lies above the mean of all candidates. A film's score is

    mean z + lower_weight × (min z − mean z) + n / (n + 10) × z of the couple's joint profile,

n being the films that the two watched together: what they liked as a couple counts as soon as there is something.
"""

import math
from bisect import bisect_left, bisect_right
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
    told = [_told(scores) for scores in (first, second, joint or {})]
    candidates = sorted({video_id for scores in told for video_id in scores}.difference(excluded))
    members = [z_scores(scores, candidates) for scores in told[:2]]
    couple = z_scores(told[2], candidates) if joint_films > 0 else None
    combined = _of_members([one for one in members if one is not None], lower_weight) or [0.0] * len(candidates)
    if couple is not None:
        share = joint_films / (joint_films + JOINT_HALF)
        combined = [score + share * theirs for score, theirs in zip(combined, couple, strict=True)]
    best = sorted(range(len(candidates)), key=combined.__getitem__, reverse=True)[:limit]
    fits = [fits_of(one, best) if one is not None else [None] * len(best) for one in members]
    return [ForTwo(candidates[at], combined[at], (one, other)) for at, one, other in zip(best, *fits, strict=True)]


def z_scores(scores: Scores, candidates: Sequence[str]) -> list[float] | None:
    """One person's scores of these films in their own measure; None when they tell nothing."""
    known = [scores[one] for one in candidates if one in scores]
    if not known:
        return None
    lowest = min(known)
    values = known if len(known) == len(candidates) else [scores.get(one, lowest) for one in candidates]
    scale = max(abs(max(values)), abs(lowest)) or 1.0  # squares of huge numbers overflow, those of tiny ones vanish
    values = [value / scale for value in values]
    mean = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum([(value - mean) ** 2 for value in values]) / len(values))
    return [(value - mean) / spread for value in values] if spread > ROUNDING else None


def fits_of(values: Sequence[float], chosen: Sequence[int]) -> list[float]:
    """How well the films at these places fit one person, 0 to 1: their ranks among all, counted in powers.

    The best is 1, the last about 0. The rank itself would say 99 % of everything worth a look; in powers the tenth of
    3,000 is 0.71 and the hundredth 0.42. Films of one score share the middle of their ranks.
    """
    rising = sorted(values)
    bottom = math.log(len(rising)) if len(rising) > 1 else 1.0
    fits = []
    for at in chosen:
        below, above = bisect_left(rising, values[at]), len(rising) - bisect_right(rising, values[at])
        fits.append(max(1.0 - math.log((above + len(rising) - below + 1) / 2) / bottom, 0.0))
    return fits


def _of_members(members: Sequence[Sequence[float]], lower_weight: float) -> list[float]:
    """What the two think together of each film; one alone decides alone."""
    if len(members) < 2:
        return list(members[0]) if members else []
    whole = (1.0 - lower_weight) / 2  # mean + w × (min − mean), with the factors of both put together
    pairs = zip(*members, strict=True)
    if not lower_weight:
        return [(one + other) * whole for one, other in pairs]
    return [(one + other) * whole + lower_weight * (one if one < other else other) for one, other in pairs]


def _told(scores: Scores) -> dict[str, float]:
    """Without what is no number: a model that failed on a film says nothing of it."""
    return {video_id: float(score) for video_id, score in scores.items() if math.isfinite(score)}
