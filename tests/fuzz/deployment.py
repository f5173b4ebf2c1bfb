"""Every service behind one port, as `serve all` carries them, in a thread of its own: the fuzzer is not asynchronous.

Passwords cost next to nothing here, and nothing is limited by how often it is asked: it is asked very often.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from argon2.profiles import CHEAPEST

from dateflicks.server import deployment
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import running
from dateflicks.server.services.prediction import handler as prediction_handler
from dateflicks.server.services.session import app as session_app
from dateflicks.server.services.session import handler as session_handler
from dateflicks.settings.services import (
    AllSettings,
    MessagesSettings,
    PredictionSettings,
    SessionSettings,
    TimecodeSettings,
)

START_SECONDS: Final = 60.0
MANY: Final = 1_000_000
SETTINGS: Final[dict[str, Any]] = {
    "session": SessionSettings(sign_in_tries_per_name=MANY, sign_in_tries_per_address=MANY),
    "timecode": TimecodeSettings(),
    "messages": MessagesSettings(chat_per_second=100_000, chat_burst=MANY),
    "prediction": PredictionSettings(),
}


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the services, for as long as the block runs."""
    url: Future[str] = Future()
    stopping: Future[None] = Future()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_app, "Passwords", partial(Passwords, CHEAPEST))
        patch.setattr(session_handler, "SESSIONS_PER_WINDOW", MANY)
        patch.setattr(session_handler, "CODES_PER_WINDOW", MANY)
        patch.setattr(prediction_handler, "CHANGES_PER_WINDOW", MANY)
        thread = threading.Thread(target=_serve, args=(folder, url, stopping), name="serve all")
        thread.start()
        try:
            yield url.result(START_SECONDS)
        finally:
            stopping.set_result(None)
            thread.join(START_SECONDS)
            assert not thread.is_alive()


def _serve(folder: Path, url: "Future[str]", stopping: "Future[None]") -> None:
    async def serve() -> None:
        metrics = Metrics()
        plan = deployment.Deployment(deployment.ALL, AllSettings(), SETTINGS, folder)
        async with plan.deploy(metrics) as services, running(services, metrics=metrics) as server:
            url.set_result(server.url)
            await asyncio.wrap_future(stopping)

    try:
        asyncio.run(serve())
    except BaseException as error:
        if url.done():
            raise
        url.set_exception(error)
