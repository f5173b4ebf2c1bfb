"""What was watched since a list was made, folded into it: sums over rows of neighbours, without any learning.

A row says what having watched a film adds to the scores of others, in the units of the run's lists. So a list follows
an evening at once, and whoever has no list gets one out of what they have watched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dateflicks.core.ranking.interactions import Bond, Interaction, bonds_of
from dateflicks.core.ranking.recency import recency_weights

REASONS_MAX: Final = 2

Reasons = tuple[tuple[str, float], ...]
Rows = Mapping[str, Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class Scored:
    """A film in somebody's list: the score is the run's, `why` the films that weigh most for it and their shares."""

    video_id: str
    score: float
    why: Reasons = ()
    is_new: bool = False


def fresh_weights(acts: Iterable[Interaction], cut: float) -> dict[str, float]:
    """What the acts after an instant have added to, or taken from, the weight of each film that they are about."""
    known = list(acts)
    before = bonds_of(act for act in known if act.at <= cut)
    found: dict[str, float] = {}
    for video_id, bond in bonds_of(known).items():
        change = bond.weight - (before[video_id].weight if video_id in before else 0.0)
        if change and bond.at > cut:
            found[video_id] = change
    return found


def recent_weights(bonds: Mapping[str, Bond], most: int) -> dict[str, float]:
    """The weights of the films that count for a person, the last ones, the older the less."""
    counted = sorted((bond.at, video_id) for video_id, bond in bonds.items() if bond.weight > 0)[-most:]
    factors = recency_weights([at for at, _ in counted])
    return {video_id: bonds[video_id].weight * factor for (_, video_id), factor in zip(counted, factors, strict=True)}


def folded(items: Sequence[Scored], fresh: Mapping[str, float], rows: Rows) -> list[Scored]:
    """The list with fresh weights in it, the best first; what is new in the collection keeps its place.

    A film that was not in the list counts as its last one before: lists are cut from below.
    """
    added = _sums(fresh, rows)
    if not added:
        return list(items)
    listed = {one.video_id: one for one in items}
    lowest = min((one.score for one in items), default=0.0)
    news = {place: one for place, one in enumerate(items) if one.is_new}
    ranked = [_with(one, added.get(one.video_id, {})) for one in items if not one.is_new]
    ranked += [
        _with(Scored(video_id, lowest), parts)
        for video_id, parts in added.items()
        if video_id not in listed and sum(parts.values()) > 0
    ]
    ranked.sort(key=lambda one: (-one.score, one.video_id))
    for place, one in sorted(news.items()):
        ranked.insert(place, one)
    return ranked


def from_rows(weights: Mapping[str, float], rows: Rows) -> list[Scored]:
    """A list out of nothing but what was watched; empty where the rows know none of it."""
    found = [_with(Scored(video_id, 0.0), parts) for video_id, parts in _sums(weights, rows).items()]
    return sorted((one for one in found if one.score > 0), key=lambda one: (-one.score, one.video_id))


def reasons_for(video_id: str, weights: Mapping[str, float], rows: Rows) -> Reasons:
    """The watched films that weigh most for this one, by the rows."""
    return _with(Scored(video_id, 0.0), _sums(weights, rows).get(video_id, {})).why


def _sums(weights: Mapping[str, float], rows: Rows) -> dict[str, dict[str, float]]:
    """By film, what each watched film adds to it."""
    found: dict[str, dict[str, float]] = {}
    for watched, weight in weights.items():
        for video_id, delta in rows.get(watched, ()):
            if video_id != watched:
                found.setdefault(video_id, {})[watched] = weight * delta
    return found


def _with(one: Scored, parts: Mapping[str, float]) -> Scored:
    if not parts:
        return one
    total = sum(value for value in parts.values() if value > 0)
    new = [(watched, value / total) for watched, value in parts.items() if value > 0]
    if one.why and total:
        # What the run knew and what came after are of one measure only in the score: each counts by its part of it.
        share = min(total / max(abs(one.score + total), total), 1.0)
        known = {watched: part * (1 - share) for watched, part in one.why}
        for watched, part in new:
            known[watched] = known.get(watched, 0.0) + part * share
        new = list(known.items())
    new.sort(key=lambda reason: (-reason[1], reason[0]))
    return replace(one, score=one.score + sum(parts.values()), why=tuple(new[:REASONS_MAX]))
