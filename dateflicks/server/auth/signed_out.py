"""Tokens that were signed out, as the session service tells of them on the bus, for those who verify by themselves.

So it tells of people who were erased: nothing of theirs opens anything, and their name is written nowhere again. A
bounded number is remembered, in memory. What was told while the bus was away is asked for when it is back; what was
told before this process began is not known: there a token is good until it expires, or until it is looked up where
sign-ins are kept.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from dateflicks.core.errors import Unauthenticated
from dateflicks.server.bus.local import Bus, Callback, Unsubscribe

REMEMBERED_MAX: Final = 100_000  # about 15 MB; the oldest are forgotten
TOLD_AGAIN_MAX: Final = 1_000
TOLD_AT_ONCE: Final = 100
ERASED_NAME: Final = "(erased)"  # where the name of somebody stood who was erased: nobody can be called this
TOPIC: Final = "signed-out"  # with `tokenId`, or `tokenIds` to one who asked; with `erased`, ids of people
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


def erased_in(hint: Mapping[str, Any]) -> list[str]:
    """The ids of the people of whom a hint says that they were erased."""
    return [user_id for user_id in hint.get("erased") or () if isinstance(user_id, str) and user_id]


class SignedOut:
    """One service's memory of them, and its connections by the sign-in that they live on, and by their person."""

    def __init__(self, *, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._tokens: OrderedDict[str, None] = OrderedDict()
        self._erased: OrderedDict[str, None] = OrderedDict()
        self._on_erased: list[Callable[[str], None]] = []
        self._held: defaultdict[str, set[Closable]] = defaultdict(set)

    def listen(self, bus: Bus) -> Unsubscribe:
        """Hear of them from now on, and of those that were missed whenever the bus returns."""
        return listen(bus, self.hear)

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """Tokens are worthless from here on, and all of people who were erased: what lives on them ends."""
        for token_id in tokens_of(hint):
            self._remember(self._tokens, token_id)
        for user_id in erased_in(hint):
            self._remember(self._erased, user_id)
            for callback in self._on_erased:
                callback(user_id)

    def check(self, token_id: str, user_id: str) -> None:
        """Raises Unauthenticated for a token that was signed out, or whose person was erased, as far as is known."""
        if token_id in self._tokens or user_id in self._erased:
            raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")

    def is_erased(self, user_id: str) -> bool:
        """Whether somebody was erased, as far as is known: their name is not to be written."""
        return user_id in self._erased

    def on_erased(self, callback: Callable[[str], None]) -> None:
        """Be called with the id of everybody who is, perhaps more than once."""
        self._on_erased.append(callback)

    def hold(self, token_id: str, user_id: str, connection: Closable) -> Callable[[], None]:
        """Close this connection when its sign-in ends, unless the returned function was called before."""
        if token_id in self._tokens or user_id in self._erased:
            connection.close(TOKEN_CODE, REASON)
            return lambda: None
        for one in filter(None, (token_id, user_id)):
            self._held[one].add(connection)
        return lambda: self._let_go((token_id, user_id), connection)

    def _remember(self, those: OrderedDict[str, None], one: str) -> None:
        those[one] = None
        while len(those) > self._remembered_max:
            those.popitem(last=False)
        for connection in self._held.pop(one, ()):
            connection.close(TOKEN_CODE, REASON)

    def _let_go(self, ids: Iterable[str], connection: Closable) -> None:
        for one in ids:
            held = self._held.get(one)
            if held is not None:
                held.discard(connection)
                if not held:
                    del self._held[one]


class SignOuts:
    """What the session service tells of them; those of late are told again to whoever may have missed them."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._late: OrderedDict[str, None] = OrderedDict()
        self._late_erased: OrderedDict[str, None] = OrderedDict()

    def listen(self) -> Unsubscribe:
        """Answer those who ask."""
        return self._bus.subscribe(ASKED_TOPIC, self._answer)

    def tell(self, token_id: str) -> None:
        """Tell every service that this token is worthless from here on."""
        _keep(self._late, token_id)
        self._bus.publish(TOPIC, {"tokenId": token_id})

    def tell_erased(self, user_id: str) -> None:
        """Tell every service that this person is gone."""
        _keep(self._late_erased, user_id)
        self._bus.publish(TOPIC, {"erased": [user_id]})

    def _answer(self, _: str, hint: Mapping[str, Any]) -> None:
        for what, late in (("tokenIds", list(self._late)), ("erased", list(self._late_erased))):
            for start in range(0, len(late), TOLD_AT_ONCE):
                self._bus.send(str(hint.get("by")), TOPIC, {what: late[start : start + TOLD_AT_ONCE]})


def _keep(late: OrderedDict[str, None], one: str) -> None:
    late[one] = None
    late.move_to_end(one)
    while len(late) > TOLD_AGAIN_MAX:
        late.popitem(last=False)
