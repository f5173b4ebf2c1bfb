"""One connection, on a real server: what is handed on, how it ends whoever ends it, and that nobody else notices."""

import asyncio
import logging
import socket
import time

import msgspec
import pytest

from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import Server
from dateflicks.server.websocket import connection as module
from dateflicks.server.websocket.connection import MEASURE_EVERY, ConnectionRules
from dateflicks.server.websocket.frames import Opcode
from tests.server.websocket.peer import Peer, connected, do, handshake, joined, say
from tests.server.websocket.relay import Relay
from tests.server.websocket.sending import close_frame, frame
from tests.waiting import until

PLENTY = ConnectionRules(frames_per_second=1e6, frames_burst=1_000_000)


def sample(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, {"service": "relay"} | labels) or 0.0


async def gone(relay: Relay) -> None:
    """Wait until the server has forgotten everybody."""
    await until(lambda: len(relay.gate) == 0, "connections are left")
    await until(lambda: all(seat.ends == 1 for seat in relay.seats), "receivers were not told, or more than once")


async def test_what_one_says_the_other_hears(server: Server) -> None:
    async with joined(server.port) as ada, joined(server.port, token="bob") as bob:
        await ada.send(say("hello"))
        assert await bob.heard() == {"type": "said", "by": "ada", "text": "hello"}
        await bob.send(say("é" * 5000))
        assert (await ada.heard())["text"] == "é" * 5000


async def test_frames_arrive_whole_and_in_order_however_they_are_cut(server: Server) -> None:
    async with joined(server.port) as ada, joined(server.port, token="bob") as bob:
        ada.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = b"".join(say(str(number)) for number in range(10))
        for start in range(0, len(stream), 7):
            await ada.send(stream[start : start + 7])
            await asyncio.sleep(0)
        assert [(await bob.heard())["text"] for _ in range(10)] == [str(number) for number in range(10)]


@pytest.mark.parametrize("rules", [PLENTY])
async def test_very_many_small_frames_in_one_piece_are_all_handed_on(server: Server) -> None:
    async with joined(server.port) as ada, joined(server.port, token="bob") as bob:
        await ada.send(b"".join(say(str(number)) for number in range(2000)))
        assert [(await bob.heard())["text"] for _ in range(2000)] == [str(number) for number in range(2000)]


@pytest.mark.parametrize("rules", [PLENTY])
async def test_after_a_large_read_all_others_have_their_turn_before_the_next(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada, joined(server.port, token="bob") as bob:
        connection = relay.seats[0].connection
        connection.data_received(say("x" * 1000) * 63)
        assert connection._transport.is_reading()
        connection.data_received(say("x" * 1000) * 64)
        assert not connection._transport.is_reading()
        await until(connection._transport.is_reading)
        await ada.send(say("last"))
        assert [len((await bob.heard())["text"]) for _ in range(128)] == [1000] * 127 + [4]


async def test_frames_behind_the_handshake_are_the_first_data(server: Server) -> None:
    async with joined(server.port, token="bob") as bob, connected(server.port) as ada:
        await ada.send(handshake() + say("one") + say("two")[:5])
        assert (await ada.answer())[0] == 101
        await ada.send(say("two")[5:] + say("three"))
        assert [(await bob.heard())["text"] for _ in range(3)] == ["one", "two", "three"]


async def test_frames_that_come_while_the_handshake_is_looked_at_wait_for_it(server: Server, relay: Relay) -> None:
    async with connected(server.port) as ada:
        await ada.send(handshake("waiting"))
        await until(lambda: relay.waiting == 1, "the handshake is not looked at")
        await ada.send(frame(b"first", Opcode.PING) + b"".join(say("x" * 16_000) for _ in range(20)))
        relay.go_on.set()
        assert (await ada.answer())[0] == 101
        assert await ada.frame() == (Opcode.PONG, b"first")
        await ada.send(do("answer"))
        assert (await ada.heard())["text"] == "yes"


async def test_pings_of_a_peer_are_answered(server: Server, metrics: Metrics) -> None:
    async with joined(server.port) as ada:
        await ada.send(frame(b"x" * 125, Opcode.PING) + frame(opcode=Opcode.PING) + frame(b"unasked", Opcode.PONG))
        assert await ada.frame() == (Opcode.PONG, b"x" * 125)
        assert await ada.frame() == (Opcode.PONG, b"")
    await until(lambda: sample(metrics, "dateflicks_frames_total", type="pong frame") == 1)
    assert sample(metrics, "dateflicks_frames_total", type="ping frame") == 2


# --- wrong content ----------------------------------------------------------------------------------------------------


async def test_a_frame_of_the_wrong_content_is_told_and_the_connection_stays(server: Server) -> None:
    async with joined(server.port) as ada:
        await ada.send(frame(b'{"type":"say","text":7,"clientId":"c1"}') + do("refuse") + do("answer"))
        told = await ada.heard()
        assert (told["type"], told["code"], told["replyTo"]) == ("error", "invalid", "c1")
        assert told["detail"] == "The frame does not fit: text must be text, not a whole number."
        assert await ada.heard() == {"type": "error", "code": "not-now", "detail": "Not now.", "replyTo": "do"}
        assert (await ada.heard())["text"] == "yes"


async def test_what_is_no_json_is_told_and_ends_with_4400(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        await ada.send(frame(b"{") + do("answer"))
        assert (await ada.heard())["code"] == "malformed"
        assert await ada.ending() == 4400
    assert not relay.seats[0].heard


# --- faults of the receiver -------------------------------------------------------------------------------------------


async def test_a_receiver_that_fails_costs_its_own_connection_only(
    server: Server, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    async with joined(server.port) as ada, joined(server.port, token="bob") as bob, joined(server.port) as other:
        await ada.send(do("fail") + do("answer"))
        assert await ada.ending() == 1011
        await bob.send(say("still here"))
        assert (await other.heard())["text"] == "still here"
    await gone(relay)
    logged = [record for record in caplog.records if record.exc_info]
    assert [record.getMessage() for record in logged] == ["a frame could not be handled"]
    assert [frame.what for frame in relay.seats[0].heard if not hasattr(frame, "text")] == ["fail"]


async def test_a_receiver_that_fails_at_the_end_is_logged_and_nothing_is_left(
    server: Server, relay: Relay, caplog: pytest.LogCaptureFixture
) -> None:
    async with joined(server.port) as ada, joined(server.port) as other:
        await ada.send(do("fail at the end") + close_frame(1000))
        await other.send(do("fail at the end") + do("answer"))
        await other.heard()
        other.reset()
        assert await ada.ending() == 1000
    await gone(relay)
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert messages == ["the end of a connection could not be handled"] * 2


async def test_a_receiver_may_close_as_often_as_it_likes(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        await ada.send(do("close twice") + do("answer"))
        assert await ada.ending() == 4404
        assert await ada.gone()
    await gone(relay)
    assert len(relay.seats[0].heard) == 1
    assert not relay.seats[0].sent_after_the_end


async def test_a_receiver_may_cut_the_connection_off(server: Server, relay: Relay, metrics: Metrics) -> None:
    async with joined(server.port) as ada:
        await ada.send(do("abort") + do("answer"))
        assert await ada.ending() is None
    await gone(relay)
    assert len(relay.seats[0].heard) == 1
    assert sample(metrics, "dateflicks_socket_closes_total", code="1006") == 1


# --- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("close", "code"),
    [
        (close_frame(1000), 1000),
        (close_frame(1001, b"bye"), 1001),
        (close_frame(4999), 4999),
        (frame(opcode=Opcode.CLOSE), 1005),
    ],
)
async def test_a_peer_that_closes_is_answered_with_its_code_and_the_connection_ends(
    server: Server, relay: Relay, close: bytes, code: int
) -> None:
    async with joined(server.port) as ada:
        await ada.send(close + do("answer"))
        assert await ada.ending(answers=False) == code
        assert await ada.frame() is None
        await gone(relay)
    assert not relay.seats[0].heard


async def test_a_close_of_ours_waits_for_its_answer_then_the_connection_ends(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        await ada.send(do("close"))
        assert await ada.ending(answers=False) == 4404
        await until(lambda: relay.seats[0].ends == 1)
        assert len(relay.gate) == 1
        await ada.send(say("was under way") + close_frame(4404))
        assert await ada.frame() is None
        await gone(relay)


async def test_a_peer_that_does_not_answer_a_close_is_cut_off(
    server: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.2)
    async with joined(server.port) as ada:
        await ada.send(do("close"))
        assert await ada.ending(answers=False) == 4404
        await ada.gone()
        await gone(relay)


async def test_half_a_connection_is_none(server: Server, relay: Relay, metrics: Metrics) -> None:
    async with joined(server.port) as ada:
        ada.writer.write_eof()
        assert await ada.ending() is None
        await gone(relay)
    assert sample(metrics, "dateflicks_socket_closes_total", code="1006") == 1


async def test_a_reset_ends_the_connection_wherever_it_comes(server: Server, relay: Relay, metrics: Metrics) -> None:
    for half in (b"", say("x")[:1], say("x")[:5], say("x")[:-1], close_frame(1000)[:3]):
        async with joined(server.port) as ada:
            await ada.send(half + b"")
            ada.reset()
    await gone(relay)
    assert sample(metrics, "dateflicks_socket_closes_total", code="1006") == 5


async def stalled(peer: Peer, relay: Relay, speaker: Peer) -> None:
    """Leave this peer with frames of ours that it does not read and that the kernel takes no more."""
    transport = relay.seats[0].connection._transport
    while not transport.get_write_buffer_size():
        await speaker.send(say("x" * 16_000) * 4)
        await asyncio.sleep(0)
    assert relay.seats[0].connection.is_open


@pytest.mark.parametrize("rules", [PLENTY])
@pytest.mark.parametrize(
    "last", [b"", frame(b"x", masked=False), close_frame(1000)], ids=["half close", "a fault", "a close"]
)
async def test_a_peer_that_reads_nothing_cannot_keep_its_connection_after_the_end(
    server: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.3)
    monkeypatch.setattr(module, "IGNORE_SECONDS", 0.1)
    async with joined(server.port, receive_buffer=4096) as ada, joined(server.port, token="bob") as bob:
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's transport is a whole one
        await stalled(ada, relay, bob)
        if last:
            await ada.send(last)
        else:
            ada.writer.write_eof()
        await until(lambda: relay.seats[0].ends == 1, "the receiver was not told")
        await until(lambda: len(relay.gate) == 1, "the connection is kept", seconds=5)


async def behind(relay: Relay) -> None:
    """Send the first peer so much that it has to be waited for."""
    connection = relay.seats[0].connection
    while connection._transport.get_write_buffer_size() <= module.BEHIND_BYTES:
        assert connection.send(b'{"type":"said","by":"bob","text":"' + b"x" * 10_000 + b'"}')
        await asyncio.sleep(0)


async def test_whoever_has_much_to_tell_waits_for_the_peer_to_read(server: Server, relay: Relay) -> None:
    async with joined(server.port, receive_buffer=4096) as ada:
        connection = relay.seats[0].connection
        assert await connection.drained()
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await behind(relay)
        waiting = [asyncio.create_task(connection.drained()) for _ in range(2)]
        await ada.send(do("answer"))
        await until(lambda: len(relay.seats[0].heard) == 1, "the frame was not heard")
        assert not any(task.done() for task in waiting)
        waiting[0].cancel()
        ada.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while (await ada.heard())["text"] != "yes":
            pass
        assert await waiting[1]
        assert connection._transport.get_write_buffer_size() == 0


@pytest.mark.parametrize("how", ["close", "abort", "reset"])
async def test_whoever_waits_for_the_peer_to_read_goes_on_when_it_is_over(
    server: Server, relay: Relay, how: str
) -> None:
    async with joined(server.port, receive_buffer=4096) as ada:
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await behind(relay)
        connection = relay.seats[0].connection
        waiting = asyncio.create_task(connection.drained())
        await asyncio.sleep(0)
        if how == "close":
            connection.close(1012, "restart")
        elif how == "abort":
            connection.abort()
        else:
            ada.reset()
        async with asyncio.timeout(10):
            assert not await waiting
        assert not await connection.drained()


@pytest.mark.parametrize("rules", [PLENTY])
async def test_a_peer_that_reads_too_slowly_is_told_1013_when_it_reads_on(server: Server, relay: Relay) -> None:
    async with joined(server.port, receive_buffer=4096) as ada, joined(server.port, token="bob") as bob:
        ada.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while relay.seats[0].connection.is_open:
            await bob.send(say("x" * 16_000) * 4)
            await asyncio.sleep(0)
        assert relay.seats[0].connection._transport.get_write_buffer_size() < 256 * 1024 + 17_000
        ada.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert await ada.ending() == 1013
        await bob.send(do("answer"))
        assert (await bob.heard())["text"] == "yes"


# --- limits and signs of life -----------------------------------------------------------------------------------------


async def test_a_peer_that_sends_too_many_frames_is_closed_with_4429_after_its_burst(
    server: Server, relay: Relay, metrics: Metrics
) -> None:
    async with joined(server.port) as ada:
        await ada.send(do("answer") * 300)
        assert await ada.ending() == 4429
    await gone(relay)
    assert 60 <= len(relay.seats[0].heard) <= 80
    assert sample(metrics, "dateflicks_frames_total", type="refused") == 1
    assert sample(metrics, "dateflicks_socket_closes_total", code="4429") == 1


@pytest.mark.parametrize("one", [frame(b"x", Opcode.PING), frame(b"x", Opcode.PONG), frame(b'{"type":"?"}')])
async def test_control_frames_and_wrong_ones_cost_as_much(server: Server, one: bytes) -> None:
    async with joined(server.port) as ada:
        await ada.send(one * 100)
        assert await ada.ending() == 4429


async def test_after_a_close_of_ours_a_flood_is_no_longer_read(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        await ada.send(do("close") + say("x") * 2000)
        assert await ada.ending(answers=False) == 4404
        await until(lambda: relay.seats[0].connection._is_deaf)
        await ada.gone()
    await gone(relay)


@pytest.mark.parametrize("rules", [ConnectionRules(ping_seconds=0.05, silence_seconds=5)])
async def test_a_peer_that_answers_pings_stays_and_its_round_trips_are_measured(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        payloads = set()
        while len(relay.seats[0].round_trips) < 3:
            opcode, payload = await ada.frame() or (0, b"")
            assert opcode == Opcode.PING
            payloads.add(payload)
        assert all(0 < seconds < 5 for seconds in relay.seats[0].round_trips)
        assert len(payloads) >= 3
        assert relay.seats[0].connection.is_open


@pytest.mark.parametrize("rules", [ConnectionRules(ping_seconds=600, silence_seconds=6_000)])
async def test_a_peer_that_speaks_is_asked_for_signs_of_life_less_often(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        connection = relay.seats[0].connection

        async def told_on_look() -> Opcode:
            await ada.send(do("answer"))
            assert (await ada.frame() or (0, b""))[0] == Opcode.TEXT
            connection._look()
            await ada.send(do("answer"))
            return Opcode((await ada.frame() or (0, b""))[0])

        assert await told_on_look() == Opcode.PING
        await ada.frame()
        assert await told_on_look() == Opcode.TEXT
        connection._pinged_at -= 500
        connection._said_at -= 500
        connection._look()
        assert await ada.frame() == (Opcode.PING, connection._ping)
        assert await told_on_look() == Opcode.TEXT
        connection._pinged_at -= MEASURE_EVERY * 600
        assert await told_on_look() == Opcode.PING


@pytest.mark.parametrize("rules", [ConnectionRules(ping_seconds=0.05, silence_seconds=5)])
async def test_only_the_first_pong_to_the_last_ping_is_measured(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        ada.answers_pings = False
        _, first = await ada.frame() or (0, b"")
        _, second = await ada.frame() or (0, b"")
        wrong = b"".join(frame(payload, Opcode.PONG) for payload in (first, b"", b"wrong"))
        await ada.send(wrong + frame(second, Opcode.PONG) * 3 + do("answer"))
        while (found := await ada.frame()) is not None and found[0] == Opcode.PING:
            pass  # the next ping may have been faster than the pong to the last one
        assert len(relay.seats[0].round_trips) <= 1


@pytest.mark.parametrize("rules", [ConnectionRules(ping_seconds=0.05, silence_seconds=0.3)])
async def test_a_silent_peer_is_closed_and_one_that_says_something_is_not(server: Server, relay: Relay) -> None:
    async with joined(server.port) as silent, joined(server.port, token="bob") as bob:
        silent.answers_pings = False
        bobs = asyncio.create_task(bob.ending())
        assert await silent.ending() == 1008
        assert not bobs.done()
        bobs.cancel()
    await gone(relay)


@pytest.mark.parametrize("rules", [ConnectionRules(ping_seconds=60, silence_seconds=0.2)])
async def test_silence_is_noticed_where_pings_are_rare_too(server: Server) -> None:
    began = time.monotonic()
    async with joined(server.port) as silent:
        silent.answers_pings = False
        assert await silent.ending() == 1008
    assert time.monotonic() - began < 8


async def test_a_token_that_expires_ends_its_connection_with_4401(server: Server, relay: Relay) -> None:
    async with joined(server.port, token="ada~0.1") as ada, joined(server.port, token="bob~60") as bob:
        assert await ada.ending() == 4401
        await bob.send(do("answer"))
        assert (await bob.heard())["text"] == "yes"


async def test_a_token_that_has_expired_already_ends_it_at_once_and_a_new_one_may_come(
    server: Server, relay: Relay
) -> None:
    async with joined(server.port, token="ada~-1") as ada:
        assert await ada.ending() == 4401
    async with joined(server.port, token="ada~0.2") as ada:
        first = relay.seats[-1].connection.expire_at(3600, "later")
        second = relay.seats[-1].connection.expire_at(3600, "later still")
        assert first.cancelled()
        await ada.send(do("close"))
        assert await ada.ending() == 4404
        await gone(relay)
        assert second.cancelled()
        assert relay.seats[-1].connection.expire_at(1, "never").cancelled()


# --- what is counted --------------------------------------------------------------------------------------------------


async def test_sockets_frames_and_closes_are_counted(server: Server, relay: Relay, metrics: Metrics) -> None:
    async with joined(server.port) as ada, joined(server.port, token="bob") as bob:
        assert sample(metrics, "dateflicks_sockets") == 2
        await ada.send(say("x") * 3 + frame(b'{"type":"?"}') + frame(b"x", Opcode.BINARY))
        assert await ada.ending() == 4400
        await bob.send(close_frame(1000))
        assert await bob.ending() == 1000
    await gone(relay)
    assert sample(metrics, "dateflicks_sockets") == 0
    assert sample(metrics, "dateflicks_frames_total", type="say") == 3
    assert sample(metrics, "dateflicks_frames_total", type="wrong") == 1
    assert sample(metrics, "dateflicks_frames_total", type="fault") == 1
    assert sample(metrics, "dateflicks_socket_closes_total", code="4400") == 1
    assert sample(metrics, "dateflicks_socket_closes_total", code="1000") == 1


async def test_codes_that_peers_make_up_do_not_become_metrics_of_their_own(
    server: Server, relay: Relay, metrics: Metrics
) -> None:
    for code in range(3000, 3010):
        async with joined(server.port) as ada:
            await ada.send(close_frame(code))
            assert await ada.ending() == code
    await gone(relay)
    assert sample(metrics, "dateflicks_socket_closes_total", code="other") == 10
    assert b'code="30' not in metrics.exposition()


async def test_send_says_whether_it_could(server: Server, relay: Relay) -> None:
    async with joined(server.port) as ada:
        seat = relay.seats[0]
        assert seat.connection.send(msgspec.json.encode({"type": "x"}))
        assert (await ada.heard()) == {"type": "x"}
        seat.connection.close(1000)
        assert not seat.connection.send(b"{}")
        assert await ada.ending() == 1000
