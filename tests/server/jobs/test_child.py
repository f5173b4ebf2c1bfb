"""One run's process, and what it tells."""

import os
import sys
from typing import Any

import pytest

from dateflicks.server.jobs.child import Child


async def test_who_fails_at_what_a_process_tells_is_told_the_rest_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[dict[str, Any]] = []

    def take(one: dict[str, Any]) -> None:
        told.append(one)
        if "first" in one:
            raise BrokenPipeError

    child = Child("films", timeout_seconds=60.0, memory_bytes=2**32, on_told=take)
    lines = ('{"first": 1}', "[" * 10_000, "no JSON", '{"second": 2}')
    await child.start([sys.executable, "-S", "-c", f"print(*{lines!r}, sep='\\n')"], os.environ)
    ended = await child.wait()

    assert (ended.code, told) == (0, [{"first": 1}, {"second": 2}])
    assert [record.getMessage() for record in caplog.records if record.exc_info] == [
        "what films has told could not be taken"
    ]
