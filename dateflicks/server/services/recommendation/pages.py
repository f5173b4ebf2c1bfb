"""Pages of a list that changes with every evening: who has begun one goes on with it, less what is out by now.

A cursor names the list, the place, and the film before it. When the list is forgotten, as after a restart, the page
goes on behind that film in the list as it is then, or at that place.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from dateflicks.server.recommendation.records import LIST_MAX
from dateflicks.server.services.recommendation.ranking import Pick, Ranking
from dateflicks.server.web.cursors import cursor_of, not_given_out, noted_in

KEPT_MAX: Final = 200  # lists that somebody is in the middle of; about 10 MB


class _Cursor(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    whose: str
    ranking: Annotated[str, msgspec.Meta(max_length=32)]
    place: Annotated[int, msgspec.Meta(ge=0, le=LIST_MAX)]
    last: Annotated[str, msgspec.Meta(max_length=64)]


@dataclass(frozen=True, slots=True)
class Page:
    """Some places of a list, the first of which is at `start`."""

    picks: tuple[tuple[int, Pick], ...]
    next: str | None


class Pages:
    """The lists that people are in the middle of."""

    def __init__(self) -> None:
        self._begun: OrderedDict[str, Ranking] = OrderedDict()

    def page(self, now: Ranking, cursor: str | None, limit: int) -> Page:
        """The places behind the cursor of the list that it was of; `now` is the list as it is. Raises Invalid."""
        ranking, start = now, 0
        if cursor:  # an empty one is how some clients ask for the first page
            found = _read(now, cursor)
            begun = self._begun.get(found.ranking)
            if begun is not None and begun.people == now.people:
                ranking, start = begun, found.place
            else:
                place = now.place_of(found.last)
                start = found.place if place is None else place + 1
        shown: list[tuple[int, Pick]] = []
        for place in range(start, len(ranking.picks)):
            pick = ranking.picks[place]
            if ranking is not now and not now.may_show(pick.video_id):
                continue
            if len(shown) == limit:
                self._keep(ranking)
                return Page(tuple(shown), _written(ranking, place, shown[-1][1].video_id))
            shown.append((place, pick))
        return Page(tuple(shown), None)

    def _keep(self, ranking: Ranking) -> None:
        self._begun[ranking.id] = ranking
        self._begun.move_to_end(ranking.id)
        while len(self._begun) > KEPT_MAX:
            self._begun.popitem(last=False)


def _written(ranking: Ranking, place: int, last: str) -> str:
    return cursor_of(msgspec.json.encode(_Cursor(_whose(ranking), ranking.id, place, last)))


def _read(now: Ranking, cursor: str) -> _Cursor:
    try:
        found = msgspec.json.decode(noted_in(cursor), type=_Cursor)
    except (ValueError, msgspec.DecodeError, RecursionError):
        found = None
    if found is None or found.whose != _whose(now):
        raise not_given_out("for this list")
    return found


def _whose(ranking: Ranking) -> str:
    """Bound to whose list it is and what it shows: a cursor of another one is not mistaken for it."""
    words = (*ranking.people, "with what was seen" if ranking.seen_by else "")
    return hashlib.blake2s("\n".join(words).encode(), digest_size=6).hexdigest()
