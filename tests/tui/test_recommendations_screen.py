"""The screen of recommendations: what each key does, what is told of what was on it, and what it says in trouble."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.screens import recommendations as screen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.screens.recommendations import RecommendationsScreen
from dateflicks.tui.surroundings import AtSession
from tests.client.recommendations import film_id, fit_json, pick_json, picks_json, recommends, told
from tests.client.videos import netflix_json, video_json
from tests.scripted_server import Answer, ScriptedServer, scripted_server, session_json
from tests.tui.evenings import BEA, ME
from tests.tui.scenes import Staged, staged
from tests.tui.still import settled, until

NARROW, TINY = (80, 24), (40, 10)
CHARADE, DETOUR = film_id(1), film_id(2)


def pair(number: int, title: str, mine: float, theirs: float, *seen: str) -> dict[str, Any]:
    fits = [fit_json(ME, mine, "Laura", has_seen=ME in seen), fit_json(BEA, theirs, "D.O.A.", has_seen=BEA in seen)]
    why = f"both liked what is like {title}"
    return pick_json(number, title, fits=fits, basis="pair", score=(mine + theirs) / 2, why=why)


LIST = (pair(1, "Charade", 0.9, 0.7), pair(2, "Detour", 0.7, 0.8), pair(3, "Gilda", 0.6, 0.6))
SEEN = pair(6, "D.O.A.", 0.7, 0.6, ME)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A server that has a list for ana and bea."""
    monkeypatch.setattr(screen, "LOOKED_SECONDS", 0.02)
    with scripted_server() as found:
        found.on("GET", "/users/me", {"id": ME, "name": "ana"})
        together(found, (BEA, "bea"))
        recommends(found, *LIST, SEEN)
        yield found


def together(server: ScriptedServer, *people: tuple[str, str]) -> None:
    """Ana has watched with these people."""
    sessions = [
        session_json(isAccepted=True, state="ended", hostUserId=ME, guestUserId=user_id, guestName=name)
        for user_id, name in people
    ]
    server.on("GET", "/sessions", {"items": sessions, "next": None})


@asynccontextmanager
async def at_list(
    server: ScriptedServer, home: Path, size: tuple[int, int] = NARROW, *, words: str = "Charade"
) -> AsyncIterator[tuple[Staged, Pilot[Any]]]:
    """The screen, once these words are there."""
    app = staged("recommendations", [], home, server.url, glyphs="unicode")
    async with app.run_test(size=size, notifications=True) as pilot:
        await until(pilot, lambda: words in text_grid(app))
        yield app, pilot
        for worker in list(app.workers):
            worker.cancel()
        assert app.client is not None
        await app.client.close()


def marked(app: Staged) -> str:
    """The row with the mark."""
    return next((row for row in text_grid(app).split("\n") if "▸" in row), "")


def rated(server: ScriptedServer) -> list[Any]:
    return [asked.body["rating"] for asked in server.asked if asked.method == "PUT"]


async def test_a_couple_sees_what_suits_both_with_both_fits_and_reasons(server: ScriptedServer, tmp_path: Path) -> None:
    async with at_list(server, tmp_path) as (app, pilot):
        grid = await settled(pilot)
        assert "for ana & bea" in grid
        assert "[ both ]" in grid
        assert "90 % you · 70 % bea" in grid
        assert "arm: blend 1.0" in grid
        assert "seen by one of you" in grid
        assert next(asked for asked in server.asked if asked.path == "/recommendations").query["with"] == BEA
        await pilot.press("tab")
        await until(pilot, lambda: "[ ana ]" in text_grid(app) and "Charade" in text_grid(app))
        assert "seen by one" not in text_grid(app)
        await pilot.press("tab")
        await until(pilot, lambda: "[ bea ]" in text_grid(app))
        assert "Detour" in marked(app)
        assert "80 %" in marked(app)
        await pilot.press("end")
        await pilot.resize_terminal(*TINY)
        await until(pilot, lambda: len(text_grid(app).split("\n")) == TINY[1] and "D.O.A." in marked(app))
        assert "70 % you · 60 % bea" in text_grid(app)
        assert "you have seen it; both liked" in text_grid(app)


async def test_what_was_on_the_screen_is_told_once(server: ScriptedServer, tmp_path: Path) -> None:
    recommends(server, *(pair(number, f"Film {number}", 0.5, 0.5) for number in range(30)))
    async with at_list(server, tmp_path, TINY, words="Film 0") as (_, pilot):
        await until(pilot, lambda: len(told(server, "shown")) == 5)  # as many as there is room for
        assert told(server, "shown")[0] == {"videoId": film_id(0), "event": "shown", "position": 0, "with": BEA}
        await pilot.press("end")
        await until(pilot, lambda: any(one["position"] == 29 for one in told(server, "shown")))
        await pilot.press("home", "tab")
        await until(pilot, lambda: any(one["with"] is None for one in told(server, "shown")))
        keys = [(one["videoId"], one["with"]) for one in told(server, "shown")]
        assert len(keys) == len(set(keys))
        assert len([one for one in keys if one[1] == BEA]) < 20


async def test_answers_are_given_and_taken_back(server: ScriptedServer, tmp_path: Path) -> None:
    async with at_list(server, tmp_path) as (app, pilot):
        await pilot.press("plus")
        await until(pilot, lambda: "More like Charade. u takes it back." in text_grid(app))
        recommends(server, *LIST[1:])
        hidden = {"videoId": CHARADE, "rating": "hide", "ratedAt": None}
        server.on("PUT", f"/recommendations/ratings/{CHARADE}", hidden)
        await pilot.press("h")
        await until(pilot, lambda: "Detour" in marked(app))
        await until(pilot, lambda: told(server, "dismissed"))
        recommends(server, *LIST)
        await pilot.press("u")
        await until(pilot, lambda: "Charade" in text_grid(app).split("What you said")[0])
        await settled(pilot)
        for _ in range(100):  # the list comes anew after the answer was taken back, and a key may come before it
            await pilot.press("home")
            await pilot.pause(0.05)
            if "Charade" in marked(app):
                break
        await pilot.press("minus")
        await until(pilot, lambda: rated(server) == ["up", "hide", "up", "down"])


async def test_an_answer_that_is_not_taken_is_put_back(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("PUT", f"/recommendations/ratings/{CHARADE}", Answer.problem(503, "The database is out of reach."))
    async with at_list(server, tmp_path) as (app, pilot):
        await pilot.press("h")
        await until(pilot, lambda: "The database is out of reach." in text_grid(app))
        assert "Charade" in text_grid(app)


async def test_why_is_shown_in_full_and_was_opened_and_a_way_leads_back(server: ScriptedServer, tmp_path: Path) -> None:
    server.on("GET", f"/recommendations/{DETOUR}/why", {"recommendation": LIST[1]})
    async with at_list(server, tmp_path, words="Detour") as (app, pilot):
        await settled(pilot)
        row = next(y for y, text in enumerate(text_grid(app).split("\n")) if "Detour" in text)
        await pilot.click(offset=(8, row))
        await until(pilot, lambda: "Detour" in marked(app))
        await pilot.press("w")
        await until(pilot, lambda: "Why Detour (1963)?" in text_grid(app))
        assert "bea: fits 80 %, because of" in text_grid(app)
        await until(pilot, lambda: told(server, "opened"))
        await pilot.press("escape")
        await until(pilot, lambda: type(app.screen) is RecommendationsScreen)
        gone = asyncio.Event()
        app.to_lobby = gone.set  # type: ignore[method-assign]
        await pilot.press("q")
        await until(pilot, gone.is_set)


async def test_enter_leads_to_a_session_with_this_film_and_the_other(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", f"/videos/{CHARADE}", {"video": video_json(CHARADE, "Charade", year=1963)})
    server.on("POST", "/sessions", {"session": session_json(hostUserId=ME, videoId=CHARADE)}, 201)
    opened: list[AtSession] = []
    async with at_list(server, tmp_path) as (app, pilot):
        monkeypatch.setattr(app, "open_session", opened.append)
        await pilot.press("enter")
        await until(pilot, lambda: type(app.screen) is NewSessionScreen)
        await until(pilot, lambda: "Watch Charade (1963) together" in text_grid(app))
        assert app.screen.query_one("#guest", Input).value == "bea"
        assert app.screen.query_one("#film", Input).value == "https://archive.example/film.mp4"
        app.screen.query_one("#invite").press()  # type: ignore[attr-defined]  # a button
        await until(pilot, lambda: opened)
        await until(pilot, lambda: told(server, "invited"))
        made = next(asked for asked in server.asked if asked.method == "POST" and asked.path == "/sessions")
        assert made.body["session"]["videoId"] == CHARADE
        assert made.body["session"]["guestName"] == "bea"
        assert told(server, "invited") == [{"videoId": CHARADE, "event": "invited", "position": 0, "with": BEA}]
        assert opened[0].screen is not None
        await opened[0].screen.player.close()


async def test_a_film_that_opens_elsewhere_says_so(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.on("GET", f"/videos/{CHARADE}", {"video": video_json(CHARADE, offers=[netflix_json()], source="netflix")})
    async with at_list(server, tmp_path) as (app, pilot):
        app.surroundings.settings = msgspec.structs.replace(app.surroundings.settings, player="mpv")
        await pilot.press("enter")
        await until(pilot, lambda: type(app.screen) is NewSessionScreen)
        await until(pilot, lambda: "it opens at netflix" in " ".join(text_grid(app).split()))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda server: server.on("GET", "/recommendations", picks_json()), "Nothing is recommended yet."),
        (
            lambda server: server.on("GET", "/recommendations", Answer.problem(503, "The database is away.")),
            "The database is away.",
        ),
        (lambda server: server.on("GET", "/services", {"services": {"session": server.url}}), "recommends nothing"),
    ],
    ids=["empty", "down", "none"],
)
async def test_what_is_wrong_is_said_in_any_terminal(
    server: ScriptedServer, tmp_path: Path, break_it: Callable[[ScriptedServer], None], said: str
) -> None:
    break_it(server)
    async with at_list(server, tmp_path, words=said) as (app, pilot):
        await pilot.resize_terminal(*TINY)
        await until(pilot, lambda: len(text_grid(app).split("\n")) == TINY[1] and said in text_grid(app))


async def test_what_was_known_stays_while_the_service_is_away(server: ScriptedServer, tmp_path: Path) -> None:
    async with at_list(server, tmp_path) as (app, pilot):
        server.on("GET", "/recommendations", Answer.problem(503, "The database is away."))
        await pilot.press("r")
        await until(pilot, lambda: "What is shown is what was known before" in " ".join(text_grid(app).split()))
        assert "Charade" in text_grid(app)
        recommends(server, *LIST)
        await pilot.press("r")
        await until(pilot, lambda: "The database is away." not in text_grid(app))


async def test_whoever_is_alone_is_told_how_lists_for_two_come(server: ScriptedServer, tmp_path: Path) -> None:
    together(server)
    recommends(server, pick_json(basis="popular"), note="Nobody has learned your taste yet.")
    async with at_list(server, tmp_path, words="lists for two come with") as (app, pilot):
        grid = await settled(pilot)
        assert "Nobody has learned your taste yet." in grid
        assert "tab for whom" not in grid
        await pilot.press("tab", "p")
        assert "[ ana ]" in await settled(pilot)
        assert type(app.screen) is RecommendationsScreen


async def test_another_partner_is_chosen(server: ScriptedServer, tmp_path: Path) -> None:
    together(server, (BEA, "bea"), ("usr_" + "c" * 26, "cleo"))
    async with at_list(server, tmp_path) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: "With whom would you watch?" in text_grid(app))
        await pilot.press("2")
        await until(pilot, lambda: "for ana & cleo" in text_grid(app) and "Charade" in text_grid(app))


async def test_of_two_with_the_same_name_the_one_that_was_chosen_is_taken(
    server: ScriptedServer, tmp_path: Path
) -> None:
    other = "usr_" + "c" * 26
    together(server, (BEA, "bea"), (other, "bea"))
    async with at_list(server, tmp_path) as (app, pilot):
        await pilot.press("p")
        await until(pilot, lambda: "With whom would you watch?" in text_grid(app))
        await pilot.press("2")
        await until(pilot, lambda: type(app.screen) is RecommendationsScreen)
        await until(pilot, lambda: any(other in asked.query.values() for asked in server.asked))


async def test_more_of_a_long_list_comes_as_the_mark_gets_there(server: ScriptedServer, tmp_path: Path) -> None:
    recommends(server, *LIST, next="more")
    async with at_list(server, tmp_path) as (app, pilot):
        server.on("GET", "/recommendations", picks_json(pair(9, "The last one", 0.1, 0.1)))
        await pilot.press("down")
        await until(pilot, lambda: "The last one" in text_grid(app))
        assert server.asked[-1].query.get("cursor") == "more" or any(
            asked.query.get("cursor") == "more" for asked in server.asked
        )
