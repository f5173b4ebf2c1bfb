"""Asking somebody to watch, as a host sees it who has only HTTP."""

import asyncio
from typing import Any

import pytest

from tests.server.services.session.deployment import FILM, Deployment, answered, fields, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOBODY = "usr_" + "a" * 26


async def test_a_guest_is_asked_by_id_and_both_see_the_same(shared: Deployment) -> None:
    host, guest = await shared.pair()

    session = await host.ask(guest, details="popcorn", startTime="2026-11-24T21:00:00.5+01:00")

    assert session["id"].startswith("ses_")
    assert (session["hostUserId"], session["guestUserId"]) == (host.id, guest.id)
    assert (session["hostName"], session["guestName"]) == (host.name, guest.name)
    assert (session["isAccepted"], session["state"], session["rev"]) == (None, "pending", 1)
    assert session["video"] == FILM
    assert session["videoId"].startswith("vid_")
    assert session["details"] == "popcorn"
    assert session["startTime"] == "2026-11-24T20:00:00.500Z"
    assert session["createdAt"].endswith("Z")
    assert session["answeredAt"] is session["endedAt"] is None
    assert "ticket" not in session
    assert "invitation" not in session
    for person in (host, guest):
        assert (await person.get(f"/sessions/{session['id']}"))["session"] == session


async def test_a_guest_is_asked_by_name_in_whatever_case(shared: Deployment) -> None:
    host, guest = await shared.pair()

    response = await host.call(
        "POST", "/sessions", {"session": {"guestName": guest.name.upper(), "videoId": "vid_" + "a" * 26}}
    )

    assert response.status_code == 201
    assert answered(response)["guestUserId"] == guest.id
    assert answered(response)["guestName"] == guest.name
    assert answered(response)["videoId"] == "vid_" + "a" * 26
    assert answered(response)["video"] is None


@pytest.mark.parametrize("place", ["inside", "outside"])
async def test_a_link_has_no_guest_and_a_code_that_is_shown_this_once(shared: Deployment, place: str) -> None:
    host = await shared.person()
    body: dict[str, Any] = {"session": {"video": FILM}}
    (body if place == "outside" else body["session"])["link"] = True

    response = await host.call("POST", "/sessions", body)

    assert response.status_code == 201
    session = answered(response)
    assert session["guestUserId"] is session["guestName"] is session["isAccepted"] is None
    code = session["invitation"]
    assert len(code.replace("-", "")) * 5 >= 80
    read = await host.get(f"/sessions/{session['id']}")
    assert "invitation" not in read["session"]
    assert code not in (await host.call("GET", "/sessions")).text


async def test_a_film_named_by_its_address_has_one_id_for_as_long_as_this_host_shows_it(shared: Deployment) -> None:
    host, guest = await shared.pair()

    first, renamed = await host.ask(guest), await host.ask(guest, video={**FILM, "title": "Another title"})
    other_film = await host.ask(guest, video={**FILM, "url": "other.mkv"})
    other_host = await guest.ask(host)

    assert first["videoId"] == renamed["videoId"]
    assert len({one["videoId"] for one in (first, other_film, other_host)}) == 3


async def test_another_host_in_the_body_is_forbidden_and_oneself_is_not(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = {"guestUserId": guest.id, "video": FILM}

    other = await host.call("POST", "/sessions", {"session": {**session, "hostUserId": guest.id}})
    own = await host.call("POST", "/sessions", {"session": {**session, "hostUserId": host.id}})

    assert refusal(other)[0] == 403
    assert own.status_code == 201
    assert len((await guest.get("/sessions"))["items"]) == 1


async def test_nobody_is_their_own_guest(shared: Deployment) -> None:
    host = await shared.person()

    by_id = await host.call("POST", "/sessions", {"session": {"guestUserId": host.id, "video": FILM}})
    by_name = await host.call("POST", "/sessions", {"session": {"guestName": host.name.upper(), "video": FILM}})

    assert fields(by_id) == ["session.guestUserId"]
    assert fields(by_name) == ["session.guestName"]


@pytest.mark.parametrize(
    "guest", [{"guestUserId": NOBODY}, {"guestUserId": "$gt"}, {"guestUserId": "1"}, {"guestName": "nobody-at-all"}]
)
async def test_a_guest_who_does_not_exist_is_not_found(shared: Deployment, guest: dict[str, str]) -> None:
    host = await shared.person()

    status, detail = refusal(await host.call("POST", "/sessions", {"session": {**guest, "video": FILM}}))

    assert status == 404
    assert "nobody" in detail


async def test_without_a_token_nobody_is_asked(shared: Deployment) -> None:
    response = await shared.client.post("/sessions", json={"session": {"guestUserId": NOBODY, "video": FILM}})

    assert refusal(response)[0] == 401


async def test_everything_that_does_not_fit_is_said_at_once(shared: Deployment) -> None:
    host = await shared.person()
    session = {"guestUserId": host.id, "startTime": "tonight", "details": 7}

    response = await host.call("POST", "/sessions", {"session": session})

    assert sorted(fields(response)) == [
        "session.details",
        "session.guestUserId",
        "session.startTime",
        "session.videoId",
    ]
    assert (await host.get("/sessions"))["items"] == []


@pytest.mark.parametrize(
    ("session", "field"),
    [
        ({"video": FILM}, "session.guestUserId"),
        ({"guestUserId": NOBODY, "guestName": "somebody", "video": FILM}, "session.guestUserId"),
        ({"guestUserId": NOBODY, "link": True, "video": FILM}, "session.link"),
        ({"guestUserId": NOBODY}, "session.videoId"),
        ({"guestUserId": NOBODY, "videoId": "vid\n1"}, "session.videoId"),
        ({"guestUserId": NOBODY, "video": {"title": "no url", "length": 1}}, "session.video.url"),
        ({"guestUserId": NOBODY, "video": {"url": "", "length": 1}}, "session.video.url"),
        ({"guestUserId": NOBODY, "video": {"url": "x" * 2_049, "length": 1}}, "session.video.url"),
        ({"guestUserId": NOBODY, "video": {"url": "a\u202eb", "length": 1}}, "session.video.url"),
        ({"guestUserId": NOBODY, "video": {**FILM, "length": -1}}, "session.video.length"),
        ({"guestUserId": NOBODY, "video": {**FILM, "length": 172_800.1}}, "session.video.length"),
        ({"guestUserId": NOBODY, "video": {**FILM, "length": True}}, "session.video.length"),
        ({"guestUserId": NOBODY, "video": {**FILM, "title": "x" * 301}}, "session.video.title"),
        ({"guestUserId": {"$gt": ""}, "video": FILM}, "session.guestUserId"),
        ({"guestUserId": 1, "video": FILM}, "session.guestUserId"),
        ({"guestName": "no such name", "video": FILM}, "session.guestName"),
        ({"guestUserId": NOBODY, "video": FILM, "link": "yes"}, "session.link"),
        (None, "session"),
        ([], "session"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_field(shared: Deployment, session: object, field: str) -> None:
    host = await shared.person()

    assert fields(await host.call("POST", "/sessions", {"session": session})) == [field]


async def test_details_that_are_large_come_back_whole_and_larger_ones_are_refused(shared: Deployment) -> None:
    host, guest = await shared.pair()
    largest = "x" * 4_094  # with its quotes 4,096 bytes
    kept = {"$where": "1", "a.b": [1, 2.5, None, True, {"deep": "ü"}], "": ""}

    assert (await host.ask(guest, details=largest))["details"] == largest
    assert (await host.ask(guest, details=kept))["details"] == kept
    for details in (largest + "x", largest + " " * 10 + "x", {"text": largest}, ["x"], 7, True):
        body = {"session": {"guestUserId": guest.id, "video": FILM, "details": details}}
        assert fields(await host.call("POST", "/sessions", body)) == ["session.details"]


async def test_text_that_others_will_see_is_cleaned(shared: Deployment) -> None:
    host, guest = await shared.pair()
    video = {"url": "film.mkv", "length": 90.0, "title": " A\x1b[2J \u202efilm\r\n\x00 "}
    details = {"note\x07": "one\r\ntwo\u202e\tthree\x1b]0;title\x07"}

    session = await host.ask(guest, video=video, details=details)

    assert session["video"]["title"] == "A film"
    assert session["details"] == {"note": "one\ntwo\tthree"}


async def test_the_same_request_under_the_same_key_makes_one_session(shared: Deployment) -> None:
    host, guest = await shared.pair()
    body = {"session": {"guestUserId": guest.id, "video": FILM}}

    responses = await asyncio.gather(*(host.call("POST", "/sessions", body, Idempotency_Key="one") for _ in range(5)))

    assert {response.status_code for response in responses} == {201}
    assert len({response.text for response in responses}) == 1
    assert len((await guest.get("/sessions"))["items"]) == 1

    await guest.act(answered(responses[0]), "reject")
    late = await host.call("POST", "/sessions", body, Idempotency_Key="one")
    assert late.status_code == 201
    assert answered(late)["state"] == "rejected"


async def test_a_key_is_refused_with_another_request_and_free_for_another_person(shared: Deployment) -> None:
    host, guest = await shared.pair()
    body = {"session": {"guestUserId": guest.id, "video": FILM}}
    other = {"session": {"guestUserId": guest.id, "video": {**FILM, "title": "Another"}}}
    first = answered(await host.call("POST", "/sessions", body, Idempotency_Key="two"))

    refused = await host.call("POST", "/sessions", other, Idempotency_Key="two")
    by_guest = await guest.call(
        "POST", "/sessions", {"session": {"guestUserId": host.id, "video": FILM}}, Idempotency_Key="two"
    )

    assert refusal(refused)[0] == 422
    assert by_guest.status_code == 201
    assert answered(by_guest)["id"] != first["id"]


async def test_a_repeated_link_shows_its_code_again(shared: Deployment) -> None:
    host = await shared.person()
    body = {"session": {"video": FILM}, "link": True}

    first, second = [await host.call("POST", "/sessions", body, Idempotency_Key="link") for _ in range(2)]

    assert first.json() == second.json()
    assert answered(first)["invitation"]


@pytest.mark.parametrize("key", [b"", b"x" * 201, b"\xff\xfe", b"tab\there"])
async def test_a_key_that_does_not_fit_is_refused_everywhere(shared: Deployment, key: bytes) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)
    calls: list[tuple[str, Any]] = [
        ("/users", {"name": "with-a-bad-key", "password": "correct horse"}),
        ("/sessions", {"session": {"guestUserId": guest.id, "video": FILM}}),
        (f"/sessions/{session['id']}/cancel", None),
    ]
    for path, body in calls:
        headers = {b"Idempotency-Key": key, b"Authorization": f"Bearer {host.token}".encode()}
        response = await shared.client.post(path, json=body, headers=headers)
        assert fields(response) == ["Idempotency-Key"], path
