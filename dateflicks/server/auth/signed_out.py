"""Tokens that were signed out, as the session service tells of them on the bus, for those who verify by themselves.

A bounded number is remembered, in memory. What was told while the bus was away is asked for when it is back; what was
told before this process began is not known: there a token is good until it expires, or until it is looked up where
sign-ins are kept.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from dateflicks.core.errors import Unauthenticated
from dateflicks.server.bus.local import Bus, Callback, Unsubscribe

REMEMBERED_MAX: Final = 100_000  # about 15 MB; the oldest are forgotten
TOLD_AGAIN_MAX: Final = 1_000
TOLD_AT_ONCE: Final = 100
TOPIC: Final = "signed-out"  # with `tokenId`, or `tokenIds` to one who asked
ASKED_TOPIC: Final = "signed-out-asked"  # with `by`
TOKEN_CODE: Final = 4401
REASON: Final = "signed out"


class Closable(Protocol):
    """A connection."""

    def close(self, code: int, reason: str = "") -> None:
        """End it."""


def listen(bus: Bus, callback: Callback) -> Unsubscribe:
    """Have each hint of them told, also those that were missed whenever the bus returns."""
    bus.on_return(lambda: bus.publish(ASKED_TOPIC, {"by": bus.worker_id}))
    return bus.subscribe(TOPIC, callback)


def tokens_of(hint: Mapping[str, Any]) -> list[str]:
    """The ids of the tokens that a hint is about."""
    told = hint.get("tokenIds") or (hint.get("tokenId"),)
    return [token_id for token_id in told if isinstance(token_id, str) and token_id]


class SignedOut:
    """One service's memory of them, and its connections by the sign-in that they live on."""

    def __init__(self, *, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._tokens: OrderedDict[str, None] = OrderedDict()
        self._held: defaultdict[str, set[Closable]] = defaultdict(set)

    def listen(self, bus: Bus) -> Unsubscribe:
        """Hear of them from now on, and of those that were missed whenever the bus returns."""
        return listen(bus, self.hear)

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """Tokens are worthless from here on: what lives on them ends."""
        for token_id in tokens_of(hint):
            self._tokens[token_id] = None
            for connection in self._held.pop(token_id, ()):
                connection.close(TOKEN_CODE, REASON)
        while len(self._tokens) > self._remembered_max:
            self._tokens.popitem(last=False)

    def check(self, token_id: str) -> None:
        """Raises Unauthenticated for a token that was signed out, as far as is known."""
        if token_id in self._tokens:
            raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")

    def hold(self, token_id: str, connection: Closable) -> Callable[[], None]:
        """Close this connection when its sign-in ends, unless the returned function was called before."""
        if token_id in self._tokens:
            connection.close(TOKEN_CODE, REASON)
        elif token_id:
            self._held[token_id].add(connection)
        return lambda: self._let_go(token_id, connection)

    def _let_go(self, token_id: str, connection: Closable) -> None:
        held = self._held.get(token_id)
        if held is not None:
            held.discard(connection)
            if not held:
                del self._held[token_id]


class SignOuts:
    """What the session service tells of them; those of late are told again to whoever may have missed them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._late: OrderedDict[str, None] = OrderedDict()

    def listen(self) -> Unsubscribe:
        """Answer those who ask."""
        return self._bus.subscribe(ASKED_TOPIC, self._answer)

    def tell(self, token_id: str) -> None:
        """Tell every service that this token is worthless from here on."""
        self._late[token_id] = None
        self._late.move_to_end(token_id)
        while len(self._late) > TOLD_AGAIN_MAX:
            self._late.popitem(last=False)
        self._bus.publish(TOPIC, {"tokenId": token_id})

    def _answer(self, _: str, hint: Mapping[str, Any]) -> None:
        late = list(self._late)
        for start in range(0, len(late), TOLD_AT_ONCE):
            self._bus.send(str(hint.get("by")), TOPIC, {"tokenIds": late[start : start + TOLD_AT_ONCE]})
