"""Every service behind one port, as `serve all` carries them, in a process of its own.

Passwords cost next to nothing there, and nothing is limited by how often it is asked: it is asked very often. Of its
log there are only errors. As a program, this module is that process.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from argon2.profiles import CHEAPEST

from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.deployment import ALL, Deployment
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import serve_forever
from dateflicks.server.services.prediction import handler as prediction_handler
from dateflicks.server.services.recommendation import handler as recommendation_handler
from dateflicks.server.services.session import app as session_app
from dateflicks.server.services.session import handler as session_handler
from dateflicks.server.services.videos.app import VideosService
from dateflicks.server.web.service import Service
from dateflicks.settings.recommendation import RecommendationSettings
from dateflicks.settings.services import (
    AllSettings,
    LimitSettings,
    MessagesSettings,
    MongoSettings,
    PredictionSettings,
    ServerSettings,
    SessionSettings,
    TimecodeSettings,
    VideosSettings,
)
from tests.journeys.deployment import Server
from tests.server.services.videos.collection import work

DATABASE_SECONDS: Final = 10.0  # on a busy machine the database is slow, and not out of reach
MANY: Final = 1_000_000
HOSTING: Final = AllSettings(
    server=ServerSettings(port=0, log_level="error"), mongo=MongoSettings(timeout_seconds=DATABASE_SECONDS)
)
LIMITS: Final = LimitSettings(
    frames_per_second=100_000, frames_burst=MANY, sockets_per_person=100, sockets_per_address=1_000
)
SETTINGS: Final[dict[str, Any]] = {
    "session": SessionSettings(
        limits=LIMITS,
        sign_in_tries_per_name=MANY,
        sign_in_tries_per_address=MANY,
        sign_ins_per_name=MANY,
        sign_ins_per_address=MANY,
        sign_ins_per_person=MANY,
        accounts_per_address=MANY,
    ),
    "timecode": TimecodeSettings(limits=LIMITS),
    "messages": MessagesSettings(limits=LIMITS, chat_per_second=100_000, chat_burst=MANY),
    "prediction": PredictionSettings(limits=LIMITS),
    "videos": VideosSettings(asked_per_second=100_000, asked_burst=MANY),
    "recommendation": RecommendationSettings(),
}


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """The services, with what they said, for as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fuzz.deployment", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=Path(__file__).parents[2],
        start_new_session=True,
    )
    server = Server(process)
    server.listen()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.close()


def serve(folder: Path) -> None:
    """What the process does until it is told to stop."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_app, "Passwords", partial(Passwords, CHEAPEST))
        patch.setattr(session_handler, "SESSIONS_PER_WINDOW", MANY)
        patch.setattr(session_handler, "CODES_PER_WINDOW", MANY)
        patch.setattr(prediction_handler, "CHANGES_PER_WINDOW", MANY)
        patch.setattr(recommendation_handler, "ASKED_BURST", MANY)
        patch.setattr(recommendation_handler, "TOLD_PER_WINDOW", MANY)
        plan = Deployment(ALL, HOSTING, SETTINGS, folder)

        @asynccontextmanager
        async def deploy(metrics: Metrics) -> AsyncIterator[Sequence[Service]]:
            async with plan.deploy(metrics) as services:
                videos = next(service for service in services if isinstance(service, VideosService))
                films = (("The Third Man", 1949), ("Charade", 1963), ("M", 1931))
                await videos._database.table(WORKS).upsert_many([work(*film) for film in films])
                yield services

        serve_forever(deploy, HOSTING.server, lambda url: print(f"Serving at {url}", flush=True))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
