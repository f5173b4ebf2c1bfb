"""One person's sign-ins: how many there are at a time, and how often a right password is taken."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dateflicks.core.errors import TooMany
from dateflicks.server.auth import signed_out
from dateflicks.server.auth.tries import SignInTries, TryRules
from dateflicks.server.services.session import records
from dateflicks.settings.services import SessionSettings
from tests.server.services.session.deployment import PASSWORD, Deployment, Person, deployed, refusal


async def sign_in(deployment: Deployment, person: Person) -> Person:
    response = await deployment.client.post("/tokens", json={"name": person.name, "password": PASSWORD})
    assert response.status_code == 201, response.text
    return deployment.of(response.json())


async def status(person: Person) -> int:
    return (await person.call("GET", "/users/me")).status_code


async def test_one_sign_in_too_many_ends_the_oldest_and_everybody_is_told(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_ins_per_person=3)) as deployment:
        first = await deployment.person()
        told: list[Mapping[str, Any]] = []
        second, third = await sign_in(deployment, first), await sign_in(deployment, first)
        deployment.bus.subscribe(signed_out.TOPIC, lambda _, hint: told.append(hint))
        assert await status(first) == 200

        fourth = await sign_in(deployment, first)

        assert [await status(one) for one in (first, second, third, fourth)] == [401, 200, 200, 200]
        assert told == [{"tokenId": deployment.signer.verify_user_token(first.token).token_id}]


async def test_many_sign_ins_at_once_leave_no_more_than_there_may_be(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_ins_per_person=3)) as deployment:
        person = await deployment.person()

        people = await asyncio.gather(*(sign_in(deployment, person) for _ in range(8)))

        left = await deployment.database.table(records.TOKENS).find("userId", person.id)
        assert len(left) == 3
        assert sum([await status(one) == 200 for one in people]) == 3


async def test_what_has_piled_up_before_is_ended_with_the_next_sign_in(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_ins_per_person=2)) as deployment:
        person = await deployment.person()
        tokens, now = deployment.database.table(records.TOKENS), deployment.clock()
        piled = [
            {"_id": f"tok_{number}", "userId": person.id, "createdAt": now - number, "expiresAt": now + 1e6}
            for number in range(450)
        ]
        await tokens.insert_many(piled)

        newest = await sign_in(deployment, person)

        assert await status(newest) == 200
        assert len(await tokens.find("userId", person.id)) == 2


async def test_a_right_password_is_taken_so_often_and_then_told_to_wait(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_ins_per_name=2, sign_in_window_seconds=86_400)) as deployment:
        person, other = await deployment.pair()
        for _ in range(2):
            await sign_in(deployment, person)

        body = {"name": person.name.upper(), "password": PASSWORD}
        response = await deployment.client.post("/tokens", json=body)

        assert refusal(response) == (429, "This account was signed in to too often. Wait a while, then try again.")
        assert int(response.headers["Retry-After"]) > 1
        await sign_in(deployment, other)


def test_who_guesses_wrong_takes_no_right_sign_ins_from_the_person() -> None:
    tries = SignInTries(TryRules(per_name=3, per_address=100, good_per_name=2, window_seconds=300.0))
    for at in (0.0, 1_000.0, 2_000.0):
        for _ in range(3):
            tries.begin("ana", "somewhere", at)
    for _ in range(2):
        tries.begin("ana", "home", 4_000.0)
        tries.succeeded("ana", "home", 4_000.0)
    with pytest.raises(TooMany) as refused:
        tries.begin("ana", "home", 4_000.0)
    assert refused.value.retry_after == 150.0


async def test_many_accounts_at_one_address_sign_in_so_often_and_then_wait(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_ins_per_address=3, sign_in_window_seconds=86_400)) as deployment:
        people = [await deployment.person() for _ in range(4)]
        for person in people[:3]:
            await sign_in(deployment, person)

        response = await deployment.client.post("/tokens", json={"name": people[3].name, "password": PASSWORD})

        assert refusal(response) == (429, "Too many sign-in attempts. Wait a while, then try again.")
