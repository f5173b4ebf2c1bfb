"""Evenings at random: people speak, change what they said, are cut off, come back, and end with the same talk."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import Any

import pytest

from dateflicks.server.services.messages import handler
from tests.server.services.messages.deployment import Deployment, Person, Speaker, Talk

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

STEPS = 120


class Client:
    """Somebody with a list of what was said, who resumes from what it has after each break."""

    def __init__(self, shared: Deployment, talk: Talk, person: Person) -> None:
        self._shared, self._talk, self.person = shared, talk, person
        self.said: dict[int, dict[str, Any]] = {}
        self.changes = 0
        self._open = AsyncExitStack()
        self.speaker: Speaker | None = None

    async def come(self) -> Speaker:
        """Connect and resume."""
        if self.speaker is None:
            self.speaker = await self._open.enter_async_context(
                self._shared.speaker(self._talk, self.person, is_silent=True)
            )
            self.speaker.feed.check = self._hear
            await self.speaker.feed.send(type="resume", after=max(self.said, default=0), changes=self.changes)
        return self.speaker

    async def go(self) -> None:
        """Be cut off, whatever is under way."""
        if self.speaker is not None:
            self.speaker.feed.socket.transport.abort()
            self.speaker = None
            await self._open.aclose()

    def _hear(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "message":
                message = frame["message"]
                assert message["seq"] == max(self.said, default=0) + 1, "once and in order"
                self.said[message["seq"]] = message
            case "edited" | "deleted":
                self.said[frame["seq"]] = self.said[frame["seq"]] | {"content": frame.get("content", "")}
                self.changes = frame["change"]
            case "resumed":
                self.changes = frame["changes"]


@pytest.mark.parametrize("seed", range(4))
async def test_all_end_with_the_talk_that_is_in_the_database(
    shared: Deployment, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "FIRST_FRAME_SECONDS", 600.0)  # a busy machine may be slow to resume
    dice, talk = random.Random(seed), shared.talk()
    clients = [Client(shared, talk, person) for person in (talk.ana, talk.bea, talk.ana, talk.bea)]
    for step in range(STEPS):
        client = dice.choice(clients)
        own = [one for one in client.said.values() if one["author"] == client.person.id and one["content"]]
        speaker = await client.come()
        match dice.choice(["say", "say", "say", "edit", "delete", "go", "wait"]):
            case "say":
                await speaker.say(f"{step}", clientId=f"{dice.randrange(STEPS)}")  # now and then one that was used
            case "edit" if own:
                await speaker.feed.send(type="edit", id=dice.choice(own)["id"], content=f"edited {step}")
            case "delete" if own:
                await speaker.feed.send(type="delete", id=dice.choice(own)["id"])
            case "go":
                await client.go()
            case _:
                await asyncio.sleep(0)
    end = (await shared.post(talk, talk.ana, {"content": "end"}))["message"]["seq"]
    for client in clients:
        speaker = await client.come()
        await speaker.resume(max(client.said, default=0), changes=client.changes)
        assert max(client.said) == end
    documents = await shared.documents(talk, end + 100)
    kept = {one["seq"]: one["content"] for one in documents}
    assert list(kept) == list(range(1, end + 1))
    for client in clients:
        assert {seq: one["content"] for seq, one in client.said.items()} == kept
        await client.go()
