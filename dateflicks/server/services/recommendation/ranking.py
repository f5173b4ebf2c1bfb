"""A list as it is told: one place after another, each with where it comes from and why it is there."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dateflicks.protocol.recommendations import Basis
from dateflicks.server.services.recommendation.folding import Reasons

DECIMALS: Final = 4
_ID_BYTES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One place. `fits` and `whys` are of each person, in their order; a team is an arm's, in a list that was drafted.

    `made_by` is the algorithm and version that put it there, `list_id` the stored list, where there is one.
    """

    video_id: str
    basis: Basis
    made_by: str
    fits: tuple[float | None, ...]
    whys: tuple[Reasons, ...]
    is_new: bool = False
    team: str = ""
    list_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """A list for these people, the best first. `refused`, `seen` and `liked` are films of any of them, by
    person: what they said no to, watched to the end, and only said that they like.

    It is the best of `known` films. `experiment` and `variant` are what exposures belong to; `changes` counts what each
    had said by then. `took_ms` is how long it took to put together, in milliseconds; `seen_by` is how many
    of them may have seen what is in it.
    """

    people: tuple[str, ...]
    picks: tuple[Pick, ...]
    experiment: str
    variant: str
    label: str
    generated_at: float | None
    refused: Mapping[str, frozenset[str]]
    seen: Mapping[str, frozenset[str]]
    liked: Mapping[str, frozenset[str]]
    built_at: float
    changes: tuple[int, ...]
    known: int = 0
    took_ms: float = 0.0
    note: str | None = None
    seen_by: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(_ID_BYTES))

    def may_show(self, video_id: str) -> bool:
        """Whether nobody has refused this film, and no more have seen it than may have."""
        if any(video_id in films for films in self.refused.values()):
            return False
        return sum(video_id in films for films in self.seen.values()) <= self.seen_by

    def place_of(self, video_id: str) -> int | None:
        """Where a film stands, from 0 on."""
        return next((place for place, pick in enumerate(self.picks) if pick.video_id == video_id), None)


def worth_of(place: int, of: int) -> float:
    """How good a place (from 0 on) among so many films is: 1 to 0, in powers of the rank, as for two.

    The tenth of 3,000 is 0.71.
    """
    bottom = math.log(max(of, place + 1, 2) + 1)
    return round(1.0 - math.log(place + 1) / bottom, DECIMALS)
