"""The index follows the collection: what comes, changes and goes is found or not, through restarts and outages."""

import asyncio
import os
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dateflicks.core.errors import Unavailable
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.services.videos import following
from dateflicks.server.services.videos.app import FOLDER
from dateflicks.server.services.videos.shelf import FILE_NAME, Shelf
from tests.server.services.videos.collection import small_collection, vid, work
from tests.server.services.videos.deployment import Deployment, deployed
from tests.waiting import until


async def test_an_empty_collection_is_answered_and_what_comes_is_found(own: Deployment) -> None:
    assert await own.titles() == []
    await own.fill([work("Nosferatu", 1922, at=1.0)])
    assert await own.titles(q="nosferatu") == ["Nosferatu"]


async def test_a_work_that_changed_is_found_by_what_it_is_now(own: Deployment) -> None:
    film = work("Working Title", 1999, at=1.0)
    await own.fill([film])
    await own.fill([film | {"title": "Ordet", "titles": ["Ordet"], "updatedAt": 2.0}])
    assert await own.titles(q="working title") == []
    assert await own.titles(q="ordet") == ["Ordet"]


async def test_more_works_than_a_page_and_many_of_one_instant_are_all_read(own: Deployment) -> None:
    films = [work(f"Film {number}", 1900 + number % 100, at=1.0 + number // 150) for number in range(460)]
    await own.fill(films)
    assert own.service._shelf.count == len(films)


async def test_a_work_that_is_gone_from_the_collection_is_not_told_and_soon_not_looked_for(own: Deployment) -> None:
    await own.fill([work("Nosferatu", 1922, at=1.0), work("Vampyr", 1932, at=2.0)])
    await own.database.table(WORKS).delete(vid("Nosferatu", 1922))
    assert await own.titles(q="nosferatu") == []
    await until(lambda: own.service._shelf.count == 1)
    assert await own.titles() == ["Vampyr"]


async def test_a_restart_goes_on_with_the_file_and_notices_what_happened_meanwhile(tmp_path: Path) -> None:
    async with deployed(tmp_path) as first:
        await first.fill(small_collection())
    file = tmp_path / FOLDER / FILE_NAME
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0
    async with deployed(tmp_path) as second:
        assert second.service._shelf.count == len(small_collection())
        assert "Nosferatu" in await second.titles(q="nosferatu")
        table = second.database.table(WORKS)
        await second.service._shelf.put([work("Phantom", 1922, at=1.0)], 0)  # what only the file knows
        await table.delete(vid("M", 1931))
        second.service._following._round_began = 0.0
        await second.caught_up()
        await until(lambda: second.service._shelf.count == len(small_collection()) - 1)
        assert await second.titles(q="phantom") == []
        assert await second.titles(q="m") == []


async def test_that_the_file_is_broken_is_not_forgotten_when_another_search_is_only_held_up(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    await shelf.open()

    async def fail(error: sqlite3.Error) -> None:
        def search(_: Any) -> None:
            raise error

        with pytest.raises(Unavailable):
            await shelf._read(search)

    await fail(sqlite3.DatabaseError("database disk image is malformed"))
    await fail(sqlite3.OperationalError("database is locked"))
    assert shelf.is_broken
    await shelf.close()


async def test_a_file_that_is_broken_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE_NAME).write_bytes(b"not a database at all" * 1_000)
    async with deployed(tmp_path) as deployment:
        await deployment.fill(small_collection())
        assert await deployment.titles(q="nosferatu") == ["Nosferatu"]


async def test_a_file_of_another_version_is_made_anew(tmp_path: Path) -> None:
    async with deployed(tmp_path) as first:
        await first.fill(small_collection())
    with sqlite3.connect(tmp_path / FOLDER / FILE_NAME) as connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE name = 'version'")
    connection.close()
    async with deployed(tmp_path) as second:
        await second.caught_up()
        assert second.service._shelf.count == len(small_collection())


async def test_a_file_that_breaks_while_it_runs_is_made_anew(own: Deployment) -> None:
    await own.fill(small_collection())
    own.service._shelf.is_broken = True
    await own.caught_up()
    await until(lambda: own.service._shelf.count == len(small_collection()))
    assert await own.titles(q="nosferatu") == ["Nosferatu"]


async def test_a_folder_that_another_process_has_is_left_to_it(tmp_path: Path) -> None:
    one, other = Shelf(tmp_path), Shelf(tmp_path)
    await one.open()
    await other.open()
    await one.put([work("M", 1931)], 1)
    assert (one.count, other.count) == (1, 0)
    await other.close()
    await one.close()


async def test_while_the_index_is_filled_searches_are_answered_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    page = following.Following._page

    async def waiting(self: Any, mark: float) -> tuple[float, bool]:
        if mark > 0.0:
            await gate.wait()
        return await page(self, mark)

    async with deployed(tmp_path) as first:
        await first.fill([work(f"Film {number}", 1950, at=1.0 + number) for number in range(150)])
    (tmp_path / FOLDER / FILE_NAME).unlink()
    monkeypatch.setattr(following.Following, "_page", waiting)
    async with deployed(tmp_path) as second:
        await until(lambda: second.service._shelf.count == 100)
        answer = await second.get("/videos", q="film")
        assert (len(answer["items"]), answer["isComplete"]) == (50, False)
        assert (await second.get("/sources"))["index"] == {"count": 100, "isComplete": False, "asOf": None}
        health = (await second.rest.call("GET", "/health")).body
        assert (health["status"], health["note"]) == ("ok", "the index is being filled: 100 videos")
        gate.set()
        await until(lambda: second.service._following.is_complete)
        assert (await second.get("/videos", q="film"))["isComplete"] is True
        assert second.service._shelf.count == 150


@pytest.mark.slow
async def test_without_the_database_nothing_is_told_and_afterwards_all_is_as_before(own: Deployment) -> None:
    await own.fill(small_collection())
    with own.stopped_engine():
        await own.get("/videos", q="nosferatu", expect=503)
        await own.get(f"/videos/{vid('M', 1931)}", expect=503)
        await until(lambda: not own.service.database_up())
    await until(own.service.database_up)
    await own.fill([work("Vampyr", 1932, at=9_000.0)])
    assert await own.titles(q="vampyr") == ["Vampyr"]


@pytest.mark.slow
async def test_when_the_engine_is_killed_the_index_goes_on_where_it_was(own: Deployment) -> None:
    await own.fill(small_collection())
    assert own.database.engine is not None
    first = own.database.engine.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: own.database.engine is not None and own.database.engine.pid not in (None, first))
    await until(own.service.database_up)
    await own.fill([work("Vampyr", 1932, at=9_000.0)])
    assert own.service._shelf.count == len(small_collection()) + 1
