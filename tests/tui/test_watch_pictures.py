"""The film's screen as it stands, character by character, in each size."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.tui.evenings import states
from tests.tui.still import StillApp, settled

STATES = states()


@pytest.mark.parametrize("size", [(40, 10), (60, 16), (80, 24), (140, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_film_s_screen(tmp_path: Path, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    app = StillApp(tmp_path, STATES["playing"], glyphs="unicode")
    async with app.run_test(size=size) as pilot:
        for name in ("playing", "asked", "offline", "opened"):
            app.state = STATES[name]
            app._show()
            grid = await settled(pilot)
            assert "\n".join(f"|{line}|" for line in grid.split("\n")) == snapshot(name=name)
