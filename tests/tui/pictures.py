"""Pictures of the terminal client for people who look at the project: fixed states in, the same bytes out.

    python -m tests.tui.pictures [FOLDER]

writes them into `docs/pictures`, or into another folder.
"""

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest import mock

from dateflicks.client.chat_updates import CaughtUp, ChatLine, HasRead, Said
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.feed import Lost, Opened
from dateflicks.client.http import ServiceClient
from dateflicks.client.ledger import Changed, ScoresChanged
from dateflicks.client.predictions import PredictionsLine
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.predictions import ScoreBody
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.model import ConsentChosen, Event, WatchState
from dateflicks.tui.screens.predictions import PredictionsScreen
from tests.scripted_server import ScriptedServer, session_json
from tests.tui.evenings import BEA, ME, after, bets, live, message, pending, sample, timecode
from tests.tui.scenes import Scene, Staged, staged

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
SECONDS: Final = 30.0
TALK: Final = (
    ("popcorn ready?", True),
    ("two bowls. one is sacrificial", False),
    ("they're coming to get you, Barbara", True),
    ("stop doing the voice", False),
    (":scream:", False),
    ("why would you go INTO the cellar", False),
    ("nobody in this film has seen a film", True),
    (":joy:", True),
    ("back. bathroom, sorry", False),
    ("wait, rewind ten seconds?", False),
)


def evening(*, is_asked: bool = False) -> WatchState:
    """Night of the Living Dead, 41 minutes in."""
    found: list[Event] = [ConsentChosen(consent=ConsentSettings.all(Consent.ASK)), ChatLine(True)]
    for seq, (text, is_mine) in enumerate(TALK, 1):
        kind = "reaction" if text.startswith(":") else "text"
        author, name = (ME, "ana") if is_mine else (BEA, "bea")
        place = 180.0 + 228.0 * seq
        found.append(Said(message(seq, text, author, author_name=name, type=kind, position=place), False))
    found += [CaughtUp(len(TALK)), HasRead(BEA, 7), PredictionsLine(True)]
    found += [Changed(one, "present", None) for one in bets()]
    scores = (
        ScoreBody(user_id=BEA, name="bea", points=23.0, calls=1, right=1, brier=0.02),
        ScoreBody(user_id=ME, name="ana", points=-11.0, calls=1, right=0, brier=1.28),
    )
    found.append(ScoresChanged(scores))
    events: list[tuple[float, Event]] = [*live(), *((1.0, one) for one in found)]
    events += [(float(now), sample(float(now), 0.012 * ((now * 7) % 11 - 4))) for now in range(2, 240, 2)]
    if is_asked:
        asked = timecode(240.0, revision=2, reason="pause", by=BEA, pending=pending(deadline=287.0))
        events.append((240.0, asked))
    return after(events)


def a_lobby(server: ScriptedServer, now: datetime) -> None:
    """What ana finds there."""

    def session(number: int, title: str, length: float, state: str, hours: float, **changes: Any) -> dict[str, Any]:
        made = (now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        video = {"url": "film.mkv", "title": title, "length": length}
        named: dict[str, Any] = {"hostUserId": ME, "guestUserId": BEA, "hostName": "ana", "guestName": "bea"}
        times = {"createdAt": made, "answeredAt": made, "endedAt": made if state == "ended" else None}
        return session_json(id=f"ses_{number:026d}", state=state, video=video, **named, **times, **changes)

    asks = {"hostUserId": BEA, "guestUserId": ME, "hostName": "bea", "guestName": "ana"}
    sessions = [
        {**session(1, "Charade (1963)", 6780.0, "pending", 0.1), **asks},
        session(2, "Night of the Living Dead (1968)", 5752.0, "accepted", 2),
        {**session(3, "The General (1926)", 4750.0, "pending", 3), "guestName": "teo"},
        session(4, "His Girl Friday (1940)", 5520.0, "ended", 50),
        session(5, "The Kid (1921)", 3180.0, "ended", 75),
    ]
    watched = [
        {
            "sessionId": one["id"], "videoId": None, "video": one["video"], "withUserId": BEA, "withName": "bea",
            "startedAt": one["createdAt"], "endedAt": one["endedAt"], "position": one["video"]["length"],
            "length": one["video"]["length"],
        }
        for one in sessions[3:]
    ]  # fmt: skip
    server.on("GET", "/users/me", {"id": ME, "name": "ana", "user": {"id": ME, "name": "ana"}})
    server.on("GET", "/sessions", {"items": sessions, "next": None})
    server.on("GET", "/history", {"items": watched, "next": None})


@dataclass(frozen=True, slots=True)
class Picture:
    """One file: its size in cells, what makes it, and words that are on it when it is finished."""

    width: int
    height: int
    show: Callable[[Staged], Awaitable[None]]
    words: str


async def _watch(app: Staged) -> None:
    app.show_film(evening())


async def _asked(app: Staged) -> None:
    app.show_film(evening(is_asked=True))


async def _predictions(app: Staged) -> None:
    app.show_film(evening())
    await app.push_screen(PredictionsScreen())


async def _lobby(app: Staged) -> None:
    app.client = ServiceClient(app.surroundings.server, token="t0ken")
    app.show_mode("lobby")


async def no_news(client: ServiceClient) -> AsyncGenerator[Opened | Lost | SessionBody]:
    """A line that stands, and on which nothing is said."""
    del client
    yield Opened(0.0)
    await asyncio.Event().wait()


PICTURES: Final[dict[str, Picture]] = {
    "watch": Picture(80, 24, _watch, "rewind ten seconds"),
    "watch-wide": Picture(140, 40, _watch, "rewind ten seconds"),
    "lobby": Picture(80, 24, _lobby, "together"),
    "asked": Picture(80, 24, _asked, "wants to PAUSE"),
    "predictions": Picture(80, 24, _predictions, "Ben survives"),
}


async def draw(name: str, home: Path) -> str:
    """The SVG of one picture."""
    picture = PICTURES[name]
    with ScriptedServer() as server, mock.patch("dateflicks.tui.screens.lobby.session_news", no_news):
        a_lobby(server, datetime.now(UTC))
        app = staged("talk", [""], home, server.url, glyphs="unicode", emoji="names", motion="none")
        app.scene = Scene(lambda found, _: picture.show(found), picture.words)
        async with app.run_test(size=(picture.width, picture.height)) as pilot:
            async with asyncio.timeout(SECONDS):
                while picture.words not in text_grid(app):
                    await pilot.pause(0.02)
            await pilot.pause(0.2)
            svg = app.export_screenshot(title="dateflicks")
            return plain_svg(svg.replace(server.url.removeprefix("http://"), "films.home:8700"), name)


def plain_svg(svg: str, name: str) -> str:
    """The same picture on every machine: names of our own instead of a number made of the text, system fonts alone."""
    svg = re.sub(r"terminal-\d+", f"dateflicks-{name}", svg)
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!-- Generated with Rich.*?-->\s*", "", svg)
    return "\n".join(line.rstrip() for line in svg.strip().splitlines()) + "\n"


def draw_all(folder: Path) -> None:
    """All pictures, as files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        with tempfile.TemporaryDirectory() as home:
            (folder / f"{name}.svg").write_text(asyncio.run(draw(name, Path(home))), encoding="utf-8")


def main() -> None:
    """As the same person's, whoever draws them: at Greenwich, with all colours."""
    for name in [name for name in os.environ if name == "NO_COLOR" or name.startswith("TEXTUAL")]:
        del os.environ[name]
    os.environ |= {"TZ": "UTC", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    time.tzset()
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)


if __name__ == "__main__":
    main()
