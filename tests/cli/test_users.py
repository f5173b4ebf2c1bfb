"""`dateflicks users`: what whoever keeps a deployment does to accounts, while its services run and obey."""

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from argon2.profiles import CHEAPEST
from typer.testing import Result

from dateflicks.cli.exits import Exit
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.services.session.records import ERASED
from dateflicks.server.upkeep import people, people_erase
from tests.cli.conftest import Cli
from tests.fuzz.stage import PASSWORD, Person
from tests.journeys.deployment import Deployment
from tests.journeys.wire import open_feed, refusal
from tests.strangers.scene import Scene, staged

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(120)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with staged(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing costs what it does for people."""
    monkeypatch.setattr(people, "Passwords", partial(Passwords, CHEAPEST))
    monkeypatch.setattr(people_erase, "SETTLE_SECONDS", 0.0)


class Keeper:
    """Whoever keeps the deployment, at the command line of its machine."""

    def __init__(self, cli: Cli, scene: Scene) -> None:
        self._cli = cli
        self._scene = scene

    async def __call__(self, *args: str, keys: str | None = None, is_interactive: bool = False) -> Result:
        words = ("users", *args, "--data", str(self._scene.folder))
        return await asyncio.to_thread(self._cli, *words, keys=keys, is_interactive=is_interactive)

    async def json(self, *args: str) -> Any:
        result = await self(*args, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture
def keeper(cli: Cli, scene: Scene) -> Keeper:
    return Keeper(cli, scene)


def sign_in(scene: Scene, name: str, password: str = PASSWORD) -> httpx2.Response:
    return scene.client.post("/tokens", json={"name": name, "password": password})


async def test_an_account_is_made_with_a_password_that_works_once(keeper: Keeper, scene: Scene) -> None:
    name = f"new-{secrets.token_hex(4)}"
    made = await keeper("create", name, "--json")
    password = json.loads(made.stdout)["password"]
    assert "works once" in made.stderr

    first = await scene.run(sign_in, scene, name, password)
    assert (first.status_code, first.json()["needsPassword"]) == (201, True)
    assert (await scene.run(sign_in, scene, name, password)).status_code == 401

    again = await keeper("create", name.upper())
    assert (again.exit_code, "is taken" in again.stderr) == (Exit.REFUSED, True)
    for wrong in ("x", "two words"):
        assert (await keeper("create", wrong)).exit_code == Exit.USAGE
    short = await keeper("create", f"{name}2", "--password-stdin", keys="short\n")
    assert (short.exit_code, "8 to 256 characters, not 5" in short.stderr) == (Exit.USAGE, True)
    kept = await keeper("create", f"{name}2", "--password-stdin", keys=f"{PASSWORD}\n")
    assert (kept.exit_code, kept.stdout) == (0, "")
    for _ in range(2):
        assert (await scene.run(sign_in, scene, f"{name}2")).status_code == 201


async def test_accounts_are_listed_and_shown(keeper: Keeper, scene: Scene) -> None:
    ana = scene.stage.caller
    listed = {one["name"]: one for one in await keeper.json("list")}
    assert (listed[ana.name]["id"], listed[ana.name]["state"]) == (ana.id, "active")
    plain = await keeper("list", "-n", "1", "-o", "plain")
    assert plain.stdout.startswith("usr_")
    assert plain.stdout.count("\n") == 1
    found = await keeper.json("show", ana.name.upper())
    assert (found["joined"], found["friends"]) == (0, 0)
    assert found["hosted"] >= 1
    assert found["sign_ins"] >= 1
    assert found == await keeper.json("show", ana.id)
    nobody = await keeper("show", "nobody-at-all")
    assert (nobody.exit_code, "users list" in nobody.stderr) == (Exit.NOT_FOUND, True)
    assert (await keeper("list", "--state", "disable")).exit_code == Exit.USAGE
    assert (await keeper("list", "--state", "disabled")).stdout == ""


async def test_who_is_disabled_is_out_everywhere_until_they_are_enabled(keeper: Keeper, scene: Scene) -> None:
    stage = scene.stage
    evening = await scene.run(stage.accepted)
    person = stage.caller
    deployment = Deployment(scene.urls["session"], is_ours=True)
    async with (
        open_feed(deployment, "/sessions/events", person.token) as own,
        open_feed(deployment, f"/messages/{evening.id}/events", evening.ticket) as talk,
        open_feed(deployment, f"/messages/{evening.id}/events", evening.others_ticket) as other,
    ):
        done = await keeper("disable", person.name)
        assert (done.exit_code, "Sign-ins that have ended: " in done.stderr) == (0, True), done.stderr
        assert [await own.expect_closed(), await talk.expect_closed()] == [4401, 4401]
        assert not other.is_closed

    assert await refusal(deployment, f"/timecodes/{evening.id}/events", evening.ticket) == 401
    bearer = {"Authorization": f"Bearer {person.token}"}
    assert (await scene.run(lambda: scene.client.get("/users/me", headers=bearer))).status_code == 401
    refused = await scene.run(sign_in, scene, person.name)
    assert (refused.status_code, "disabled" in refused.json()["detail"]) == (403, True)
    assert [one["name"] for one in await keeper.json("list", "--state", "disabled")] == [person.name]
    assert "ended: 0." in (await keeper("disable", person.name)).stderr

    for _ in range(2):
        assert (await keeper("enable", person.name)).exit_code == 0
    back = (await scene.run(sign_in, scene, person.name)).json()
    stage.caller = Person(person.id, person.name, back["token"])


async def test_a_password_is_reset_and_every_sign_in_with_the_old_one_ends(keeper: Keeper, scene: Scene) -> None:
    person = await scene.run(scene.stage.person)
    reset = await keeper("reset-password", person.name, "--json")
    password = json.loads(reset.stdout)["password"]
    assert (await scene.run(sign_in, scene, person.name)).status_code == 401
    bearer = {"Authorization": f"Bearer {person.token}"}
    assert (await scene.run(lambda: scene.client.get("/users/me", headers=bearer))).status_code == 401
    token = (await scene.run(sign_in, scene, person.name, password)).json()["token"]
    await scene.run(scene.stage.call, "PUT", "/users/me/password", token, {"new": "of my own"})
    assert (await scene.run(sign_in, scene, person.name, "of my own")).status_code == 201
    given = await keeper("reset-password", person.name, "--password-stdin", keys="given by them\n")
    assert (given.exit_code, given.stdout) == (0, "")
    assert (await scene.run(sign_in, scene, person.name, "given by them")).status_code == 201


def evening_of(scene: Scene, person: Person) -> tuple[str, str]:
    """Something of everything between somebody and the other one: the session, and the ticket of the other one."""
    stage = scene.stage
    session_id = stage.asked(person, stage.other)
    others = stage.call("POST", f"/sessions/{session_id}/accept", stage.other.token)["session"]["ticket"]
    own = stage.call("GET", f"/sessions/{session_id}", person.token)["session"]["ticket"]
    for ticket, words in ((own, "My own words"), (others, "Not mine"), (own, "More of mine")):
        stage.call("POST", f"/messages/{session_id}", ticket, {"message": {"content": words}})
    made = stage.call("POST", f"/predictions/{session_id}", own, {"prediction": {"details": "I say so"}})["prediction"]
    where = f"/predictions/{session_id}/{made['id']}"
    for ticket, option in ((own, "yes"), (others, "no")):
        stage.call("POST", f"{where}/call", ticket, {"option": option, "confidence": 0.75})
    stage.call("POST", f"{where}/lock", own, {})
    stage.call("POST", f"{where}/propose", own, {"outcome": "yes"})
    stage.call("POST", f"{where}/confirm", others, {})
    video = scene.stage.call("GET", "/videos", None)["items"]
    for one in video[:1]:
        stage.call("PUT", f"/recommendations/ratings/{one['id']}", person.token, {"rating": "up"})
    stage.call("PUT", f"/users/me/friends/{stage.other.name}", person.token)
    stage.call("PUT", f"/users/me/friends/{person.name}", stage.other.token)
    return session_id, others


async def test_an_export_is_everything_of_theirs_and_nothing_of_others_nor_secret(keeper: Keeper, scene: Scene) -> None:
    person = await scene.run(scene.stage.person)
    await scene.run(evening_of, scene, person)
    result = await keeper("export", person.name)
    found = json.loads(result.stdout)
    assert [one["content"] for one in found["messages"]] == ["My own words", "More of mine"]
    assert [one["option"] for one in found["calls"]] == ["yes"]
    assert [one["details"] for one in found["predictions"]] == ["I say so"]
    assert [one["right"] for one in found["scores"]] == [True]
    assert [one["with_name"] for one in found["sessions"]] == [scene.stage.other.name]
    assert [one["name"] for one in found["friends"]] == [scene.stage.other.name]
    for secret in ("Not mine", "argon2", "tok_", person.token, "Hash", "salt"):
        assert secret not in result.stdout, secret
    lines = [json.loads(line) for line in (await keeper("export", person.id, "-o", "jsonl")).stdout.splitlines()]
    assert sorted({one["kind"] for one in lines} & {"account", "messages", "scores"}) == [
        "account",
        "messages",
        "scores",
    ]
    assert (await keeper("export", person.name, "-o", "table")).exit_code == Exit.USAGE


async def test_who_is_erased_leaves_the_other_one_their_evening_without_name_and_words(
    keeper: Keeper, scene: Scene
) -> None:
    stage = scene.stage
    person = await scene.run(stage.person)
    session_id, ticket = await scene.run(evening_of, scene, person)
    assert (await keeper("erase", person.name)).exit_code == Exit.USAGE
    assert (await keeper("erase", person.name, keys="n\n", is_interactive=True)).exit_code == Exit.REFUSED
    assert (await scene.run(sign_in, scene, person.name)).status_code == 201

    done = await keeper.json("erase", person.name, "--yes")

    assert (done["sessions"], done["messages"], done["predictions"], done["friends"]) == (1, 2, 1, 2)
    assert (await scene.run(sign_in, scene, person.name)).status_code == 401
    assert (await keeper("show", person.name)).exit_code == Exit.NOT_FOUND
    assert (await keeper.json("show", person.id))["state"] == "erased"
    assert person.id in [one["id"] for one in await keeper.json("list", "--state", "erased", "-n", "9999")]
    assert person.id not in [one["id"] for one in await keeper.json("list", "-n", "9999")]
    assert (await keeper("enable", person.id)).exit_code == Exit.REFUSED
    assert (await keeper("reset-password", person.id)).exit_code == Exit.REFUSED

    def look() -> None:
        session = stage.call("GET", f"/sessions/{session_id}", stage.other.token)["session"]
        assert (session["hostName"], session["state"]) == (ERASED, "ended")
        assert all(
            one["name"] != person.name for one in stage.call("GET", "/users/me/friends", stage.other.token)["items"]
        )
        said = stage.call("GET", f"/messages/{session_id}", ticket)["items"]
        assert [(one["seq"], one["content"]) for one in said] == [(1, ""), (2, "Not mine"), (3, "")]
        assert [one["authorName"] for one in said] == [ERASED, stage.other.name, ERASED]
        assert all(one["deletedAt"] for one in said if not one["content"])
        (predicted,) = stage.call("GET", f"/predictions/{session_id}", ticket)["items"]
        assert (predicted["details"], predicted["authorName"]) == (ERASED, ERASED)
        scores = stage.call("GET", f"/predictions/scores?with={person.id}", stage.other.token)
        assert {one["name"] for one in scores["items"]} == {ERASED, stage.other.name}
        again = stage.call("POST", "/users", None, {"name": person.name, "password": PASSWORD})
        assert again["user"]["id"] != person.id

    await scene.run(look)
    once_more = await keeper.json("erase", person.id)
    assert sum(number for key, number in once_more.items() if key != "id") == 0


async def test_the_first_account_makes_a_database_that_is_up_to_date_and_services_may_have_one_each(cli: Cli) -> None:
    def type_all() -> None:
        assert cli("users", "create", "ana").exit_code == 0
        assert cli("db", "status").exit_code == 0
        alone = cli.home / "alone"
        (alone / "session").mkdir(parents=True)
        (cli.home / "server" / "mongo").rename(alone / "session" / "mongo")
        data = ("--data", str(alone))
        assert [one["name"] for one in cli.json("users", "list", *data)] == ["ana"]
        assert cli.json("users", "export", "ana", *data)["account"]["name"] == "ana"
        erased = cli("users", "erase", "ana", "--yes", *data)
        assert (erased.exit_code, "not reached: TimecodeDb, MessageDb" in erased.stderr) == (0, True)
        assert cli.json("users", "list", *data) == []
        assert [path.name for path in alone.iterdir()] == ["session"]

    await asyncio.to_thread(type_all)


async def test_services_that_run_alone_are_found_by_their_own_settings(cli: Cli) -> None:
    def type_all() -> None:
        folders = {name: str(cli.home / name) for name in ("here", "there")}
        users = partial(
            cli, "users", DATEFLICKS_SESSION_DATA=folders["here"], DATEFLICKS_MESSAGES_DATA=folders["there"]
        )
        own = ("--service", "session")
        assert users("list", *own).stdout == ""
        assert users("show", "ana", *own).exit_code == Exit.NOT_FOUND
        made = users("create", "ana", *own)
        assert made.exit_code == 0, made.stderr
        assert [path.name for path in (cli.home / "here").iterdir()] == ["session"]
        assert [one["name"] for one in json.loads(users("list", *own, "--json").stdout)] == ["ana"]
        assert cli.json("users") == []
        messages = cli.home / "there" / "messages"
        messages.mkdir(parents=True)
        shutil.copytree(cli.home / "here" / "session" / "mongo", messages / "mongo")
        erased = users("erase", "ana", "--yes", *own)
        assert (erased.exit_code, "not reached: TimecodeDb, UserPredictionDb," in erased.stderr) == (0, True)
        wrong = users("list", "--service", "messages")
        assert (wrong.exit_code, "has no accounts" in wrong.stderr) == (Exit.USAGE, True)
        assert users("list", "--service", "sessions").exit_code == Exit.USAGE

    await asyncio.to_thread(type_all)


async def test_nobody_is_anywhere_where_nothing_is_kept(cli: Cli) -> None:
    empty = await asyncio.to_thread(cli, "users")
    assert (empty.exit_code, empty.stdout, "no database yet" in empty.stderr) == (0, "", True)
    assert (await asyncio.to_thread(cli, "users", "show", "ana")).exit_code == Exit.NOT_FOUND
    assert not cli.home.exists()
