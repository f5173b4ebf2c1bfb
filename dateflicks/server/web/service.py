"""What a service is to the app and the runner that carry it: a name, its calls, its feeds, and a life."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec
from sanic import HTTPResponse, Request

from dateflicks.server.web.route import Auth, Authenticator, Route


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCall:
    """A request to open a feed: what `websocket.upgrade` needs, and what the feed has to know before.

    `token` is None without a good one; `subprotocol` is the one to answer with.
    """

    request: "Request[Any, Any]"
    path: Mapping[str, str]
    address: str
    request_id: str
    token: str | None = field(default=None, repr=False)
    subprotocol: str | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """A WebSocket of a service. `connect` answers the handshake by the service's gate, and returns at once.

    It returns None once the request was upgraded; a request that it cannot serve it refuses by raising one of
    `core.errors`, or with an answer of its own. `client` and `server` are the frames each side may send.
    """

    path: str
    connect: Callable[[FeedCall], Awaitable[HTTPResponse | None]]
    summary: str
    auth: Auth = "user"
    description: str = ""
    client: tuple[type[msgspec.Struct], ...] = ()
    server: tuple[type[msgspec.Struct], ...] = ()
    close_codes: Mapping[int, str] | None = None


class Service(Protocol):
    """One of the services. `authenticate` is asked for the caller of every call whose `auth` is not `none`."""

    @property
    def name(self) -> str:
        """The service's own word: `session`, `timecode`, …"""

    @property
    def summary(self) -> str:
        """One sentence about it, for the documentation."""

    @property
    def routes(self) -> Sequence[Route]:
        """Its calls."""

    @property
    def feeds(self) -> Sequence[Feed]:
        """Its WebSockets."""

    @property
    def authenticate(self) -> Authenticator:
        """Who a token belongs to."""

    async def start(self) -> None:
        """Get ready; called before the first request. Raises what people should read as a DateflicksError."""

    async def stop(self) -> None:
        """Write what must be kept and let go; called after the last request."""

    def close_feeds(self, code: int, reason: str) -> None:
        """Tell every open feed to go (1012 on a restart); returns at once."""

    def database_up(self) -> bool:
        """Whether its database answers; costs nothing."""


@runtime_checkable
class Conditioned(Protocol):
    """A service that has more to say of its health than whether its database is there."""

    @property
    def condition(self) -> str:
        """A few words, such as how far it has come; costs nothing."""


@runtime_checkable
class Measured(Protocol):
    """A service that has numbers of this moment for the metrics."""

    def measure(self) -> None:
        """Set them; called whenever somebody asks for the metrics."""
