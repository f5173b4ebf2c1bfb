"""A program that serves the relay until it is told to stop; its argument is JSON: how many frames, which loop."""

import contextlib
import sys
from collections.abc import AsyncIterator, Sequence

import msgspec

from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import serve_forever
from dateflicks.server.web.service import Service
from dateflicks.server.websocket import connection
from dateflicks.server.websocket.connection import ConnectionRules
from dateflicks.server.websocket.protocol import FeedProtocol
from dateflicks.settings.services import LimitSettings, ServerSettings
from tests.server.websocket.relay import Relay


class Wish(msgspec.Struct, kw_only=True):
    """What this run is to be like."""

    is_generous: bool = False
    loop: str = "uvloop"
    request_seconds: float = 1.0


def serve(wish: Wish) -> None:
    FeedProtocol.request_seconds = wish.request_seconds
    connection.CLOSE_SECONDS = 0.7  # type: ignore[misc]  # so that ends that take all their time take little of ours
    if wish.loop == "asyncio":
        sys.modules["uvloop"] = None  # type: ignore[assignment]  # how Python says that there is none
    plenty = ConnectionRules(frames_per_second=1e9, frames_burst=10**9)

    @contextlib.asynccontextmanager
    async def deploy(metrics: Metrics) -> AsyncIterator[Sequence[Service]]:
        limits = LimitSettings(sockets_per_address=1000)
        yield [Relay(limits, metrics=metrics, rules=plenty if wish.is_generous else None)]

    serve_forever(deploy, ServerSettings(port=0, log_level="warning"), lambda url: print(url, flush=True))


if __name__ == "__main__":
    serve(msgspec.json.decode(sys.argv[1], type=Wish))
