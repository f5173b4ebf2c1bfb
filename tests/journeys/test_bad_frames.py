"""Wrong bytes on an open connection: each is answered as it deserves, and the partner notices nothing.

Where a frame breaks the WebSocket protocol itself, the codes of RFC 6455 and the contract's 4400 are both a right
answer, and so is to hang up, which is what that document means by failing a connection.
"""

import socket
import struct

import pytest

from tests.journeys.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PROBE,
    RawSocket,
    close_frame,
    frame,
    ping_text,
    request,
    upgrade_headers,
)
from tests.journeys.room import Room, is_connected, is_well

Allowed = set[int | str | None]

GOOD = ping_text().encode()
HALF = len(GOOD) // 2
BROKEN: Allowed = {1002, 4400, None}
NOT_OURS: Allowed = {1002, 1003, 1008, 4400, None}
TOO_LARGE: Allowed = {1009, 4400, None}
NOT_TEXT: Allowed = {1007, 1002, 4400, None}
BAD_CLOSE: Allowed = {1002, 1007, 4400, None}

CLOSING: dict[str, tuple[bytes, Allowed]] = {
    "unmasked": (frame(GOOD, masked=False), BROKEN),
    "reserved bit 1": (frame(GOOD, reserved=4), BROKEN),
    "reserved bit 2": (frame(GOOD, reserved=2), BROKEN),
    "reserved bit 3": (frame(GOOD, reserved=1), BROKEN),
    **{f"opcode {number}": (frame(GOOD, opcode=number), BROKEN) for number in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "fragmented text": (
        frame(GOOD[:HALF], final=False) + frame(GOOD[HALF:], opcode=CONTINUATION),
        NOT_OURS,
    ),
    "a continuation first": (frame(GOOD, opcode=CONTINUATION), NOT_OURS),
    "control between fragments": (
        frame(GOOD[:HALF], final=False) + frame(b"", opcode=PING) + frame(GOOD[HALF:], opcode=CONTINUATION),
        NOT_OURS,
    ),
    "a text between fragments": (frame(GOOD[:HALF], final=False) + frame(GOOD), NOT_OURS),
    "a ping of 126 bytes": (frame(b"x" * 126, opcode=PING), BROKEN),
    "a fragmented ping": (frame(b"x", opcode=PING, final=False), BROKEN),
    "a close with one byte": (frame(b"\x03", opcode=CLOSE), BAD_CLOSE),
    **{f"close code {code}": (close_frame(code), BAD_CLOSE) for code in (999, 1005, 1006, 5000)},
    "a close reason that is no text": (close_frame(1000, b"\xff\xfe"), BAD_CLOSE),
    "a close of 126 bytes": (close_frame(1000, b"x" * 124), BAD_CLOSE),
    "a length with the top bit": (frame(b"", length=b"\x7f" + struct.pack("!Q", 1 << 63)), BROKEN | TOO_LARGE),
    "a length of all ones": (frame(b"", length=b"\x7f" + b"\xff" * 8), BROKEN | TOO_LARGE),
    "a length of 2^40": (frame(b"", length=b"\x7f" + struct.pack("!Q", 1 << 40)), TOO_LARGE),
    "invalid UTF-8": (frame(b'{"type":"ping","t0":1,"x":"\xff"}'), NOT_TEXT),
    "overlong UTF-8": (frame(b'{"type":"ping","t0":1,"x":"\xc0\xaf"}'), NOT_TEXT),
    "a surrogate in UTF-8": (frame(b'{"type":"ping","t0":1,"x":"\xed\xa0\x80"}'), NOT_TEXT),
    "truncated UTF-8": (frame(b'{"type":"ping","t0":1,"x":"\xe2\x82'), NOT_TEXT),
    "binary": (frame(GOOD, opcode=BINARY), {1003, 4400}),
    "16,385 bytes": (frame(GOOD + b" " * (16_385 - len(GOOD))), TOO_LARGE - {None}),
}


@pytest.mark.parametrize(("wrong", "allowed"), CLOSING.values(), ids=CLOSING)
async def test_a_frame_that_breaks_the_protocol_ends_its_own_connection_only(
    room: Room, wrong: bytes, allowed: Allowed
) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.expect("timecode")
        await raw.send(wrong)
        assert await raw.ending() in allowed
        assert not any(heard["type"] == "pong" for heard in raw.frames)
    await is_well(room.host)
    await is_well(room.guest)


BAD_FRAMES: dict[str, bytes] = {
    "no text": frame(GOOD, opcode=BINARY),
    "in pieces": frame(GOOD[:HALF], final=False) + frame(GOOD[HALF:], opcode=CONTINUATION),
    "larger than 16 KiB": frame(GOOD + b" " * (16_385 - len(GOOD))),
    "no JSON": frame(b"{"),
}


@pytest.mark.parametrize("bad", BAD_FRAMES.values(), ids=BAD_FRAMES)
async def test_what_the_contract_does_not_carry_is_a_bad_frame_and_told_as_one(room: Room, bad: bytes) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.expect("timecode")
        await raw.send(bad)
        assert await raw.ending() == 4400
        assert len(raw.errors) == 1
    await is_well(room.host)


TOLERABLE: dict[str, tuple[bytes, Allowed]] = {
    # Longer than it must be: a strict reader fails it, most read it.
    "16 bits for a short length": (frame(GOOD, length=b"\x7e" + struct.pack("!H", len(GOOD))), BROKEN | {"pong"}),
    "64 bits for a short length": (frame(GOOD, length=b"\x7f" + struct.pack("!Q", len(GOOD))), BROKEN | {"pong"}),
    # No JSON: wrong in content or a bad frame; told in both cases.
    "an empty text": (frame(b""), {"pong", 4400}),
}


@pytest.mark.parametrize(("odd", "allowed"), TOLERABLE.values(), ids=TOLERABLE)
async def test_an_odd_frame_is_read_or_refused(room: Room, odd: bytes, allowed: Allowed) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(odd)
        outcome = await raw.outcome()
        assert outcome in allowed
        if len(odd) < 10:
            assert raw.errors
    await is_well(room.host)


async def test_a_frame_of_exactly_16_kib_is_read(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        text = ping_text(pad="")
        await raw.send(frame(ping_text(pad="x" * (16_384 - len(text)))))
        assert (await raw.expect("pong"))["t0"] == PROBE
    await is_well(room.host)


async def test_a_frame_in_single_bytes_is_read(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        raw.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await raw.send(*(bytes([byte]) for byte in frame(GOOD)))
        assert (await raw.expect("pong"))["t0"] == PROBE


async def test_two_frames_in_one_piece_are_two_frames(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(frame(ping_text(1)) + frame(ping_text(2)))
        assert [(await raw.expect("pong"))["t0"] for _ in range(2)] == [1, 2]


async def test_a_frame_that_comes_with_the_handshake_is_read_after_it(room: Room) -> None:
    async with RawSocket.connected(room.deployment) as raw:
        headers = upgrade_headers(room.deployment, room.tickets[room.guest.id])
        await raw.send(request(room.path, headers) + frame(GOOD))
        assert (await raw.answer())[0] == 101
        # Some services want a client to wait for their word first; then they hang up, and never read it as HTTP.
        assert await raw.outcome() in {"pong", 1002, 4400, None}
    await is_well(room.host)


async def test_an_empty_ping_and_one_of_125_bytes_come_back_as_they_went(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(frame(b"", opcode=PING), frame(b"x" * 125, opcode=PING), frame(GOOD))
        await raw.expect("pong")
        assert raw.opcodes.count(10) == 2


async def test_an_unasked_pong_is_no_fault(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(frame(b"nobody asked", opcode=10), frame(GOOD))
        await raw.expect("pong")


@pytest.mark.parametrize("closing", [close_frame(1000, b"bye"), frame(b"", opcode=CLOSE)], ids=["1000", "no code"])
async def test_a_close_is_answered_and_what_follows_it_is_not(room: Room, closing: bytes) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(closing + frame(GOOD))
        assert await raw.ending() in {1000, 1005}
        assert not any(heard["type"] == "pong" for heard in raw.frames)
    await is_well(room.host)


async def only_raw_guest_is_left(room: Room, raw: RawSocket) -> int:
    """Close the guest's good connection, so that the end of the raw one is the guest's leaving."""
    await raw.expect("timecode")
    await room.guest.feed.socket.close()
    await room.guest.feed.expect_closed()
    await is_well(room.host)
    assert is_connected(room.host.latest, room.guest)
    return room.host.feed.mark


async def test_a_connection_closed_in_one_direction_is_over(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        mark = await only_raw_guest_is_left(room, raw)
        raw.writer.write_eof()
        await raw.ending()
        await room.host.timecode(lambda frame: not is_connected(frame, room.guest), "leave", since=mark)


async def test_a_connection_reset_in_the_middle_of_a_frame_is_over(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        mark = await only_raw_guest_is_left(room, raw)
        await raw.send(frame(GOOD)[:-5])
        reset_on_close = struct.pack("ii", 1, 0)
        raw.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
        raw.writer.transport.abort()
        await room.host.timecode(lambda frame: not is_connected(frame, room.guest), "leave", since=mark)
    await room.host.feed.ping()


FLOODS: dict[str, bytes] = {
    "pings of the contract": frame(GOOD),
    "reports that change nothing": frame('{"type":"refuse"}'),
    "empty texts": frame(b""),
    "unknown types": frame('{"type":"flood"}'),
}


@pytest.mark.parametrize("one", FLOODS.values(), ids=FLOODS)
async def test_a_flood_is_ended_and_the_partner_stays_dry(room: Room, one: bytes) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(*[one * 100] * 30)
        ended = await raw.ending(within=15)
        # The code gets lost where the service hangs up on what is still under way. An empty text may be a bad frame.
        assert ended in ({4429, None} if one != FLOODS["empty texts"] else {4429, 4400, None})
        if one == FLOODS["pings of the contract"]:
            answered = sum(heard["type"] == "pong" for heard in raw.frames)
            assert answered <= 60 + 20 * 15
    await is_well(room.host)
    await is_well(room.guest)


async def test_a_burst_within_the_limit_is_answered_in_full(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(b"".join(frame(ping_text(number)) for number in range(50)))
        for number in range(50):
            assert (await raw.expect("pong"))["t0"] == number


async def test_a_few_too_many_frames_are_told_with_their_own_code(room: Room) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        await raw.send(b"".join(frame(ping_text(number)) for number in range(300)))
        assert await raw.ending() == 4429
    await is_well(room.host)


@pytest.mark.parametrize(
    "one",
    [frame(b"", final=False), frame(b"x" * 125, opcode=PING), frame(b"", opcode=10)],
    ids=["empty fragments", "control pings", "control pongs"],
)
async def test_a_flood_below_the_frames_of_the_contract_hurts_nobody(room: Room, one: bytes) -> None:
    async with RawSocket.upgraded(room.deployment, room.path, room.tickets[room.guest.id]) as raw:
        # Read nothing: whether the service ends this or answers as fast as it is read, others do not wait.
        raw.writer.transport.set_write_buffer_limits(high=1 << 24)
        await raw.send(*[one * 500] * 40)
        await is_well(room.host)
        await is_well(room.guest)
    await is_well(room.host)
