"""Pages of a session's talk, both ways by number; each is one read of computed ids, at whatever depth."""

import re
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from dateflicks.protocol.chat import MessagePage
from dateflicks.server.services.messages.records import message_of
from dateflicks.server.services.messages.room import Room
from dateflicks.server.web.cursors import cursor_of, not_given_out, noted_in
from dateflicks.server.web.route import PageQuery

_CURSOR: Final = re.compile(r"([ab])(\d{1,16}):(\d{1,16})")
Bound = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class HistoryQuery(PageQuery, frozen=True, kw_only=True):
    """`?before=&after=&limit=&cursor=`; without any the newest page."""

    before: Bound | None = None
    after: Bound | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers between two others, and from which end on they are read."""

    after: int
    before: int
    is_forward: bool


def span_of(query: HistoryQuery) -> Span:
    """What is asked for; a cursor says all of it. Raises Invalid."""
    if query.cursor:  # an empty one is how some clients ask for the first page
        return _from_cursor(query.cursor)
    before = 2**53 if query.before is None else query.before
    return Span(query.after or 0, before, is_forward=query.after is not None)


def is_open_ended(span: Span, limit: int, head: int) -> bool:
    """Whether messages behind `head`, the last one known, would belong to the page, or lead on from it."""
    return span.before > head + 1 and not (span.is_forward and span.after + limit < head)


async def page_of(room: Room, span: Span, limit: int) -> MessagePage:
    """One page, in the order of `seq`. Raises Unavailable, StorageFault."""
    first = span.after + 1
    last = min(span.before - 1, room.messages.head)
    if span.is_forward:
        shown_first, shown_last = first, min(last, first + limit - 1)
        rest = Span(shown_last, span.before, is_forward=True) if shown_last < last else None
    else:
        shown_first, shown_last = max(first, last - limit + 1), last
        rest = Span(span.after, shown_first, is_forward=False) if shown_first > first else None
    documents = await room.messages.page(shown_first, shown_last)
    return MessagePage(
        items=[message_of(document) for document in documents], next=None if rest is None else _cursor(rest)
    )


def _cursor(span: Span) -> str:
    return cursor_of(f"{'a' if span.is_forward else 'b'}{span.after}:{span.before}".encode())


def _from_cursor(cursor: str) -> Span:
    found = _CURSOR.fullmatch(noted_in(cursor).decode("ascii", "replace"))
    if found is None:
        raise not_given_out()
    return Span(int(found[2]), int(found[3]), is_forward=found[1] == "a")
