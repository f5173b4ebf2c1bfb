"""Somebody at a line-by-line terminal, for tests: an evening without a line, and what it says and does."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from dateflicks.cli.plain import PlainWatch
from dateflicks.cli.telling import Sentences
from dateflicks.client.chat import Conversation
from dateflicks.client.evening import Evening
from dateflicks.client.films import Film
from dateflicks.client.http import ServiceClient
from dateflicks.client.predictions import Predictions
from dateflicks.client.screen import Screen
from dateflicks.client.tickets import Tickets
from dateflicks.client.watching import Told
from dateflicks.protocol.bodies import SessionBody, TimecodeBody
from dateflicks.protocol.frames import ParticipantState, Pending, TimecodeFrame
from dateflicks.settings.client import ClientSettings
from tests.scripted_server import session_json

ANA, BEA = "usr_" + "a" * 26, "usr_" + "b" * 26
ID = "ses_" + "a" * 26
TIMECODE = TimecodeBody(
    session_id=ID, length=5400.0, current_position=0.0, status="stop", last_status_change="", revision=1
)


def told(revision: int, **changes: Any) -> Told:
    people = {
        ANA: ParticipantState(
            role="host", connected=True, buffering=False, status="stop", position=0.0, drift=0.0, name="ana"
        ),
        BEA: ParticipantState(
            role="guest", connected=True, buffering=False, status="stop", position=0.0, drift=0.0, name="bea"
        ),
    }
    frame = {
        "session_id": ID, "length": 5400.0, "current_position": 60.0, "status": "stop", "last_status_change": "",
        "at": 0.0, "rate": 0.0, "clock_id": "clk_x", "reason": "join", "by": ANA, "waiting_for": [], "pending": None,
        "participants": people,
    }  # fmt: skip
    return Told(TimecodeFrame(**{**frame, "revision": revision, **changes}))


def asked(revision: int, kind: str, to: Any) -> Told:
    pending = Pending(
        kind="seek" if isinstance(to, float) else "status", by=ANA, from_="stop", to=to, deadline=60_000.0
    )
    return told(revision, reason=kind, by=ANA, pending=pending)


class Desk:
    """Bea at her terminal: an evening without a line, what she is told, and what is asked in her name."""

    def __init__(
        self, evening: Evening, client: ServiceClient, *, is_interactive: bool, stdin: io.TextIOBase | None = None
    ) -> None:
        self.client = client
        self.stdout = io.StringIO()
        self.evening = evening
        self.watch = PlainWatch(
            evening, Sentences(self.stdout), stdin or io.StringIO(), is_interactive=is_interactive  # type: ignore[arg-type]  # a stream of text
        )  # fmt: skip
        self.done: list[tuple[str, Any]] = []
        watching: Any = evening.watching
        watching.ask = lambda status: self.done.append(("ask", status))
        watching.seek = lambda to: self.done.append(("seek", to))
        watching.confirm = lambda: self.done.append(("confirm", None))
        watching.refuse = lambda: self.done.append(("refuse", None))

    def hear(self, update: Any) -> str:
        """What is said of this."""
        before = len(self.stdout.getvalue())
        if isinstance(update, Told):
            self.evening.viewer.received(update.frame, 0.0, None)
        self.evening._tell(update)
        return self.stdout.getvalue()[before:].rstrip("\n")

    def talks(self) -> Conversation:
        """A talk whose line is made by hand."""
        tickets = Tickets(self.client, ID, "t1cket")
        url = "http://127.0.0.1:1"
        self.evening.conversation = Conversation(self.client, ID, tickets, BEA, url, self.evening._tell)
        return self.evening.conversation

    def predicts(self) -> Predictions:
        """Predictions whose line is made by hand."""
        tickets = Tickets(self.client, ID, "t1cket")
        self.evening.predictions = Predictions(self.client, ID, tickets, BEA, self.evening._tell)
        return self.evening.predictions

    def type(self, line: str) -> str:
        """What is said to this."""
        before = len(self.stdout.getvalue())
        self.watch._command(line)
        return self.stdout.getvalue()[before:].rstrip("\n")


@asynccontextmanager
async def at_desk(
    settings: ClientSettings, *, is_interactive: bool = True, stdin: io.TextIOBase | None = None
) -> AsyncIterator[Desk]:
    session = msgspec.convert(session_json(state="accepted", ticket="t1cket"), SessionBody)
    async with await Screen.open(settings) as screen, ServiceClient("http://127.0.0.1:1") as client:
        await screen.load(Film("film.mkv", "film.mkv"), told_length=5400.0)
        tickets = Tickets(client, ID, "t1cket")
        evening = Evening(session, TIMECODE, "http://127.0.0.1:1", tickets, screen, settings, BEA)
        yield Desk(evening, client, is_interactive=is_interactive, stdin=stdin)
