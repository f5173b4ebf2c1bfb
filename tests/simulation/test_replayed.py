"""A log played again is the evening again: each decision, to the last bit."""

from pathlib import Path

import msgspec
import pytest

from dateflicks.core.playback import Reason
from dateflicks.protocol.playback_log import BrokenLog
from tests.simulation.replayed import Recorder, played_again, unsound
from tests.simulation.world import Line, Setup, World

LOGS = Path(__file__).parents[1] / "core" / "playback" / "logs"


def recorded_evening(*, restart: bool = False) -> tuple[World, list[bytes]]:
    recorder = Recorder()
    world = World(7, kind=recorder.kind)
    for name, delay in (("host", 0.01), ("guest", 0.2)):
        world.person(Setup(name, Line(up=delay, down=delay, jitter=0.05)))
        world.connect(name)
    world.at(2.0, lambda: world.ask("host", "play"))
    world.at(8.0, lambda: world.stall("guest", 3.0))
    world.at(15.0, lambda: world.seek("guest", 600.0))
    if restart:
        world.at(20.0, world.kill_server)
        world.at(21.0, lambda: world.start_server(clock_step=0.5))
        for name in ("host", "guest"):
            world.at(21.5, lambda name=name: world.connect(name))  # type: ignore[misc]
    world.at(26.0, lambda: world.disconnect("guest"))
    world.run_until(30.0)
    return world, recorder.lines


@pytest.mark.parametrize("restart", [False, True])
def test_the_same_inputs_are_told_the_same(restart: bool) -> None:
    world, lines = recorded_evening(restart=restart)
    decisions = played_again(lines)
    told = [event for one in decisions for event in one.told]
    assert [(e.revision, e.reason, e.current_position, e.at, e.rate) for e in told] == [
        (e.revision, e.reason, e.current_position, e.at, e.rate) for e in world.events
    ]
    assert {Reason.PLAY, Reason.WAIT, Reason.SEEK, Reason.LEAVE} <= {event.reason for event in told}
    assert unsound(decisions) == []


def test_nobody_is_named_in_a_log() -> None:
    _, lines = recorded_evening()
    assert all("name" not in msgspec.json.decode(line) for line in lines)


def test_without_the_wakes_in_it_time_does_by_itself_what_is_due() -> None:
    """A log that somebody wrote by hand has only what people did."""
    lines = [
        b'{"format":"dateflicks-playback","version":1,"sessionId":"s","at":0,"length":600}',
        b'{"input":"join","at":1,"userId":"a","role":"host"}',
        b'{"input":"join","at":1,"userId":"b","role":"guest"}',
        b'{"input":"act","at":2,"userId":"a","currentPosition":0,"status":"play","isHost":true}',
        b'{"input":"refuse","at":100,"userId":"a"}',
    ]
    decisions = played_again(lines)
    assert [(one.at, one.input, [event.reason.value for event in one.told], one.refused) for one in decisions[2:]] == [
        (2, "act", ["play"], None),
        (62, "advance", ["restored"], None),
        (100, "refuse", [], "nothing-pending"),
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"input":"dance","at":1}', "Invalid value 'dance'"),
        (b'{"input":"join","at":1,"userId":"a"}', "missing required field `role`"),
        (b'{"input":"seek","at":1,"userId":"a","to":-1}', ">= 0"),
        (b'{"input":"join","at":-1,"userId":"a","role":"host"}', ">= 0"),
        (b'{"format":"dateflicks-playback","version":2,"sessionId":"s","at":0,"length":600}', "version 2"),
        (
            b'{"format":"dateflicks-playback","version":1,"sessionId":"s","at":0,"length":6,"rules":{"bandSeconds":1e300}}',
            "<= 10",
        ),
        (b'{"format":"other","version":1}', "Invalid enum value 'other'"),
        (b'{"input":"advance","at":0.5}', "before the line above"),
        (b"\xff\xfe", "malformed"),
    ],
)
def test_a_broken_line_is_told_with_its_number(line: bytes, why: str) -> None:
    begin = b'{"format":"dateflicks-playback","version":1,"sessionId":"s","at":0.9,"length":600}'
    with pytest.raises(BrokenLog, match="Line 3 can not be played") as caught:
        played_again([begin, b"", line])
    assert why in str(caught.value)


def test_a_record_that_contradicts_itself_comes_to_rest_too() -> None:
    """It stands by its status, and its film runs to the end all the same: whoever stalls there waits for nothing."""
    pending = b'"pending":{"by":"a","from":5,"to":6,"deadline":0,"awaited":["b"]}'
    lines = [
        b'{"format":"dateflicks-playback","version":1,"sessionId":"s","at":0,"length":1,"record":{"at":0,'
        b'"currentPosition":0,"status":"play","settled":"pause","lastStatusChange":0,"rate":0,"revision":1,'
        b'"members":[{"userId":"a","role":"host"},{"userId":"b","role":"guest"}],"present":["a","b"],'
        + pending
        + b"}}",
        b'{"input":"join","at":10,"userId":"b","role":"guest"}',
        b'{"input":"report","at":20,"userId":"b","currentPosition":1,"status":"stop","isHost":false,"buffering":true}',
        b'{"input":"leave","at":30,"userId":"a"}',
    ]
    assert len(played_again(lines)) < 10


def test_a_log_has_to_say_how_it_began() -> None:
    with pytest.raises(BrokenLog, match=r"Line 1 .* the first line has to be"):
        played_again([b'{"input":"advance","at":0.5}'])


@pytest.mark.parametrize("log", sorted(LOGS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_what_must_hold_for_every_playback_holds_in_every_log_that_was_sent_in(log: Path) -> None:
    decisions = played_again(log)
    assert decisions
    assert unsound(decisions) == []
