"""Who may enter a session's services: whoever shows its ticket, and whoever is signed in and has shown it before.

Nothing is asked of the session service. What was shown is remembered in memory, for a bounded number of places; who
was forgotten shows the ticket again. Who signs out is heard of on the bus: their token opens nothing from then on. A
ticket is good for as long as it says, whoever signs out.
"""

from collections import OrderedDict
from typing import Final

from dateflicks.core.errors import Forbidden
from dateflicks.server.auth.caller import Caller, Ticket
from dateflicks.server.auth.signed_out import SignedOut
from dateflicks.server.auth.tokens import Signer

PLACES_MAX: Final = 20_000  # about 10 MB


class Admission:
    """One service's door; every session has its own ticket."""

    def __init__(self, signer: Signer, *, places_max: int = PLACES_MAX) -> None:
        self._signer = signer
        self._places_max = places_max
        self._shown: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()
        self.signed_out = SignedOut()

    def identify(self, bearer: str) -> Caller:
        """Whose this token or ticket is. Raises Unauthenticated."""
        caller = self._signer.verify(bearer)
        if caller.ticket is not None:
            self._remember(caller.ticket, bearer)
        else:
            self.signed_out.check(caller.token_id)
        return caller

    async def authenticate(self, bearer: str) -> Caller:
        """As `identify`, in the form in which an app asks."""
        return self.identify(bearer)

    def admit(self, caller: Caller, session_id: str) -> Ticket:
        """Their place in this session. Raises Forbidden, or Unauthenticated when the place has expired meanwhile."""
        if caller.ticket is not None:
            if caller.ticket.session_id != session_id:
                raise Forbidden("This ticket opens another session.")
            return caller.ticket
        shown = self._shown.get((caller.user_id, session_id))
        if shown is None:
            raise Forbidden("This needs the session's ticket: connect with it as the bearer token.")
        return self._signer.verify_ticket(shown[1])

    def _remember(self, ticket: Ticket, text: str) -> None:
        place = (ticket.user_id, ticket.session_id)
        shown = (ticket.expires_at, text)
        self._shown[place] = max(shown, self._shown.get(place, shown))  # an older one shown later takes nothing away
        self._shown.move_to_end(place)
        while len(self._shown) > self._places_max:
            self._shown.popitem(last=False)
