"""What is heard of the real mpv is where it says that it is, also after many changes of its speed."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.syncbench.ear import PROGRAMS, make_click_film
from benchmarks.syncbench.heard import SCALETEMPO2, InaudibleError, listen
from tests.conftest import require

pytestmark = [pytest.mark.mpv, pytest.mark.slow]

CHANGES = 20
MOST_MS = 10.0  # beyond this two rooms on an open line hear an echo of the film
UNREST_MS = 4.0  # what is heard of a player left alone moves by a tenth of this, unless the machine is too busy


async def test_what_is_heard_stays_with_what_is_reported_through_changes_of_speed(tmp_path: Path) -> None:
    require(*PROGRAMS)
    film = await make_click_film(tmp_path / "clicks.mkv", 20.0)
    try:
        ours, kept = await asyncio.gather(
            *(
                listen(film, CHANGES, seed=1, settle=2.0, rest=1.5, every=0.2, arguments=arguments)
                for arguments in ((), SCALETEMPO2)
            )
        )
    except InaudibleError as error:
        pytest.skip(f"the machine is too busy: {error}")
    if max(ours.unrest, kept.unrest) > UNREST_MS:
        pytest.skip("the machine is too busy: what is heard moves while nothing changes")
    assert ours.walks < MOST_MS
    assert ours.moves < MOST_MS
    assert kept.passing > MOST_MS, "with the pitch kept it walks away: what is measured here would be seen"
