"""The list of people whom one watches with, over HTTP."""

import asyncio

import pytest

from dateflicks.core import limits
from dateflicks.protocol.bodies import Friend
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.session import records
from dateflicks.server.services.session.friends import HOLD_SECONDS, Friends
from tests.server.services.session.deployment import Deployment, Person, fields, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_list_says_how_often_and_when_last_one_watched_together(shared: Deployment) -> None:
    ana, bea = await shared.pair()
    stranger = await shared.person()
    for host, guest in ((ana, bea), (bea, ana)):
        await guest.act(await host.ask(guest), "accept")
    await bea.act(await ana.ask(bea), "reject")
    last = (await ana.get("/history"))["items"][0]["startedAt"]

    for person in (bea, stranger):
        response = await ana.call("PUT", f"/users/me/friends/{person.name.upper()}")
        assert response.status_code == 200, response.text
    again = (await ana.call("PUT", f"/users/me/friends/{bea.name}")).json()["friend"]

    found = {one["name"]: one for one in (await ana.get("/users/me/friends"))["items"]}
    assert found[bea.name] == again
    assert (again["userId"], again["evenings"], again["lastEveningAt"]) == (bea.id, 2, last)
    assert (found[stranger.name]["evenings"], found[stranger.name]["lastEveningAt"]) == (0, None)
    assert (await bea.get("/users/me/friends"))["items"] == []


async def test_the_list_comes_by_name_and_in_pages(shared: Deployment) -> None:
    ana = await shared.person()
    people = [await shared.person(f"{letter}-of-a-page") for letter in "cAb"]
    for person in people:
        await ana.call("PUT", f"/users/me/friends/{person.name}")

    first = await ana.get("/users/me/friends?limit=2")
    rest = await ana.get(f"/users/me/friends?limit=2&cursor={first['next']}")

    assert [one["name"][0] for one in first["items"]] == ["A", "b"]
    assert ([one["name"][0] for one in rest["items"]], rest["next"]) == (["c"], None)


async def test_who_is_taken_off_is_gone_and_cannot_be_taken_off_again(shared: Deployment) -> None:
    ana, bea = await shared.pair()
    await ana.call("PUT", f"/users/me/friends/{bea.name}")

    assert (await ana.call("DELETE", f"/users/me/friends/{bea.name.upper()}")).status_code == 204
    assert refusal(await ana.call("DELETE", f"/users/me/friends/{bea.name}"))[0] == 404
    assert (await ana.get("/users/me/friends"))["items"] == []


async def test_a_name_that_nobody_has_is_answered_as_where_a_guest_is_asked(shared: Deployment) -> None:
    ana = await shared.person()
    for name in ("nobody-at-all", "x", "q" * 33):
        response = await ana.call("PUT", f"/users/me/friends/{name}")
        asked = await ana.call("POST", "/sessions", {"session": {"guestName": "nobody-at-all", "videoId": "vid_x"}})
        assert response.status_code == asked.status_code == 404
        assert response.json() == asked.json()
    assert fields(await ana.call("PUT", f"/users/me/friends/{ana.name}")) == ["name"]


async def test_names_are_tried_no_more_often_than_guests_are(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = await shared.person()
    asking = shared.service._handler.asking
    monkeypatch.setattr(asking, "_tries", 3.0)
    for _ in range(2):
        assert (await ana.call("PUT", "/users/me/friends/nobody-at-all")).status_code == 404
    body = {"session": {"guestName": "nobody-at-all", "videoId": "vid_x"}}
    assert (await ana.call("POST", "/sessions", body)).status_code == 404
    assert (await ana.call("PUT", "/users/me/friends/nobody-at-all")).status_code == 429


async def test_a_full_list_takes_nobody_more(shared: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FRIENDS_MAX", 1)
    ana, bea = await shared.pair()
    other = await shared.person()
    assert (await ana.call("PUT", f"/users/me/friends/{bea.name}")).status_code == 200
    assert refusal(await ana.call("PUT", f"/users/me/friends/{other.name}"))[0] == 409
    assert (await ana.call("PUT", f"/users/me/friends/{bea.name}")).status_code == 200


async def test_a_name_that_is_somebody_elses_by_now_is_put_there_anew(shared: Deployment) -> None:
    ana, bea = await shared.pair()
    await ana.call("PUT", f"/users/me/friends/{bea.name}")
    await shared.database.table(records.USERS).delete(bea.id)
    new = await shared.person(bea.name)

    added = (await ana.call("PUT", f"/users/me/friends/{bea.name}")).json()["friend"]

    assert added["userId"] == new.id
    assert len((await ana.get("/users/me/friends"))["items"]) == 1


def friends_of(deployment: Deployment) -> Friends:
    """Another process's, on the same database."""
    parts = deployment.service
    people, asking = parts._people, parts._handler.asking
    friends, sessions = (deployment.database.table(one) for one in (records.FRIENDS, records.SESSIONS))
    return Friends(friends, sessions, people, asking, now=deployment.clock)


def signed_in(person: Person) -> Caller:
    return Caller(person.id, person.name, 2e9)


async def test_many_who_are_put_there_at_once_by_several_processes_do_not_overfill_the_list(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FRIENDS_MAX", 3)
    ana = await shared.person()
    others = [await shared.person() for _ in range(8)]
    processes = [friends_of(shared) for _ in range(4)]

    results = await asyncio.gather(
        *(processes[number % 4].add(signed_in(ana), one.name) for number, one in enumerate(others)),
        return_exceptions=True,
    )

    listed = (await ana.get("/users/me/friends"))["items"]
    assert len(listed) == 3
    assert sorted(one.name for one in results if isinstance(one, Friend)) == sorted(one["name"] for one in listed)
    refused = [one for one in results if isinstance(one, BaseException)]
    assert [getattr(one, "code", one) for one in refused] == ["list-full"] * 5


async def test_whoever_is_taken_off_a_full_list_leaves_their_place_at_once(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FRIENDS_MAX", 1)
    ana, bea = await shared.pair()
    other = await shared.person()
    for person in (bea, other, bea):
        assert (await ana.call("PUT", f"/users/me/friends/{person.name}")).status_code == 200
        assert (await ana.call("DELETE", f"/users/me/friends/{person.name}")).status_code == 204


async def test_a_place_that_was_taken_by_somebody_who_died_is_free_again_after_a_while(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FRIENDS_MAX", 1)
    ana, bea = await shared.pair()
    other = await shared.person()
    friends = friends_of(shared)

    async def die(_: object) -> None:
        raise RuntimeError("killed between the two writes")

    with monkeypatch.context() as patch:
        patch.setattr(friends._friends, "upsert", die)
        with pytest.raises(RuntimeError):
            await friends.add(signed_in(ana), bea.name)

    assert refusal(await ana.call("PUT", f"/users/me/friends/{other.name}"))[0] == 409
    assert (await ana.call("PUT", f"/users/me/friends/{bea.name}")).status_code == 200
    assert (await ana.call("DELETE", f"/users/me/friends/{bea.name}")).status_code == 204
    with monkeypatch.context() as patch:
        patch.setattr(friends._friends, "upsert", die)
        with pytest.raises(RuntimeError):
            await friends.add(signed_in(ana), bea.name)
    shared.clock.now += HOLD_SECONDS
    assert (await ana.call("PUT", f"/users/me/friends/{other.name}")).status_code == 200


async def test_whoever_is_taken_off_while_they_are_put_there_anew_keeps_the_new_place(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FRIENDS_MAX", 1)
    ana, bea = await shared.pair()
    other = await shared.person()
    assert (await ana.call("PUT", f"/users/me/friends/{bea.name}")).status_code == 200
    one, another = friends_of(shared), friends_of(shared)
    delete = one._friends.delete

    async def delete_and_begin_anew(id: str) -> bool:  # noqa: A002
        is_deleted = await delete(id)
        await another._hold(ana.id, bea.id)  # and is about to write
        return is_deleted

    monkeypatch.setattr(one._friends, "delete", delete_and_begin_anew)
    await one.remove(signed_in(ana), bea.name)

    assert refusal(await ana.call("PUT", f"/users/me/friends/{other.name}"))[0] == 409
