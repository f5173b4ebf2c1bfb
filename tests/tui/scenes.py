"""Every screen that shows other people's text, with texts that a test chooses; also in a process of its own.

`python -m tests.tui.scenes SCENE TEXTS [GLYPHS]` shows one until it is told to end.
"""

import asyncio
import inspect
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from dateflicks.client.chat_updates import CaughtUp, ChatLine, Said, TypingNow
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.credentials import CredentialStore, SignIn
from dateflicks.client.errors import FilmMissing
from dateflicks.client.ledger import Changed, ScoresChanged
from dateflicks.client.predictions import PredictionsLine
from dateflicks.protocol.bodies import SessionBody, VideoRef
from dateflicks.protocol.predictions import ScoreBody
from dateflicks.settings.client import ClientSettings, TuiSettings
from dateflicks.tui.app import DateflicksApp
from dateflicks.tui.model import (
    ConsentChosen,
    Event,
    LinkChanged,
    Person,
    PlayerAttached,
    Toasted,
    WatchState,
)
from dateflicks.tui.screens.ask_film import AskFilmScreen
from dateflicks.tui.screens.choose import ChooseScreen
from dateflicks.tui.screens.confirm import ConfirmScreen
from dateflicks.tui.screens.predictions import PredictionsScreen
from dateflicks.tui.screens.sign_in import SignInScreen
from dateflicks.tui.screens.waiting import WaitingScreen
from dateflicks.tui.surroundings import InLobby, Surroundings
from tests.client.recommendations import fit_json, pick_json, recommends
from tests.scripted_server import Answer, ScriptedServer, session_json
from tests.tui.evenings import BEA, LENGTH, ME, after, bet, call, message, opened, pending, person, sample, timecode

HARMLESS: Final = (
    "two bowls. one is sacrificial",
    "they're coming to get you, Barbara",
    "stop doing the voice",
    "why would you go INTO the cellar",
    "日本語で, naïve café, 👍",
)


def state_of(texts: Sequence[str], *, is_asked: bool = True) -> WatchState:
    """An evening in which everything that others write is one of these texts."""
    count = len(texts)

    def text(number: int) -> str:
        return texts[number % count]

    people = (
        Person(user_id=ME, name="ana", role="host", is_me=True),
        Person(user_id=BEA, name=text(0), role="guest", is_me=False),
    )
    both = {ME: person("ana", role="host"), BEA: person(text(0), drift=-0.001)}
    events: list[tuple[float, Event]] = [
        (0.0, opened(title=text(1), people=people)),
        (0.0, ConsentChosen(consent=ConsentSettings.all(Consent.ASK))),
        (0.0, PlayerAttached(name=text(2) if count > 5 else "mpv")),
        (0.0, LinkChanged(True)),
        (0.0, timecode(participants=both)),
        (1.0, sample(1.0)),
        (1.0, ChatLine(True)),
    ]
    for number in range(2 * count):
        kind = "reaction" if number % 5 == 4 else "action" if number % 5 == 3 else "text"
        said = message(number + 1, text(number), type=kind, author_name=text(number + 1), author=BEA)
        events.append((1.0, Said(said, False)))
    events += [
        (1.0, CaughtUp(2 * count)),
        (1.0, TypingNow(((BEA, text(0)),))),
        (1.0, PredictionsLine(True)),
    ]
    for number in range(min(count, 12)):
        options = list(dict.fromkeys((text(number + 1), text(number + 2), "no")))
        one = bet(
            number,
            details=text(number),
            options=options,
            author_name=text(number + 3),
            calls=[call(BEA, author_name=text(0)), call(ME, option=options[0], confidence=0.8)],
        )
        events.append((1.0, Changed(one, "present", None)))
    scores = (
        ScoreBody(user_id=BEA, name=text(0), points=23.0, calls=1, right=1, brier=0.02),
        ScoreBody(user_id=ME, name="ana", points=-11.0, calls=1, right=0, brier=1.28),
    )
    events.append((1.0, ScoresChanged(scores)))
    events.append((1.0, Toasted(text=text(3), is_trouble=True)))
    if is_asked:
        wants = timecode(2.0, revision=2, reason="pause", by=BEA, pending=pending(), participants=both)
        events.append((2.0, wants))
    return after(events)


def session_of(texts: Sequence[str], number: int = 0, **changes: Any) -> dict[str, Any]:
    """A session as a server may tell of it."""
    first, second = texts[number % len(texts)], texts[(number + 1) % len(texts)]
    names = {"hostName": first, "guestName": "ana", "hostUserId": BEA, "guestUserId": ME}
    video = {"url": "https://films.example.org/general.mp4", "title": second[:200], "length": LENGTH}
    return session_json(id=f"ses_{number:026d}", **names, video=video, **{"details": {"note": first}, **changes})


def hostile_server(texts: Sequence[str]) -> ScriptedServer:
    """A server that answers as servers do, with these texts in it, and has no live line."""
    server = ScriptedServer()
    states = ("pending", "accepted", "rejected", "ended")
    sessions = [session_of(texts, number, state=states[number % 4]) for number in range(max(4, len(texts)))]
    watched = [
        {
            "sessionId": one["id"], "videoId": None, "video": one["video"], "withUserId": BEA, "position": 600.0,
            "withName": one["hostName"], "startedAt": "2026-11-24T01:43:00.123Z", "endedAt": None, "length": LENGTH,
        }
        for one in sessions
    ]  # fmt: skip
    server.on("GET", "/users/me", {"id": ME, "name": texts[0], "user": {"id": ME, "name": texts[0]}})
    server.on("GET", "/sessions", {"items": sessions, "next": None})
    server.on("GET", "/history", {"items": watched, "next": None})
    picks = [
        pick_json(
            number, one[:200], why=one, variant=one[:60],
            fits=[fit_json(ME, 0.9, one, has_seen=True), fit_json(BEA, 0.7, one)],
        )
        for number, one in enumerate(texts, 10)
    ]  # fmt: skip
    recommends(server, *picks, variant=texts[0], note=texts[-1])
    for one in picks:
        server.on("GET", f"/recommendations/{one['videoId']}/why", {"recommendation": one})
    server.on("POST", "/tokens", Answer.problem(401, texts[0], errors=[{"field": texts[1], "message": texts[2]}]))
    for number, verb in enumerate(("accept", "reject", "cancel")):
        for one in sessions:
            server.on("POST", f"/sessions/{one['id']}/{verb}", Answer.problem(409, texts[number % len(texts)]))
    return server


class Staged(DateflicksApp):
    """Begins with a scene instead of the lobby; no room is open."""

    CSS_PATH = Path(inspect.getfile(DateflicksApp)).with_name("app.tcss")

    def __init__(self, surroundings: Surroundings, scene: "Scene", texts: Sequence[str]) -> None:
        super().__init__(surroundings, InLobby())
        self.animation_level = "none"
        self.scene = scene
        self._texts = texts

    def to_lobby(self) -> None:
        """The scene is what there is."""
        self.call_later(self._show_scene)

    async def _show_scene(self) -> None:
        await self.scene.show(self, self._texts)

    def show_film(self, state: WatchState) -> None:
        """The film's screen with this state."""
        self.state = state
        self._go("watch")

    def show_mode(self, name: str) -> None:
        """One of the others."""
        self._go(name)


@dataclass(frozen=True, slots=True)
class Scene:
    """One screen: how it comes about, and words of our own by which it is known to be there."""

    show: Callable[[Staged, Sequence[str]], Awaitable[None]]
    words: str
    needs_server: bool = False


async def _watch(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(state_of(texts))


async def _talk(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(state_of(texts, is_asked=False))


async def _predictions(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(state_of(texts))
    await app.push_screen(PredictionsScreen())


async def _choose(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(state_of(texts))
    await app.push_screen(ChooseScreen(texts[0], "Which one comes true?", list(texts[:8])))


async def _confirm(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(state_of(texts))
    await app.push_screen(ConfirmScreen(f"{texts[0]} wants to watch this address with you. Open it?", texts[1]))


class Waiting(WaitingScreen):
    """Goes on although no room is open."""

    def _look(self) -> None:
        """Nobody comes."""


async def _waiting(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(WatchState())
    await app.push_screen(Waiting("dateflicks join k3v9x-tzq41-09ajm-hd2we", texts[0], texts[1]))


async def _ask_film(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(state_of(texts))
    session = msgspec.convert(session_of(HARMLESS), SessionBody)
    session = msgspec.structs.replace(session, video=VideoRef(url="general.mkv", title=texts[0], length=LENGTH))
    await app.push_screen(AskFilmScreen(FilmMissing(texts[1], looked_in=tuple(texts[:2])), session))


async def _sign_in(app: Staged, texts: Sequence[str]) -> None:
    app.show_film(WatchState())
    await app.push_screen(SignInScreen(app.surroundings.server, "", texts[0]))


async def _lobby(app: Staged, texts: Sequence[str]) -> None:
    del texts
    app.client = app.surroundings.client("t0ken")
    app.show_mode("lobby")


async def _history(app: Staged, texts: Sequence[str]) -> None:
    del texts
    app.client = app.surroundings.client("t0ken")
    app.show_mode("history")


async def _recommendations(app: Staged, texts: Sequence[str]) -> None:
    del texts
    app.client = app.surroundings.client("t0ken")
    app.show_mode("recommendations")


async def _told(app: Staged, texts: Sequence[str]) -> None:
    await _lobby(app, texts)
    for text in texts[:3]:
        app.tell(text, is_trouble=True)


MUCH_OF_OTHERS: Final = ("talk", "predictions", "lobby", "told")
SCENES: Final[dict[str, Scene]] = {
    "watch": Scene(_watch, "[y]"),
    "talk": Scene(_talk, "say something"),
    "predictions": Scene(_predictions, "predictions"),
    "choose": Scene(_choose, "Which one comes true?"),
    "confirm": Scene(_confirm, "No"),
    "waiting": Scene(_waiting, "dateflicks join k3v9x"),
    "ask_film": Scene(_ask_film, "Without a film"),
    "sign_in": Scene(_sign_in, "Create account"),
    "lobby": Scene(_lobby, "invites you", needs_server=True),
    "history": Scene(_history, "10:00 of", needs_server=True),
    "recommendations": Scene(_recommendations, "82 %", needs_server=True),
    "told": Scene(_told, "invites you", needs_server=True),
}


def staged(name: str, texts: Sequence[str], home: Path, server: str = "http://127.0.0.1:9", **tui: Any) -> Staged:
    """An app that shows this scene; `tui` are settings of that section."""
    surroundings = Surroundings(
        settings=ClientSettings(server=server, player="none", tui=TuiSettings(**tui)),
        credentials=CredentialStore(home / "credentials.json", keep_in="file"),
        server=server,
        home=home,
        settings_file=home / "client.toml",
        login="ana",
        environ=dict(os.environ),
    )
    sign_in = SignIn(name="ana", user_id=ME, expires_at="2027-12-24T01:43:00.123Z", token="t0ken")
    if name != "sign_in":
        surroundings.credentials.put(server, sign_in)
    return Staged(surroundings, SCENES[name], texts)


def main() -> None:
    """One scene, in this terminal."""
    name, texts = sys.argv[1], json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    tui = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(hostile_server(texts)).url if SCENES[name].needs_server else "http://127.0.0.1:9"
        asyncio.run(staged(name, texts, home, server, **tui).run_async())


if __name__ == "__main__":
    main()


def each_scene() -> list[Any]:
    """Every scene as a parameter; those that have little of others on them only where there is time for all."""
    return [name if name in MUCH_OF_OTHERS else pytest.param(name, marks=pytest.mark.long) for name in SCENES]
