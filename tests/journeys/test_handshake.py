"""The handshake: who may ask whom, who may answer, who is told, and what cannot be taken back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import Crowd, Person, act, film, ids_in_state, invite, is_session_news, news_of, session_of
from tests.journeys.room import make_timecode, seats
from tests.journeys.wire import RECORD_TIME, Json, Rest, is_id, open_feed, refusal

Accepted = tuple[Json, dict[str, str]]


async def test_an_invitation_waits_for_the_guest(rest: Rest, host: Person, guest: Person) -> None:
    tonight = (datetime.now(UTC) + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:00.000Z")
    session = await invite(rest, host, guest, details="Bring popcorn", startTime=tonight)
    assert is_id(session["id"], "ses")
    assert session["hostUserId"] == host.id
    assert session["guestUserId"] == guest.id
    assert session["isAccepted"] is None
    assert session["details"] == "Bring popcorn"
    assert session["startTime"] == tonight
    assert isinstance(session["videoId"], str)
    assert session.get("ticket") is None
    for person in (host, guest):
        seen = await session_of(rest, person, session["id"])
        assert seen["isAccepted"] is None
        assert seen.get("ticket") is None
        assert session["id"] in await ids_in_state(rest, person, "pending")
    await act(rest, host, session, "cancel")


async def test_a_guest_can_be_asked_by_name(rest: Rest, host: Person, guest: Person) -> None:
    body = {"session": {"guestName": guest.name, "video": film()}}
    session = (await rest.call("POST", "/sessions", body, token=host.token, expect=201)).body["session"]
    assert session["guestUserId"] == guest.id
    await act(rest, guest, session, "reject")


async def test_the_host_is_the_caller_and_nobody_else(rest: Rest, host: Person, guest: Person, third: Person) -> None:
    session = await invite(rest, host, guest, hostUserId=host.id)
    assert session["hostUserId"] == host.id
    await act(rest, host, session, "cancel")
    body = {"session": {"hostUserId": third.id, "guestUserId": guest.id, "video": film()}}
    await rest.call("POST", "/sessions", body, token=host.token, expect=403)


async def test_an_accepted_session_gives_each_a_ticket_of_their_own(rest: Rest, host: Person, guest: Person) -> None:
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "accept")
    seen = [await session_of(rest, person, session["id"]) for person in (host, guest)]
    assert all(one["isAccepted"] is True for one in seen)
    assert all(isinstance(one["ticket"], str) for one in seen)
    assert seen[0]["ticket"] != seen[1]["ticket"]
    assert session["id"] in await ids_in_state(rest, host, "accepted")
    await act(rest, host, session, "end")


async def test_a_rejected_session_has_no_ticket(rest: Rest, host: Person, guest: Person) -> None:
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "reject")
    for person in (host, guest):
        seen = await session_of(rest, person, session["id"])
        assert seen["isAccepted"] is False
        assert seen.get("ticket") is None
        assert session["id"] in await ids_in_state(rest, person, "rejected")


@pytest.mark.parametrize("second", ["accept", "reject"])
@pytest.mark.parametrize("first", ["accept", "reject", "cancel"])
async def test_there_is_one_answer_and_no_other(
    rest: Rest, host: Person, guest: Person, first: str, second: str
) -> None:
    session = await invite(rest, host, guest)
    await act(rest, host if first == "cancel" else guest, session, first)
    await rest.call("POST", f"/sessions/{session['id']}/{second}", token=guest.token, expect=409)
    expected = {"accept": "accepted", "reject": "rejected", "cancel": "cancelled"}[first]
    assert session["id"] in await ids_in_state(rest, host, expected)


@pytest.mark.parametrize("action", ["accept", "reject"])
async def test_only_the_guest_answers(rest: Rest, host: Person, guest: Person, third: Person, action: str) -> None:
    session = await invite(rest, host, guest)
    await rest.call("POST", f"/sessions/{session['id']}/{action}", token=host.token, expect=403)
    await rest.call("POST", f"/sessions/{session['id']}/{action}", token=third.token, expect=404)
    await rest.call("POST", f"/sessions/{session['id']}/{action}", expect=401)
    assert (await session_of(rest, guest, session["id"]))["isAccepted"] is None
    await act(rest, host, session, "cancel")


async def test_only_the_host_cancels_before_the_answer(rest: Rest, host: Person, guest: Person, third: Person) -> None:
    session = await invite(rest, host, guest)
    await rest.call("POST", f"/sessions/{session['id']}/cancel", token=guest.token, expect=403)
    await rest.call("POST", f"/sessions/{session['id']}/cancel", token=third.token, expect=404)
    await act(rest, host, session, "cancel")
    assert session["id"] in await ids_in_state(rest, guest, "cancelled")
    assert session["id"] not in await ids_in_state(rest, guest, "pending")


@pytest.mark.parametrize("part", ["host", "guest"])
async def test_either_one_ends_an_accepted_session(
    rest: Rest, crowd: Crowd, host: Person, guest: Person, third: Person, part: str
) -> None:
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "accept")
    await rest.call("POST", f"/sessions/{session['id']}/end", token=third.token, expect=404)
    await act(rest, await crowd.person(part), session, "end")
    for person in (host, guest):
        assert session["id"] in await ids_in_state(rest, person, "ended")
        assert session["id"] not in await ids_in_state(rest, person, "accepted")
    # To end what has ended may be a conflict or nothing new; it has ended either way.
    await rest.call("POST", f"/sessions/{session['id']}/end", token=host.token, expect=(200, 204, 409))
    assert session["id"] in await ids_in_state(rest, host, "ended")


async def test_of_two_answers_at_the_same_moment_one_counts(rest: Rest, host: Person, guest: Person) -> None:
    session = await invite(rest, host, guest)
    calls = [
        rest.call("POST", f"/sessions/{session['id']}/{action}", token=guest.token, expect=(200, 204, 409))
        for action in ("accept", "reject", "accept", "reject")
    ]
    statuses = [answer.status for answer in await asyncio.gather(*calls)]
    assert sorted(status == 409 for status in statuses) == [False, True, True, True], statuses
    seen = await session_of(rest, host, session["id"])
    assert seen["isAccepted"] is (statuses.index(min(statuses)) % 2 == 0)


async def test_to_strangers_a_session_is_not_there(rest: Rest, third: Person, accepted: Accepted) -> None:
    session, _ = accepted
    await rest.call("GET", f"/sessions/{session['id']}", token=third.token, expect=404)
    await rest.call("GET", "/sessions/ses_" + "a" * 26, token=third.token, expect=404)
    states = "pending,accepted,rejected,cancelled,ended"
    assert session["id"] not in await ids_in_state(rest, third, states)


BAD_SESSIONS: dict[str, Json] = {
    "no guest": {"video": film()},
    "no film": {"guestUserId": "GUEST"},
    "a guest that is no text": {"guestUserId": 7, "video": film()},
    "a guest that is an operator": {"guestUserId": {"$ne": None}, "video": film()},
    "a film without a length": {"guestUserId": "GUEST", "video": {"url": "https://example.org/f", "title": "F"}},
    "a film of negative length": {"guestUserId": "GUEST", "video": film(-1)},
    "a film beyond two days": {"guestUserId": "GUEST", "video": film(172_800.5)},
    "a length in words": {"guestUserId": "GUEST", "video": film() | {"length": "600"}},
    "a length that is true": {"guestUserId": "GUEST", "video": film() | {"length": True}},
    "a title that is no text": {"guestUserId": "GUEST", "video": film() | {"title": 5}},
    "a start that is no time": {"guestUserId": "GUEST", "video": film(), "startTime": "tomorrow"},
}


@pytest.mark.parametrize("wrong", BAD_SESSIONS.values(), ids=BAD_SESSIONS)
async def test_a_session_that_does_not_fit_is_refused(rest: Rest, host: Person, guest: Person, wrong: Json) -> None:
    session = {name: guest.id if value == "GUEST" else value for name, value in wrong.items()}
    await rest.call("POST", "/sessions", {"session": session}, token=host.token, expect=422)


async def test_nobody_invites_themselves_or_somebody_who_is_not_there(rest: Rest, host: Person) -> None:
    # Well-formed but wrong, not allowed, or a conflict: the contract leaves which open.
    alone = {"session": {"guestUserId": host.id, "video": film()}}
    await rest.call("POST", "/sessions", alone, token=host.token, expect=(403, 409, 422))
    # A guest who is not there may be the thing that is not there, or a field that is wrong.
    for nobody in ({"guestUserId": "usr_" + "a" * 26}, {"guestName": "nobody-of-this-name"}):
        body = {"session": nobody | {"video": film()}}
        await rest.call("POST", "/sessions", body, token=host.token, expect=(404, 422))


async def test_the_guest_hears_of_an_invitation_and_nobody_else_does(
    rest: Rest, deployment: Deployment, crowd: Crowd
) -> None:
    host, guest, third = [await crowd.stranger(stem) for stem in ("host", "guest", "third")]
    async with news_of(deployment, guest) as guest_news, news_of(deployment, third) as third_news:
        session = await invite(rest, host, guest)
        told = await guest_news.expect(is_session_news(session, "invitation"), "invitation")
        assert told["session"]["hostUserId"] == host.id
        assert told["session"]["isAccepted"] is None
        later = await invite(rest, host, third)
        await third_news.expect(is_session_news(later, "invitation"), "invitation of the third")
        assert all(frame["session"]["id"] != session["id"] for frame in third_news.frames)


@pytest.mark.parametrize(("action", "answer"), [("accept", True), ("reject", False), ("cancel", None)])
async def test_both_hear_what_became_of_an_invitation(
    rest: Rest, deployment: Deployment, crowd: Crowd, action: str, answer: bool | None
) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    session = await invite(rest, host, guest)
    async with news_of(deployment, host) as host_news, news_of(deployment, guest) as guest_news:
        await guest_news.expect(is_session_news(session, "invitation"), "invitation")
        marks = host_news.mark, guest_news.mark
        await act(rest, host if action == "cancel" else guest, session, action)
        for person, news, mark in ((host, host_news, marks[0]), (guest, guest_news, marks[1])):
            told = await news.expect(is_session_news(session, isAccepted=answer), f"news of the {action}", since=mark)
            own = (await session_of(rest, person, session["id"])).get("ticket")
            assert (told["session"].get("ticket") is None) == (own is None)
            assert (own is None) == (action != "accept")


async def test_each_hears_only_their_own_ticket(rest: Rest, deployment: Deployment, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    async with news_of(deployment, host) as host_news, news_of(deployment, guest) as guest_news:
        session = await invite(rest, host, guest)
        await act(rest, guest, session, "accept")
        is_accepted = is_session_news(session, isAccepted=True)
        tickets = [(await news.expect(is_accepted, "ticket"))["session"]["ticket"] for news in (host_news, guest_news)]
    assert tickets[0] != tickets[1]
    # A ticket is known by whom it seats: the timecode service names each by their own.
    await make_timecode(rest, session, tickets[0], 600)
    theirs = {host.id: tickets[0], guest.id: tickets[1]}
    async with seats(deployment, host, guest, session, theirs) as (one, other):
        assert one.latest["participants"][host.id]["role"] == "host"
        assert other.latest["participants"][guest.id]["role"] == "guest"


async def test_both_hear_of_the_end(rest: Rest, deployment: Deployment, crowd: Crowd) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "accept")
    async with news_of(deployment, host) as host_news, news_of(deployment, guest) as guest_news:
        for news in (host_news, guest_news):
            await news.expect(is_session_news(session, isAccepted=True), "the live session")
        marks = host_news.mark, guest_news.mark
        await act(rest, guest, session, "end")
        for news, mark in zip((host_news, guest_news), marks, strict=True):
            await news.expect(is_session_news(session), "news of the end", since=mark)


async def test_what_was_missed_while_away_is_told_on_connecting(
    rest: Rest, deployment: Deployment, crowd: Crowd
) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    waiting, live, over = [await invite(rest, host, guest) for _ in range(3)]
    await act(rest, guest, live, "accept")
    await act(rest, guest, over, "reject")
    async with news_of(deployment, guest) as news:
        await news.expect(is_session_news(waiting, "invitation"), "the invitation that waits")
        told = await news.expect(is_session_news(live, isAccepted=True), "the live session")
        assert isinstance(told["session"]["ticket"], str)
        # What comes next is news: nothing that is over was told as an invitation before it.
        later = await invite(rest, host, guest)
        await news.expect(is_session_news(later, "invitation"), "news")
        invited = [frame["session"]["id"] for frame in news.frames if frame["type"] == "invitation"]
        assert sorted(invited) == sorted([waiting["id"], later["id"]])
    async with news_of(deployment, host) as news:
        await news.expect(is_session_news(live, isAccepted=True), "the live session for the host")


async def test_a_client_that_cannot_set_headers_sends_its_token_as_a_subprotocol(
    deployment: Deployment, rest: Rest, crowd: Crowd
) -> None:
    host, guest = [await crowd.stranger(stem) for stem in ("host", "guest")]
    session = await invite(rest, host, guest)
    where = {"by_subprotocol": True, "address": guest.address}
    async with open_feed(deployment, "/sessions/events", guest.token, **where) as news:  # type: ignore[arg-type]
        assert news.socket.subprotocol == "dateflicks.v1"
        await news.expect(is_session_news(session, "invitation"), "invitation")


@pytest.mark.parametrize("token", [None, "nonsense"], ids=["none", "nonsense"])
async def test_nobody_listens_without_a_good_token(deployment: Deployment, token: str | None) -> None:
    assert await refusal(deployment, "/sessions/events", token, address=deployment.fresh_address()) in {401, 4401}


async def test_a_token_in_the_url_opens_no_feed(deployment: Deployment, host: Person) -> None:
    path = f"/sessions/events?token={host.token}&access_token={host.token}"
    assert await refusal(deployment, path, None, address=host.address) in {401, 4401}


async def test_record_times_of_a_session_are_in_the_form_of_the_contract(
    rest: Rest, host: Person, guest: Person
) -> None:
    session = await invite(rest, host, guest)
    times = {name: value for name, value in session.items() if name.endswith(("Time", "At")) and value is not None}
    assert all(RECORD_TIME.fullmatch(value) for value in times.values()), times
    await act(rest, host, session, "cancel")
