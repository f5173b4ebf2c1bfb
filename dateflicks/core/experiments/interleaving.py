"""Team-draft interleaving: one list out of several, in which each film knows whose it is, so that one person's choice
compares them (Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008).

In each round every team adds the best film of its list that is not there yet; whoever begins is drawn anew for each
round. What is drawn follows from the salt, the unit and the day, so that a list asked for twice is the same list.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dateflicks.core.experiments.assignment import point_of


@dataclass(frozen=True, slots=True)
class Pick:
    """A place in the list. Without a team it fills the list up after the draft, and earns nobody a credit."""

    item: str
    team: str | None


def team_draft(lists: Mapping[str, Sequence[str]], length: int, *, salt: str, unit: str, day: str) -> list[Pick]:
    """The first `length` places of a list drafted from these lists (best first), by team; `day` as `2026-11-25`.

    The draft ends when a team has nothing left to add; what others still have fills up the list.
    """
    picks: list[Pick] = []
    taken: set[str] = set()
    unseen = {team: iter(lists[team]) for team in sorted(lists)}
    turn = 0
    while unseen and len(picks) < length:
        for team in _order(unseen, f"{salt}:{unit}:{day}", turn):
            item = next((one for one in unseen[team] if one not in taken), None)
            if item is None:
                return picks + _rest(lists, taken, length - len(picks))
            picks.append(Pick(item, team))
            taken.add(item)
        turn += 1
    return picks[:length]


def _order(teams: Iterable[str], seed: str, turn: int) -> list[str]:
    return sorted(teams, key=lambda team: (point_of(f"{seed}:{turn}", team), team))


def _rest(lists: Mapping[str, Sequence[str]], taken: set[str], length: int) -> list[Pick]:
    """What is left, by the best place that it has in any list."""
    places: dict[str, int] = {}
    for items in lists.values():
        for place, item in enumerate(items):
            if item not in taken:
                places[item] = min(place, places.get(item, place))
    return [Pick(item, None) for item in sorted(places, key=lambda item: (places[item], item))[:length]]
