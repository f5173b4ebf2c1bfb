"""What a person did with a film, as one number: the weight of each kind of act, with its reason, in one table."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Act(StrEnum):
    """What can be done with a film."""

    FINISHED = "finished"
    MOSTLY = "mostly"
    BEGUN = "begun"
    LEFT = "left"
    UP = "up"
    DOWN = "down"
    HIDDEN = "hidden"
    PREDICTED = "predicted"


WEIGHTS: Final = {
    Act.FINISHED: 1.0,  # to the end, or as good as: the whole of what an implicit act can say
    Act.MOSTLY: 0.6,  # more than half: liked well enough to stay, not to the end
    Act.BEGUN: 0.2,  # between: an evening may have ended for other reasons
    Act.LEFT: 0.0,  # ended by choice within the first tenth: says nothing for it
    Act.UP: 1.0,  # said, and not only done: as much again as watching to the end
    Act.DOWN: 0.0,  # never counts for a film, whatever else was done
    Act.HIDDEN: 0.0,
    Act.PREDICTED: 0.1,  # settled calls tell of attention; many of them of one film count once
}
AGAINST: Final = frozenset({Act.DOWN, Act.HIDDEN})
WATCHED: Final = frozenset({Act.FINISHED, Act.MOSTLY, Act.BEGUN})
SEEN: Final = frozenset({Act.FINISHED})

FINISHED_SHARE: Final = 0.9  # credits are not watched by everybody
MOSTLY_SHARE: Final = 0.5
BEGUN_SHARE: Final = 0.1
WEIGHT_MAX: Final = 2.0  # finished and rated up; more often counts no more


@dataclass(frozen=True, slots=True)
class Interaction:
    """One act of one person; `at` is Unix seconds."""

    user_id: str
    video_id: str
    act: Act
    at: float


@dataclass(frozen=True, slots=True)
class Bond:
    """All acts of one person with one film: what they weigh together, and when the last one was.

    A film can be watched, and yet not seen: not to its end.
    """

    weight: float
    at: float
    is_watched: bool
    is_seen: bool
    is_refused: bool


def act_of_watching(position: float, length: float, *, has_ended: bool) -> Act:
    """How far somebody came, in seconds; without a length nobody can say that it was the end."""
    share = position / length if length > 0 else 0.0
    if share >= FINISHED_SHARE:
        return Act.FINISHED
    if share >= MOSTLY_SHARE:
        return Act.MOSTLY
    return Act.LEFT if has_ended and 0 < share < BEGUN_SHARE else Act.BEGUN


def bonds_of(acts: Iterable[Interaction]) -> dict[str, Bond]:
    """One person's acts by film: each kind counts once; what is refused weighs nothing, until it is rated up later."""
    latest: dict[str, dict[Act, float]] = {}
    for one in acts:
        kinds = latest.setdefault(one.video_id, {})
        kinds[one.act] = max(one.at, kinds.get(one.act, one.at))
    return {video_id: _bond(kinds) for video_id, kinds in latest.items()}


def _bond(kinds: dict[Act, float]) -> Bond:
    refused_at = max((at for kind, at in kinds.items() if kind in AGAINST), default=None)
    is_refused = refused_at is not None and kinds.get(Act.UP, refused_at) <= refused_at
    watched = max((WEIGHTS[kind] for kind in kinds if kind in WATCHED), default=0.0)
    said = sum(WEIGHTS[kind] for kind in kinds if kind in (Act.UP, Act.PREDICTED))
    return Bond(
        weight=0.0 if is_refused else min(watched + said, WEIGHT_MAX),
        at=max(kinds.values()),
        is_watched=any(kind in WATCHED for kind in kinds),
        is_seen=any(kind in SEEN for kind in kinds),
        is_refused=is_refused,
    )
