"""People and their sign-ins: accounts with unique names, and a record of each token, so that signing out revokes it."""

import secrets
import time
from collections.abc import Callable
from typing import Final

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, Unauthenticated
from dateflicks.protocol.bodies import SignedIn, UserBody
from dateflicks.protocol.ids import id_of, new_id
from dateflicks.protocol.times import rfc3339_from_unix
from dateflicks.server.auth.caller import Caller, UserToken
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.auth.tries import SignInTries
from dateflicks.server.services.session.keys import key_of
from dateflicks.server.services.session.records import can_be_name, name_key
from dateflicks.server.storage.records import Document, Duplicate, Missing, Stale
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter

WRONG: Final = "The name or the password is wrong."
TAKEN: Final = "This name is taken. Choose another, or sign in if it is yours."


class People:
    """Accounts and sign-ins; `now` is Unix time, `evenly` a clock for limits that never jumps."""

    def __init__(
        self,
        users: Table,
        tokens: Table,
        passwords: Passwords,
        signer: Signer,
        tries: SignInTries,
        accounts: Limiter,
        *,
        token_lifetime_seconds: float = limits.TOKEN_LIFETIME_SECONDS,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._passwords = passwords
        self._signer = signer
        self._tries = tries
        self._accounts = accounts
        self._token_lifetime_seconds = token_lifetime_seconds
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
            known = await self._users.get(user_id)
            if known is not None:
                return known
            raise Conflict(TAKEN, code="name-taken") from error

    async def remove(self, user_id: str) -> None:
        """Forget an account that turned out not to be needed."""
        await self._users.delete(user_id)

    async def named(self, name: str) -> Document | None:
        """The account of this name, in whatever case."""
        return await self._users.find_one("nameKey", name_key(name))

    async def known(self, user_id: str) -> Document | None:
        """The account of this id."""
        return await self._users.get(user_id)

    # --- sign-ins -----------------------------------------------------------------------------------------------

    async def sign_in(self, name: str, password: str, address: str) -> SignedIn:
        """A new token. Raises Unauthenticated, TooMany."""
        key = name_key(name)
        self._tries.begin(key, address, self._evenly())
        user = await self.named(name) if can_be_name(name) else None
        verdict = await self._passwords.verified(password, user["passwordHash"] if user else None)
        if user is None or not verdict.is_right:
            raise Unauthenticated(WRONG, code="wrong-credentials")
        self._tries.succeeded(key, address, self._evenly())
        if verdict.renewed is not None:
            await self._renew(user, verdict.renewed)
        return await self._sign_in(user)

    async def sign_in_without_password(self, user: Document) -> SignedIn:
        """A token for whoever has just proved in another way that this account is theirs."""
        return await self._sign_in(user)

    async def authenticate(self, text: str) -> Caller:
        """Who this user token belongs to, if it was not revoked. Raises Unauthenticated, Unavailable."""
        token = self._signer.verify_user_token(text)
        if not await self.is_signed_in(token.token_id):
            raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")
        return Caller.with_token(token)

    async def is_signed_in(self, token_id: str) -> bool:
        """Whether this token has not been revoked."""
        return await self._tokens.get(token_id) is not None

    async def sign_out(self, caller: Caller) -> None:
        """Revoke the token that the caller came with."""
        await self._tokens.delete(caller.token_id)

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

    async def _sign_in(self, user: Document) -> SignedIn:
        now = self._now()
        token = UserToken(new_id("tok"), user["_id"], user["name"], float(int(now + self._token_lifetime_seconds)))
        await self._tokens.insert(
            {"_id": token.token_id, "userId": token.user_id, "createdAt": now, "expiresAt": token.expires_at}
        )
        return SignedIn(
            user=UserBody(id=user["_id"], name=user["name"]),
            token=self._signer.issue_user_token(token),
            expires_at=rfc3339_from_unix(token.expires_at),
        )

    def _derived_id(self, *words: str) -> str:
        return id_of("usr", self._signer.derived("user id", *words))
