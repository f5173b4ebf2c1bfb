"""The service is stopped, or killed, and started again on the same data: every prediction is where it was."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dateflicks.server.auth.key import FILE_NAME, signing_key
from dateflicks.server.auth.tokens import Signer
from dateflicks.settings.services import PredictionSettings
from tests.cli.process import Program
from tests.journeys.deployment import Deployment as Address
from tests.journeys.wire import Json, bearer
from tests.server.services.prediction.deployment import DEADLINE_SECONDS, Evening, deployed

pytestmark = pytest.mark.slow


async def test_predictions_in_every_state_are_found_as_they_were_and_go_on(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as evening_long, deployed(tmp_path) as first:
        evening = first.evening()
        opened = await first.predict(evening, evening.ana, "open")
        called = await first.predict(evening, evening.ana, "called", locksAtPosition=50, atPosition=10)
        await first.act(evening, evening.ben, called, "call", option="yes", confidence=0.7)
        locked = await first.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
        proposed = await first.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
        await first.act(evening, evening.ana, proposed, "propose", outcome="no")
        await first.settled(evening, ana=("yes", 0.9), ben=("no", 0.8))
        await first.act(evening, evening.ana, await first.predict(evening, evening.ana, "off"), "void")
        before = [await first.items(evening, person) for person in (evening.ana, evening.ben)]
        scores = await first.call("GET", f"{evening.path}/scores", evening.ana.ticket)
        ben = await evening_long.enter_async_context(first.seat(evening, evening.ben))
        await ben.hears("present", id=opened["id"])
    assert ben.feed.code == 1012
    assert "away" not in ben.reasons
    async with deployed(tmp_path) as second:
        after = [await second.items(evening, person) for person in (evening.ana, evening.ben)]
        # A deadline is of a process: everybody has the whole time again to come back to the new one.
        assert [[one | {"deadline": None} for one in items] for items in after] == [
            [one | {"deadline": None} for one in items] for items in before
        ]
        assert await second.call("GET", f"{evening.path}/scores", evening.ana.ticket) == scores
        async with second.seat(evening, evening.ben) as ben:
            second.film(evening, 50)
            assert (await ben.hears("locked"))["id"] == called["id"]
        await second.act(evening, evening.ana, opened, "call", option="yes", confidence=0.7)
        await second.act(evening, evening.ana, locked, "propose", outcome="yes")
        for one in (locked, proposed):
            assert (await second.act(evening, evening.ben, one, "confirm"))["status"] == "settled"
        pair = await second.call("GET", f"/predictions/scores?with={evening.ben.id}", evening.ana.ticket)
        assert pair["predictions"] == 3


async def test_whoever_does_not_come_back_after_a_restart_is_away(tmp_path: Path) -> None:
    async with deployed(tmp_path) as first:
        evening = first.evening()
        locked = await first.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
        async with first.seat(evening, evening.ana), first.seat(evening, evening.ben):
            await first.act(evening, evening.ana, locked, "propose", outcome="yes")
    settings = PredictionSettings(confirm_seconds=0.2)
    async with deployed(tmp_path, settings) as second, second.seat(evening, evening.ana) as ana:
        void = await ana.hears("void")
        assert (void["id"], void["voidReason"]) == (locked["id"], "silence")


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[Program, Address]]:
    """The prediction service alone, as a process of its own."""
    with Program(home, "serve", "prediction", "--port", "0", "--data", str(home / "data")) as program:
        program.until_said("Serving prediction at ")
        found = re.search(r"http://\S+", "\n".join(line for line in program.err if line.startswith("Serving")))
        assert found
        yield program, Address(found[0], is_ours=True)


class Killed:
    """A service that is killed now and then and comes back elsewhere; whoever calls it calls until it answers."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.address: Address | None = None
        self.program: Program | None = None
        self.up = asyncio.Event()
        self.kills = 0

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            self.stack = stack
            await self.start()
            yield

    async def start(self) -> None:
        self.program, self.address = await asyncio.to_thread(self.stack.enter_context, serving(self.home))
        self.up.set()

    async def kill(self) -> None:
        assert self.program is not None
        self.up.clear()
        self.program.process.kill()
        await asyncio.to_thread(self.program.process.wait)
        self.kills += 1
        await self.start()

    async def call(self, client: httpx2.AsyncClient, method: str, path: str, ticket: str, body: Any = None) -> Json:
        """The answer, however often it takes; a step whose time is past was carried out before."""
        async with asyncio.timeout(2 * DEADLINE_SECONDS):
            while True:
                await self.up.wait()
                assert self.address is not None
                try:
                    url = self.address.url + path
                    response = await client.request(method, url, json=body, headers=bearer(ticket))
                except httpx2.TransportError:
                    await asyncio.sleep(0.02)
                    continue
                if response.status_code == 503:
                    await asyncio.sleep(0.02)
                    continue
                assert response.status_code in (200, 201), (path, response.text)
                found: Json = response.json()
                return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("kills", [1, pytest.param(4, marks=pytest.mark.long)])
async def test_with_the_service_killed_at_any_moment_each_settlement_counts_once(tmp_path: Path, kills: int) -> None:
    home = tmp_path / "service"
    service = Killed(home)
    async with service.running():
        evening = Evening(Signer(signing_key("", home / "data" / FILE_NAME)))
        ana, ben = evening.ana.ticket, evening.ben.ticket
        client = httpx2.AsyncClient(trust_env=False, timeout=20)

        async def bet(number: int) -> None:
            made = {"prediction": {"details": f"number {number}", "clientId": f"n{number}"}}
            found = await service.call(client, "POST", evening.path, ana, made)
            path = f"{evening.path}/{found['prediction']['id']}"
            for ticket, verb, body in (
                (ana, "call", {"option": "yes", "confidence": 0.9}),
                (ben, "call", {"option": "no", "confidence": 0.8}),
                (ana, "lock", None),
                (ana, "propose", {"outcome": "yes"}),
                (ben, "confirm", None),
            ):
                found = await service.call(client, "POST", f"{path}/{verb}", ticket, body)
            assert found["prediction"]["status"] == "settled"

        async def bets() -> None:
            for number in range(20):
                await bet(number)

        async with client:
            betting = asyncio.create_task(bets())
            chance = random.Random(4)
            for _ in range(kills):
                await asyncio.wait([betting], timeout=chance.uniform(0.05, 0.4))
                await service.kill()
            await betting
            session = await service.call(client, "GET", f"{evening.path}/scores", ana)
            pair = await service.call(client, "GET", f"/predictions/scores?with={evening.ben.id}", ana)
    assert service.kills == kills
    assert session == pair
    assert pair["predictions"] == 20
    assert [(one["name"], one["calls"], one["right"]) for one in pair["items"]] == [("ana", 20, 20), ("ben", 20, 0)]
