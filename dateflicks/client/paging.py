"""Going through what a service tells page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from dateflicks.core.limits import PAGE_MAX

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol[T_co]):
    """A page of any list; `next` is the cursor of the one after it, None on the last."""

    @property
    def items(self) -> Sequence[T_co]: ...
    @property
    def next(self) -> str | None: ...


async def everything(
    ask: Callable[[int, str | None], Awaitable[Page[T]]], limit: int, *, may_be_empty: bool = False
) -> AsyncIterator[T]:
    """What is on the pages, up to `limit`; `ask` takes how many at most, and the cursor. Raises what it raises.

    A page that is empty is the last one, unless others `may_be_empty` before it.
    """
    cursor, left = None, limit
    while left > 0:
        page = await ask(min(left, PAGE_MAX), cursor)
        for one in page.items:
            yield one
        left, cursor = left - len(page.items), page.next
        if cursor is None or not (page.items or may_be_empty):
            return
