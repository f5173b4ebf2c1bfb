"""A program that serves the example until it is told to stop; what it does beyond that is its argument."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence

from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import serve_forever
from dateflicks.server.web.service import Service
from dateflicks.settings.services import ServerSettings
from tests.server.web.example import ExampleService


class Example(ExampleService):
    """Says what happens to it; with `release`, a stop lets the slow call finish a little later."""

    async def start(self) -> None:
        if sys.argv[1] == "hang-at-start":
            say("starting")
            await asyncio.Event().wait()

    async def stop(self) -> None:
        if sys.argv[1] == "hang-at-stop":
            await asyncio.Event().wait()
        say("stopped")

    def close_feeds(self, code: int, reason: str) -> None:
        say(f"feeds {code}")
        if sys.argv[1] == "release":
            asyncio.get_running_loop().call_later(0.3, self.release.set)


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.asynccontextmanager
async def deploy(metrics: Metrics) -> AsyncIterator[Sequence[Service]]:
    yield [Example()]
    if sys.argv[1] == "hang-at-close":
        await asyncio.Event().wait()
    say("database closed")


if __name__ == "__main__":
    serve_forever(deploy, ServerSettings(port=0, shutdown_seconds=2.0), say)
    say("end")
