"""What became of films: who was shown what, when, and what they did with it; and what people say of films.

An exposure is one film shown to a unit on a day within an experiment: the first one is written, what happens then is
appended, each kind once. It says which arm the unit was in, and what really made that place of the list. What is told
later than a week after belongs to no exposure. Whatever is told twice counts once.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.experiments.assignment import Unit
from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.recommendations import Event, Rating
from dateflicks.server.recommendation.records import exposure_id, pair_of, rating_id
from dateflicks.server.services.recommendation.choosing import Choosing
from dateflicks.server.services.recommendation.ranking import Ranking
from dateflicks.server.storage.records import Document, Duplicate, Place, Stale
from dateflicks.server.storage.table import Table

REMEMBERED_DAYS: Final = 8  # today and a week: how far back what somebody does belongs to what they were shown
AGAIN_SECONDS: Final = 3_600.0  # within which the end of a film is told twice
DAY_SECONDS: Final = 86_400.0
_TRIES: Final = 8
_CHANGING: Final = "This is being changed by others all the time. Try again in a moment."


@dataclass(frozen=True, slots=True)
class Told:
    """An event: who tells it, of which film, in a list for whom; `position` is where the film stood."""

    user_id: str
    people: tuple[str, ...]
    video_id: str
    event: Event
    position: int | None

    @property
    def unit(self) -> str:
        """Whose list it was."""
        return self.people[0] if len(self.people) == 1 else pair_of(*self.people)

    @property
    def kind(self) -> Unit:
        """One person's, or a pair's."""
        return Unit.USER if len(self.people) == 1 else Unit.PAIR


class Exposures:
    """What was shown. All raise Unavailable; `now` is Unix time."""

    def __init__(self, exposures: Table, choosing: Choosing, *, now: Callable[[], float] = time.time) -> None:
        self._exposures = exposures
        self._choosing = choosing
        self._now = now

    async def tell(self, told: Told, ranking: Ranking | None) -> None:
        """Take it down; `ranking` is the list as it was told last, if anybody knows."""
        if told.event == "shown":
            await self._shown(told, ranking)
        else:
            await self._happened(told)

    async def _shown(self, told: Told, ranking: Ranking | None) -> None:
        now = self._now()
        document = self._document(told, ranking, now)
        document["_id"] = exposure_id(document["experiment"], told.unit, _day(now), told.video_id)
        try:
            await self._exposures.insert(document)
        except Duplicate:
            return  # it was shown before today

    def _document(self, told: Told, ranking: Ranking | None, now: float) -> Document:
        plan = self._choosing.plan(told.kind, told.unit)
        experiment, variant = plan.experiment_name, "" if plan.is_drafted else plan.arms[0].variant
        found: dict[str, Any] = {"madeBy": "", "basis": "", "list": "", "place": None, "tookMs": None}
        if ranking is not None:
            experiment, variant = ranking.experiment, ranking.variant
            found["tookMs"] = round(ranking.took_ms, 3)
            place = ranking.place_of(told.video_id)
            if place is not None:
                pick = ranking.picks[place]
                variant = variant or pick.team
                found |= {"madeBy": pick.made_by, "basis": pick.basis, "list": pick.list_id, "place": place}
        return {
            "experiment": experiment,
            "variant": variant,
            "unit": told.kind.value,
            "unitId": told.unit,
            "people": list(told.people),
            "userId": told.user_id,
            "videoId": told.video_id,
            "position": found["place"] if told.position is None else told.position,
            "day": f"d{_day(now)}",
            "shownAt": now,
            "events": [],
            **found,
        }

    async def _happened(self, told: Told) -> None:
        for _ in range(_TRIES):
            exposure = await self._newest(told)
            if exposure is None or any(one["event"] == told.event for one in exposure["events"]):
                return
            events = [*exposure["events"], {"event": told.event, "at": self._now(), "userId": told.user_id}]
            try:
                await self._exposures.compare_and_set(
                    exposure["_id"], exposure["rev"], {"events": events}, command=secrets.token_hex(8)
                )
            except Stale:
                continue
            return
        raise Unavailable(_CHANGING)

    async def _newest(self, told: Told) -> Document | None:
        now = self._now()
        names = self._choosing.experiments_of(told.kind)
        ids = [
            exposure_id(name, told.unit, _day(now - days * DAY_SECONDS), told.video_id)
            for days in range(REMEMBERED_DAYS)
            for name in names
        ]
        found = await self._exposures.get_many(ids[:PAGE_MAX])
        return max(found.values(), key=lambda one: float(one["shownAt"]), default=None)


class Ratings:
    """What people say of films. All raise Unavailable; `now` is Unix time."""

    def __init__(self, ratings: Table, *, now: Callable[[], float] = time.time) -> None:
        self._ratings = ratings
        self._now = now

    async def of(self, user_id: str, video_id: str) -> Document | None:
        """What somebody has said of a film, if anything."""
        return await self._ratings.get(rating_id(user_id, video_id))

    async def page(self, user_id: str, after: Place | None, limit: int) -> tuple[list[Document], Place | None]:
        """What somebody has said, the newest first, and the place of the last where there may be more."""
        found: list[Document] = []
        async for page in self._ratings.pages("userId", user_id, order_by="at", after=after):
            for one in page:
                if one.get("rating") is None:
                    continue
                if len(found) == limit:
                    return found, Place.of(found[-1], "at")
                found.append(one)
        return found, None

    async def rate(self, user_id: str, video_id: str, rating: Rating | None) -> Document:
        """Say what one thinks of a film, or take it back; saying it again changes nothing, not even the time."""
        return await self._change(
            user_id, video_id, lambda known: None if known.get("rating") == rating else {"rating": rating}
        )

    async def watched(self, user_id: str, video_id: str) -> Document:
        """Somebody's player came to the end of a film."""
        now = self._now()

        def again(known: Document) -> dict[str, Any] | None:
            before = known.get("watchedAt")
            is_told = before is not None and now - float(before) < AGAIN_SECONDS
            return None if is_told else {"watchedAt": now}

        return await self._change(user_id, video_id, again)

    async def _change(
        self, user_id: str, video_id: str, change: Callable[[Document], dict[str, Any] | None]
    ) -> Document:
        key = rating_id(user_id, video_id)
        new: Document = {"_id": key, "rev": 1, "userId": user_id, "videoId": video_id, "rating": None, "at": 0.0}
        new["watchedAt"] = None
        for _ in range(_TRIES):
            known = await self._ratings.get(key)
            changes = change(known or new)
            if changes is None:
                return known or new
            if "rating" in changes:
                changes["at"] = self._now()
            try:
                if known is None:
                    return await self._ratings.insert({**new, **changes})
                return await self._ratings.compare_and_set(key, known["rev"], changes, command=secrets.token_hex(8))
            except (Stale, Duplicate):
                continue
        raise Unavailable(_CHANGING)


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()
