"""What the fault bench says of a kill: who was served after it, how fast people talk, and what the log told."""

import asyncio
import json
import time
from datetime import UTC, datetime

from benchmarks.faultbench.diary import Diary
from benchmarks.faultbench.pace import Pace
from benchmarks.faultbench.timeline import logged


def test_what_went_out_before_a_kill_does_not_show_that_anybody_is_served_after_it() -> None:
    diary = Diary("ana")
    diary.sent("before")
    at = time.monotonic()
    diary.acknowledged("before")
    assert diary.served_after(at) is None
    diary.sent("after")
    diary.acknowledged("after")
    diary.sent("later")
    diary.acknowledged("later")
    served = diary.served_after(at)
    assert served is not None
    assert at <= served <= time.monotonic()


def test_what_goes_out_again_after_a_kill_shows_it() -> None:
    diary = Diary("ana")
    diary.sent("one")
    at = time.monotonic()
    diary.sent("one")
    diary.acknowledged("one")
    assert diary.served_after(at) is not None


def test_a_diary_tells_what_happened_in_a_time() -> None:
    diary = Diary("ana")
    diary.note("before")
    at = time.monotonic()
    diary.lost("gone", 0.25)
    diary.note("the line stands")
    told = diary.since(at, time.monotonic())
    assert [one.what for one in told] == ["the line is lost (gone), the next try in 0.25 s", "the line stands"]
    assert diary.lost_at >= at


async def test_people_say_one_thing_after_another_at_their_pace() -> None:
    pace, again = Pace(30.0), asyncio.Event()
    assert pace.is_due(again.set)
    assert not pace.is_due(again.set)
    assert not again.is_set()


async def test_whoever_comes_too_early_is_told_when_it_is_time() -> None:
    pace, again = Pace(0.01), asyncio.Event()
    assert pace.is_due(again.set)
    if not pace.is_due(again.set):
        async with asyncio.timeout(5):
            await again.wait()
        assert pace.is_due(again.set)


def test_lines_of_the_log_are_laid_on_the_same_clock_and_what_is_none_is_left_out() -> None:
    at = time.monotonic()
    now = datetime.now(UTC).isoformat()
    lines = [
        json.dumps({"event": "a worker ended", "time": now, "level": "error", "logger": "x", "code": -9}),
        json.dumps({"event": "feed opened", "time": now}),
        json.dumps({"event": "long ago", "time": "2020-01-01T00:00:00Z"}),
        json.dumps({"event": "no time"}),
        "Serving at http://127.0.0.1:1",
    ]
    (told,) = logged(lines, at - 1.0, at + 1.0)
    assert told.what == "a worker ended, code -9"
    assert abs(told.at - at) < 1.0
