"""Who is calling: accounts, signing in and out, and what a name and a password may be."""

from datetime import UTC, datetime

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import PASSWORD, Person, fresh_name, register
from tests.journeys.wire import RECORD_TIME, Json, Rest, is_id


def check_identity(body: Json, name: str) -> None:
    assert is_id(body["user"]["id"], "usr")
    assert body["user"]["name"] == name
    assert isinstance(body["token"], str)
    assert len(body["token"]) >= 20
    assert RECORD_TIME.fullmatch(body["expiresAt"])
    assert datetime.fromisoformat(body["expiresAt"]) > datetime.now(UTC)


def me(body: Json) -> Json:
    """The contract does not say whether the caller's own record has an envelope."""
    user: Json = body.get("user", body)
    return user


async def test_a_new_person_is_signed_in_at_once(rest: Rest) -> None:
    name = fresh_name("anna")
    body = await register(rest, name)
    check_identity(body, name)
    known = me((await rest.call("GET", "/users/me", token=body["token"])).body)
    assert (known["id"], known["name"]) == (body["user"]["id"], name)


async def test_signing_in_gives_the_same_person_another_token(rest: Rest) -> None:
    name = fresh_name("anna")
    first = await register(rest, name)
    second = (await rest.call("POST", "/tokens", {"name": name, "password": PASSWORD}, expect=201)).body
    check_identity(second, name)
    assert second["user"]["id"] == first["user"]["id"]
    assert second["token"] != first["token"]
    for body in (first, second):
        await rest.call("GET", "/users/me", token=body["token"])


async def test_signing_out_ends_this_token_and_no_other(rest: Rest) -> None:
    name = fresh_name("anna")
    first = await register(rest, name)
    second = (await rest.call("POST", "/tokens", {"name": name, "password": PASSWORD}, expect=201)).body
    await rest.call("DELETE", "/tokens/current", token=first["token"], expect=(200, 204))
    await rest.call("GET", "/users/me", token=first["token"], expect=401)
    await rest.call("GET", "/users/me", token=second["token"])


async def test_a_wrong_password_and_an_unknown_name_are_told_apart_by_nobody(rest: Rest) -> None:
    name, unknown = fresh_name("anna"), fresh_name("nobody")
    await register(rest, name)
    wrong = await rest.call("POST", "/tokens", {"name": name, "password": "not " + PASSWORD}, expect=401)
    nobody = await rest.call("POST", "/tokens", {"name": unknown, "password": PASSWORD}, expect=401)
    await rest.call("POST", "/tokens", {"name": name, "password": "wrong"}, expect=401)
    for part in ("type", "title", "detail"):
        assert wrong.body[part].replace(name, "NAME") == nobody.body[part].replace(unknown, "NAME")


async def test_a_name_is_taken_without_regard_to_case(rest: Rest) -> None:
    name = fresh_name("Anna")
    await register(rest, name)
    for again in (name, name.lower(), name.upper()):
        await rest.call("POST", "/users", {"name": again, "password": PASSWORD}, expect=409)


@pytest.mark.parametrize("name", ["ab", "A_b-9", "x" * 32, "-_"], ids=["two", "all kinds", "thirty-two", "no letter"])
async def test_names_of_the_allowed_characters_and_lengths_are_taken_as_they_are(rest: Rest, name: str) -> None:
    # Short names may belong to somebody of an earlier run on the same deployment.
    body = {"name": name, "password": PASSWORD}
    answer = await rest.call("POST", "/users", body, expect=(201, 409))
    if answer.status == 201:
        check_identity(answer.body, name)


BAD_NAMES = {
    "empty": "",
    "one character": "a",
    "thirty-three": "x" * 33,
    "a space": "two words",
    "a dot": "a.b",
    "a slash": "a/b",
    "an at sign": "a@b",
    "a newline at the end": "anna\n",
    "a NUL": "an\x00na",
    "right to left": "an\u202ena",
    "escape": "an\x1b[2Jna",
    "a zero width space": "an\u200bna",
    "a number": 12345,
    "null": None,
    "true": True,
    "a list": ["anna"],
    "an operator": {"$gt": ""},
}


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
async def test_other_names_are_refused_with_the_field_that_is_wrong(rest: Rest, name: object) -> None:
    refused = await rest.call("POST", "/users", {"name": name, "password": PASSWORD}, expect=422)
    assert any("name" in field for field in refused.fields), refused.text


@pytest.mark.parametrize("password", ["", "7 chars", 12345678, None], ids=["empty", "seven", "a number", "null"])
async def test_other_passwords_are_refused_with_the_field_that_is_wrong(rest: Rest, password: object) -> None:
    refused = await rest.call("POST", "/users", {"name": fresh_name("anna"), "password": password}, expect=422)
    assert any("password" in field for field in refused.fields), refused.text


async def test_eight_characters_are_a_password(rest: Rest) -> None:
    await register(rest, fresh_name("anna"), "8 chars.")


@pytest.mark.parametrize("missing", ["name", "password"])
async def test_a_field_that_is_missing_is_named(rest: Rest, missing: str) -> None:
    body = {"name": fresh_name("anna"), "password": PASSWORD}
    del body[missing]
    refused = await rest.call("POST", "/users", body, expect=422)
    # Some say which field is missing in its path, some in the message about the whole.
    assert missing in str(refused.body["errors"])


async def test_fields_that_the_service_does_not_know_are_ignored(rest: Rest) -> None:
    body = {"name": fresh_name("anna"), "password": PASSWORD, "isAdmin": True, "$where": "1", "a.b": None}
    await rest.call("POST", "/users", body, expect=201)


async def test_passwords_are_never_told(rest: Rest) -> None:
    password = "a password that nobody has said"
    answer = await rest.call("POST", "/users", {"name": fresh_name("anna"), "password": password}, expect=201)
    assert password not in answer.text
    assert "argon2" not in answer.text
    refused = await rest.call("POST", "/users", {"name": "?", "password": password}, expect=422)
    assert password not in refused.text


@pytest.mark.parametrize(
    "token", [None, "=", "nonsense", "a.b.c", "x" * 4000], ids=["none", "empty", "word", "dots", "long"]
)
async def test_without_a_good_token_nobody_is_anybody(rest: Rest, token: str | None) -> None:
    for path in ("/users/me", "/sessions", "/history"):
        await rest.call("GET", path, token=token, expect=401)


async def test_a_token_in_the_url_is_no_token(rest: Rest, host: Person) -> None:
    for name in ("token", "access_token", "bearer", "authorization"):
        await rest.call("GET", f"/users/me?{name}={host.token}", expect=401)


async def test_a_changed_token_is_no_token(rest: Rest, host: Person) -> None:
    middle = len(host.token) // 2
    changed = "A" if host.token[middle] != "A" else "B"
    await rest.call("GET", "/users/me", token=host.token[:middle] + changed + host.token[middle + 1 :], expect=401)
    await rest.call("GET", "/users/me", token=host.token[:middle], expect=401)


async def test_guessing_a_password_is_slowed_down_and_told_when_to_come_back(
    rest: Rest, deployment: Deployment
) -> None:
    if deployment.fresh_address() is None:
        pytest.skip("guessing would lock out the one address that all the other tests call from")
    name = fresh_name("anna")
    await register(rest, name)
    statuses = []
    for guess in range(60):
        body = {"name": name, "password": f"guess number {guess}"}
        answer = await rest.call("POST", "/tokens", body, expect=(401, 429))
        statuses.append(answer.status)
        if answer.status == 429:
            break
    assert statuses[0] == 401
    assert statuses[-1] == 429, "sixty guesses in a row were all answered"
