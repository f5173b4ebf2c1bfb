"""The recommendation service's calls: from HTTP's words to the handler's and back.

All need a person's own token. Lists are limited by person, and so is what they tell.
"""

from collections.abc import Sequence
from typing import Final

from dateflicks.protocol import recommendations as wire
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.recommendation.handler import RecommendationHandler
from dateflicks.server.web.route import Call, PageQuery, Route

_PAIR: Final = (
    "With `with` it is about the caller and that person: 404 unless the two have accepted a session with each other."
)


class RecommendationRoutes:
    """The calls, over the handler."""

    def __init__(self, handler: RecommendationHandler) -> None:
        self._handler = handler

    def all(self) -> Sequence[Route]:
        """Every call."""
        return (
            Route(
                "GET", "/recommendations", self.list_recommendations, "What to watch next",
                auth="user", query=wire.RecommendationsQuery, answer=wire.RecommendationPage, errors=(404,),
                description=f"With a user token; a ticket opens nobody's list. {_PAIR} The best first, 200 at most. "
                "What was watched since the list was made is in it within a second. Left out is what one of them has "
                "hidden or rated down, and what one of them has finished; with `seen` true, of two, what both have. "
                "`basis` says where a place comes from: a list of their own, one for the pair, likeness to what they "
                "have watched, what most people watch, what is newest. Shorter lists are filled up in this order, so "
                "there is always something while there are videos. `score` falls along the list; `fit` is how well a "
                "film suits that person among all, in powers of its rank, or null where nothing is known. `note` is a "
                "sentence on what one should know, such as that nothing is known of them yet. A cursor goes on with "
                "the list as it was when it was begun. While the database is away the last list is told again.",
            ),
            Route(
                "GET", "/recommendations/{videoId}/why", self.why, "The reasons behind one film", auth="user",
                query=wire.WhyQuery, answer=wire.RecommendationAnswer,
                description=f"As it would stand in the list, with reasons that the list may leave out. {_PAIR} A film "
                "that is in no list has the score 0, the basis `none`, and the reasons that there are.",
            ),
            Route(
                "POST", "/recommendations/events", self.tell, "Say what became of a film", auth="user",
                body=wire.EventBody, status=204, errors=(404,),
                description="`shown`: it was to be seen in a list, at `position`; counts once a day. `opened`: it was "
                "looked at. `invited`: somebody was asked to watch it. `watched`: it came to its end. `dismissed`: not "
                f"this one, which is `hide`. Told twice is told once. With `with` for a list for two. {_PAIR}",
            ),
            Route(
                "GET", "/recommendations/ratings", self.all_ratings, "What the caller has said of films, newest first",
                auth="user", query=PageQuery, answer=wire.RatingPage,
            ),
            Route(
                "GET", "/recommendations/ratings/{videoId}", self.rating, "What the caller has said of a film",
                auth="user", answer=wire.RatingAnswer,
            ),
            Route(
                "PUT", "/recommendations/ratings/{videoId}", self.rate, "Say what one thinks of a film", auth="user",
                body=wire.RatingBody, answer=wire.RatingAnswer,
                description="`up`, `down`, or `hide`; null takes it back. What is down or hidden is recommended no "
                "more, neither to the caller nor to two of whom the caller is one.",
            ),
        )  # fmt: skip

    async def list_recommendations(self, call: Call) -> wire.RecommendationPage:
        """`GET /recommendations`."""
        return await self._handler.page(_caller(call), call.query)

    async def why(self, call: Call) -> wire.RecommendationAnswer:
        """`GET /recommendations/{videoId}/why`."""
        query: wire.WhyQuery = call.query
        found = await self._handler.why(_caller(call), call.path["videoId"], query.other)
        return wire.RecommendationAnswer(recommendation=found)

    async def tell(self, call: Call) -> None:
        """`POST /recommendations/events`."""
        await self._handler.tell(_caller(call), call.body)

    async def all_ratings(self, call: Call) -> wire.RatingPage:
        """`GET /recommendations/ratings`."""
        query: PageQuery = call.query
        return await self._handler.all_ratings(_caller(call), query.cursor, query.limit)

    async def rating(self, call: Call) -> wire.RatingAnswer:
        """`GET /recommendations/ratings/{videoId}`."""
        return await self._handler.rating(_caller(call), call.path["videoId"])

    async def rate(self, call: Call) -> wire.RatingAnswer:
        """`PUT /recommendations/ratings/{videoId}`."""
        body: wire.RatingBody = call.body
        return await self._handler.rate(_caller(call), call.path["videoId"], body.rating)


def _caller(call: Call) -> str:
    caller: Caller = call.caller
    return caller.user_id
