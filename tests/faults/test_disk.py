"""A full disk: the film goes on for everybody, what is said waits, and is kept when there is room again."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.couple import couple
from tests.faults.town import town as opened
from tests.faults.town import until
from tests.server.processes import engine_of
from tests.small_disk import small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=16) as place:
        yield place


def fill(place: Path) -> Path:
    """Take all the room there is."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            for size in (1024 * 1024, 4096):
                while True:
                    file.write(b"x" * size)
        except OSError:
            pass
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
    return ballast


@pytest.mark.long
async def test_on_a_full_disk_the_film_goes_on_and_what_is_said_is_kept_once_there_is_room(disk: Path) -> None:
    async with opened(disk) as town, couple(town.url) as pair:
        await pair.play(0.3)
        since = time.monotonic()
        ballast = fill(disk)
        await asyncio.sleep(1.0)
        for number in range(12):
            for one in pair.both:
                one.say(f"{one.name} says at length {number} " + "x" * 3_000)
        await asyncio.sleep(3.0)
        assert engine_of(town.server.process.pid) is not None, "the database is there, and says that it is full"
        await pair.ask("pause", pair.guest)
        await pair.ask("play", pair.host)
        ballast.unlink()
        for one in pair.both:
            assert one.evening.conversation is not None
            for draft in one.evening.conversation.drafts:
                if draft.state == "failed":
                    one.evening.conversation.retry(draft.client_id)
        await until(lambda: not any(one.waits for one in pair.both), "everything kept")
        assert max(one.apart(since) for one in pair.both) == 0.0, "nobody was cut off for it"
        for one in pair.both:  # that the disk was full is said, and no fault of theirs
            one.account.faults = [fault for fault in one.account.faults if "full" not in fault]
        await pair.settle()
