"""What to watch next, over HTTP: lists for one and for two, why, what one says of films, and what became of them.

What became of a film is told so that lists get better, and so that one can find out which of them are good. Nobody
waits for it, and no failure of it is anybody's concern: `tell` gives up quietly after a few tries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final
from urllib.parse import quote

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.core.limits import PAGE_DEFAULT, PAGE_MAX
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.recommendations import (
    Event,
    EventBody,
    Fit,
    Rating,
    RatingAnswer,
    RatingBody,
    RatingPage,
    RecommendationAnswer,
    RecommendationBody,
    RecommendationPage,
)

SERVICE: Final = "recommendation"
PAUSES_SECONDS: Final = (1.0, 5.0, 30.0)  # before each of the further tries to tell what became of a film


class Recommendations:
    """One person's way to what is recommended to them; every call but `tell` raises ClientError.

    `other` is the id of somebody with whom they have accepted a session: then it is about the two of them.
    """

    def __init__(self, client: ServiceClient, *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._client = client
        self._pause = pause

    async def page(
        self, other: str | None = None, *, limit: int = PAGE_DEFAULT, cursor: str | None = None, seen: bool = False
    ) -> RecommendationPage:
        """A page of the list, best first; with `seen` also films that somebody has finished."""
        query = {"with": other, "limit": str(limit), "cursor": cursor, "seen": "true" if seen else None}
        return await self._client.call(SERVICE, "GET", "/recommendations", RecommendationPage, query=query)

    async def up_to(self, limit: int, other: str | None = None, *, seen: bool = False) -> RecommendationPage:
        """The first `limit` films as one page."""
        found: list[RecommendationBody] = []
        first = page = await self.page(other, limit=min(limit, PAGE_MAX), seen=seen)
        found += page.items
        while page.next is not None and page.items and len(found) < limit:
            page = await self.page(other, limit=min(limit - len(found), PAGE_MAX), cursor=page.next, seen=seen)
            found += page.items
        return RecommendationPage(
            items=found, next=page.next, variant=first.variant, generated_at=first.generated_at, note=first.note
        )

    async def why(self, video_id: str, other: str | None = None) -> RecommendationBody:
        """One film, with all that speaks for it."""
        path = f"/recommendations/{quote(video_id, safe='')}/why"
        answer = await self._client.call(SERVICE, "GET", path, RecommendationAnswer, query={"with": other})
        return answer.recommendation

    async def rate(self, video_id: str, rating: Rating | None) -> RatingAnswer:
        """Say what one thinks of a film; None takes it back."""
        path = f"/recommendations/ratings/{quote(video_id, safe='')}"
        return await self._client.call(SERVICE, "PUT", path, RatingAnswer, body=RatingBody(rating=rating))

    async def ratings(self, *, limit: int = PAGE_MAX) -> dict[str, Rating]:
        """What one has said of the films that one spoke of last, by their ids."""
        page = await self._client.call(
            SERVICE, "GET", "/recommendations/ratings", RatingPage, query={"limit": str(limit)}
        )
        return {one.video_id: one.rating for one in page.items if one.rating is not None}

    async def tell(self, video_id: str, event: Event, *, position: int | None = None, other: str | None = None) -> bool:
        """What became of a film that was recommended; whether the service has heard of it."""
        body = EventBody(video_id=video_id, event=event, position=position, other=other)
        for seconds in (0.0, *PAUSES_SECONDS):
            if seconds:
                await self._pause(seconds)
            try:
                await self._client.call(SERVICE, "POST", "/recommendations/events", None, body=body)
            except (errors.Unreachable, errors.AskedTooOften):
                continue
            except errors.ClientError:
                return False  # it will not be taken later either
            return True
        return False


async def is_recommended_from(client: ServiceClient) -> bool:
    """Whether this server recommends at all. Raises ClientError."""
    return SERVICE in await client.services()


def partners_of(sessions: Iterable[SessionBody], me: str) -> dict[str, str]:
    """The people with whom one has accepted a session: id to name, whoever it was last first.

    `sessions` are one's own, the newest first.
    """
    found: dict[str, str] = {}
    for session in sessions:
        if not session.is_accepted:
            continue
        for user_id, name in ((session.host_user_id, session.host_name), (session.guest_user_id, session.guest_name)):
            if user_id is not None and user_id != me:
                found.setdefault(user_id, name or "somebody")
    return found


def fit_of(recommendation: RecommendationBody, user_id: str) -> Fit | None:
    """How well it suits one person, as far as that is known."""
    return next((fit for fit in recommendation.fits if fit.user_id == user_id), None)


def fits_text(recommendation: RecommendationBody, me: str, name_of: Callable[[str], str]) -> str:
    """How well it suits each: `92 % you · 78 % bea`; nothing where nobody can tell."""
    known = [(fit.fit, "you" if fit.user_id == me else name_of(fit.user_id)) for fit in recommendation.fits]
    return " · ".join(f"{percent(fit)} {name}" for fit, name in known if fit is not None)


def reasons_text(recommendation: RecommendationBody, me: str, name_of: Callable[[str], str]) -> str:
    """The watched films that weigh most, for each: `you: Charade, Detour · bea: D.O.A.`"""
    said = []
    for fit in recommendation.fits:
        name = "you" if fit.user_id == me else name_of(fit.user_id)
        if fit.reasons:
            said.append(f"{name}: {', '.join(reason.title for reason in fit.reasons)}")
    return " · ".join(said)


def percent(share: float) -> str:
    """A share of 0 to 1 as people read it: `92 %`."""
    return f"{round(max(0.0, min(1.0, share)) * 100)} %"
