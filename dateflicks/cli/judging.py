"""The operator's own collection for a person who says which offers are one film: what they mean by an id, and a turn of
their own. A run that has begun to make films before goes by what was said until then, so that it is waited for.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dateflicks.cli.background import background_of, opened, supervisor_of
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

if TYPE_CHECKING:
    from dateflicks.server.storage.database import Database
    from dateflicks.server.storage.records import Document

LOOK: Final = "See the ids with 'dateflicks videos conflicts', and what was said with 'videos conflicts --decided'."
SHOWN: Final = 5  # of ids that begin alike
CONFLICTS_MAX: Final = 10_000  # among which the beginning of an id is looked for
PATIENCE_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.25
MERGES_MAX: Final = 5  # that are followed from the id of a film that was


@dataclass(frozen=True)
class Meant:
    """What an id means: some offers of one film, those with ids of their own first."""

    offers: Sequence[str]
    is_film: bool


class Judged:
    """The collection, as a person looks at it who judges what is one film."""

    def __init__(self, database: "Database") -> None:
        from dateflicks.server.catalogue.records import VIDEOS, WORKS
        from dateflicks.server.catalogue.works import Works

        self.works: Works = Works(database)
        self._offers = database.table(VIDEOS)
        self._films = database.table(WORKS)

    async def conflicts(self, limit: int) -> "list[Document]":
        """The newest ones."""
        from dateflicks.core.limits import PAGE_MAX
        from dateflicks.server.storage.records import Place

        found: list[Document] = []
        while len(found) < limit:
            after = Place.of(found[-1], "updatedAt") if found else None
            page = await self.works.conflicts(after, min(limit - len(found), PAGE_MAX))
            if not page:
                break
            found += page
        return found

    async def films(self, keys: Iterable[str]) -> "dict[str, Document]":
        """Films by their ids."""
        from dateflicks.server.catalogue.paging import those

        return await those(self._films, sorted(set(keys)))

    async def meant(self, text: str) -> Meant:
        """What is named by an id, or by the beginning of one that a list shows. Raises CliError."""
        found = await self._named(text)
        if found is None:
            found = await self._named(await self._whole(text))
        if found is None or not found.offers:
            raise CliError(Exit.NOT_FOUND, f"There is no film and no offer '{text}'.", hint=LOOK)
        return found

    async def film_of(self, offer: str) -> str | None:
        """The film that an offer is one of."""
        found = await self._offers.get(offer)
        return found["workId"] if found else None

    async def _named(self, key: str) -> Meant | None:
        if (offer := await self._offers.get(key) if key.startswith("off:") else None) is not None:
            return Meant([offer["_id"]], is_film=False)
        film = await self._films.get(key) if key.startswith("vid_") else None
        for _ in range(MERGES_MAX):
            if film is None or film["mergedInto"] is None:
                break
            film = await self._films.get(film["mergedInto"])
        if film is None:
            return None
        from dateflicks.server.catalogue.paging import those

        offers = await those(self._offers, film["members"])
        sure = sorted(offers.values(), key=lambda one: (not one["externalIds"], one["status"] != "active", one["_id"]))
        return Meant([one["_id"] for one in sure], is_film=True)

    async def _whole(self, text: str) -> str:
        """The id that begins so, of those that the lists show: the collection has no order to look it up by."""
        listed = await self.conflicts(CONFLICTS_MAX)
        candidates = await self.films(key for one in listed for key in one["candidates"])
        known = {one["_id"] for one in listed} | candidates.keys()
        known |= {key for one in (*listed, *candidates.values()) for key in one["members"]}
        known |= {key for said in await self.works.decisions() for key in (said.offer, said.other)}
        found = sorted(key for key in known if key.startswith(text)) if text else []
        if len(found) > 1:
            more = ", …" if len(found) > SHOWN else "."
            what = f"'{text}' may be any of {len(found)} ids: {', '.join(found[:SHOWN])}{more}"
            raise CliError(Exit.USAGE, what, hint="Type more of it.")
        return found[0] if found else text


@contextlib.asynccontextmanager
async def judged(environment: CliEnvironment, *, is_written: bool = False) -> AsyncIterator[Judged]:
    """The operator's collection; where it is written, nobody else makes films meanwhile. Raises CliError."""
    from dateflicks.server.catalogue.records import COLLECTIONS

    background = background_of(environment)
    async with opened(background, COLLECTIONS) as database, contextlib.AsyncExitStack() as stack:
        if is_written:
            await stack.enter_async_context(_our_turn(environment, database))
        yield Judged(database)


@contextlib.asynccontextmanager
async def _our_turn(environment: CliEnvironment, database: "Database") -> AsyncIterator[None]:
    """Nobody else makes films meanwhile: a run that has begun before would go by what was said until then."""
    from dateflicks.core.errors import Unavailable
    from dateflicks.protocol.ids import new_id
    from dateflicks.server.jobs.declared import MERGE
    from dateflicks.server.jobs.leases import LeaseHeld

    supervisor = supervisor_of(environment, background_of(environment), database)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            lease = await supervisor.leases.take(MERGE, new_id("run"))
            break
        except LeaseHeld as held:
            if time.monotonic() > deadline:
                raise CliError(
                    Exit.REFUSED, f"Films are being made: {held}", hint="Try again when it is done."
                ) from None
        await asyncio.sleep(PAUSE_SECONDS)
    try:
        if lease.left is not None:
            await supervisor.lose(MERGE, lease.left)
        yield
    finally:
        with contextlib.suppress(Unavailable):  # then its time runs out
            await lease.release()


def pair(one: Meant, other: Meant, typed: tuple[str, str]) -> tuple[str, str]:
    """An offer of each that stands for it. Raises CliError when both are one."""
    if one.is_film and other.is_film and set(one.offers) & set(other.offers):
        raise CliError(Exit.REFUSED, f"{typed[0]} and {typed[1]} are one film.", hint="Name two of its offers.")
    if not one.is_film:
        others = [key for key in other.offers if key not in one.offers]
        if others:
            return one.offers[0], others[0]
    else:
        own = [key for key in one.offers if key not in other.offers]
        if own:
            return own[0], other.offers[0]
    raise CliError(Exit.USAGE, f"{typed[0]} and {typed[1]} are the same offer.", hint=LOOK)
