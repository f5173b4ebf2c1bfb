"""The people whom one watches with: a list of one's own, of names that one knows.

Nobody on it learns of that or may do anything by it. What it tells beside the names is what one's own sessions say.

Whoever is put on a list takes a place in it first, by compare-and-set in a document of the list's own, and is written
then: of many at once no more are let in than there are places. A place is held for as long as that write may take.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, FieldProblem, Invalid, NotFound
from dateflicks.protocol.bodies import Friend, FriendPage
from dateflicks.protocol.times import rfc3339_from_unix, rfc3339_if_known
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.session.asking import no_such_guest
from dateflicks.server.services.session.people import People
from dateflicks.server.services.session.records import can_be_name, friend_id, list_id
from dateflicks.server.storage.records import Document, Duplicate, Missing, Stale
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter

HOLD_SECONDS: Final = 30.0  # a write is over long before, written or not
TRIES: Final = 50  # at the list's document, which others change meanwhile
EVENINGS_MAX: Final = 1_000  # of one's own as host, and as guest, that are looked at: the last ones
_FULL: Final = f"Your list has {limits.FRIENDS_MAX} people. Take somebody off it first."
_BUSY: Final = "Your list is changed by many at this moment. Nothing was changed; try again."
_NOT_ON_IT: Final = "Nobody of this name is on your list."
_COUNTED: Final = ("order", "isAccepted", "answeredAt", "hostUserId", "guestUserId")


@dataclass(slots=True)
class _Together:
    """What two have watched: how many evenings, and when the last one began (Unix seconds)."""

    evenings: int = 0
    last_at: float | None = None


class Friends:
    """Lists of all; `asking` limits how often names are tried, here as where guests are asked. `now` is Unix time."""

    def __init__(
        self,
        friends: Table,
        sessions: Table,
        people: People,
        asking: Limiter,
        *,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._friends = friends
        self._sessions = sessions
        self._people = people
        self._asking = asking
        self._now = now
        self._evenly = evenly

    async def page(self, user_id: str, cursor: str | None, limit: int) -> FriendPage:
        """Those whose names come after `cursor`, by name."""
        everybody = sorted(await self._friends.find("userId", user_id, limit=limits.PAGE_MAX), key=_key)
        left = [one for one in everybody if _key(one) > (cursor or "").casefold()]
        shown = left[:limit]
        return FriendPage(
            items=await self._shown(user_id, shown), next=_key(shown[-1]) if len(left) > len(shown) else None
        )

    async def add(self, caller: Caller, name: str) -> Friend:
        """Put somebody on the list, or find them on it.

        Raises NotFound (nobody is called this), Invalid (oneself), Conflict (the list is full), TooMany.
        """
        self._asking.take(caller.user_id, self._evenly())
        user = await self._people.named(name) if can_be_name(name) else None
        if user is None:
            raise no_such_guest()
        if user["_id"] == caller.user_id:
            raise Invalid("You cannot be on your own list.", (FieldProblem("name", "is yourself"),))
        document = await self._friends.get(friend_id(caller.user_id, name))
        if document is None or document["friendId"] != user["_id"]:
            document = await self._put(caller.user_id, user)
        (friend,) = await self._shown(caller.user_id, [document])
        return friend

    async def remove(self, caller: Caller, name: str) -> None:
        """Take somebody off the list. Raises NotFound."""
        document = await self._friends.get(friend_id(caller.user_id, name)) if can_be_name(name) else None
        places = await self._friends.get(list_id(caller.user_id))
        if document is None or not await self._friends.delete(document["_id"]):
            raise NotFound(_NOT_ON_IT, code="no-such-friend")
        if places is not None:
            await self._free(places, document["friendId"])

    # --- inside -------------------------------------------------------------------------------------------------

    async def _put(self, user_id: str, friend: Document) -> Document:
        await self._hold(user_id, friend["_id"])
        document = {
            "_id": friend_id(user_id, friend["name"]),
            "rev": 1,
            "userId": user_id,
            "friendId": friend["_id"],
            "name": friend["name"],
            "since": self._now(),
        }
        await self._friends.upsert(document)
        return document

    async def _hold(self, user_id: str, friend_user_id: str) -> None:
        """Take a place on the list. Raises Conflict when there is none."""
        command = secrets.token_hex(16)
        for _ in range(TRIES):
            places = await self._places(user_id)  # read before the list: what is written meanwhile is in one of them
            everybody = await self._friends.find("userId", user_id, limit=limits.PAGE_MAX)
            now = self._now()
            held = {one: at for one, at in places["held"] if now - HOLD_SECONDS < at}
            if len({one["friendId"] for one in everybody} | held.keys() - {friend_user_id}) >= limits.FRIENDS_MAX:
                raise Conflict(_FULL, code="list-full")
            changes = {"held": [[one, at] for one, at in {**held, friend_user_id: now}.items()]}
            with contextlib.suppress(Stale, Missing):
                await self._friends.compare_and_set(places["_id"], places["rev"], changes, command=command)
                return
        raise Conflict(_BUSY, code="busy")

    async def _free(self, places: Document, friend_user_id: str) -> None:
        """Give a place back at once, as it was before they were taken off; else it is free after a while."""
        left = [[one, at] for one, at in places["held"] if one != friend_user_id]
        if left == places["held"]:
            return
        with contextlib.suppress(Stale, Missing):
            await self._friends.compare_and_set(
                places["_id"], places["rev"], {"held": left}, command=secrets.token_hex(16)
            )

    async def _places(self, user_id: str) -> Document:
        """Who takes a place on the list at this moment: it is made for the first of them."""
        found = await self._friends.get(list_id(user_id))
        if found is not None:
            return found
        with contextlib.suppress(Duplicate):
            return await self._friends.insert({"_id": list_id(user_id), "held": []})
        return await self._places(user_id)

    async def _shown(self, user_id: str, friends: Sequence[Document]) -> list[Friend]:
        if not friends:
            return []
        together = await self._together(user_id)
        found = [(one, together.get(one["friendId"], _Together())) for one in friends]
        return [
            Friend(
                user_id=one["friendId"],
                name=one["name"],
                since=rfc3339_from_unix(one["since"]),
                evenings=evenings.evenings,
                last_evening_at=rfc3339_if_known(evenings.last_at),
            )
            for one, evenings in found
        ]

    async def _together(self, user_id: str) -> dict[str, _Together]:
        """What was watched with whom, by their ids."""
        found: dict[str, _Together] = {}
        hosted, joined = await asyncio.gather(self._own("hostUserId", user_id), self._own("guestUserId", user_id))
        for session in (*hosted, *joined):
            if session["isAccepted"] is True:
                other = session["guestUserId" if session["hostUserId"] == user_id else "hostUserId"]
                one = found.setdefault(other, _Together())
                one.evenings += 1
                one.last_at = max(one.last_at or 0.0, session["answeredAt"])
        return found

    async def _own(self, field: str, user_id: str) -> list[Document]:
        found: list[Document] = []
        async for page in self._sessions.pages(field, user_id, order_by="order", only=_COUNTED):
            found += page
            if len(found) >= EVENINGS_MAX:
                break
        return found


def _key(document: Document) -> str:
    name: str = document["name"]
    return name.casefold()
