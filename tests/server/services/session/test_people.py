"""Accounts and sign-ins, as somebody sees them who has only HTTP."""

import asyncio

import pytest

from dateflicks.server.services.session import records
from tests.server.services.session.deployment import PASSWORD, Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_new_account_is_signed_in_at_once(shared: Deployment) -> None:
    response = await shared.client.post("/users", json={"name": "Ada_L-1", "password": PASSWORD})

    assert response.status_code == 201
    body = response.json()
    assert body["user"]["name"] == "Ada_L-1"
    assert body["user"]["id"].startswith("usr_")
    assert body["expiresAt"].endswith("Z")
    assert set(body) == {"user", "token", "expiresAt"}
    me = await shared.of(body).get("/users/me")
    assert me["id"] == body["user"]["id"]
    assert me["user"] == body["user"]


async def test_a_name_is_taken_in_whatever_case(shared: Deployment) -> None:
    person = await shared.person()

    for name in (person.name, person.name.upper(), person.name.title()):
        response = await shared.client.post("/users", json={"name": name, "password": "another one"})
        assert response.status_code == 409
        assert response.headers["Content-Type"] == "application/problem+json"
        assert "taken" in response.json()["detail"]


async def test_of_many_who_want_one_name_at_once_exactly_one_gets_it(shared: Deployment) -> None:
    responses = await asyncio.gather(
        *(shared.client.post("/users", json={"name": name, "password": PASSWORD}) for name in ("Zoe", "zoe", "ZOE") * 3)
    )

    assert sorted(response.status_code for response in responses) == [201] + [409] * 8


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "x" * 33,
        "",
        "with space",
        "dot.ted",
        "semi;colon",
        "ünïcode",
        "аdа",
        "名前",
        "zero\u200bwidth",
        "\u202eevil",
        "new\nline",
        "a\x00b",
        "👍👍",
    ],
)
async def test_a_name_that_does_not_fit_is_refused_with_its_field(shared: Deployment, name: str) -> None:
    response = await shared.client.post("/users", json={"name": name, "password": PASSWORD})

    assert response.status_code == 422
    assert [problem["field"] for problem in response.json()["errors"]] == ["name"]


@pytest.mark.parametrize("name", ["ab", "x" * 32, "--", "__", "007", "null", "constructor"])
async def test_a_name_of_plain_letters_digits_and_dashes_fits(shared: Deployment, name: str) -> None:
    assert (await shared.person(name)).name == name


@pytest.mark.parametrize(
    "body",
    [
        {"name": {"$gt": ""}, "password": PASSWORD},
        {"name": "somebody", "password": {"$ne": None}},
        {"name": ["somebody"], "password": PASSWORD},
        {"name": "somebody", "password": 12345678},
        {"name": "somebody", "password": "x" * 257},
        {"name": "somebody"},
        {"$where": "1", "name.$gt": "", "__proto__": {}},
        [],
        "somebody",
    ],
)
async def test_what_is_not_a_name_and_a_password_never_reaches_the_database(shared: Deployment, body: object) -> None:
    for path in ("/users", "/tokens"):
        response = await shared.client.post(path, json=body)
        assert response.status_code == 422, response.text


@pytest.mark.parametrize("password", ["short", "x" * 7])
async def test_a_wrong_password_is_wrong_however_short_it_is(shared: Deployment, password: str) -> None:
    person = await shared.person()
    wrong = await shared.client.post("/tokens", json={"name": person.name, "password": password})
    assert wrong.status_code == 401
    assert (await shared.client.post("/users", json={"name": "too-short", "password": password})).status_code == 422


@pytest.mark.parametrize("name", ["x", "two words", "x" * 33, "Jos\u00e9", "\x00", "$where"])
async def test_a_name_that_nobody_can_have_is_a_wrong_name_to_sign_in_with(shared: Deployment, name: str) -> None:
    wrong = await shared.client.post("/tokens", json={"name": name, "password": PASSWORD})
    assert wrong.status_code == 401
    assert (await shared.client.post("/users", json={"name": name, "password": PASSWORD})).status_code == 422


async def test_a_right_password_signs_in_again_and_a_wrong_one_does_not(shared: Deployment) -> None:
    person = await shared.person()

    again = await shared.client.post("/tokens", json={"name": person.name.upper(), "password": PASSWORD})
    assert again.status_code == 201
    assert again.json()["user"] == {"id": person.id, "name": person.name}
    assert again.json()["token"] != person.token

    wrong = await shared.client.post("/tokens", json={"name": person.name, "password": "wrong horse"})
    assert wrong.status_code == 401


async def test_a_wrong_password_and_an_unknown_name_are_answered_alike(shared: Deployment) -> None:
    person = await shared.person()
    wrong = await shared.client.post("/tokens", json={"name": person.name, "password": "wrong horse"})
    unknown = await shared.client.post("/tokens", json={"name": "nobody-at-all", "password": "wrong horse"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_the_same_registration_under_the_same_key_signs_in_and_another_does_not(shared: Deployment) -> None:
    body = {"name": "retry-me", "password": PASSWORD}
    key = {"Idempotency-Key": "3f1c"}

    first = await shared.client.post("/users", json=body, headers=key)
    second = await shared.client.post("/users", json=body, headers=key)
    assert first.status_code == second.status_code == 201
    assert first.json()["user"] == second.json()["user"]

    other_password = await shared.client.post("/users", json=body | {"password": "other horse"}, headers=key)
    other_key = await shared.client.post("/users", json=body, headers={"Idempotency-Key": "4d"})
    assert other_password.status_code == other_key.status_code == 409


async def test_signing_out_ends_this_token_and_no_other(shared: Deployment) -> None:
    person = await shared.person()
    other = shared.of((await shared.client.post("/tokens", json={"name": person.name, "password": PASSWORD})).json())

    assert (await person.call("DELETE", "/tokens/current")).status_code == 204

    refused = await person.call("GET", "/users/me")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert (await other.call("GET", "/users/me")).status_code == 200
    assert (await person.call("DELETE", "/tokens/current")).status_code == 401


async def test_no_answer_ever_shows_a_password_or_its_hash(shared: Deployment) -> None:
    person = await shared.person(password="canary-horse")
    bad = await shared.client.post("/users", json={"name": "x", "password": "canary-horse"})
    me = await person.call("GET", "/users/me")

    for response in (bad, me):
        assert "canary" not in response.text
        assert "argon2" not in response.text


async def test_who_is_being_erased_is_named_by_nothing_new(shared: Deployment) -> None:
    ana, bea = await shared.pair()
    users = shared.database.table(records.USERS)
    document = await users.get(bea.id)
    assert document is not None
    await users.compare_and_set(bea.id, document["rev"], {"erasingAt": 1.0, "disabledAt": 1.0}, command="erase")

    answers = [
        await ana.call("PUT", f"/users/me/friends/{bea.name}"),
        await ana.call("POST", "/sessions", {"session": {"guestName": bea.name, "videoId": "vid_x"}}),
        await ana.call("POST", "/sessions", {"session": {"guestUserId": bea.id, "videoId": "vid_x"}}),
    ]

    assert [one.status_code for one in answers] == [404] * 3
    taken = await shared.client.post("/users", json={"name": bea.name, "password": PASSWORD})
    assert taken.status_code == 409
