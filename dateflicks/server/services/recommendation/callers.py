"""Who may ask what to watch next: people with their own token, for what they have watched is nobody else's.

A ticket proves a place in one session, and is shown to every service of it: it opens nobody's own list. Tokens are
known by their signature; whether one was signed out is looked up where the session service keeps it, which is the same
database unless this service runs alone. There nobody is known at all, and the signature is what there is.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from dateflicks.core.errors import Unauthenticated, Unavailable
from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.signed_out import SignedOut
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.recommendation.history import Histories

BELIEVED_SECONDS: Final = 5.0  # how long a token that was signed out elsewhere may go on
KEPT_MAX: Final = 20_000


class Callers:
    """One service's door; `evenly` is a clock that is never stepped."""

    def __init__(self, histories: Histories, signer: Signer, *, evenly: Callable[[], float] = time.monotonic) -> None:
        self._histories = histories
        self._signer = signer
        self._evenly = evenly
        self.signed_out = SignedOut()
        self._seen: OrderedDict[str, float] = OrderedDict()  # token id → when it was looked up

    async def authenticate(self, bearer: str) -> Caller:
        """Whose this token is. Raises Unauthenticated."""
        caller = self._signer.verify(bearer)
        if caller.ticket is not None:
            raise Unauthenticated("This needs your own token: a ticket opens its session only.")
        self.signed_out.check(caller.token_id, caller.user_id)
        now = self._evenly()
        seen = self._seen.get(caller.token_id)
        if seen is None or now - seen > BELIEVED_SECONDS:
            await self._look_up(caller)
            self._seen[caller.token_id] = now
            self._seen.move_to_end(caller.token_id)
            while len(self._seen) > KEPT_MAX:
                self._seen.popitem(last=False)
        return caller

    async def _look_up(self, caller: Caller) -> None:
        try:
            is_over = await self._histories.is_signed_out(caller.user_id, caller.token_id)
        except Unavailable:
            return  # what is read next says so, or has something to tell without the database
        if is_over:
            raise Unauthenticated("This token was signed out. Sign in again.", code="signed-out")
