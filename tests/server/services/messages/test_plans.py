"""What the service really sends in an evening is answered from an index, statement by statement."""

from pathlib import Path

import pytest

from dateflicks.server.services.messages.records import COLLECTIONS
from tests.server.services.messages.deployment import deployed
from tests.server.storage.plans import explained, recorded

NAMES = [collection.name for collection in COLLECTIONS]


async def test_nothing_of_an_evening_reads_a_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with deployed(tmp_path / "data") as own:
        talk = own.talk()
        with recorded(own.database, monkeypatch) as commands:
            async with own.both(talk) as (ana, bea):
                message = await ana.said("hello", clientId="mine")
                await bea.said("an answer", replyTo=message["id"])
                since = ana.feed.mark
                await ana.say("hello", clientId="mine")
                await ana.answer("mine", since=since)
                await ana.feed.send(type="edit", id=message["id"], content="else")
                await bea.told("edited")
                await ana.feed.send(type="delete", id=message["id"])
                await bea.told("deleted")
                await bea.feed.send(type="read", seq=2)
                await ana.told("read")
                await bea.resume(0, changes=0)
            for query in ("", "before=2", "after=0", "after=1"):
                await own.page(talk, query)
            own.service._handler._rooms.clear()
            await own.page(talk)
            assert await own.service._marks.flush(30.0) == 0
        kinds = {next(iter(command)) for command in commands}
    assert kinds == {"find", "insert", "update"}
    ours = [command for command in commands if next(iter(command.values())) in NAMES]
    assert len(ours) == len(commands)

    statements = explained(tmp_path / "data" / "mongo" / "databases", ours)

    assert [step for one in statements for step in one.slow_steps(NAMES)] == []
