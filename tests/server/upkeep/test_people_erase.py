"""A person is erased, or half erased by somebody who was killed at any write, and erased again."""

import asyncio
import contextlib
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dateflicks.server.recommendation import records as recommendation
from dateflicks.server.services.session import records as session
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.nxfiles import NxFiles
from dateflicks.server.storage.table import Table
from dateflicks.server.upkeep.declared import DATABASES
from dateflicks.server.upkeep.people import COLLECTIONS, Accounts, Everywhere
from dateflicks.server.upkeep.people_erase import Erasing
from tests.fuzz.stage import FILM, Person, Stage
from tests.server.upkeep.kept import everything
from tests.strangers.scene import staged

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WRITES = ("insert", "compare_and_set", "replace", "upsert", "upsert_many", "delete", "delete_many")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Person, Person]:
    """A folder whose services have stopped, and two of its people."""
    folder = tmp_path_factory.mktemp("made") / "server"
    folder.mkdir()

    async def make() -> tuple[Person, Person]:
        async with staged(folder) as scene:
            await scene.run(live, scene.stage)
            return scene.stage.caller, scene.stage.other

    return folder, *asyncio.run(make())


def live(stage: Stage) -> None:
    """What two leave behind, the caller of whom is to be erased."""
    one, other, evening = stage.caller, stage.other, stage.evening
    details = {"note": f"Come, says {one.name}"}
    asked = {"session": {"guestUserId": other.id, "video": FILM, "details": details}}
    stage.call("POST", "/sessions", one.token, asked)
    stage.asked(other, one)
    stage.call("POST", "/sessions", one.token, {"session": {"video": FILM}, "link": True})
    for ticket in (evening.ticket, evening.others_ticket, evening.ticket):
        stage.call("POST", f"/messages/{evening.id}", ticket, {"message": {"content": "Zither!"}})
    bet = stage.bet("call", "lock", "propose")
    stage.call("POST", f"/predictions/{evening.id}/{bet.path['id']}/confirm", evening.others_ticket, {})
    for person, friend in ((one, other), (other, one)):
        stage.call("PUT", f"/users/me/friends/{friend.name}", person.token)
    (video, *_) = stage.call("GET", "/recommendations", one.token)["items"]
    film = video["videoId"]
    stage.call("PUT", f"/recommendations/ratings/{film}", one.token, {"rating": "up"})
    stage.call("POST", "/recommendations/events", one.token, {"videoId": film, "event": "shown", "position": 0})


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Everywhere]:
    wanted = [one for collections in COLLECTIONS.values() for one in collections]
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), folder, wanted, role="worker") as database:
        yield Everywhere(dict.fromkeys(COLLECTIONS, database))
        assert not database.fence.breaches


async def erase(everywhere: Everywhere, text: str) -> dict[str, int]:
    user = await Accounts(everywhere).find(text)
    return dict(await Erasing(everywhere, user, settle_seconds=0.0, now=lambda: 1.8e9).run())


async def read(folder: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    with NxFiles.open(folder, DATABASES) as kept:
        return await everything(kept)


def settled(found: dict[tuple[str, str], list[dict[str, Any]]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What must be the same however often it was begun: all but versions, commands, and what is only told."""
    return {
        place: sorted(
            ({name: value for name, value in one.items() if name not in ("rev", "cmds")} for one in documents),
            key=lambda one: json.dumps(one, sort_keys=True),
        )
        for place, documents in found.items()
        if place[1] not in ("notices", "changes")
    }


async def test_nothing_names_them_and_what_two_have_made_is_there_for_the_other(
    made: tuple[Path, Person, Person], tmp_path: Path
) -> None:
    source, one, other = made
    folder = tmp_path / "server"
    shutil.copytree(source, folder)
    async with opened(folder) as everywhere:
        done = await erase(everywhere, one.name)
        assert await erase(everywhere, one.id) == {}
    found = await read(folder)

    assert one.name not in json.dumps(list(found.values()), default=str)
    assert (done["sessions"], done["messages"], done["ratings"], done["shown"], done["friends"]) == (4, 2, 1, 1, 2)
    assert sorted(one["state"] for one in found["SessionDb", "sessions"]) == ["cancelled", "ended", "rejected"]
    assert [(m["seq"], m["content"]) for m in found["MessageDb", "messages"]] == [(1, ""), (2, "Zither!"), (3, "")]
    assert found["UserRecommendationDb", "ratings"] == []
    assert [one["_id"] for one in found["SessionDb", "friends"]] == [session.list_id(other.id)]
    assert [o["name"] for o in found["UserPredictionDb", "outcomes"][0]["people"]] == [session.ERASED]

    async with opened(folder) as everywhere:
        await everywhere.table(recommendation.RECOMMENDATIONS).insert(
            {"_id": "r:pair", "userId": recommendation.pair_of(one.id, other.id), "score": 1.0, "videoId": "vid_x"}
        )
        await erase(everywhere, other.name)
    found = await read(folder)

    nothing = {place for place, documents in found.items() if not documents}
    assert nothing >= {
        ("SessionDb", "sessions"), ("SessionDb", "tokens"), ("SessionDb", "friends"), ("MessageDb", "messages"),
        ("MessageDb", "marks"),
        ("UserPredictionDb", "predictions"), ("UserPredictionDb", "outcomes"), ("TimecodeDb", "timecodes"),
        ("UserRecommendationDb", "recommendations"),
    }  # fmt: skip


async def test_what_was_under_way_when_it_began_is_found_when_all_is_looked_at_once_more(
    made: tuple[Path, Person, Person], tmp_path: Path
) -> None:
    source, one, other = made
    folder = tmp_path / "server"
    shutil.copytree(source, folder)
    async with opened(folder) as everywhere:
        sessions, friends = everywhere.table(session.SESSIONS), everywhere.table(session.FRIENDS)

        class Late(Erasing):
            async def _take_the_name(self) -> None:
                """Somebody has looked them up before, and writes now."""
                await super()._take_the_name()
                (like, *_) = await sessions.find("guestUserId", one.id, limit=1)
                await sessions.insert({**like, "_id": "ses_late", "rev": 1, "guestName": one.name})
                friend = {"_id": session.friend_id(other.id, one.name), "userId": other.id, "friendId": one.id}
                await friends.insert({**friend, "name": one.name, "since": 1.0})

        user = await Accounts(everywhere).find(one.name)
        await Late(everywhere, user, settle_seconds=0.01).run()
    found = await read(folder)

    assert any(document["_id"] == "ses_late" for document in found["SessionDb", "sessions"])
    assert one.name not in json.dumps(list(found.values()), default=str)


class Killed(BaseException):
    """Nobody catches it."""


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])
async def test_whoever_is_killed_at_any_write_and_begins_again_ends_as_if_nothing_had_been(
    made: tuple[Path, Person, Person], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    source, one, other = made
    at_once, again = tmp_path / "at-once", tmp_path / "again"
    for folder in (at_once, again):
        shutil.copytree(source, folder)
    async with opened(at_once) as everywhere:
        await erase(everywhere, one.name)
        await erase(everywhere, other.name)

    left = 0

    def until_killed(write: Any) -> Any:
        async def carried_out(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            if not left:
                raise Killed
            left -= 1
            return await write(*arguments, **named)

        return carried_out

    async with opened(again) as everywhere:
        for name in WRITES:
            monkeypatch.setattr(Table, name, until_killed(getattr(Table, name)))
        for person in (one, other):
            for writes in itertools.count(step=step):
                left = writes
                try:
                    await erase(everywhere, person.name)
                except Killed:
                    assert writes < 200, "it never comes to its end"
                    continue
                break
        monkeypatch.undo()

    assert settled(await read(again)) == settled(await read(at_once))
