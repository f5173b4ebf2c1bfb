"""Signed statements: user tokens and tickets, as JWTs under the deployment's one key.

The algorithm is pinned, and each kind of statement has an audience of its own, so that a ticket never passes as a user
token, nor the other way round. Whether a user token was revoked is not in it: the session service knows.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

import jwt
import msgspec

from dateflicks.core.errors import Unauthenticated
from dateflicks.core.limits import TICKET_LIFETIME_SECONDS
from dateflicks.protocol.frames import Role
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.caller import Caller, Ticket, UserToken

KEY_MIN_BYTES: Final = 32  # RFC 7518, 3.2: as many as the hash has
TEXT_MAX_CHARACTERS: Final = 4_096
_ALGORITHM: Final = "HS256"
_ISSUER: Final = "dateflicks"
_USER: Final = "dateflicks:user"
_TICKET: Final = "dateflicks:ticket"
_OPTIONS: Final[Any] = {"require": ["aud", "exp", "iss", "sub"], "verify_exp": False, "verify_iat": False}


class _UserClaims(msgspec.Struct, frozen=True):
    """The statements of a user token; `exp` is looked at here, against the clock we were given."""

    typ: str
    aud: str
    jti: str
    sub: str
    name: str
    exp: int


class _TicketClaims(msgspec.Struct, frozen=True):
    """The statements of a ticket."""

    typ: str
    aud: str
    sid: str
    sub: str
    name: str
    role: Role
    exp: int
    tok: str = ""  # the sign-in that it was given to


Claims = TypeVar("Claims", _UserClaims, _TicketClaims)


class Signer:
    """Makes and verifies statements with one key; `now` is Unix time in seconds. Raises ValueError for a short key."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        if len(key) < KEY_MIN_BYTES:
            raise ValueError(f"a signing key has at least {KEY_MIN_BYTES} bytes")
        self._key = key
        self._now = now

    def issue_user_token(self, token: UserToken) -> str:
        """The text of a user token."""
        return self._signed(
            {
                "typ": "user",
                "aud": _USER,
                "jti": token.token_id,
                "sub": token.user_id,
                "name": token.name,
                "exp": int(token.expires_at),
            }
        )

    def issue_ticket(
        self,
        session_id: str,
        user_id: str,
        name: str,
        role: Role,
        *,
        lifetime_seconds: float = TICKET_LIFETIME_SECONDS,
        token_id: str = "",
    ) -> str:
        """The text of a new ticket, given to the sign-in `token_id`."""
        return self._signed(
            {
                "typ": "ticket",
                "aud": _TICKET,
                "jti": new_id("tok"),
                "sid": session_id,
                "sub": user_id,
                "name": name,
                "role": role,
                "exp": int(self._now() + lifetime_seconds),
                "tok": token_id,
            }
        )

    def verify_user_token(self, text: str) -> UserToken:
        """What a user token says. Raises Unauthenticated for anything else."""
        return self._user_token(self._decoded(text, [_USER]))

    def verify_ticket(self, text: str) -> Ticket:
        """What a ticket says. Raises Unauthenticated for anything else."""
        return self._ticket(self._decoded(text, [_TICKET]))

    def verify(self, text: str) -> Caller:
        """Whoever shows this, a user token or a ticket. Raises Unauthenticated."""
        decoded = self._decoded(text, [_USER, _TICKET])
        if decoded.get("aud") == _TICKET:
            return Caller.with_ticket(self._ticket(decoded))
        return Caller.with_token(self._user_token(decoded))

    def seconds_left(self, *expiries: float) -> float:
        """How long something holds that ends with the first of these (Unix time)."""
        return min(expiries) - self._now()

    def still_valid(self, ticket: Ticket) -> Ticket:
        """A ticket that was verified before. Raises Unauthenticated when it has expired meanwhile."""
        self._check_expiry(ticket.expires_at)
        return ticket

    def derived(self, purpose: str, *parts: str) -> bytes:
        """32 bytes that nobody without the key can tell, the same for the same words."""
        message = b"".join(len(part).to_bytes(4, "big") + part for part in (word.encode() for word in parts))
        own_key = hmac.digest(self._key, f"derived {purpose}".encode(), hashlib.sha256)
        return hmac.digest(own_key, message, hashlib.sha256)

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"iss": _ISSUER, "iat": int(self._now()), **claims}, self._key, algorithm=_ALGORITHM)

    def _user_token(self, decoded: dict[str, Any]) -> UserToken:
        claims = self._claims(decoded, _USER, _UserClaims)
        return UserToken(claims.jti, claims.sub, claims.name, float(claims.exp))

    def _ticket(self, decoded: dict[str, Any]) -> Ticket:
        claims = self._claims(decoded, _TICKET, _TicketClaims)
        return Ticket(claims.sid, claims.sub, claims.name, claims.role, float(claims.exp), claims.tok)

    def _claims(self, decoded: dict[str, Any], audience: str, kind: type[Claims]) -> Claims:
        try:
            claims = msgspec.convert(decoded, kind)
        except msgspec.ValidationError as error:
            raise _not_valid() from error
        if claims.aud != audience or claims.typ != audience.partition(":")[2]:
            raise _not_valid()
        self._check_expiry(claims.exp)
        return claims

    def _check_expiry(self, expires_at: float) -> None:
        if self._now() >= expires_at:
            raise Unauthenticated("This token has expired. Sign in again, or ask for a new ticket.", code="expired")

    def _decoded(self, text: str, audiences: list[str]) -> dict[str, Any]:
        if len(text) > TEXT_MAX_CHARACTERS:
            raise _not_valid()
        try:
            return jwt.decode(
                text, self._key, algorithms=[_ALGORITHM], audience=audiences, issuer=_ISSUER, options=_OPTIONS
            )
        except (jwt.PyJWTError, UnicodeError) as error:
            raise _not_valid() from error


def _not_valid() -> Unauthenticated:
    return Unauthenticated("This token is not valid here. Sign in again.")
