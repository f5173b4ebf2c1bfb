"""Wrong words in good frames and bodies: told as errors, kept or closed as the contract says; nobody else notices."""

import json
from typing import Any

import pytest

from tests.journeys.people import PASSWORD, Crowd, Person, act, film, fresh_name, ids_in_state, invite, session_of
from tests.journeys.raw import PROBE, RawSocket, frame, ping_text
from tests.journeys.room import Room, Seat, is_well
from tests.journeys.wire import Json, Rest

MISSING = object()


def changed(base: Json, changes: Json) -> str:
    """The frame with other or missing fields."""
    return json.dumps({name: value for name, value in (base | changes).items() if value is not MISSING})


async def check_told_and_kept(room: Room, text: str) -> None:
    """A frame wrong in content is answered by an error; the connection stays; the partner plays on."""
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.expect("timecode")
        await raw.send(frame(text))
        error = await raw.expect("error")
        assert isinstance(error["code"], str)
        assert isinstance(error["detail"], str)
        assert await raw.probe() == "pong"
        assert len(raw.errors) == 1
        assert all(heard["type"] != "pong" or heard["t0"] == PROBE for heard in raw.frames)
    assert room.host.latest["pending"] is None
    await is_well(room.host)
    await is_well(room.guest)


def quiet_report(seat: Seat) -> Json:
    """A report that is right, and asks for nothing."""
    return seat.report_frame("stop", 0.0, cause="tick")


REPORTS: dict[str, Json] = {
    **{f"without {name}": {name: MISSING} for name in ("sessionId", "currentPosition", "status", "isHost")},
    **{f"null for {name}": {name: None} for name in ("sessionId", "currentPosition", "status", "isHost")},
    "position -1": {"currentPosition": -1},
    "position just below 0": {"currentPosition": -0.001},
    "position beyond two days": {"currentPosition": 172_800.5},
    "position 1e308": {"currentPosition": 1e308},
    "position 10^30": {"currentPosition": 10**30},
    "position in words": {"currentPosition": "5"},
    "position true": {"currentPosition": True},
    "position in a list": {"currentPosition": [5]},
    "position as an operator": {"currentPosition": {"$gt": 0}},
    "status in capitals": {"status": "PLAY"},
    "status unknown": {"status": "rewind"},
    "status empty": {"status": ""},
    "status a number": {"status": 1},
    "status in a list": {"status": ["play"]},
    "isHost in words": {"isHost": "false"},
    "isHost a number": {"isHost": 0},
    "another session": {"sessionId": "ses_" + "a" * 26},
    "session a number": {"sessionId": 1},
    "session empty": {"sessionId": ""},
    "session of 10 kB": {"sessionId": "s" * 10_000},
    "session as an operator": {"sessionId": {"$ne": None}},
    "sentAt in words": {"sentAt": "now"},
    "sentAt true": {"sentAt": True},
    "revision in words": {"revision": "1"},
    "revision with a fraction": {"revision": 1.5},
    "revision true": {"revision": True},
    "rate in words": {"rate": "1"},
    "buffering in words": {"buffering": "no"},
    "buffering a number": {"buffering": 1},
    "cause unknown": {"cause": "whim"},
    "cause a number": {"cause": 1},
    "length in words": {"length": "600"},
}


@pytest.mark.parametrize("changes", REPORTS.values(), ids=REPORTS)
async def test_a_report_that_is_wrong_is_told_and_the_connection_stays(room: Room, changes: Json) -> None:
    await check_told_and_kept(room, changed(quiet_report(room.guest), changes))


OTHERS: dict[str, Json] = {
    "no type": {"t0": 1},
    "nothing at all": {},
    "an unknown type": {"type": "dance", "t0": 1},
    "a type in capitals": {"type": "Ping", "t0": 1},
    "an empty type": {"type": "", "t0": 1},
    "type null": {"type": None, "t0": 1},
    "type a number": {"type": 1, "t0": 1},
    "type in a list": {"type": ["ping"], "t0": 1},
    "a type with NUL": {"type": "ping\x00", "t0": 1},
    "a type of the service": {"type": "timecode", "status": "play"},
    "ping without t0": {"type": "ping"},
    "ping with null": {"type": "ping", "t0": None},
    "ping in words": {"type": "ping", "t0": "1"},
    "ping true": {"type": "ping", "t0": True},
    "ping with a list": {"type": "ping", "t0": [1]},
    "seek without to": {"type": "seek"},
    "seek to null": {"type": "seek", "to": None},
    "seek in words": {"type": "seek", "to": "100"},
    "seek to true": {"type": "seek", "to": True},
    "seek to -1": {"type": "seek", "to": -1},
    "seek beyond two days": {"type": "seek", "to": 200_000},
    "seek to 1e308": {"type": "seek", "to": 1e308},
}


@pytest.mark.parametrize("wrong", OTHERS.values(), ids=OTHERS)
async def test_a_frame_that_is_wrong_is_told_and_the_connection_stays(room: Room, wrong: Json) -> None:
    await check_told_and_kept(room, json.dumps(wrong))


# Not JSON, or not an object: "wrong in content" and "a bad frame" are both a fair name for it. An error comes first.
MALFORMED = {
    "an open brace": "{",
    "no quotes": "{type:ping}",
    "single quotes": "{'type':'ping','t0':1}",
    "a comma at the end": '{"type":"ping","t0":1,}',
    "a comment": '{"type":"ping","t0":1 /* now */}',
    "NaN": '{"type":"ping","t0":NaN}',
    "Infinity": '{"type":"ping","t0":Infinity}',
    "-Infinity": '{"type":"ping","t0":-Infinity}',
    "1e999": '{"type":"ping","t0":1e999}',
    "a leading zero": '{"type":"ping","t0":01}',
    "a plus": '{"type":"ping","t0":+1}',
    "two objects": '{"type":"ping","t0":1}{"type":"ping","t0":2}',
    "a raw newline in a text": '{"type":"pi\nng","t0":1}',
    "depth": "[" * 8_000,
    "spaces only": "   ",
    "an array": '[{"type":"ping","t0":1}]',
    "a text": '"ping"',
    "a number": "1",
    "null": "null",
    "true": "true",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_object_is_told_and_perhaps_closed(room: Room, text: str) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.expect("timecode")
        await raw.send(frame(text))
        assert await raw.outcome() in {"pong", 4400}
        assert raw.errors
        assert all(heard["type"] != "pong" or heard["t0"] == PROBE for heard in raw.frames)
    await is_well(room.host)
    await is_well(room.guest)


# JSON by its grammar, and read differently by good readers. Whatever is made of it, nobody is hurt by it.
ODD = {
    "a byte order mark": "\ufeff" + ping_text(1),
    "a key twice": '{"type":"dance","type":"ping","t0":1,"t0":2}',
    "half a surrogate pair": '{"type":"ping","t0":1,"x":"\\ud800"}',
    "half a pair as type": '{"type":"\\udfff","t0":1}',
    "5,000 digits": f'{{"type":"ping","t0":{"9" * 5_000}}}',
    "5,000 digits ignored": f'{{"type":"ping","t0":1,"x":{"9" * 5_000}}}',
    "10^30": '{"type":"ping","t0":1000000000000000000000000000000}',
    "1e-400": '{"type":"ping","t0":1e-400}',
    "depth in what is ignored": '{"type":"ping","t0":1,"x":' + "[" * 5_000 + "]" * 5_000 + "}",
    "1e999 in what is ignored": '{"type":"ping","t0":1,"x":1e999}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
async def test_odd_json_is_read_or_refused_and_hurts_nobody(room: Room, text: str) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.expect("timecode")
        await raw.send(frame(text))
        assert await raw.outcome() in {"pong", 4400}
        # Answered as what it says, or refused: a frame is not passed over in silence.
        assert raw.errors or any(heard["type"] == "pong" and heard["t0"] != PROBE for heard in raw.frames)
    await is_well(room.host)


READABLE: dict[str, Json] = {
    "minus zero": {"t0": -0.0},
    "unknown fields": {"t0": 1, "v": 99, "colour": "red", "more": {"deep": [1, 2, {}]}},
    "keys of prototypes and operators": {"t0": 1, "__proto__": {"t0": 2}, "$where": "1", "a.b": 1, 'q"': 1, "\x00": 1},
    "a thousand keys": {"t0": 1, **{f"k{number}": 0 for number in range(1_200)}},
    "text of everywhere": {"t0": 1, "x": "שלום \U0001f469\u200d\U0001f680 \u202e \u001b[2J"},
}


@pytest.mark.parametrize("fields", READABLE.values(), ids=READABLE)
async def test_what_a_service_does_not_know_it_ignores(room: Room, fields: Json) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(frame(json.dumps({"type": "ping"} | fields)))
        assert (await raw.expect("pong"))["t0"] == fields["t0"]
        assert not raw.errors
    await is_well(room.host)


# Right in form and strange in what they say: refused as wrong or taken for what they are worth.
STRANGE: dict[str, Json] = {
    "a little beyond the film": {"currentPosition": 600.5},
    "far beyond the film": {"currentPosition": 100_000},
    "rate 0": {"rate": 0},
    "rate -1": {"rate": -1},
    "rate 100": {"rate": 100},
    "a revision of the future": {"revision": 10**9},
    "a revision below all": {"revision": -1},
    "a revision too large to count": {"revision": 10**30},
    "sent at the beginning of time": {"sentAt": 0},
    "sent before it": {"sentAt": -1e12},
    "sent at the end of it": {"sentAt": 1e300},
    "sent tomorrow": {"sentAt": 4e12},
    "a film of another length": {"length": 5},
    "a film of negative length": {"length": -5},
    **{f"null for {name}": {name: None} for name in ("sentAt", "revision", "rate", "buffering", "cause", "length")},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
async def test_a_strange_report_neither_ends_the_connection_nor_moves_the_film(room: Room, changes: Json) -> None:
    playing = await room.play()
    await room.start_of(playing)
    reported = room.guest.report_frame("play", cause="tick")
    await room.guest.feed.send_text(changed(reported, changes))
    await room.guest.feed.ping()
    await room.watch_for(0.3)
    await is_well(room.host)
    latest = room.host.latest
    assert latest["currentPosition"] <= latest["length"]
    # The film is where it would be after the time that passed; a pause and its refusal took a moment of it.
    elapsed = (room.host.now_ms - playing["at"]) / 1000
    assert elapsed - 3 <= room.host.position <= elapsed + 0.01


BODIES: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "an open brace": (b"{", (400,)),
    "a comma at the end": (b'{"name":"anna","password":"12345678",}', (400,)),
    "a comment": (b'{"name":"anna" /* hm */,"password":"12345678"}', (400,)),
    "NaN": (b'{"name":"anna","password":NaN}', (400, 422)),
    "invalid UTF-8": (b'{"name":"\xff\xfe","password":"12345678"}', (400,)),
    "half a pair": (b'{"name":"\\ud800aa","password":"12345678"}', (400, 422)),
    "nothing": (b"", (400, 422)),
    "spaces": (b"  ", (400, 422)),
    "an array": (b"[]", (400, 422)),
    "a text": (b'"anna"', (400, 422)),
    "null": (b"null", (400, 422)),
    "depth": (b"[" * 100_000, (400, 413, 422)),
    "depth in a field": (b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", (400, 413, 422)),
    "5,000 digits": (b'{"name":' + b"9" * 5_000 + b',"password":"12345678"}', (400, 422)),
    "a million letters": (b'{"name":"' + b"a" * 1_000_000 + b'","password":"12345678"}', (413, 422)),
    "many keys": (b'{"name":"?",' + b",".join(b'"k%d":0' % n for n in range(100_000)) + b"}", (413, 422)),
}


@pytest.mark.parametrize(("body", "allowed"), BODIES.values(), ids=BODIES)
async def test_a_body_that_is_wrong_is_refused_and_hurts_nobody(
    rest: Rest, body: bytes, allowed: tuple[int, ...]
) -> None:
    for path in ("/users", "/tokens"):
        await rest.call("POST", path, content=body, expect=allowed)
    assert (await rest.call("GET", "/health")).body["status"] == "ok"


async def test_a_key_that_comes_twice_is_read_once_or_refused(rest: Rest) -> None:
    name, other = fresh_name("anna"), fresh_name("bela")
    body = f'{{"name":"{name}","name":"{other}","password":"{PASSWORD}"}}'.encode()
    answer = await rest.call("POST", "/users", content=body, expect=(201, 400, 422))
    if answer.status == 201:
        assert answer.body["user"]["name"] in {name, other}


STRANGE_IDS = [
    "1",
    "$ne",
    "%24where",
    "2026-11-24",
    "%00",
    "..%2Fusers%2Fme",
    "ses_",
    "a.b",
    "%F0%9F%92%A9",
    "x" * 4_000,
]


@pytest.mark.parametrize("strange", STRANGE_IDS, ids=lambda strange: strange[:16])
async def test_a_strange_id_is_not_there(
    rest: Rest, host: Person, accepted: tuple[Json, dict[str, str]], strange: str
) -> None:
    _, tickets = accepted
    allowed = (400, 404, 414, 422)
    await rest.call("GET", f"/sessions/{strange}", token=host.token, expect=allowed)
    await rest.call("POST", f"/sessions/{strange}/accept", token=host.token, expect=allowed)
    # A ticket opens its own session, so for any other id it may also be simply the wrong ticket.
    await rest.call("GET", f"/timecodes/{strange}", token=tickets[host.id], expect=(403, *allowed))


TEXTS = {
    "escape": "\x1b[2J\x1b]0;x\x07",
    "a C1 control": "\x9b2J",
    "right to left": "abc\u202edef",
    "ten thousand newlines": "\n" * 10_000,
    "markup": "[bold red]x[/] ${path} {\\an8} %s",
    "NUL": "a\x00b",
    "a joined family": "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 40,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_strange_text_in_an_invitation_is_refused_or_can_be_read_by_both(
    rest: Rest, crowd: Crowd, text: str
) -> None:
    host, guest = await crowd.person("host"), await crowd.person("guest")
    session: Any = {"guestUserId": guest.id, "video": film(title=text), "details": text}
    answer = await rest.call("POST", "/sessions", {"session": session}, token=host.token, expect=(201, 413, 422))
    if answer.status == 201:
        made = answer.body["session"]
        seen = [await session_of(rest, person, made["id"]) for person in (host, guest)]
        assert seen[0]["details"] == seen[1]["details"] == made["details"]
        assert made["id"] in await ids_in_state(rest, guest, "pending")
        await act(rest, host, made, "cancel")
    plain = await invite(rest, host, guest)
    await act(rest, guest, plain, "reject")
