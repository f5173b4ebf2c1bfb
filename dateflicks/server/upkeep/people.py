"""Accounts as whoever keeps a deployment sees and changes them: straight at the database, services running or not.

What services have to be told is put down as a notice in the session service's database, before it is done: so whoever
is killed in between and begins again has told it twice, and never not at all.
"""

import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import msgspec

from dateflicks.core.errors import DateflicksError
from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.ids import is_id, new_id
from dateflicks.protocol.times import rfc3339_if_known
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.catalogue.paging import pages_from_text
from dateflicks.server.recommendation import records as recommendation
from dateflicks.server.services.messages import records as messages
from dateflicks.server.services.prediction import records as prediction
from dateflicks.server.services.session import records as session
from dateflicks.server.services.session.notices import notice
from dateflicks.server.services.timecode import records as timecode
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Collection, Document, Duplicate, Missing, Stale
from dateflicks.server.storage.table import Table

_LETTERS: Final = "abcdefghjkmnpqrstvwxyz0123456789"  # none that is taken for another: 32, five bits each
TRIES: Final = 8  # at an account that others change meanwhile
COLLECTIONS: Final = {  # by database: where something of a person is kept
    session.DATABASE: session.COLLECTIONS,
    timecode.DATABASE: timecode.COLLECTIONS,
    messages.DATABASE: messages.COLLECTIONS,
    prediction.DATABASE: prediction.COLLECTIONS,
    recommendation.DATABASE: recommendation.COLLECTIONS,
}


class NoSuchAccount(DateflicksError):
    """Nobody is called this."""


class NotTheirs(DateflicksError):
    """What was asked for cannot be done to this account; the text is for people."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account: `active`, `token only` (it has no password), `disabled`, `half erased` or `erased`."""

    id: str
    name: str
    state: str
    created_at: str | None
    disabled_at: str | None


class Details(Account, frozen=True, kw_only=True):
    """With what belongs to it: sign-ins that are good, sessions as host and as guest, names on the own list."""

    sign_ins: int
    last_sign_in_at: str | None
    hosted: int
    joined: int
    friends: int


class Everywhere:
    """The databases in which something of people is kept, by their names: one for all, or those that there are."""

    def __init__(self, databases: Mapping[str, Database]) -> None:
        self._databases = databases

    def has(self, database: str) -> bool:
        """Whether that one is there."""
        return database in self._databases

    def table(self, collection: Collection) -> Table:
        """A collection of a database that is there."""
        return self._databases[collection.database].table(collection)


class Accounts:
    """All raise Unavailable, StorageFault; `now` is Unix time."""

    def __init__(self, everywhere: Everywhere, *, now: Callable[[], float] = time.time) -> None:
        self._users = everywhere.table(session.USERS)
        self._tokens = everywhere.table(session.TOKENS)
        self._sessions = everywhere.table(session.SESSIONS)
        self._friends = everywhere.table(session.FRIENDS)
        self._notices = everywhere.table(session.NOTICES)
        self._now = now

    # --- looking ------------------------------------------------------------------------------------------------

    async def find(self, text: str) -> Document:
        """An account by its name, in whatever case, or by its id, then also an erased one. Raises NoSuchAccount."""
        found = None
        if is_id(text, "usr"):
            found = await self._users.get(text)
        elif session.can_be_name(text):
            found = await self._users.find_one("nameKey", session.name_key(text))
        if found is None:
            raise NoSuchAccount(f"There is nobody called '{text}'.")
        return found

    async def all(self, *, erased: bool = False) -> AsyncIterator[Account]:
        """Everybody who was not erased, by name; or those who were, of whom only the id is left."""
        async for page in pages_from_text(self._users, "nameKey", "erased:" if erased else "name:"):
            for user in page:
                yield Account(**_account(user))

    async def details(self, user: Document) -> Details:
        """One account with what belongs to it."""
        tokens = await self._tokens.find("userId", user["_id"], limit=PAGE_MAX)
        good = [one for one in tokens if one["expiresAt"] > self._now()]
        return Details(
            **_account(user),
            sign_ins=len(good),
            last_sign_in_at=rfc3339_if_known(max((one["createdAt"] for one in tokens), default=None)),
            hosted=await self._count("hostUserId", user["_id"]),
            joined=await self._count("guestUserId", user["_id"]),
            friends=len(await self._friends.find("userId", user["_id"], limit=PAGE_MAX)),
        )

    # --- changing -----------------------------------------------------------------------------------------------

    async def create(self, name: str, password: str, *, is_one_time: bool) -> Document:
        """A new account. Raises NotTheirs (the name is taken)."""
        user_id = new_id("usr")
        document = {
            "_id": user_id, "id": user_id, "name": name, "nameKey": session.name_key(name),
            "passwordHash": await _hashed(password), "createdAt": self._now(), "isOneTime": is_one_time,
        }  # fmt: skip
        try:
            return await self._users.insert(document)
        except Duplicate:
            raise NotTheirs(f"The name '{name}' is taken.") from None

    async def disable(self, user: Document) -> int:
        """Let nobody sign in to it, and sign it out everywhere; how many sign-ins that were."""
        await self.change(user, lambda current: {} if session.is_disabled(current) else {"disabledAt": self._now()})
        return await self.sign_out(user["_id"])

    async def enable(self, user: Document) -> None:
        """Let its person sign in again. Raises NotTheirs (it is erased, or being so)."""

        def enabled(current: Document) -> Mapping[str, Any]:
            if session.is_going(current):
                raise NotTheirs("This account was erased. That cannot be taken back.")
            return {} if current.get("disabledAt") is None else {"disabledAt": None}

        await self.change(user, enabled)

    async def reset_password(self, user: Document, password: str, *, is_one_time: bool) -> int:
        """Another password, and sign it out everywhere; how many sign-ins that were. Raises NotTheirs."""
        password_hash = await _hashed(password)

        def reset(current: Document) -> Mapping[str, Any]:
            if session.is_going(current):
                raise NotTheirs("This account was erased: nobody can sign in to it.")
            number = int(current.get("passwordNumber", 0)) + 1
            return {"passwordHash": password_hash, "passwordNumber": number, "isOneTime": is_one_time}

        await self.change(user, reset)
        return await self.sign_out(user["_id"])

    async def sign_out(self, user_id: str) -> int:
        """Revoke all tokens of an account, and have all services told."""
        count = 0
        while found := await self._tokens.find("userId", user_id, limit=PAGE_MAX):
            tokens = [one["_id"] for one in found]
            await self._notices.insert(notice(self._now(), tokens=tokens))
            await self._tokens.delete_many(tokens)
            count += len(tokens)
        return count

    async def tell_of(self, sessions: list[str]) -> None:
        """Have those who listen told of sessions that were changed."""
        for start in range(0, len(sessions), PAGE_MAX):
            await self._notices.insert(notice(self._now(), sessions=sessions[start : start + PAGE_MAX]))

    async def tell_erased(self, user_id: str) -> None:
        """Have all services told that somebody is gone."""
        await self._notices.insert(notice(self._now(), erased=user_id))

    async def change(self, user: Document, changes: Callable[[Document], Mapping[str, Any]]) -> Document:
        """Change an account; `changes` is asked again whenever somebody else was first, and may raise.

        Raises NoSuchAccount (it is gone), NotTheirs (others change it all the time).
        """
        command = secrets.token_hex(16)
        for _ in range(TRIES):
            if not (wanted := changes(user)):
                return user
            try:
                return await self._users.compare_and_set(user["_id"], user["rev"], wanted, command=command)
            except Stale as stale:
                user = stale.current
            except Missing:
                raise NoSuchAccount(f"There is nobody called '{user['name']}' any more.") from None
        raise NotTheirs("Too much happens to this account at once. Try again in a moment.")

    # --- inside -------------------------------------------------------------------------------------------------

    async def _count(self, field: str, user_id: str) -> int:
        count = 0
        async for page in self._sessions.pages(field, user_id, order_by="order", only=("order",)):
            count += len(page)
        return count


def one_time_password() -> str:
    """A password that can be read out and typed: 75 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(3))


async def _hashed(password: str) -> str:
    with Passwords() as passwords:
        return await passwords.hashed(password)


def _account(user: Document) -> dict[str, Any]:
    state = "active" if user["passwordHash"] is not None else "token only"
    if session.is_disabled(user):
        half = "half erased" if user.get("erasingAt") is not None else "disabled"
        state = "erased" if session.is_erased(user) else half
    return {
        "id": user["_id"],
        "name": user["name"],
        "state": state,
        "created_at": rfc3339_if_known(user.get("createdAt")),
        "disabled_at": rfc3339_if_known(user.get("disabledAt")),
    }
