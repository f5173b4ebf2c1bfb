"""People and their sign-ins: accounts with unique names, and a record of each token, so that signing out revokes it."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, FieldProblem, Forbidden, Invalid, Unauthenticated
from dateflicks.protocol.bodies import SignedIn, UserBody
from dateflicks.protocol.ids import id_of, new_id
from dateflicks.protocol.times import rfc3339_from_unix
from dateflicks.server.auth.caller import Caller, UserToken
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.auth.tries import SignInTries
from dateflicks.server.services.session.keys import command_of, key_of, key_used
from dateflicks.server.services.session.records import can_be_name, is_disabled, is_going, name_key
from dateflicks.server.storage.records import Document, Duplicate, Missing, Stale
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter

WRONG: Final = "The name or the password is wrong."
WRONG_OLD: Final = "The old password is wrong. Nothing was changed."
DISABLED: Final = "This account is disabled. Ask whoever runs this server."
CHANGED: Final = "The account was changed at this moment, elsewhere. Nothing was changed here; try again."
TAKEN: Final = "This name is taken. Choose another, or sign in if it is yours."

Tell = Callable[[str], None]
"""Says of a token that it is worthless from here on."""


class People:
    """Accounts and sign-ins; `tell` hears the id of each token that is revoked.

    `now` is Unix time, `evenly` a clock for limits that never jumps.
    """

    def __init__(
        self,
        users: Table,
        tokens: Table,
        passwords: Passwords,
        signer: Signer,
        tries: SignInTries,
        accounts: Limiter,
        tell: Tell,
        *,
        token_lifetime_seconds: float = limits.TOKEN_LIFETIME_SECONDS,
        sign_ins_max: int = limits.SIGN_INS_PER_PERSON,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._passwords = passwords
        self._signer = signer
        self._tries = tries
        self._accounts = accounts
        self._tell = tell
        self._token_lifetime_seconds = token_lifetime_seconds
        self._sign_ins_max = sign_ins_max
        self._now = now
        self._evenly = evenly

    # --- accounts -----------------------------------------------------------------------------------------------

    async def register(self, name: str, password: str, address: str, key: str | None = None) -> SignedIn:
        """Make an account and sign in; the same again under the same `key` signs in. Each try counts for the address.

        Raises Conflict, Invalid (a key that does not fit), TooMany.
        """
        self._accounts.take(address, self._evenly())
        user_id = new_id("usr") if key is None else self._derived_id("account", key_of(key), name_key(name))
        known = await self.named(name)
        if known is None:
            try:
                return await self._sign_in(await self._make(user_id, name, await self._passwords.hashed(password)))
            except Duplicate:
                known = await self.named(name)
        if known is None or known["_id"] != user_id:
            raise Conflict(TAKEN, code="name-taken")
        if not (await self._passwords.verified(password, known["passwordHash"])).is_right:
            raise Conflict(TAKEN, code="name-taken")
        return await self._sign_in(known)

    async def make_without_password(self, name: str | None, seed: str, address: str) -> Document:
        """An account that only its token opens; without a name it gets one. The same `seed` makes the same account.

        Raises Conflict when the name is taken, TooMany.
        """
        self._accounts.take(address, self._evenly())
        user_id = self._derived_id("guest", seed)
        chosen = name or f"guest-{user_id[-8:]}"
        try:
            return await self._make(user_id, chosen, None)
        except Duplicate as error:
            known = await self.known(user_id)
            if known is not None:
                return known
            raise Conflict(TAKEN, code="name-taken") from error

    async def remove(self, user_id: str) -> None:
        """Forget an account that turned out not to be needed."""
        await self._users.delete(user_id)

    async def named(self, name: str) -> Document | None:
        """The account of this name, in whatever case, unless it is being erased."""
        found = await self._users.find_one("nameKey", name_key(name))
        return None if found is None or is_going(found) else found

    async def known(self, user_id: str) -> Document | None:
        """The account of this id, unless it was erased, or is being so."""
        found = await self._users.get(user_id)
        return None if found is None or is_going(found) else found

    # --- passwords ----------------------------------------------------------------------------------------------

    async def change_password(self, caller: Caller, old: str | None, new: str, address: str, key: str | None) -> None:
        """Set another password and revoke all tokens but the caller's.

        An account without a password needs no `old` one. Tries count as sign-ins do. Raises Forbidden (the old one is
        wrong, the account disabled), Invalid (it is missing), Conflict, TooMany.
        """
        user = await self.known(caller.user_id)
        if user is None:
            raise Unauthenticated(WRONG, code="signed-out")
        if is_disabled(user):
            raise Forbidden(DISABLED, code="disabled")
        command = command_of(caller.user_id, "password", key_of(key))
        if command not in user.get("cmds", ()):
            await self._check_old(user, old, address)
            await self._set_password(user, await self._passwords.hashed(new), command)
        else:
            self._tries.proved(user["nameKey"], self._evenly())
            if not (await self._passwords.verified(new, user["passwordHash"])).is_right:
                raise key_used()
        await self._keep_newest(caller.user_id, 1, own=caller.token_id)

    async def _check_old(self, user: Document, old: str | None, address: str) -> None:
        if user["passwordHash"] is None:
            self._tries.proved(user["nameKey"], self._evenly())
            return
        if old is None:
            raise Invalid("The password does not fit.", (FieldProblem("old", "is required: the present password"),))
        self._tries.begin(user["nameKey"], address, self._evenly())
        if not (await self._passwords.verified(old, user["passwordHash"])).is_right:
            raise Forbidden(WRONG_OLD, code="wrong-password")
        self._tries.succeeded(user["nameKey"], address, self._evenly())

    async def _set_password(self, user: Document, password_hash: str, command: str) -> None:
        changes = {"passwordHash": password_hash, "passwordNumber": _number(user) + 1, "isOneTime": False}
        try:
            await self._users.compare_and_set(user["_id"], user["rev"], changes, command=command)
        except (Stale, Missing) as error:
            raise Conflict(CHANGED, code="changed") from error

    # --- sign-ins -----------------------------------------------------------------------------------------------

    async def sign_in(self, name: str, password: str, address: str) -> SignedIn:
        """A new token. Raises Unauthenticated, Forbidden (the account is disabled), TooMany."""
        key = name_key(name)
        self._tries.begin(key, address, self._evenly())
        user = await self.named(name) if can_be_name(name) else None
        verdict = await self._passwords.verified(password, user["passwordHash"] if user else None)
        if user is None or not verdict.is_right:
            raise Unauthenticated(WRONG, code="wrong-credentials")
        self._tries.succeeded(key, address, self._evenly())
        if user.get("isOneTime") and not is_disabled(user):
            user = await self._use_up(user)
        elif verdict.renewed is not None:
            await self._renew(user, verdict.renewed)
        return await self._sign_in(user)

    async def sign_in_without_password(self, user: Document) -> SignedIn:
        """A token for whoever has just proved in another way that this account is theirs."""
        return await self._sign_in(user)

    async def authenticate(self, text: str) -> Caller:
        """Who this user token belongs to, if it was not revoked. Raises Unauthenticated, Unavailable."""
        caller = self.claimed(text)
        await self.check_signed_in(caller)
        return caller

    def claimed(self, text: str) -> Caller:
        """Who this user token belongs to, whether or not it was revoked. Raises Unauthenticated."""
        return Caller.with_token(self._signer.verify_user_token(text))

    async def check_signed_in(self, caller: Caller) -> None:
        """Raises Unauthenticated when their token was revoked, Unavailable."""
        if not await self.is_signed_in(caller.token_id):
            raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")

    async def is_signed_in(self, token_id: str) -> bool:
        """Whether this token has not been revoked."""
        return await self._tokens.get(token_id) is not None

    async def sign_out(self, caller: Caller) -> None:
        """Revoke the token that the caller came with."""
        await self._revoke([caller.token_id])

    async def _revoke(self, token_ids: Sequence[str]) -> None:
        try:
            await self._tokens.delete_many(token_ids)
        finally:  # where nobody knows whether they are gone, nobody finds them again to tell of them
            for token_id in token_ids:
                self._tell(token_id)

    async def _keep_newest(self, user_id: str, count: int, own: str | None = None) -> None:
        """Revoke all tokens of an account but `count`: the `own` one before all others, then the newest.

        Whoever else does so at the same moment keeps the same ones. Raises Unavailable.
        """
        while True:
            found = await self._tokens.find("userId", user_id, limit=limits.PAGE_MAX)
            oldest_first = sorted((one["_id"] == own, one["createdAt"], one["_id"]) for one in found)
            if too_many := oldest_first[:-count]:
                await self._revoke([token_id for _, _, token_id in too_many])
            if len(found) < limits.PAGE_MAX:
                return

    async def sweep(self) -> int:
        """Forget tokens that have expired, some at a time; how many. Raises Unavailable."""
        expired = await self._tokens.between("expiresAt", below=self._now(), limit=limits.PAGE_MAX)
        return await self._tokens.delete_many([document["_id"] for document in expired]) if expired else 0

    # --- inside -------------------------------------------------------------------------------------------------

    async def _make(self, user_id: str, name: str, password_hash: str | None) -> Document:
        return await self._users.insert(
            {
                "_id": user_id,
                "id": user_id,
                "name": name,
                "nameKey": name_key(name),
                "passwordHash": password_hash,
                "createdAt": self._now(),
            }
        )

    async def _renew(self, user: Document, password_hash: str) -> None:
        try:
            await self._users.compare_and_set(
                user["_id"], user["rev"], {"passwordHash": password_hash}, command=secrets.token_hex(16)
            )
        except (Stale, Missing):
            return  # somebody signs in at the same moment and renews it too

    async def _use_up(self, user: Document) -> Document:
        """A password for one time has been given: from here on there is none."""
        try:
            return await self._users.compare_and_set(
                user["_id"], user["rev"], {"passwordHash": None, "isOneTime": False}, command=secrets.token_hex(16)
            )
        except (Stale, Missing) as error:
            raise Unauthenticated(WRONG, code="wrong-credentials") from error

    async def _sign_in(self, user: Document) -> SignedIn:
        if is_disabled(user):
            raise Forbidden(DISABLED, code="disabled")
        now = self._now()
        token = UserToken(new_id("tok"), user["_id"], user["name"], float(int(now + self._token_lifetime_seconds)))
        await self._tokens.insert(
            {"_id": token.token_id, "userId": token.user_id, "createdAt": now, "expiresAt": token.expires_at}
        )
        await self._check_still(user, token.token_id)
        await self._keep_newest(user["_id"], self._sign_ins_max)
        return SignedIn(
            user=UserBody(id=user["_id"], name=user["name"]),
            token=self._signer.issue_user_token(token),
            expires_at=rfc3339_from_unix(token.expires_at),
            needs_password=True if user["passwordHash"] is None else msgspec.UNSET,
        )

    async def _check_still(self, user: Document, token_id: str) -> None:
        """See that nobody has revoked all tokens between the look at the account and this one of it."""
        current = await self._users.get(user["_id"])
        if current is not None and not is_disabled(current) and _number(current) == _number(user):
            return
        await self._tokens.delete(token_id)
        if current is not None and is_disabled(current):
            raise Forbidden(DISABLED, code="disabled")
        raise Unauthenticated(WRONG, code="wrong-credentials")

    def _derived_id(self, *words: str) -> str:
        return id_of("usr", self._signer.derived("user id", *words))


def _number(user: Document) -> int:
    """Which password this is, of all that the account has had."""
    return int(user.get("passwordNumber", 0))
