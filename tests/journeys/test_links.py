"""Inviting by a link: whoever holds the code takes the guest's place, once, with an account or without."""

import asyncio

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import Crowd, Person, act, film, fresh_name, is_session_news, news_of, session_of, ticket_of
from tests.journeys.room import make_timecode, take_seat
from tests.journeys.wire import Json, Rest


async def make_link(rest: Rest, host: Person) -> Json:
    """A session with a code.

    Whether `link` belongs beside the session or inside it is not said; unknown fields are ignored, so it is in both.
    """
    body = {"session": {"video": film(), "link": True}, "link": True}
    session: Json = (await rest.call("POST", "/sessions", body, token=host.token, expect=201)).body["session"]
    return session


async def redeem(rest: Rest, code: str, body: Json, *, token: str | None = None, expect: int = 200) -> Json:
    answer = await rest.call("POST", f"/invitations/{code}/redeem", body, token=token, expect=expect)
    result: Json = answer.body
    return result


async def make_sure_of_acceptance(rest: Rest, token: str, session_id: str) -> Json:
    """Taking the guest's place may be the answer, or may still leave the guest to give it."""
    session: Json = (await rest.call("GET", f"/sessions/{session_id}", token=token)).body["session"]
    if session["isAccepted"] is None:
        await rest.call("POST", f"/sessions/{session_id}/accept", token=token, expect=(200, 204))
        session = (await rest.call("GET", f"/sessions/{session_id}", token=token)).body["session"]
    return session


async def test_a_link_has_a_code_that_cannot_be_guessed_and_no_guest(rest: Rest, host: Person) -> None:
    codes = set()
    for _ in range(3):
        session = await make_link(rest, host)
        assert session["isAccepted"] is None
        assert session.get("guestUserId") is None
        # 80 bits are at least 14 characters of the densest alphabet that fits into a path.
        assert len(session["invitation"]) >= 14
        codes.add(session["invitation"])
        await act(rest, host, session, "cancel")
    assert len(codes) == 3


async def test_somebody_with_an_account_takes_the_place_as_themselves(
    rest: Rest, host: Person, guest: Person, third: Person
) -> None:
    session = await make_link(rest, host)
    await rest.call("GET", f"/sessions/{session['id']}", token=guest.token, expect=404)
    taken = await redeem(rest, session["invitation"], {}, token=guest.token)
    assert taken["session"]["id"] == session["id"]
    assert taken["session"]["guestUserId"] == guest.id
    assert taken.get("token") is None
    accepted = await make_sure_of_acceptance(rest, guest.token, session["id"])
    assert accepted["isAccepted"] is True
    assert await ticket_of(rest, host, session["id"]) != accepted["ticket"]
    await rest.call("GET", f"/sessions/{session['id']}", token=third.token, expect=404)
    await act(rest, host, session, "end")


async def test_somebody_without_an_account_is_given_one_without_a_password(
    rest: Rest, deployment: Deployment, host: Person
) -> None:
    session = await make_link(rest, host)
    name = fresh_name("walk-in")
    taken = await redeem(rest, session["invitation"], {"name": name})
    token = taken["token"]
    assert isinstance(token, str)
    me = (await rest.call("GET", "/users/me", token=token)).body
    me = me.get("user", me)
    assert me["name"] == name
    assert taken["session"]["guestUserId"] == me["id"]
    for password in ("", "password", name, "null"):
        # An empty password may be refused for its form already.
        await rest.call("POST", "/tokens", {"name": name, "password": password}, expect=(401, 422))
    accepted = await make_sure_of_acceptance(rest, token, session["id"])
    await make_timecode(rest, session, await ticket_of(rest, host, session["id"]), 600)
    walk_in = Person(me["id"], name, token, deployment.fresh_address())
    async with take_seat(deployment, walk_in, session["id"], accepted["ticket"], is_host=False) as seat:
        assert seat.latest["participants"][walk_in.id]["role"] == "guest"
    await act(rest, host, session, "end")


async def test_the_host_hears_that_the_place_was_taken(
    rest: Rest, deployment: Deployment, crowd: Crowd, guest: Person
) -> None:
    host = await crowd.stranger("host")
    session = await make_link(rest, host)
    async with news_of(deployment, host) as news:
        await redeem(rest, session["invitation"], {}, token=guest.token)
        await make_sure_of_acceptance(rest, guest.token, session["id"])
        told = await news.expect(is_session_news(session, isAccepted=True, guestUserId=guest.id), "the guest's place")
        assert isinstance(told["session"]["ticket"], str)
    await act(rest, host, session, "end")


async def test_a_code_works_once(rest: Rest, host: Person, guest: Person, third: Person) -> None:
    session = await make_link(rest, host)
    await redeem(rest, session["invitation"], {}, token=guest.token)
    await redeem(rest, session["invitation"], {}, token=third.token, expect=404)
    await redeem(rest, session["invitation"], {"name": fresh_name("late")}, expect=404)
    assert (await session_of(rest, host, session["id"]))["guestUserId"] == guest.id
    await rest.call("GET", f"/sessions/{session['id']}", token=third.token, expect=404)


async def test_of_many_who_use_a_code_at_the_same_moment_one_gets_the_place(
    rest: Rest, crowd: Crowd, host: Person
) -> None:
    session = await make_link(rest, host)
    people = [await crowd.person(part) for part in ("guest", "third", "fourth")]
    path = f"/invitations/{session['invitation']}/redeem"
    calls = [rest.call("POST", path, {}, token=person.token, expect=(200, 404)) for person in people]
    statuses = [answer.status for answer in await asyncio.gather(*calls)]
    assert sorted(statuses) == [200, 404, 404]
    winner = people[statuses.index(200)]
    assert (await session_of(rest, host, session["id"]))["guestUserId"] == winner.id


@pytest.mark.parametrize("code", ["a" * 26, "A" * 16, "0" * 20], ids=["letters", "capitals", "zeros"])
async def test_a_wrong_code_is_not_there(rest: Rest, guest: Person, code: str) -> None:
    await rest.call("POST", f"/invitations/{code}/redeem", {}, token=guest.token, expect=404)
    await rest.call("POST", f"/invitations/{code}/redeem", {"name": fresh_name("walk-in")}, expect=404)


@pytest.mark.parametrize("code", ["0", "%00", "%24ne", "..%2F..", "x" * 900])
async def test_what_cannot_be_a_code_is_not_there_or_malformed(rest: Rest, guest: Person, code: str) -> None:
    await rest.call("POST", f"/invitations/{code}/redeem", {}, token=guest.token, expect=(400, 404, 414, 422))


async def test_the_code_of_a_cancelled_session_gives_no_place(rest: Rest, host: Person, guest: Person) -> None:
    session = await make_link(rest, host)
    await act(rest, host, session, "cancel")
    # The code is no good any more, or the session is in a state that conflicts.
    path = f"/invitations/{session['invitation']}/redeem"
    await rest.call("POST", path, {}, token=guest.token, expect=(404, 409))
    await rest.call("GET", f"/sessions/{session['id']}", token=guest.token, expect=404)


async def test_the_host_cannot_be_their_own_guest(rest: Rest, host: Person) -> None:
    session = await make_link(rest, host)
    # Which refusal it is the contract leaves open.
    path = f"/invitations/{session['invitation']}/redeem"
    await rest.call("POST", path, {}, token=host.token, expect=(403, 404, 409, 422))
    seen = await session_of(rest, host, session["id"])
    assert seen.get("guestUserId") is None
    assert seen["isAccepted"] is None


async def test_a_name_that_is_taken_or_wrong_gives_no_account_and_leaves_the_code(
    rest: Rest, host: Person, guest: Person
) -> None:
    session = await make_link(rest, host)
    await redeem(rest, session["invitation"], {"name": guest.name}, expect=409)
    await redeem(rest, session["invitation"], {"name": "two words"}, expect=422)
    taken = await redeem(rest, session["invitation"], {}, token=guest.token)
    assert taken["session"]["guestUserId"] == guest.id


async def test_a_bad_token_is_not_the_same_as_none(rest: Rest, host: Person) -> None:
    session = await make_link(rest, host)
    await redeem(rest, session["invitation"], {"name": fresh_name("new")}, token="nonsense", expect=401)
    assert (await session_of(rest, host, session["id"])).get("guestUserId") is None
