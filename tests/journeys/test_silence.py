"""An outcome that nobody answers: with the other away it becomes void, with the other there it waits."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.journeys.betting import Bets
from tests.journeys.conftest import NAMED
from tests.journeys.deployment import Deployment, running_server
from tests.journeys.people import Crowd, act, invite, ticket_of
from tests.journeys.talk import Talk
from tests.journeys.wire import Json, open_rest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CONFIRM_SECONDS = 3.0


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment that does not wait long for an answer."""
    if NAMED:
        pytest.skip("how long a deployment waits that is named from outside is not ours to say")
    folder = tmp_path_factory.mktemp("impatient") / "data"
    folder.mkdir()
    with running_server(folder, variables={"DATEFLICKS_PREDICTION_CONFIRM_SECONDS": str(CONFIRM_SECONDS)}) as server:
        yield Deployment(server.url, is_ours=True)


@pytest.fixture
async def bets(impatient: Deployment) -> AsyncIterator[Bets]:
    crowd = Crowd(impatient)
    host, guest = await crowd.person("host"), await crowd.person("guest")
    async with open_rest(impatient) as rest:
        session = await invite(rest, host, guest)
        await act(rest, guest, session, "accept")
        tickets = {person.id: await ticket_of(rest, person, session["id"]) for person in (host, guest)}
        yield Bets.among(Talk(impatient, rest, session["id"], host, guest, tickets))


async def locked(bets: Bets) -> Json:
    """A prediction that both called and that is locked."""
    made = await bets.make(bets.host)
    await bets.call(bets.host, made, "yes", 0.9)
    await bets.call(bets.guest, made, "no", 0.6)
    return await bets.do(bets.host, made, "lock")


async def test_with_the_other_away_an_outcome_that_nobody_confirms_becomes_void(bets: Bets) -> None:
    made = await locked(bets)
    async with bets.watcher(bets.host) as host:
        began = time.monotonic()
        proposed = await bets.do(bets.host, made, "propose", outcome="yes")
        assert proposed["status"] == "locked"
        void = await host.sees(made, status="void", within=30.0)
        assert time.monotonic() - began >= CONFIRM_SECONDS - 0.5
        assert void["outcome"] is None
    await bets.do(bets.guest, made, "confirm", expect=409)
    assert (await bets.scores(bets.host))["predictions"] == 0


async def test_with_the_other_there_an_outcome_waits_for_their_answer(bets: Bets) -> None:
    made = await locked(bets)
    async with bets.watcher(bets.guest) as guest:
        await bets.do(bets.host, made, "propose", outcome="yes")
        await guest.sees(made, proposedBy=bets.host.id)
        await asyncio.sleep(2 * CONFIRM_SECONDS)
        assert (await bets.read(bets.host, made))["status"] == "locked"
        settled = await bets.do(bets.guest, made, "confirm")
        assert (settled["status"], settled["outcome"]) == ("settled", "yes")


async def test_coming_back_ends_the_silence_and_going_away_begins_it_again(bets: Bets) -> None:
    made = await locked(bets)
    async with bets.watcher(bets.host) as host:
        async with bets.watcher(bets.guest) as guest:
            await bets.do(bets.host, made, "propose", outcome="yes")
            await guest.sees(made, proposedBy=bets.host.id)
        async with bets.watcher(bets.guest) as guest:
            await guest.sees(made, status="locked")
            await asyncio.sleep(2 * CONFIRM_SECONDS)
            assert (await bets.read(bets.host, made))["status"] == "locked"
        void = await host.sees(made, status="void", within=30.0)
        assert void["outcome"] is None


async def test_who_comes_back_too_late_finds_it_void(bets: Bets) -> None:
    made = await locked(bets)
    await bets.do(bets.host, made, "propose", outcome="yes")  # nobody is connected at all
    await asyncio.sleep(CONFIRM_SECONDS + 1.0)
    async with bets.watcher(bets.guest) as guest:
        seen = await guest.sees(made, status="void")
        assert seen["outcome"] is None
    await bets.do(bets.guest, made, "confirm", expect=409)
