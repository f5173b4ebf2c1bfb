"""Accepting, rejecting, taking back and ending: who may do it in which state, and who wins when two do at once."""

import asyncio
from typing import Any

import pytest

from tests.server.services.session.deployment import Deployment, Person, answered, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERBS = ("accept", "reject", "cancel", "end")
UNKNOWN = "ses_" + "a" * 26
WAYS: dict[str, list[tuple[str, str]]] = {  # how a session gets into each state: who does what
    "pending": [],
    "accepted": [("guest", "accept")],
    "rejected": [("guest", "reject")],
    "cancelled": [("host", "cancel")],
    "ended": [("guest", "accept"), ("host", "end")],
}
ALLOWED = {  # all that may be done, and what comes of it
    ("pending", "guest", "accept"): "accepted",
    ("pending", "guest", "reject"): "rejected",
    ("pending", "host", "cancel"): "cancelled",
    ("accepted", "host", "end"): "ended",
    ("accepted", "guest", "end"): "ended",
}
NOT_THEIRS = {("host", "accept"), ("host", "reject"), ("guest", "cancel")}
ANSWERS = {"pending": None, "accepted": True, "rejected": False, "cancelled": None, "ended": True}


async def in_state(host: Person, guest: Person, state: str) -> dict[str, Any]:
    session = await host.ask(guest)
    for who, verb in WAYS[state]:
        session = await (guest if who == "guest" else host).act(session, verb)
    return session


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", WAYS)
async def test_who_may_do_what_in_which_state(shared: Deployment, state: str, verb: str) -> None:
    people = {"host": await shared.person(), "guest": await shared.person()}
    for who, person in people.items():
        session = await in_state(people["host"], people["guest"], state)
        response = await person.call("POST", f"/sessions/{session['id']}/{verb}")
        expected = ALLOWED.get((state, who, verb))
        after = (await person.get(f"/sessions/{session['id']}"))["session"]
        if expected is None:
            assert refusal(response)[0] == (403 if (who, verb) in NOT_THEIRS else 409), who
            assert (after["state"], after["rev"]) == (state, session["rev"])
        else:
            assert response.status_code == 200, response.text
            assert answered(response)["state"] == after["state"] == expected
            assert answered(response)["isAccepted"] is after["isAccepted"] is ANSWERS[expected]
            assert after["rev"] == session["rev"] + 1


@pytest.mark.parametrize("state", WAYS)
async def test_a_stranger_learns_as_much_of_a_session_as_of_none(shared: Deployment, state: str) -> None:
    host, guest = await shared.pair()
    stranger = await shared.person()
    session = await in_state(host, guest, state)

    for path in ("", *(f"/{verb}" for verb in VERBS)):
        method = "POST" if path else "GET"
        known = await stranger.call(method, f"/sessions/{session['id']}{path}")
        unknown = await stranger.call(method, f"/sessions/{UNKNOWN}{path}")
        assert refusal(known)[0] == 404
        assert known.json() == unknown.json()
    assert (await stranger.get("/sessions"))["items"] == []


@pytest.mark.parametrize(
    "id", ["1", "ses_", "usr_" + "a" * 26, "%24gt", "..%2Fusers", "2026-11-24T00:00:00Z", "x" * 120]
)
async def test_what_is_no_id_of_a_session_is_not_found(shared: Deployment, id: str) -> None:  # noqa: A002
    person = await shared.person()

    assert refusal(await person.call("GET", f"/sessions/{id}"))[0] == 404
    assert refusal(await person.call("POST", f"/sessions/{id}/accept"))[0] == 404


async def test_without_a_token_nothing_is_read_or_answered(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)

    for method, path in (("GET", ""), ("POST", "/accept"), ("POST", "/end")):
        assert refusal(await shared.client.request(method, f"/sessions/{session['id']}{path}"))[0] == 401
    for path in ("/sessions", "/history", "/users/me"):
        assert refusal(await shared.client.get(path))[0] == 401


async def test_a_link_nobody_has_taken_can_be_taken_back_and_not_answered(shared: Deployment) -> None:
    host, stranger = await shared.pair()
    link = await host.link()

    assert refusal(await host.call("POST", f"/sessions/{link['id']}/accept"))[0] == 403
    assert refusal(await stranger.call("POST", f"/sessions/{link['id']}/accept"))[0] == 404
    assert (await host.act(link, "cancel"))["state"] == "cancelled"


async def test_when_it_was_answered_and_when_it_ended_is_kept(shared: Deployment) -> None:
    host, guest = await shared.pair()
    accepted = await guest.act(await host.ask(guest), "accept")
    ended = await host.act(accepted, "end")

    assert accepted["createdAt"] < accepted["answeredAt"] < ended["endedAt"]
    assert ended["answeredAt"] == accepted["answeredAt"]
    cancelled = await host.act(await host.ask(guest), "cancel")
    assert cancelled["answeredAt"] is None
    assert cancelled["endedAt"] is not None


async def test_an_answer_repeated_under_its_key_is_the_same_and_without_it_a_conflict(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)
    path = f"/sessions/{session['id']}/accept"

    first, again = [await guest.call("POST", path, Idempotency_Key="yes") for _ in range(2)]
    for response in (first, again):
        assert response.status_code == 200
        assert answered(response)["rev"] == 2
        assert answered(response)["answeredAt"] == answered(first)["answeredAt"]
    assert refusal(await guest.call("POST", path))[0] == 409
    assert refusal(await guest.call("POST", path, Idempotency_Key="no"))[0] == 409
    assert refusal(await guest.call("POST", f"/sessions/{session['id']}/reject", Idempotency_Key="yes"))[0] == 409


async def test_a_key_of_one_session_answers_no_other(shared: Deployment) -> None:
    host, guest = await shared.pair()
    sessions = [await host.ask(guest) for _ in range(2)]

    for session in sessions:
        response = await guest.call("POST", f"/sessions/{session['id']}/accept", Idempotency_Key="yes")
        assert answered(response)["id"] == session["id"]
        assert answered(response)["state"] == "accepted"


@pytest.mark.parametrize("guests_verb", ["accept", "reject"])
async def test_of_an_answer_and_a_taking_back_at_once_exactly_one_wins(shared: Deployment, guests_verb: str) -> None:
    host, guest = await shared.pair()
    outcomes = {"accept": "accepted", "reject": "rejected", "cancel": "cancelled"}
    for number in range(6):
        path = f"/sessions/{(await host.ask(guest))['id']}"
        doing = [guest.call("POST", f"{path}/{guests_verb}"), host.call("POST", f"{path}/cancel")]
        responses = await asyncio.gather(*(doing if number % 2 else reversed(doing)))

        assert sorted(response.status_code for response in responses) == [200, 409]
        (won,) = [answered(response) for response in responses if response.status_code == 200]
        seen = [(await person.get(path))["session"] for person in (host, guest)]
        assert {one["state"] for one in seen} == {won["state"]}
        assert won["state"] in (outcomes[guests_verb], "cancelled")
        assert {one["rev"] for one in seen} == {2}
        assert {"ticket" in one for one in seen} == {won["state"] == "accepted"}


async def test_of_many_same_answers_at_once_exactly_one_counts(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)

    responses = await asyncio.gather(*(guest.call("POST", f"/sessions/{session['id']}/accept") for _ in range(6)))

    assert sorted(response.status_code for response in responses) == [200] + [409] * 5


async def test_of_two_who_end_it_at_once_one_does(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")

    responses = await asyncio.gather(*(one.call("POST", f"/sessions/{session['id']}/end") for one in (host, guest)))

    assert sorted(response.status_code for response in responses) == [200, 409]


async def test_each_change_is_told_once_with_the_document_as_stored(shared: Deployment) -> None:
    host, guest = await shared.pair()
    told: list[tuple[int, str]] = []
    stop = shared.bus.subscribe(
        "session", lambda _, hint: told.append((hint["document"]["rev"], hint["document"]["state"]))
    )
    try:
        session = await host.ask(guest)
        await host.call("POST", f"/sessions/{session['id']}/accept")
        await guest.act(session, "accept")
        await guest.call("POST", f"/sessions/{session['id']}/accept")
        await host.act(session, "end")
    finally:
        stop()

    assert told == [(1, "pending"), (2, "accepted"), (3, "ended")]
