"""The rules of the recommendation service, without a web framework: who may ask for what, and what they are told."""

import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import NotFound
from dateflicks.protocol.ids import is_id
from dateflicks.protocol.recommendations import (
    EventBody,
    Rating,
    RatingAnswer,
    RatingPage,
    RecommendationBody,
    RecommendationPage,
    RecommendationsQuery,
)
from dateflicks.protocol.times import rfc3339_from_unix, rfc3339_if_known
from dateflicks.server.recommendation.history import Histories
from dateflicks.server.recommendation.records import rating_id
from dateflicks.server.services.recommendation.choosing import Choosing
from dateflicks.server.services.recommendation.films import Film, Films
from dateflicks.server.services.recommendation.folding import REASONS_MAX, reasons_for
from dateflicks.server.services.recommendation.pages import Pages
from dateflicks.server.services.recommendation.ranking import Pick, Ranking
from dateflicks.server.services.recommendation.rankings import Rankings
from dateflicks.server.services.recommendation.stored import Stored
from dateflicks.server.services.recommendation.telling import Exposures, Ratings, Told
from dateflicks.server.services.recommendation.views import body_of, named
from dateflicks.server.storage.records import Document, Place
from dateflicks.server.web.cursors import cursor_of, not_given_out, noted_in
from dateflicks.server.web.limiter import Limiter

ASKED_BURST: Final = limits.ASKED_BURST  # lists and reasons, of one person
TOLD_PER_WINDOW: Final = 1_000  # events and ratings of one person: a screen of a list is fifty of them
WINDOW_SECONDS: Final = 60.0
PAIRS_KEPT: Final = 20_000
_TOO_OFTEN: Final = "You ask for recommendations too often. Wait a moment."
_TOO_MUCH: Final = "This is too much at once. Wait a moment."
_NO_FILM: Final = "There is no video with this id. Look for it with GET /videos?q=TITLE."
_NO_PAIR: Final = "There is nobody of this id with whom you have accepted a session."
_PLACE: Final = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?) (vid_[a-z2-7]{26})")


class RecommendationHandler:
    """All that is asked; `evenly` is a clock that is never stepped."""

    def __init__(
        self,
        histories: Histories,
        choosing: Choosing,
        films: Films,
        rankings: Rankings,
        stored: Stored,
        exposures: Exposures,
        ratings: Ratings,
        *,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._histories = histories
        self._choosing = choosing
        self._films = films
        self._rankings = rankings
        self._stored = stored
        self._exposures = exposures
        self._ratings = ratings
        self._evenly = evenly
        self._pages = Pages()
        self._pairs: OrderedDict[tuple[str, str], Mapping[str, str]] = OrderedDict()  # two people → their names
        self._asking = Limiter(ASKED_BURST, ASKED_BURST / limits.ASKED_PER_SECOND, _TOO_OFTEN)
        self._telling = Limiter(TOLD_PER_WINDOW, WINDOW_SECONDS, _TOO_MUCH)

    # --- lists --------------------------------------------------------------------------------------------------

    async def page(self, caller: str, query: RecommendationsQuery) -> RecommendationPage:
        """A page of what to watch next. Raises NotFound (no such pair), Invalid (the cursor), TooMany, Unavailable."""
        self._asking.take(caller, self._evenly())
        people, names = await self._people(caller, query.other)
        ranking = await self._rankings.of(people, shows_seen=query.seen)
        page = self._pages.page(ranking, query.cursor, query.limit)
        return RecommendationPage(
            items=await self._bodies(ranking, page.picks, caller, names),
            next=page.next,
            variant=ranking.label,
            generated_at=rfc3339_if_known(ranking.generated_at),
            note=ranking.note,
        )

    async def why(self, caller: str, video_id: str, other: str | None) -> RecommendationBody:
        """One film as it would stand in the list, with the reasons that can be found.

        Raises NotFound, TooMany, Unavailable.
        """
        self._asking.take(caller, self._evenly())
        film = await self._film(video_id)
        people, names = await self._people(caller, other)
        ranking = await self._rankings.of(people, shows_seen=True)
        place = ranking.place_of(film.id)
        if place is None:
            pick = Pick(
                video_id=film.id, basis="none", made_by=ranking.label,
                fits=(None,) * len(people), whys=((),) * len(people),
            )  # fmt: skip
        else:
            pick = ranking.picks[place]
        pick = replace(pick, whys=await self._reasons(pick, people))
        found = await self._bodies(ranking, [(len(ranking.picks) if place is None else place, pick)], caller, names)
        return found[0] if place is not None else msgspec.structs.replace(found[0], score=0.0)

    async def _bodies(
        self, ranking: Ranking, picks: Sequence[tuple[int, Pick]], caller: str, names: Mapping[str, str]
    ) -> list[RecommendationBody]:
        films = await self._films.of({one for _, pick in picks for one in named(pick)})
        return [body_of(ranking, place, pick, films, caller, names) for place, pick in picks if pick.video_id in films]

    async def _reasons(self, pick: Pick, people: Sequence[str]) -> tuple[tuple[tuple[str, float], ...], ...]:
        """What the list knows, and where it knows nothing what the rows of the live runs say."""
        found = []
        for why, user_id in zip(pick.whys, people, strict=True):
            weights = {} if why else (await self._rankings.person(user_id)).weights
            for run in self._choosing.runs() if weights else ():
                rows = await self._stored.rows(run, list(weights))
                if why := reasons_for(pick.video_id, weights, rows):
                    break
            found.append(why[:REASONS_MAX])
        return tuple(found)

    # --- what people say ----------------------------------------------------------------------------------------

    async def tell(self, caller: str, body: EventBody) -> None:
        """Take down what became of a film. Raises NotFound (the film, the pair), TooMany, Unavailable."""
        self._telling.take(caller, self._evenly())
        film = await self._film(body.video_id)
        people, _ = await self._people(caller, body.other)
        await self._choosing.ready()
        if body.event == "watched":
            await self._ratings.watched(caller, film.id)
        elif body.event == "dismissed":
            await self._ratings.rate(caller, film.id, "hide")
        if body.event in ("watched", "dismissed"):
            self._rankings.changed(caller)
        told = Told(caller, people, film.id, body.event, body.position)
        await self._exposures.tell(told, self._rankings.last(people))

    async def rate(self, caller: str, video_id: str, rating: Rating | None) -> RatingAnswer:
        """Say what one thinks of a film, or take it back. Raises NotFound, TooMany, Unavailable."""
        self._telling.take(caller, self._evenly())
        film = await self._film(video_id)
        document = await self._ratings.rate(caller, film.id, rating)
        self._rankings.changed(caller)
        return rating_of(document)

    async def rating(self, caller: str, video_id: str) -> RatingAnswer:
        """What one has said of a film. Raises NotFound, TooMany, Unavailable."""
        self._asking.take(caller, self._evenly())
        film = await self._film(video_id)
        document = await self._ratings.of(caller, film.id)
        return RatingAnswer(video_id=film.id, rating=None, rated_at=None) if document is None else rating_of(document)

    async def all_ratings(self, caller: str, cursor: str | None, limit: int) -> RatingPage:
        """A page of what one has said, the newest first. Raises Invalid (the cursor), TooMany, Unavailable."""
        self._asking.take(caller, self._evenly())
        found, last = await self._ratings.page(caller, _place_of(caller, cursor), limit)
        return RatingPage(items=[rating_of(one) for one in found], next=None if last is None else _written(last))

    # --- who and what -------------------------------------------------------------------------------------------

    async def _people(self, caller: str, other: str | None) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """Whose list it is, by their ids in order, and their names as they were. Raises NotFound, Unavailable."""
        if other is None:
            return (caller,), {}
        low, high = sorted((caller, other))
        names = self._pairs.get((low, high))
        if names is None:
            met = await self._histories.met(caller, other) if is_id(other, "usr") and other != caller else None
            if met is None:
                raise NotFound(_NO_PAIR, code="no-such-pair")
            names = self._pairs[low, high] = met.names  # a session that was accepted stays that for ever
            while len(self._pairs) > PAIRS_KEPT:
                self._pairs.popitem(last=False)
        return (low, high), names

    async def _film(self, video_id: str) -> Film:
        film = await self._films.one(video_id)
        if film is None:
            raise NotFound(_NO_FILM, code="no-such-video")
        return film


def rating_of(document: Document) -> RatingAnswer:
    """What somebody said of a film, as it travels."""
    rating = document.get("rating")
    return RatingAnswer(
        video_id=document["videoId"],
        rating=rating,
        rated_at=None if rating is None else rfc3339_from_unix(float(document["at"])),
    )


def _written(place: Place) -> str:
    return cursor_of(f"{place.value} {place.id.rpartition(':')[2]}".encode())


def _place_of(caller: str, cursor: str | None) -> Place | None:
    if not cursor:  # an empty one is how some clients ask for the first page
        return None
    found = _PLACE.fullmatch(noted_in(cursor).decode("ascii", "replace"))
    if found is None or not math.isfinite(float(found[1])):
        raise not_given_out()
    return Place(float(found[1]), rating_id(caller, found[2]))
