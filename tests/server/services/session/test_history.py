"""History: what was watched, with whom, when, and how far."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.services.session.deployment import FILM, Deployment, Person, deployed, fields, refusal
from tests.server.services.session.test_lists import pages

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def watched(person: Person) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await person.get("/history"))["items"]
    return items


async def test_each_one_sees_the_other_the_film_and_when(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")

    for person, other in ((host, guest), (guest, host)):
        (entry,) = await watched(person)
        assert entry == {
            "sessionId": session["id"],
            "videoId": session["videoId"],
            "video": FILM,
            "withUserId": other.id,
            "withName": other.name,
            "startedAt": session["answeredAt"],
            "endedAt": None,
            "position": None,
            "length": FILM["length"],
        }

    ended = await host.act(session, "end")
    for person in (host, guest):
        (entry,) = await watched(person)
        assert (entry["startedAt"], entry["endedAt"]) == (ended["answeredAt"], ended["endedAt"])


async def test_what_did_not_take_place_is_no_history(shared: Deployment) -> None:
    host, guest = await shared.pair()
    await host.ask(guest)
    await host.link()
    await guest.act(await host.ask(guest), "reject")
    await host.act(await host.ask(guest), "cancel")

    assert await watched(host) == await watched(guest) == []


async def test_how_far_is_what_whoever_ends_it_says(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")

    response = await guest.call("POST", f"/sessions/{session['id']}/end", {"position": 1_234.5, "length": 5_402.0})

    assert response.status_code == 200
    for person in (host, guest):
        (entry,) = await watched(person)
        assert (entry["position"], entry["length"]) == (1_234.5, 5_402.0)


@pytest.mark.parametrize("position", [-1, 172_800.1, "far", True, [1]])
async def test_a_position_that_does_not_fit_ends_nothing(shared: Deployment, position: object) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")

    assert fields(await host.call("POST", f"/sessions/{session['id']}/end", {"position": position})) == ["position"]
    assert (await host.get(f"/sessions/{session['id']}"))["session"]["state"] == "accepted"


async def test_a_position_from_somebody_who_may_not_end_it_counts_for_nothing(shared: Deployment) -> None:
    host, guest = await shared.pair()
    stranger = await shared.person()
    session = await guest.act(await host.ask(guest), "accept")

    refused = await stranger.call("POST", f"/sessions/{session['id']}/end", {"position": 9.0})
    assert refusal(refused)[0] == 404
    assert (await watched(host))[0]["position"] is None

    await host.call("POST", f"/sessions/{session['id']}/end", {"position": 8.0})
    again = await guest.call("POST", f"/sessions/{session['id']}/end", {"position": 9.0})
    assert refusal(again)[0] == 409
    assert (await watched(host))[0]["position"] == 8.0


async def test_how_far_is_heard_from_whoever_plays_it(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")
    shared.bus.publish("playback", {"sessionId": session["id"], "position": 60.25, "length": 5_401.0})
    shared.bus.publish("playback", {"sessionId": session["id"], "position": 61.25})
    shared.bus.publish("playback", {"sessionId": session["id"], "position": float("nan"), "length": 1.0})

    (entry,) = await watched(host)
    assert (entry["position"], entry["length"]) == (61.25, 5_401.0)
    await host.act(session, "end")
    assert (await watched(guest))[0]["position"] == 61.25


async def test_history_has_pages(shared: Deployment) -> None:
    host, guest = await shared.pair()
    with shared.clock.standing():
        sessions = [await guest.act(await host.ask(guest), "accept") for _ in range(5)]
    await host.ask(guest)
    await host.act(sessions[0], "end")

    found = await pages(guest, "/history", 2)

    assert [len(page) for page in found] == [2, 2, 1]
    assert sorted(id for page in found for id in page) == sorted(one["id"] for one in sessions)  # noqa: A001


@pytest.mark.asyncio(loop_scope="function")
async def test_how_far_outlives_the_process(tmp_path: Path) -> None:
    async with deployed(tmp_path) as deployment:
        host, guest = await deployment.pair()
        ended, running = [await guest.act(await host.ask(guest), "accept") for _ in range(2)]
        await host.call("POST", f"/sessions/{ended['id']}/end", {"position": 10.0})
        deployment.bus.publish("playback", {"sessionId": running["id"], "position": 20.0, "length": 90.0})
        token = host.token

    async with deployed(tmp_path) as deployment:
        host.client, host.token = deployment.client, token
        positions = {entry["sessionId"]: entry["position"] for entry in await watched(host)}
        assert positions == {ended["id"]: 10.0, running["id"]: 20.0}
        await host.call("POST", f"/sessions/{running['id']}/end", {"position": 21.0})
        (entry, _) = await watched(host)
        assert (entry["position"], entry["length"]) == (21.0, 90.0)
