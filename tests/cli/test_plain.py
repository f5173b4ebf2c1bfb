"""Watching line by line: what is said of what happens, what is done with what is typed."""

import asyncio
import io
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
import pytest

from dateflicks.cli.telling import JsonLines
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged
from dateflicks.protocol.frames import ParticipantState, Pong
from dateflicks.settings.client import ClientSettings, ConsentSettings
from tests.cli.desk import ANA, BEA, Desk, asked, at_desk, told
from tests.waiting import until


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with at_desk(ClientSettings(player="simulated")) as found:
        yield found


async def test_who_is_there_is_the_first_that_is_said(desk: Desk) -> None:
    assert desk.hear(told(1)) == "You are here, and so is ana."
    assert desk.hear(told(1)) == ""


async def test_a_question_says_what_to_type(desk: Desk) -> None:
    desk.hear(told(1))
    assert desk.hear(asked(2, "seek", 2460.0)) == "ana asks to move to 41:00; type accept or refuse."


async def test_what_is_agreed_to_in_one_s_name_is_no_question_and_told_once(desk: Desk) -> None:
    desk.hear(told(1))
    assert desk.hear(asked(2, "play", "play")) == "ana asks to play; agreed for you."
    assert desk.hear(Notice("granted", "play was agreed to", ANA)) == ""


async def test_what_is_granted_silently_is_not_told() -> None:
    async with at_desk(ClientSettings(player="simulated", consent=ConsentSettings(play="free"))) as desk:
        desk.hear(told(1))
        assert desk.hear(asked(2, "play", "play")) == ""


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("play", ("ask", "play")),
        ("pause", ("ask", "pause")),
        ("stop", ("ask", "stop")),
        ("seek 41:00", ("seek", 2460.0)),
        ("seek +30", ("seek", 90.0)),
        ("seek -1:30", ("seek", 0.0)),
        ("accept", ("confirm", None)),
        ("no", ("refuse", None)),
    ],
)
async def test_each_word_does_what_it_says(line: str, done: tuple[str, Any], desk: Desk) -> None:
    desk.hear(told(1))
    desk.type(line)
    assert desk.done == [done]


@pytest.mark.parametrize("line", ["seek", "seek soon", "seek 1:2:3:4", "seek +", "dance", "seek nan"])
async def test_what_makes_no_sense_is_answered_with_what_does(line: str, desk: Desk) -> None:
    desk.hear(told(1))
    assert "seek" in desk.type(line)
    assert desk.done == []


async def test_without_a_line_it_is_said_that_nobody_hears(desk: Desk) -> None:
    desk.hear(told(1))
    desk.evening.viewer.lost()
    assert desk.type("pause") == "There is no line, so the other does not hear of it."


async def test_where_is_told_for_everybody(desk: Desk) -> None:
    assert desk.type("where") == "Not connected yet."
    desk.hear(told(1))
    assert desk.type("where").startswith("Stop at 1:00 of 1:30:00: you ")
    assert desk.type("where").endswith("ana +0.000 s.")


@pytest.mark.parametrize(("is_here", "said"), [(True, "ana with a player that cannot be read"), (False, "ana away")])
async def test_where_tells_who_is_away_from_who_has_a_player_that_tells_nothing(
    desk: Desk, is_here: bool, said: str
) -> None:
    ana = ParticipantState(
        role="host", connected=is_here, buffering=False, status="stop", position=None, drift=None, name="ana"
    )
    desk.hear(told(1, participants={ANA: ana}))
    assert desk.type("where").endswith(f", {said}.")


async def test_where_tells_how_well_the_clock_is_known_from_the_first_look_on(desk: Desk) -> None:
    desk.hear(told(1))
    assert "clocks" not in desk.type("where")
    pong = Pong(t0=1.0, t1=5_000_000.0, t2=5_000_000.0, clock_id="clk_x")
    desk.evening.viewer.received(pong, 1.003, None)
    assert not desk.evening.viewer.clock.ready
    assert desk.type("where").endswith("; clocks within 1.5 ms.")


async def test_a_line_that_stays_lost_is_told_twice_and_not_at_every_try(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("dateflicks.cli.plain.time.monotonic", lambda: now)
    lost = LinkChanged(False, "the line is gone", 2.0)
    assert "line is lost" in desk.hear(lost)
    assert desk.hear(lost) == ""
    now = 25.0
    assert "There is still no line" in desk.hear(lost)
    now = 60.0
    assert desk.hear(lost) == ""


async def test_a_player_s_trouble_is_one_sentence(desk: Desk) -> None:
    assert desk.hear(PlayerChanged("trouble", "mpv does not answer.")) == "Your player: mpv does not answer."


async def test_by_hand_one_says_where_one_is() -> None:
    async with at_desk(ClientSettings(player="manual")) as desk:
        desk.hear(told(1))
        desk.type("at 1:02")
        head = desk.evening.screen.player.playhead(0.0)
        assert head is not None
        assert head.position == 62.0
        assert "at 41:12" in desk.type("at")
        assert "at 41:12" in desk.type("help")
        assert desk.hear(PlayerChanged("speed-refused", "It keeps its own speed.")) == ""


async def test_hostile_names_move_no_cursor(desk: Desk) -> None:
    name = "\x1b[2J\u202eana"
    person = ParticipantState(
        role="host", connected=True, buffering=False, status="stop", position=0.0, drift=0.0, name=name
    )
    said = desk.hear(told(1, participants={ANA: person}))
    assert "\x1b" not in said
    assert "\u202e" not in said


async def test_for_programs_everything_is_an_object_on_a_line() -> None:
    stdout = io.StringIO()
    teller = JsonLines(stdout)
    for update in (told(1), LinkChanged(True), PlayerChanged("stalled", "x"), Notice("granted", "y", ANA)):
        teller.update(update, None)
    teller.say("dateflicks join x", "invitation", code="x")
    events = [msgspec.json.decode(line) for line in stdout.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["timecode", "line", "player", "notice", "invitation"]
    assert events[0]["participants"][BEA]["name"] == "bea"
    assert events[-1] == {"event": "invitation", "text": "dateflicks join x", "code": "x"}


# --- typed input -------------------------------------------------------------------------------------------------


@pytest.fixture
def pipe() -> Iterator[tuple[io.TextIOBase, io.TextIOBase]]:
    reading, writing = os.pipe()
    with os.fdopen(reading) as read_end, os.fdopen(writing, "w", buffering=1) as write_end:
        yield read_end, write_end


async def test_a_closed_player_is_a_question_at_a_terminal(pipe: tuple[io.TextIOBase, io.TextIOBase]) -> None:
    async with at_desk(ClientSettings(player="simulated"), stdin=pipe[0]) as desk, asyncio.timeout(20):
        running = asyncio.create_task(desk.watch.run())
        desk.hear(told(1))
        first = desk.evening.screen.player
        assert isinstance(first, SimulatedPlayer)
        first.end(by_user=True)
        await until(lambda: "Type again to open it, or quit to leave." in desk.stdout.getvalue())
        pipe[1].write("again\n")
        await until(lambda: desk.evening.watching.player is not first)
        pipe[1].write("quit\n")
        await running


async def test_a_closed_player_is_the_end_where_nobody_types(pipe: tuple[io.TextIOBase, io.TextIOBase]) -> None:
    settings = ClientSettings(player="simulated")
    async with at_desk(settings, is_interactive=False, stdin=pipe[0]) as desk, asyncio.timeout(20):
        running = asyncio.create_task(desk.watch.run())
        player = desk.evening.screen.player
        assert isinstance(player, SimulatedPlayer)
        player.end(by_user=True)
        await running
        assert "you leave, the others go on" in desk.stdout.getvalue()


async def test_the_end_of_input_leaves_at_a_terminal_only(pipe: tuple[io.TextIOBase, io.TextIOBase]) -> None:
    async with at_desk(ClientSettings(player="simulated"), stdin=pipe[0]) as desk, asyncio.timeout(20):
        pipe[1].close()
        await desk.watch.run()
    nobody = io.StringIO()
    async with at_desk(ClientSettings(player="simulated"), is_interactive=False, stdin=nobody) as desk:
        running = asyncio.create_task(desk.watch.run())
        await until(lambda: desk.watch._nobody_types)
        assert not running.done()
        desk.hear(told(1))
        desk.hear(told(2, reason="end"))  # nothing is left to wait for
        async with asyncio.timeout(20):
            await running


async def test_words_that_a_pipe_types_before_there_is_a_line_wait_for_it(
    pipe: tuple[io.TextIOBase, io.TextIOBase],
) -> None:
    settings = ClientSettings(player="simulated")
    async with at_desk(settings, is_interactive=False, stdin=pipe[0]) as desk, asyncio.timeout(20):
        pipe[1].write("play\nseek +30\nhelp\n")
        running = asyncio.create_task(desk.watch.run())
        await until(lambda: "Commands: play" in desk.stdout.getvalue())
        assert desk.done == []
        desk.hear(told(1))
        assert desk.done == [("ask", "play"), ("seek", 90.0)]
        desk.hear(told(2))
        assert len(desk.done) == 2
        pipe[1].write("quit\n")
        await running


async def test_a_person_is_told_that_there_is_no_line_yet_and_can_help_themselves_and_leave(
    pipe: tuple[io.TextIOBase, io.TextIOBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_desk(ClientSettings(player="simulated"), stdin=pipe[0]) as desk, asyncio.timeout(20):
        tried: list[str] = []
        monkeypatch.setattr(desk.evening, "reconnect", lambda: tried.append("retry"))
        running = asyncio.create_task(desk.watch.run())
        pipe[1].write("play\n")
        await until(lambda: "Not connected yet." in desk.stdout.getvalue())
        pipe[1].write("help\nretry\nquit\n")
        await running
        assert "Commands: play" in desk.stdout.getvalue()
        assert tried == ["retry"]
        assert desk.done == []


async def test_a_pipe_that_leaves_is_told_that_what_it_typed_reached_nobody(
    pipe: tuple[io.TextIOBase, io.TextIOBase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.cli.plain.LAST_SECONDS", 0.01)
    settings = ClientSettings(player="simulated")
    async with at_desk(settings, is_interactive=False, stdin=pipe[0]) as desk, asyncio.timeout(20):
        pipe[1].write("play\nquit\n")
        await desk.watch.run()
        assert "Not connected yet." in desk.stdout.getvalue()
        assert desk.done == []
