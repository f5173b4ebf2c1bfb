"""A person erased: what is theirs alone is deleted, what two have made stays for the other one, without name and words.

A message keeps its place, so that numbers stay without gaps; an evening stays in the other's history; what a call was
worth stays in the table of two. Their id stays, and names nobody. Where the other one was erased before, all goes.

Services are told first, and from then on nothing new names them: rooms that are open call them otherwise, what they
show opens nothing, and nobody finds them. Then they get the time that a write may take which was under way. The name
is taken away last, and all is looked at once more: that does nothing where nothing has come meanwhile. So whoever is
killed in the middle begins again by the name; by the id that can be done at any time after.
"""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from dateflicks.core.errors import RuleError
from dateflicks.core.handshake import Action, State
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.recommendation import records as recommendation
from dateflicks.server.services.messages import records as messages
from dateflicks.server.services.messages.sequence import DenseSequence
from dateflicks.server.services.prediction import records as prediction
from dateflicks.server.services.session import records as session
from dateflicks.server.services.timecode import records as timecode
from dateflicks.server.storage.records import Document, Missing, Stale
from dateflicks.server.storage.table import Table
from dateflicks.server.upkeep.people import TRIES, Accounts, Everywhere, NotTheirs

# Services close feeds two seconds after they are told, and write that somebody left ten later.
SETTLE_SECONDS: Final = 15.0
_ENDINGS: Final = {(State.PENDING, True): Action.CANCEL, (State.PENDING, False): Action.REJECT}

Tell = Callable[[str, int, int], None]
Changes = Callable[[Document], dict[str, Any]]


class Erasing:
    """One person's; made anew for each. All raise Unavailable, StorageFault; services that run get `settle_seconds`."""

    def __init__(
        self,
        everywhere: Everywhere,
        user: Document,
        tell: Tell = lambda _what, _done, _total: None,
        *,
        settle_seconds: float = SETTLE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._everywhere = everywhere
        self._accounts = Accounts(everywhere, now=now)
        self._sessions = everywhere.table(session.SESSIONS)
        self._user = user
        self._id: str = user["_id"]
        self._tell = tell
        self._settle_seconds = settle_seconds
        self._now = now
        self._partners: set[str] = set()
        self._gone: dict[str, bool] = {}
        self.done: Counter[str] = Counter()

    async def run(self) -> Counter[str]:
        """Erase; how much of what was deleted or made nameless."""
        if not session.is_erased(self._user):
            self._user = await self._accounts.change(self._user, self._going)
        await self._accounts.tell_erased(self._id)
        self.done["sign_ins"] += await self._accounts.sign_out(self._id)
        sessions = await self._end_all()
        if self._settle_seconds:
            self._tell("Waiting for services to close what is open", 0, 0)
            await asyncio.sleep(self._settle_seconds)
        await self._pass(sessions)
        if not session.is_erased(self._user):
            await self._take_the_name()
        if self._settle_seconds:
            await self._pass(await self._end_all())
        return +self.done

    async def _pass(self, sessions: list[Document]) -> None:
        shared, own = await self._apart(sessions)
        for number, one in enumerate(shared):
            self._tell("sessions", number, len(shared) + len(own))
            await self._unname_session(one)
        await self._erase_tables()
        await self._erase_lists()
        for number, one in enumerate(own):  # after all that is found by who was in them
            self._tell("sessions", len(shared) + number, len(shared) + len(own))
            await self._delete_session(one["_id"])
        await self._erase_friends()

    # --- the account --------------------------------------------------------------------------------------------

    def _going(self, current: Document) -> dict[str, Any]:
        moments = {"erasingAt": self._now(), "disabledAt": current.get("disabledAt") or self._now()}
        return {**moments, "passwordHash": None, "isOneTime": False}

    async def _take_the_name(self) -> None:
        nameless = {
            "name": session.ERASED, "nameKey": f"erased:{self._id}", "createdAt": None, "erasedAt": self._now(),
            "passwordNumber": 0,
        }  # fmt: skip
        self._user = await self._accounts.change(self._user, lambda _: nameless)
        self.done["accounts"] += 1

    async def _erase_friends(self) -> None:
        friends = self._everywhere.table(session.FRIENDS)
        for field in ("userId", "friendId"):
            self.done["friends"] += await _delete_all(friends, field, self._id)
        await friends.delete(session.list_id(self._id))

    # --- sessions -----------------------------------------------------------------------------------------------

    async def _end_all(self) -> list[Document]:
        """End what is under way, so that nothing more comes to it; all sessions."""
        found: list[Document] = []
        for field in ("hostUserId", "guestUserId"):
            async for page in self._sessions.pages(field, self._id, order_by="order"):
                found += page
        under_way = [one["_id"] for one in found if not session.handshake_of(one).is_over]
        found = [await _changed(self._sessions, one, self._ending) for one in found]
        await self._accounts.tell_of(under_way)
        return found

    def _ending(self, current: Document) -> dict[str, Any]:
        handshake = session.handshake_of(current)
        action = _ENDINGS.get((handshake.state, current["hostUserId"] == self._id), Action.END)
        try:
            after = handshake.after(action, self._id)
        except RuleError:
            return {}  # it is over
        moment = "answeredAt" if action is Action.REJECT else "endedAt"
        return {**session.handshake_fields(after), moment: self._now()}

    async def _apart(self, found: list[Document]) -> tuple[list[Document], list[Document]]:
        """Those that somebody else is in too, and those in which nobody is left."""
        shared: list[Document] = []
        own: list[Document] = []
        for one in found:
            other = self._other(one)
            if other is not None:
                self._partners.add(other)
            (own if other is None or await self._is_gone(other) else shared).append(one)
        return shared, own

    async def _unname_session(self, document: Document) -> None:
        if self._everywhere.has(messages.DATABASE):
            await self._silence(document["_id"], document)
        if self._everywhere.has(timecode.DATABASE):
            timecodes = self._everywhere.table(timecode.TIMECODES)
            playback = await timecodes.get(document["_id"])
            if playback is not None:
                await _changed(timecodes, playback, self._nameless_playback)
        if self._everywhere.has(prediction.DATABASE):
            await self._unname_predictions(document["_id"])
        before = document["rev"]
        document = await _changed(self._sessions, document, self._nameless_session)
        self.done["sessions"] += document["rev"] > before

    def _nameless_session(self, current: Document) -> dict[str, Any]:
        if current["hostUserId"] == self._id:
            wanted = {
                "hostName": session.ERASED, "details": None, "asked": "", "invitationHash": None,
                "invitationExpiresAt": None,
            }  # fmt: skip
        else:
            wanted = {"guestName": session.ERASED}
        return {} if all(current.get(name) == value for name, value in wanted.items()) else wanted

    def _nameless_playback(self, current: Document) -> dict[str, Any]:
        members: list[dict[str, Any]] = current.get("members", [])
        nameless = [one | {"name": session.ERASED} if one.get("userId") == self._id else one for one in members]
        return {"members": nameless} if nameless != members else {}

    async def _delete_session(self, session_id: str) -> None:
        """All of it, the session itself last: nobody is left to whom it could mean anything."""
        if self._everywhere.has(messages.DATABASE):
            for collection in (messages.MESSAGES, messages.CHANGES):
                await self._delete_sequence(self._everywhere.table(collection), session_id)
            await self._everywhere.table(messages.MARKS).delete(session_id)
        if self._everywhere.has(timecode.DATABASE):
            await self._everywhere.table(timecode.TIMECODES).delete(session_id)
        if self._everywhere.has(prediction.DATABASE):
            await _delete_all(self._everywhere.table(prediction.PREDICTIONS), "sessionId", session_id)
        await self._everywhere.table(session.PROGRESS).delete(session_id)
        await self._sessions.delete(session_id)
        self.done["sessions"] += 1

    async def _delete_sequence(self, table: Table, session_id: str) -> None:
        """From the last one down: what is left when this is interrupted still begins at the first."""
        sequence = _sequence(table, session_id)
        await sequence.find_head()
        for last in range(sequence.head, 0, -PAGE_MAX):
            numbers = range(max(1, last - PAGE_MAX + 1), last + 1)
            await table.delete_many([sequence.id_of(number) for number in numbers])

    def _other(self, document: Document) -> str | None:
        other: str | None = document["guestUserId" if document["hostUserId"] == self._id else "hostUserId"]
        return other

    async def _is_gone(self, user_id: str) -> bool:
        if user_id not in self._gone:
            found = await self._everywhere.table(session.USERS).get(user_id)
            self._gone[user_id] = found is not None and session.is_erased(found)
        return self._gone[user_id]

    # --- what was said ------------------------------------------------------------------------------------------

    async def _silence(self, session_id: str, document: Document) -> None:
        """Delete what they said as they would have themselves, and take their name from what was said of them."""
        table = self._everywhere.table(messages.MESSAGES)
        sequence = _sequence(table, session_id)
        await sequence.find_head()
        changes = _sequence(self._everywhere.table(messages.CHANGES), session_id)
        await changes.find_head()
        name = document["hostName" if document["hostUserId"] == self._id else "guestName"]
        for first in range(1, sequence.head + 1, PAGE_MAX):
            for one in await sequence.page(first, min(first + PAGE_MAX - 1, sequence.head)):
                if one.get("author") != self._id or one.get("authorName") == session.ERASED:
                    continue
                if one["type"] != "system" and one["deletedAt"] is None:
                    await changes.append({"sessionId": session_id, "message": one["seq"]})
                    changes.advance()
                await _changed(table, one, lambda current: self._silent(current, name))
                self.done["messages"] += 1
        await self._unmark(session_id)

    def _silent(self, current: Document, name: str | None) -> dict[str, Any]:
        nameless = {"authorName": session.ERASED}
        if current["type"] == "system":
            own = current.get("authorName") or name or ""
            return {**nameless, "content": session.ERASED + current["content"].removeprefix(own)}
        silent = {"content": "", "deletedAt": current["deletedAt"] or self._now(), "digest": None}
        return {**nameless, **silent, "clientId": None, "position": None}

    async def _unmark(self, session_id: str) -> None:
        marks = self._everywhere.table(messages.MARKS)
        document = await marks.get(session_id)
        if document is not None and any(one["userId"] == self._id for one in document["people"]):
            left = [one for one in document["people"] if one["userId"] != self._id]
            await marks.upsert({**document, "people": left, "rev": int(document.get("rev", 0)) + 1})

    # --- what was predicted -------------------------------------------------------------------------------------

    async def _unname_predictions(self, session_id: str) -> None:
        table = self._everywhere.table(prediction.PREDICTIONS)
        for one in await table.find("sessionId", session_id, limit=PAGE_MAX):
            before = one["rev"]
            self.done["predictions"] += (await _changed(table, one, self._nameless_prediction))["rev"] > before

    def _nameless_prediction(self, current: Document) -> dict[str, Any]:
        calls = [
            {**call, "authorName": session.ERASED} if call["author"] == self._id else call for call in current["calls"]
        ]
        wanted: dict[str, Any] = {"calls": calls}
        if current["author"] == self._id:
            wanted |= {"authorName": session.ERASED, "details": session.ERASED, "asked": ""}
        return {} if all(current.get(name) == value for name, value in wanted.items()) else wanted

    async def _erase_tables(self) -> None:
        """The name in what calls were worth: between them and everybody with whom they have watched."""
        if not self._everywhere.has(prediction.DATABASE):
            return
        table = self._everywhere.table(prediction.OUTCOMES)
        for other in sorted(self._partners):
            key = prediction.pair_key(self._id, other)
            if await self._is_gone(other):
                await _delete_all(table, "pairKey", key)
                continue
            async for page in table.pages("pairKey", key, order_by="order"):
                await table.upsert_many([self._nameless_outcome(one) for one in page])

    def _nameless_outcome(self, document: Document) -> Document:
        people = [{**one, "name": session.ERASED} if one["userId"] == self._id else one for one in document["people"]]
        return {**document, "people": people}

    # --- what was recommended -----------------------------------------------------------------------------------

    async def _erase_lists(self) -> None:
        if not self._everywhere.has(recommendation.DATABASE):
            return
        units = [self._id, *(recommendation.pair_of(self._id, other) for other in sorted(self._partners))]
        ratings = self._everywhere.table(recommendation.RATINGS)
        self.done["ratings"] += await _delete_all(ratings, "userId", self._id)
        for unit in units:
            exposures = self._everywhere.table(recommendation.EXPOSURES)
            self.done["shown"] += await _delete_all(exposures, "unitId", unit)
            lists = self._everywhere.table(recommendation.RECOMMENDATIONS)
            self.done["lists"] += await _delete_all(lists, "userId", unit)


def _sequence(table: Table, session_id: str) -> DenseSequence:
    return DenseSequence(table, session_id, lambda _: None)


async def _delete_all(table: Table, field: str, value: str) -> int:
    count = 0
    while found := await table.find(field, value, limit=PAGE_MAX):
        await table.delete_many([one["_id"] for one in found])
        count += len(found)
    return count


async def _changed(table: Table, document: Document, changes: Changes) -> Document:
    """The document with these changes, asked for again whenever somebody else was first; as it is when there are none.

    One that is gone is as it was.
    """
    command = secrets.token_hex(16)
    for _ in range(TRIES):
        wanted = changes(document)
        if not wanted:
            return document
        with contextlib.suppress(Missing):
            try:
                return await table.compare_and_set(document["_id"], document["rev"], wanted, command=command)
            except Stale as stale:
                document = stale.current
                continue
        return document
    raise NotTheirs("Too much happens there at once. Begin again in a moment: what was done is not done again.")
