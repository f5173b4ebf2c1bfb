"""The videos service's calls: from HTTP's words to the handler's and back.

Nobody needs a token: what there is to watch is no secret, and who has no account yet may look around. Questions are
limited by address.
"""

from collections.abc import Sequence

from dateflicks.protocol import videos as wire
from dateflicks.server.services.videos.handler import VideosHandler
from dateflicks.server.web.route import Call, Route


class VideosRoutes:
    """The calls, over the handler."""

    def __init__(self, handler: VideosHandler) -> None:
        self._handler = handler

    def all(self) -> Sequence[Route]:
        """Every call."""
        return (
            Route(
                "GET", "/videos", self.search, "Search and browse what there is to watch",
                query=wire.VideosQuery, answer=wire.VideoPage,
                description="Without a token, limited by address. `q` is looked for in titles, in names of people and "
                "in years, without regard to case and accents; the beginning of a word will do, and slips are "
                "forgiven. First come titles that are `q`, then those that begin with it, those that have all its "
                "words, people of that name, parts of words, and at last what is spelt much like it; among equals "
                "what can be played, what most sources offer, what is newest. `source`, `genre` and `year` (1963, "
                "1960-1969, 1960-) narrow it, as do `region` (what is offered there or everywhere) and `playable`. "
                "`sort` is best, title, year or added, the newest first. A cursor goes with its own query; while the "
                "collection changes no video comes twice and none is left out but one that is itself changed.",
            ),
            Route(
                "GET", "/videos/{id}", self.read, "One video", answer=wire.VideoAnswer,
                description="Without a token, limited by address.",
            ),
            Route(
                "GET", "/sources", self.sources, "Where the collection comes from, and how fresh it is",
                answer=wire.SourcePage,
                description="Without a token, limited by address. `attribution` is what a source's terms ask to be "
                "shown with what it gave; `index` says how much is searched, and as of when.",
            ),
        )  # fmt: skip

    async def search(self, call: Call) -> wire.VideoPage:
        """`GET /videos`."""
        return await self._handler.search(call.query, call.address)

    async def read(self, call: Call) -> wire.VideoAnswer:
        """`GET /videos/{id}`."""
        return wire.VideoAnswer(video=await self._handler.read(call.path["id"], call.address))

    async def sources(self, call: Call) -> wire.SourcePage:
        """`GET /sources`."""
        return await self._handler.sources(call.address)
