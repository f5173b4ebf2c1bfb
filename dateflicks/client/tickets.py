"""A session's ticket, as fresh as it can be had: from the session service, or the last known one while that is away."""

from collections.abc import Callable
from typing import Any, TypeVar

from dateflicks.client import errors
from dateflicks.client.feed import FeedEnded
from dateflicks.client.http import ServiceClient

A = TypeVar("A")


class Tickets:
    """The tickets of one person for one session; `keep` is told each new one, for another time."""

    def __init__(
        self, client: ServiceClient, session_id: str, ticket: str, keep: Callable[[str], None] = lambda _: None
    ) -> None:
        self._client = client
        self._session_id = session_id
        self._keep = keep
        self.last = ticket
        self._is_fresh = True

    async def fresh(self) -> str:
        """What to show at the next connection. Raises FeedEnded when the session is over."""
        if self._is_fresh:  # it came with the session, a moment ago
            self._is_fresh = False
            return self.last
        try:
            session = await self._client.session(self._session_id)
        except errors.ClientError:
            return self.last  # whoever is asked to take it will say if it is no longer good
        if isinstance(session.ticket, str):
            if session.ticket != self.last:
                self._keep(session.ticket)
            self.last = session.ticket
        elif session.state != "accepted":
            raise FeedEnded(4409, f"the session is {session.state}")
        return self.last

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        answer: type[A],
        *,
        body: Any = None,
        query: dict[str, str | None] | None = None,
    ) -> A:
        """One call that shows the ticket, with a newer one when the last is no longer taken. Raises ClientError."""
        ticket = self.last
        try:
            return await self._client.call(service, method, path, answer, ticket=ticket, body=body, query=query)
        except errors.NotSignedIn:
            newer = await self._newer(ticket)
            if newer is None:
                raise
        return await self._client.call(service, method, path, answer, ticket=newer, body=body, query=query)

    async def _newer(self, refused: str) -> str | None:
        """Another ticket than the refused one, if there is one. Raises ClientError when the session is over."""
        for _ in range(2):  # the first may be the one that came with the session
            try:
                ticket = await self.fresh()
            except FeedEnded as ended:
                raise errors.of_close_code(ended.code, str(ended)) from ended
            if ticket != refused:
                return ticket
        return None
