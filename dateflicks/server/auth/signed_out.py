"""Tokens that were signed out, as the session service tells of them on the bus, for those who verify by themselves.

A bounded number is remembered, in memory: what was told before this process began, or while the bus was away, is not
known. There a token is good until it expires, or until it is looked up where sign-ins are kept.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from dateflicks.core.errors import Unauthenticated

REMEMBERED_MAX: Final = 100_000  # about 15 MB; the oldest are forgotten
TOPIC: Final = "signed-out"  # with `tokenId`


class SignedOut:
    """One service's memory of them."""

    def __init__(self, *, remembered_max: int = REMEMBERED_MAX) -> None:
        self._remembered_max = remembered_max
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A token is worthless from here on."""
        self._tokens[str(hint.get("tokenId"))] = None
        while len(self._tokens) > self._remembered_max:
            self._tokens.popitem(last=False)

    def check(self, token_id: str) -> None:
        """Raises Unauthenticated for a token that was signed out, as far as is known."""
        if token_id in self._tokens:
            raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")
