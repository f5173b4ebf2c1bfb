"""All workers renewed while two people watch: nothing they see, nothing lost, and what cannot start changes nothing."""

import asyncio
import signal
import time
from pathlib import Path

import pytest

from tests.faults.couple import couple
from tests.faults.town import town, until
from tests.server.processes import kill

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


async def test_a_couple_watches_on_while_all_workers_are_renewed(tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    async with town(tmp_path, 2, "--settings", str(settings)) as made, couple(made.url) as pair:
        parent = made.server.process.pid
        await pair.play()
        since, before = time.monotonic(), made.workers
        (settings / "timecode.toml").write_text("confirm_second = 3\n")
        kill(parent, signal.SIGUSR2)
        await until(lambda: any("none was renewed" in line for line in made.server.said), "a word on the settings")
        assert any("confirm_seconds" in line for line in made.server.said)
        assert made.workers == before

        (settings / "timecode.toml").write_text("confirm_seconds = 3\n")
        for _ in range(2):
            before = made.workers
            kill(parent, signal.SIGUSR2)
            gone = {one.pid for one in before}
            await until(
                lambda gone=gone: len(made.workers) == 2 and not gone & {one.pid for one in made.workers},  # type: ignore[misc]
                "two new workers",
            )
            await pair.in_step_again()
            await asyncio.sleep(0.5)
        await pair.end_untouched(since)
