"""What was watched: found, sorted, gone back to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.widgets import DataTable, Input

from dateflicks.protocol.bodies import HistoryEntry, VideoRef
from dateflicks.tui._textual_private import text_grid
from dateflicks.tui.screens.history import HistoryScreen
from dateflicks.tui.screens.lobby import LobbyScreen
from dateflicks.tui.screens.watch import WatchScreen
from tests.journeys.people import Person
from tests.tui.evenings import states
from tests.tui.stage import Actor, Stage
from tests.tui.still import StillApp, settled, until


async def watched(stage: Stage, host: Person, guest: Person, title: str) -> str:
    """A film that both said yes to."""
    session = await stage.invite(host, guest, VideoRef(url="https://films.example.org/a.mkv", title=title, length=60.0))
    async with stage.client(guest) as client:
        await client.accept(session.id)
    return session.id


async def open_history(actor: Actor) -> None:
    """From the lobby."""
    await actor.until_sees("● live")
    await actor.press("h")
    await actor.until_at(HistoryScreen)


async def test_nothing_yet_says_how_to_begin(stage: Stage) -> None:
    nobody_known = await stage.crowd.stranger("new")
    async with stage.plays(nobody_known) as actor:
        await open_history(actor)
        await actor.until_sees("Nothing yet. In the lobby, n invites somebody to a film.")
        await actor.click("q back")
        await actor.until_at(LobbyScreen)


async def test_films_are_filtered_sorted_and_opened(stage: Stage, bea: Person) -> None:
    ana = await stage.crowd.stranger("ana")
    await watched(stage, ana, bea, "Detour")
    await watched(stage, bea, ana, "[red]Charade[/]")
    async with stage.plays(ana) as actor:
        await open_history(actor)
        await actor.until_sees("2 films")
        assert actor.sees("[red]Charade[/]")
        table = actor.app.screen.query_one(DataTable)
        await actor.press("slash")
        await actor.type("detour")
        await actor.until(lambda: table.row_count == 1)
        assert actor.sees("1 of 2 films")
        await actor.press("escape")
        await actor.until(lambda: table.row_count == 2)
        assert actor.app.screen.query_one("#filter", Input).value == ""
        await actor.press("s", "s")
        await actor.until_sees("film ▾")
        assert [row.split()[0] for row in actor.rows[2:4]] == ["[red]Charade[/]", "Detour"]
        await actor.press("down", "enter")
        await actor.until_at(WatchScreen)


async def test_a_moved_key_sorts(stage: Stage, ana: Person, bea: Person) -> None:
    await watched(stage, ana, bea, "Detour")
    async with stage.plays(ana, keys={"sort-history": "o"}) as actor:
        await open_history(actor)
        await actor.until_sees("when ▾")
        await actor.press("s", "o")
        await actor.until_sees("how far ▾")


async def test_at_forty_cells_film_and_company_are_there(stage: Stage, ana: Person, bea: Person) -> None:
    await watched(stage, ana, bea, "Detour")
    async with stage.plays(ana, size=(40, 10)) as actor:
        await open_history(actor)
        await actor.until_sees("Detour")
        assert actor.sees("with")


class Watched:
    """Somebody's line, on which nothing but their history can be asked for; without titles no answer comes."""

    def __init__(self, *titles: str) -> None:
        self._titles = titles

    async def all_history(self, *, limit: int) -> AsyncIterator[HistoryEntry]:
        """What they watched."""
        del limit
        if not self._titles:
            await asyncio.Event().wait()
        for title in self._titles:
            video = VideoRef(url="https://films.example.org/a.mkv", title=title, length=60.0)
            yield HistoryEntry(
                session_id=f"ses_{title}",
                video_id=None,
                video=video,
                with_user_id=None,
                with_name="bea",
                started_at="2026-11-24T21:00:00.000Z",
                ended_at=None,
                position=30.0,
                length=60.0,
            )


@pytest.mark.parametrize(
    ("then", "words"), [(None, "You are not signed in."), (Watched(), "Asking the server"), (Watched("Gilda"), "Gilda")]
)
async def test_what_one_person_watched_is_not_shown_to_the_next_nor_to_nobody(
    tmp_path: Path, then: Watched | None, words: str
) -> None:
    app = StillApp(tmp_path, states()["playing"])
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        app.client = Watched("Detour")  # type: ignore[assignment]  # all that is asked of one
        app.action_history()
        await until(pilot, lambda: "Detour" in text_grid(app))
        app.to_film()
        await until(pilot, lambda: type(app.screen) is WatchScreen)
        app.client = then  # type: ignore[assignment]  # as above
        app.action_history()
        await until(pilot, lambda: words in text_grid(app))
        assert "Detour" not in text_grid(app)
