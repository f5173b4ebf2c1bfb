"""Whoever is erased stays erased: services that had them in memory write neither their name nor their words again."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from dateflicks.server.services.messages import lines
from dateflicks.server.services.messages import records as messages
from dateflicks.server.services.messages.sequence import DenseSequence
from dateflicks.server.services.session import app as session_app
from dateflicks.server.services.timecode import records as timecode
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.upkeep.people import COLLECTIONS, Accounts, Everywhere
from dateflicks.server.upkeep.people_erase import Erasing
from tests.journeys.deployment import Deployment
from tests.journeys.wire import open_feed
from tests.strangers.scene import Scene, staged

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NOTICE_SECONDS", "TICK_SECONDS"):
            patch.setattr(session_app, name, 0.05)
        async with staged(tmp_path_factory.mktemp("erased")) as found:
            yield found


@pytest_asyncio.fixture(loop_scope="module")
async def everywhere(scene: Scene) -> AsyncIterator[Everywhere]:
    """What whoever keeps the deployment has, beside its services."""
    wanted = [one for collections in COLLECTIONS.values() for one in collections]
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), scene.folder, wanted, role="worker") as database:
        yield Everywhere(dict.fromkeys(COLLECTIONS, database))


async def becomes(read: Callable[[], Awaitable[str]], holds: Callable[[str], bool]) -> str:
    """Read until it is so; what was read then."""
    async with asyncio.timeout(30.0):
        while not holds(found := await read()):  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.02)
    return found


def report(session_id: str, status: str, position: float) -> dict[str, Any]:
    return {
        "type": "report", "sessionId": session_id, "currentPosition": position, "status": status, "isHost": False,
        "cause": "user",
    }  # fmt: skip


async def test_a_room_that_is_open_when_somebody_is_erased_writes_their_name_no_more(
    scene: Scene, everywhere: Everywhere
) -> None:
    stage = scene.stage
    gone, evening = stage.caller, stage.evening
    deployment = Deployment(scene.urls["session"], is_ours=True)
    records = everywhere.table(timecode.TIMECODES)

    async def kept() -> str:
        return json.dumps(await records.get(evening.id), default=str)

    async with (
        open_feed(deployment, f"/timecodes/{evening.id}/events", evening.ticket) as own,
        open_feed(deployment, f"/timecodes/{evening.id}/events", evening.others_ticket) as other,
    ):
        await other.expect(lambda frame: len(frame.get("participants", ())) == 2, "both are there")
        await becomes(kept, lambda found: gone.name in found)

        user = await Accounts(everywhere).find(gone.name)
        await Erasing(everywhere, user, settle_seconds=1.0).run()

        assert await own.expect_closed() == 4401
        await other.send(**report(evening.id, "pause", 1.0))
        found = await becomes(kept, lambda found: '"status": "pause"' in found)
        assert (gone.name in found, gone.id in found) == (False, True)

        hint = {"sessionId": evening.id, "revision": 9, "event": "paused", "by": gone.id, "name": gone.name}
        scene.services["timecode"]._bus.publish(lines.TOPIC, hint)  # type: ignore[attr-defined] # one that was late
        said = DenseSequence(everywhere.table(messages.MESSAGES), evening.id, lambda _: None)

        async def talk() -> str:
            return json.dumps(await said.page(1, 50), default=str)

        found = await becomes(talk, lambda found: "(erased) paused" in found)
        assert gone.name not in found
