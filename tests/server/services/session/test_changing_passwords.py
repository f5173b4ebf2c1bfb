"""Changing one's password, as somebody sees it who has only HTTP: who may, and what is worthless afterwards."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from dateflicks.server.auth import signed_out
from dateflicks.server.services.session import records
from dateflicks.server.storage.records import OutcomeUnknown
from dateflicks.settings.services import SessionSettings
from tests.server.services.session.deployment import PASSWORD, Deployment, Person, deployed, fields, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

NEW = "battery staple"


async def sign_in(deployment: Deployment, name: str, password: str) -> Any:
    return await deployment.client.post("/tokens", json={"name": name, "password": password})


async def change(person: Person, new: str = NEW, **body: str) -> Any:
    return await person.call("PUT", "/users/me/password", {"new": new, **body})


async def test_the_new_password_is_good_from_then_on_and_only_the_own_token_stays(shared: Deployment) -> None:
    person = await shared.person()
    other = shared.of((await sign_in(shared, person.name, PASSWORD)).json())
    told: list[Any] = []
    unsubscribe = shared.bus.subscribe(signed_out.TOPIC, lambda _, hint: told.append(hint["tokenId"]))

    response = await change(person, old=PASSWORD)
    unsubscribe()

    assert (response.status_code, response.content) == (204, b"")
    assert told == [shared.signer.verify_user_token(other.token).token_id]
    assert (await person.call("GET", "/users/me")).status_code == 200
    assert (await other.call("GET", "/users/me")).status_code == 401
    assert (await sign_in(shared, person.name, PASSWORD)).status_code == 401
    assert (await sign_in(shared, person.name, NEW)).status_code == 201


@pytest.mark.parametrize("by_themselves", [True, False])
async def test_all_are_told_of_a_token_though_nobody_knows_whether_it_is_gone(
    by_themselves: bool, shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await shared.person()
    other = shared.of((await sign_in(shared, person.name, PASSWORD)).json())
    tokens, told = shared.service._people._tokens, set[str]()
    monkeypatch.setattr(shared.service._people, "_tokens", Unanswered(tokens, "delete_many"))
    unsubscribe = shared.bus.subscribe(signed_out.TOPIC, lambda _, hint: told.add(hint["tokenId"]))

    response = await (other.call("DELETE", "/tokens/current") if by_themselves else change(person, old=PASSWORD))
    unsubscribe()

    assert response.status_code == 503
    assert told == {shared.signer.verify_user_token(other.token).token_id}


class Unanswered:
    """A table of which one operation is carried out, and not answered."""

    def __init__(self, table: Any, operation: str) -> None:
        self._table = table
        self._operation = operation

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._table, name)

        async def unanswered(*arguments: Any) -> None:
            await found(*arguments)
            raise OutcomeUnknown("nobody knows")

        return unanswered if name == self._operation else found


async def test_a_wrong_old_password_changes_nothing(shared: Deployment) -> None:
    person = await shared.person()
    other = shared.of((await sign_in(shared, person.name, PASSWORD)).json())

    status, detail = refusal(await change(person, old="wrong horse"))

    assert (status, "old password is wrong" in detail) == (403, True)
    assert fields(await change(person)) == ["old"]
    assert fields(await change(person, "short", old=PASSWORD)) == ["new"]
    assert (await other.call("GET", "/users/me")).status_code == 200
    assert (await sign_in(shared, person.name, PASSWORD)).status_code == 201


async def test_guessing_the_old_password_is_guessing_to_sign_in(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_in_tries_per_name=2)) as deployment:
        person = await deployment.person()
        for _ in range(2):
            assert (await change(person, old="wrong horse")).status_code == 403
        assert (await change(person, old=PASSWORD)).status_code == 429
        assert (await sign_in(deployment, person.name, PASSWORD)).status_code == 429


async def test_an_account_without_a_password_gets_one_and_needs_it_from_then_on(shared: Deployment) -> None:
    host = await shared.person()
    code = (await host.link())["invitation"]
    guest = shared.of((await shared.client.post(f"/invitations/{code}/redeem", json={})).json())
    assert (await guest.get("/users/me"))["hasPassword"] is False

    assert (await change(guest)).status_code == 204

    assert (await guest.get("/users/me"))["hasPassword"] is True
    assert (await sign_in(shared, guest.name, NEW)).status_code == 201
    assert fields(await change(guest, PASSWORD)) == ["old"]


async def test_the_same_change_under_the_same_key_is_made_once_and_another_is_refused(shared: Deployment) -> None:
    person = await shared.person()
    key = {"Idempotency_Key": "7a"}
    for _ in range(2):
        body = {"old": PASSWORD, "new": NEW}
        assert (await person.call("PUT", "/users/me/password", body, **key)).status_code == 204
    response = await person.call("PUT", "/users/me/password", {"old": PASSWORD, "new": "something else"}, **key)
    assert response.status_code == 422
    assert (await sign_in(shared, person.name, NEW)).status_code == 201


async def test_of_two_who_change_it_at_once_one_is_told_to_look_again(shared: Deployment) -> None:
    person = await shared.person()
    found = await asyncio.gather(*(change(person, f"{NEW} {number}", old=PASSWORD) for number in range(2)))
    assert sorted(one.status_code for one in found) in ([204, 403], [204, 409])


async def test_a_sign_in_with_the_old_password_that_is_under_way_opens_nothing(shared: Deployment) -> None:
    people, person = shared.service._people, await shared.person()
    before = await people.named(person.name)
    assert before is not None
    assert (await change(person, old=PASSWORD)).status_code == 204

    with pytest.raises(Exception, match="wrong"):
        await people._sign_in(before)

    tokens = await shared.database.table(records.TOKENS).find("userId", person.id)
    assert len(tokens) == 1


async def test_a_password_for_one_time_opens_once_and_a_new_one_needs_no_old(shared: Deployment) -> None:
    person = await shared.person()
    users = shared.database.table(records.USERS)
    user = await users.get(person.id)
    assert user is not None
    await users.compare_and_set(person.id, user["rev"], {"isOneTime": True}, command="reset")

    once = (await sign_in(shared, person.name, PASSWORD)).json()

    assert once["needsPassword"] is True
    assert (await sign_in(shared, person.name, PASSWORD)).status_code == 401
    assert (await change(shared.of(once))).status_code == 204
    assert "needsPassword" not in (await sign_in(shared, person.name, NEW)).json()


async def test_a_disabled_account_is_told_so_only_to_whoever_knows_its_password(shared: Deployment) -> None:
    person = await shared.person()
    users = shared.database.table(records.USERS)
    user = await users.get(person.id)
    assert user is not None
    await users.compare_and_set(person.id, user["rev"], {"disabledAt": 1.0}, command="disable")

    assert refusal(await sign_in(shared, person.name, PASSWORD))[0] == 403
    assert (await sign_in(shared, person.name, "wrong horse")).status_code == 401


async def test_whoever_is_being_disabled_or_erased_sets_no_password_any_more(shared: Deployment) -> None:
    person, users = await shared.person(), shared.database.table(records.USERS)
    user = await users.get(person.id)
    assert user is not None
    await users.compare_and_set(person.id, user["rev"], {"disabledAt": 1.0, "passwordHash": None}, command="disable")

    status, detail = refusal(await change(person))

    assert (status, "disabled" in detail) == (403, True)
    after = await users.get(person.id)
    assert after is not None
    assert after["passwordHash"] is None


async def test_setting_a_password_is_limited_as_signing_in_is_though_it_is_right(tmp_path: Path) -> None:
    async with deployed(tmp_path, SessionSettings(sign_ins_per_name=2)) as deployment:
        host = await deployment.person()
        code = (await host.link())["invitation"]
        guest = deployment.of((await deployment.client.post(f"/invitations/{code}/redeem", json={})).json())
        key = {"Idempotency_Key": "7c"}

        answers = [await guest.call("PUT", "/users/me/password", {"new": NEW}, **key) for _ in range(3)]

        assert [one.status_code for one in answers] == [204, 204, 429]
