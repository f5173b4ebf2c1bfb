"""Wrong handshakes: refused in HTTP, never answered with a fault of the service, and the partner notices nothing.

HTTP leaves many of these to the reader; then both to connect and to refuse is right, and to fail is not.
"""

from collections.abc import Callable

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import Person
from tests.journeys.raw import Headers, RawSocket, frame, ping_text, request, upgrade_headers
from tests.journeys.room import Room, is_well
from tests.journeys.wire import INTERNALS, open_feed

Change = Callable[[Headers], Headers]
REFUSED = set(range(400, 500))
UPGRADED = 101
HUNG_UP = 0  # no answer but the end of the connection
CLOSED_AFTER = {4400, 4401, 4403, 4404, 1002}


def without(*names: str) -> Change:
    return lambda headers: [header for header in headers if header[0] not in names]


def instead(name: str, value: str) -> Change:
    return lambda headers: [(known, value if known == name else old) for known, old in headers]


def also(*more: tuple[str, str]) -> Change:
    return lambda headers: [*headers, *more]


WRONG: dict[str, tuple[Change, set[int]]] = {
    "no key": (without("Sec-WebSocket-Key"), REFUSED),
    "a short key": (instead("Sec-WebSocket-Key", "abc"), REFUSED),
    "a key of 15 bytes": (instead("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA"), REFUSED),
    "two keys": (also(("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")), REFUSED),
    "version 8": (instead("Sec-WebSocket-Version", "8"), REFUSED),
    "no version": (without("Sec-WebSocket-Version"), REFUSED),
    "another upgrade": (instead("Upgrade", "h2c"), REFUSED),
    "no upgrade": (without("Upgrade"), REFUSED),
    "no connection header": (without("Connection"), REFUSED),
    "two hosts": (also(("Host", "films.example.org")), REFUSED),
    "no host": (without("Host"), REFUSED),
    "no token": (without("Authorization"), {401, UPGRADED}),
    "basic authorization": (instead("Authorization", "Basic YW5uYTphbm5h"), {401, UPGRADED}),
    "a header of 9 kB": (also(("X-Long", "x" * 9_000)), REFUSED | {UPGRADED}),
    "500 headers": (also(*((f"X-{number}", "x") for number in range(500))), REFUSED | {UPGRADED}),
    "two authorizations": (also(("Authorization", "Bearer nonsense")), REFUSED | {UPGRADED}),
    "a body": (also(("Content-Length", "5")), REFUSED | {UPGRADED}),
    "two ways to say how long a body is": (
        also(("Content-Length", "5"), ("Transfer-Encoding", "chunked")),
        REFUSED | {UPGRADED},
    ),
    "an encoding nobody knows": (also(("Transfer-Encoding", "xchunked")), REFUSED | {UPGRADED, 501}),
    "two lengths of a body": (also(("Content-Length", "5"), ("Content-Length", "6")), REFUSED),
}


async def check_answer(raw: RawSocket, allowed: set[int]) -> int:
    status, headers, body = await raw.answer()
    assert status in allowed, (status, body)
    assert not INTERNALS.search(body), body
    if status in {401, 403, 404}:
        assert headers["content-type"].startswith("application/problem+json")
    return status


@pytest.mark.parametrize(("change", "allowed"), WRONG.values(), ids=WRONG)
async def test_a_handshake_that_is_wrong_is_refused_as_such(room: Room, change: Change, allowed: set[int]) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        headers = change(upgrade_headers(room.deployment, room.tickets[room.guest.id]))
        await raw.send(request(room.path, headers))
        # Where HTTP itself is broken, some services hang up.
        broken = allowed | {HUNG_UP} if allowed != {401, UPGRADED} else allowed
        status = await check_answer(raw, broken)
        if status == UPGRADED and allowed == {401, UPGRADED}:
            assert await raw.ending() == 4401
        elif status == UPGRADED:
            assert await raw.outcome() in CLOSED_AFTER | {"pong", None}
    await is_well(room.host)
    await is_well(room.guest)


ORIGINS = [
    "null",
    "https://films.example.org",
    "http://127.0.0.1.example.org",
    "http://127.0.0.1:1",
    "HTTP://LOCALHOST",
    "http://xn--80ak6aa92e.com",
    "file://",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_strange_origin_is_refused_or_served_and_never_a_fault(room: Room, origin: str) -> None:
    # Nothing here is kept in cookies, so an origin proves nothing; the contract leaves refusing it to the service.
    async with RawSocket.connected(room.deployment) as raw:
        headers = [*upgrade_headers(room.deployment, room.tickets[room.guest.id]), ("Origin", origin)]
        await raw.send(request(room.path, headers))
        if await check_answer(raw, {UPGRADED, 400, 403}) == UPGRADED:
            assert await raw.outcome() in {"pong", 4403}
    await is_well(room.host)


PATHS: dict[str, tuple[str, set[int]]] = {
    "an encoded id": ("/timecodes/{encoded}/events", REFUSED | {UPGRADED}),
    "dots": ("/timecodes/../timecodes/{id}/events", REFUSED | {UPGRADED}),
    "encoded dots": ("/timecodes/%2e%2e/timecodes/{id}/events", REFUSED | {UPGRADED}),
    "NUL": ("/timecodes/{id}%00/events", REFUSED | {UPGRADED}),
    "a raw NUL": ("/timecodes/{id}\x00/events", REFUSED | {UPGRADED, HUNG_UP}),
    "letters beyond ASCII": ("/timecodes/s\u00e9ance/events", REFUSED | {UPGRADED, HUNG_UP}),
    "bytes that are no text": ("/timecodes/\udcff/events", REFUSED | {UPGRADED, HUNG_UP}),
    "a slash at the end": ("/timecodes/{id}/events/", REFUSED | {UPGRADED}),
    "no id": ("/timecodes//events", REFUSED),
    "an id of 10 kB": ("/timecodes/" + "x" * 10_000 + "/events", REFUSED | {UPGRADED, HUNG_UP}),
    "an id like a date": ("/timecodes/2026-11-24/events", REFUSED | {UPGRADED}),
    "an operator": ("/timecodes/$ne/events", REFUSED | {UPGRADED}),
    "absolute": ("http://{host}/timecodes/{id}/events", REFUSED | {UPGRADED}),
}


@pytest.mark.parametrize(("path", "allowed"), PATHS.values(), ids=PATHS)
async def test_a_strange_path_leads_to_the_session_of_the_ticket_or_nowhere(
    room: Room, path: str, allowed: set[int]
) -> None:
    encoded = room.id.replace("_", "%5F")
    place = f"{room.deployment.host}:{room.deployment.port}"
    async with RawSocket.connected(room.deployment) as raw:
        headers = upgrade_headers(room.deployment, room.tickets[room.guest.id])
        await raw.send(request(path.format(id=room.id, encoded=encoded, host=place), headers))
        if await check_answer(raw, allowed) == UPGRADED:
            outcome = await raw.outcome()
            assert outcome in {"pong", 4400, 4401, 4403, 4404}
            told = [heard["sessionId"] for heard in raw.frames if heard["type"] == "timecode"]
            assert set(told) == ({room.id} if outcome == "pong" else set())
    await is_well(room.host)


async def test_http_1_0_is_no_way_to_upgrade(room: Room) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        headers = upgrade_headers(room.deployment, room.tickets[room.guest.id])
        await raw.send(request(room.path, headers, version="HTTP/1.0"))
        await check_answer(raw, REFUSED | {505, HUNG_UP})
    await is_well(room.host)


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "BREW"])
async def test_only_get_upgrades(room: Room, method: str) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        headers = upgrade_headers(room.deployment, room.tickets[room.guest.id])
        await raw.send(request(room.path, headers, method=method))
        # OPTIONS may be answered with what is allowed, a method nobody knows with 501.
        status, _, _ = await raw.answer()
        assert status in REFUSED | {200, 204, 501} if method in {"OPTIONS", "BREW"} else status in REFUSED
    await is_well(room.host)


async def test_a_second_request_behind_the_handshake_is_no_request(room: Room, guest: Person) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        first = request(room.path, upgrade_headers(room.deployment, room.tickets[room.guest.id]))
        place = [("Host", "x"), ("Authorization", f"Bearer {guest.token}")]
        await raw.send(first + request("/users/me", place))
        status = await check_answer(raw, REFUSED | {UPGRADED, HUNG_UP})
        if status == UPGRADED:
            # What follows is a frame without a mask: the answer is a close, not the person's record.
            assert await raw.ending() in {1002, 4400, None}
    await is_well(room.host)


async def test_compression_is_not_agreed_to(room: Room) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        offer = ("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
        headers = [*upgrade_headers(room.deployment, room.tickets[room.guest.id]), offer]
        await raw.send(request(room.path, headers))
        status, answered, _ = await raw.answer()
        assert status == UPGRADED
        assert "sec-websocket-extensions" not in answered
        assert await raw.outcome() == "pong"


async def test_a_handshake_that_comes_in_drops_is_a_handshake_and_holds_up_nobody(room: Room) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        whole = request(room.path, upgrade_headers(room.deployment, room.tickets[room.guest.id]))
        await raw.send(*(whole[start : start + 1] for start in range(40)))
        await is_well(room.host)
        await raw.send(*(whole[start : start + 7] for start in range(40, len(whole), 7)))
        assert (await raw.answer())[0] == UPGRADED
        await raw.send(frame(ping_text()))
        await raw.expect("pong")


async def test_handshakes_that_never_end_hold_up_nobody(room: Room, deployment: Deployment) -> None:
    whole = request(room.path, upgrade_headers(deployment, room.tickets[room.guest.id]))
    async with RawSocket.connected(deployment) as one, RawSocket.connected(deployment) as other:
        await one.send(whole[:-2])
        await other.send(whole[:30])
        await is_well(room.host)
        await is_well(room.guest)


async def test_a_page_which_sees_no_status_is_refused_by_a_close_code(room: Room, third: Person) -> None:
    """After 4403 and 4404 a client does not come back by itself: a browser's page has to be able to know."""
    nowhere = "/timecodes/ses_" + "a" * 26 + "/events"
    for path, token, codes in (
        (room.path, "nonsense", {4401}),
        (room.path, third.token, {4403, 4404}),
        (nowhere, room.tickets[room.guest.id], {4403, 4404}),
        ("/sessions/events", "nonsense", {4401}),
    ):
        address = room.deployment.fresh_address()
        async with open_feed(room.deployment, path, token, by_subprotocol=True, address=address) as feed:
            assert feed.socket.subprotocol == "dateflicks.v1"
            assert await feed.expect_closed() in codes
            assert all(heard["type"] == "error" for heard in feed.frames)
    await is_well(room.host)
