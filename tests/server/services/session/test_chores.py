"""What the service does by itself now and then, and what a later process finds."""

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from argon2.profiles import CHEAPEST

from dateflicks.core.limits import TOKEN_LIFETIME_SECONDS
from dateflicks.server.services.session import app, records
from dateflicks.server.services.session.people import People
from dateflicks.server.storage.records import StorageFault
from tests.server.services.session.deployment import PASSWORD, Deployment, Person, deployed
from tests.server.services.session.test_hub import Listener


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is done all the time."""
    for name in ("TICK_SECONDS", "WRITE_SECONDS", "RECHECK_SECONDS", "SWEEP_SECONDS"):
        monkeypatch.setattr(app, name, 0.01)


async def until(predicate: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(5.0):
        while not await predicate():  # noqa: ASYNC110 - chores tell nobody that they are done
            await asyncio.sleep(0.01)


async def connected(deployment: Deployment, person: Person) -> Listener:
    """A connection of theirs, as the feed makes it."""
    hub, listener = deployment.service._hub, Listener()
    hub.open(hub.take(await deployment.service._people.authenticate(person.token)), listener, [])
    return listener


@pytest.mark.usefixtures("often")
async def test_expired_tokens_are_forgotten_and_others_are_not(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        old = await deployment.person()
        deployment.clock.now += TOKEN_LIFETIME_SECONDS + 1.0
        new = await deployment.person()
        tokens = deployment.database.table(records.TOKENS)

        async def is_swept() -> bool:
            return await tokens.between("expiresAt", below=deployment.clock()) == []

        await until(is_swept)
        assert (await old.call("GET", "/users/me")).status_code == 401
        assert (await new.call("GET", "/users/me")).status_code == 200


@pytest.mark.usefixtures("often")
async def test_connections_end_whose_token_expired_or_was_revoked_by_another_process(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        expired = await connected(deployment, await deployment.person())
        deployment.clock.now += TOKEN_LIFETIME_SECONDS + 1.0
        person, stays = await deployment.pair()
        revoked, kept = await connected(deployment, person), await connected(deployment, stays)
        token_id = deployment.signer.verify_user_token(person.token).token_id
        await deployment.database.table(records.TOKENS).delete(token_id)

        async def are_closed() -> bool:
            return None not in (expired.closed, revoked.closed)

        await until(are_closed)
        assert expired.closed is not None
        assert revoked.closed is not None
        assert expired.closed[0] == revoked.closed[0] == 4401
        assert kept.closed is None


async def test_signing_out_ends_the_connections_of_this_token_at_once(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        person = await deployment.person()
        again = (await deployment.client.post("/tokens", json={"name": person.name, "password": PASSWORD})).json()
        out, stays = await connected(deployment, person), await connected(deployment, deployment.of(again))

        await person.call("DELETE", "/tokens/current")

        assert out.closed is not None
        assert out.closed[0] == 4401
        assert stays.closed is None


@pytest.mark.usefixtures("often")
async def test_a_chore_that_fails_keeps_no_other_from_being_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: People) -> int:
        raise KeyError("a mistake")

    monkeypatch.setattr(People, "sweep", fail)
    async with deployed(tmp_path) as deployment:
        host, guest = await deployment.pair()
        session = await guest.act(await host.ask(guest), "accept")
        marks = deployment.database.table(records.PROGRESS)
        for position in (10.0, 20.0):
            deployment.bus.publish("playback", {"sessionId": session["id"], "position": position, "length": 90.0})

            async def is_written(position: float = position) -> bool:
                return ((await marks.get(session["id"])) or {}).get("position") == position

            await until(is_written)


@pytest.mark.usefixtures("often")
async def test_a_stop_is_prompt_even_when_a_chore_does_not_hear_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = asyncio.Event()

    async def overhear(_: People) -> int:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(People, "sweep", overhear)
    async with asyncio.timeout(4.0), deployed(tmp_path):
        await begun.wait()


async def test_a_hash_that_was_cheaper_is_renewed_at_the_next_sign_in(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        person = await deployment.person()
        before = await deployment.database.table(records.USERS).get(person.id)

    async with deployed(tmp_path, cost=dataclasses.replace(CHEAPEST, time_cost=2)) as deployment:
        users = deployment.database.table(records.USERS)
        body = {"name": person.name, "password": PASSWORD}
        responses = await asyncio.gather(*(deployment.client.post("/tokens", json=body) for _ in range(3)))
        after = await users.get(person.id)
        assert [response.status_code for response in responses] == [201] * 3
        assert before is not None
        assert after is not None
        assert "t=1" in before["passwordHash"]
        assert "t=2" in after["passwordHash"]
        assert (await deployment.client.post("/tokens", json=body)).status_code == 201


async def test_a_token_and_a_code_outlive_the_process(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        host, guest = await deployment.pair()
        link = await host.link()

    async with deployed(tmp_path) as deployment:
        host.client = guest.client = deployment.client
        assert (await guest.call("POST", f"/invitations/{link['invitation']}/redeem")).status_code == 200
        assert [one["guestUserId"] for one in (await host.get("/sessions"))["items"]] == [guest.id]


async def test_one_token_that_cannot_be_read_keeps_no_other_connection_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployed(tmp_path) as deployment:
        people = [await deployment.person() for _ in range(3)]
        listeners = [await connected(deployment, one) for one in people]
        odd, revoked, _ = (deployment.signer.verify_user_token(one.token).token_id for one in people)
        await deployment.database.table(records.TOKENS).delete(revoked)
        is_signed_in = People.is_signed_in

        async def asked(self: People, token_id: str) -> bool:
            if token_id == odd:
                raise StorageFault("it cannot be read")
            return await is_signed_in(self, token_id)

        monkeypatch.setattr(People, "is_signed_in", asked)
        with contextlib.suppress(StorageFault):
            await deployment.service._recheck()
        assert [listener.closed is not None for listener in listeners] == [False, True, False]
