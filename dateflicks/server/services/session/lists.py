"""Lists of one's own sessions, newest first: several indexed pages merged, each of which costs the same.

One is host of some and guest of others, and a list may be of several states: each pair of role and state is an index
page of its own. A cursor is the place of the last session shown, which means the same in every one of them.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from dateflicks.core.errors import FieldProblem, Invalid
from dateflicks.core.handshake import State
from dateflicks.core.limits import PAGE_DEFAULT, PAGE_MAX
from dateflicks.protocol.bodies import HistoryPage, SessionPage
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.session.progress import Progress
from dateflicks.server.services.session.records import person_state
from dateflicks.server.services.session.views import Views
from dateflicks.server.storage.records import Document, Place
from dateflicks.server.storage.table import Table

_ORDER: Final = re.compile(r"t\d{14}:(ses_[a-z2-7]{26})")


class Stream(NamedTuple):
    """One index page: an indexed field and the value looked for."""

    field: str
    value: str


class Lists:
    """Pages of sessions, and what a feed says first."""

    def __init__(self, sessions: Table, progress: Progress, views: Views) -> None:
        self._sessions = sessions
        self._progress = progress
        self._views = views

    async def sessions(self, caller: Caller, states: str | None, cursor: str | None, limit: int) -> SessionPage:
        """One's own sessions, of some states (words with commas) or all. Raises Invalid."""
        found, following = await self._page(_streams(caller.user_id, _states(states)), cursor, limit)
        return SessionPage(items=[self._views.body(document, caller) for document in found], next=following)

    async def history(self, user_id: str, cursor: str | None, limit: int) -> HistoryPage:
        """What was watched: sessions that were accepted, whether they have ended or not. Raises Invalid."""
        streams = _streams(user_id, (State.ACCEPTED, State.ENDED))
        found, following = await self._page(streams, cursor, limit)
        marks = await self._progress.of([document["_id"] for document in found])
        items = [self._views.history(document, user_id, marks.get(document["_id"])) for document in found]
        return HistoryPage(items=items, next=following)

    async def present(self, user_id: str) -> list[Document]:
        """What somebody who has been away has to know, newest first: invitations to them, and live sessions."""
        asked = Stream("guestState", person_state(user_id, State.PENDING))
        invited, live = await asyncio.gather(
            self._page([asked], None, PAGE_DEFAULT),
            self._page(_streams(user_id, (State.ACCEPTED,)), None, PAGE_DEFAULT),
        )
        return _merged([invited[0], live[0]])

    async def _page(
        self, streams: Sequence[Stream], cursor: str | None, limit: int
    ) -> tuple[list[Document], str | None]:
        after = _place(cursor)
        wanted = min(limit + 1, PAGE_MAX)
        pages = await asyncio.gather(
            *(
                self._sessions.page(stream.field, stream.value, order_by="order", after=after, limit=wanted)
                for stream in streams
            )
        )
        found = _merged(pages)
        has_more = len(found) > limit or any(len(page) == PAGE_MAX for page in pages)
        shown = found[:limit]
        return shown, _cursor(shown[-1]) if has_more and shown else None


def _merged(pages: Sequence[Sequence[Document]]) -> list[Document]:
    """All of them, newest first, each once as it was last: one that changes state meanwhile is in two pages."""
    newest: dict[str, Document] = {}
    for page in pages:
        for document in page:
            known = newest.get(document["_id"])
            if known is None or known["rev"] < document["rev"]:
                newest[document["_id"]] = document
    return sorted(newest.values(), key=_order, reverse=True)


def _order(document: Document) -> str:
    order = document["order"]
    assert isinstance(order, str)
    return order


def _streams(user_id: str, states: Sequence[State]) -> list[Stream]:
    if not states:
        return [Stream("hostUserId", user_id), Stream("guestUserId", user_id)]
    return [Stream(field, person_state(user_id, state)) for field in ("hostState", "guestState") for state in states]


def _states(text: str | None) -> tuple[State, ...]:
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    known = {state.value: state for state in State}
    if any(word not in known for word in words):
        message = f"must be some of {', '.join(known)}, with commas between"
        raise Invalid("The query does not fit.", (FieldProblem("state", message),))
    return tuple(known[word] for word in dict.fromkeys(words))


def _cursor(document: Document) -> str:
    return base64.urlsafe_b64encode(_order(document).encode()).decode().rstrip("=")


def _place(cursor: str | None) -> Place | None:
    if not cursor:  # an empty one is how some clients ask for the first page
        return None
    try:
        order = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        order = ""
    found = _ORDER.fullmatch(order)
    if found is None:
        raise Invalid("The query does not fit.", (FieldProblem("cursor", "is none that was given out here"),))
    return Place(order, found[1])
