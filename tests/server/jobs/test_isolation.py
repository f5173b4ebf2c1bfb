"""People on a deployment while a source that is a real package does, as its job, whatever a source should not."""

from pathlib import Path

import pytest

from benchmarks.filmbench.evening import Evening, Record
from benchmarks.isolation import staged
from tests.providers.chaos import MODES

TITLES = 200
TRIED = {"garbage": 60.0, "killed": 60.0, "hang": 4.0, "nothing": 60.0}  # and how long each may take


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.long
async def test_nobody_is_refused_anything_and_the_collection_stays_as_it_was_whatever_a_source_does(
    tmp_path: Path,
) -> None:
    record = Record()
    async with staged(tmp_path, TITLES) as stage:
        evening = Evening(stage.port, stage.signer, record, pairs=2, lookers=3, titles=TITLES)
        async with evening.going_on():
            for mode, seconds in TRIED.items():
                record.begin()
                ended = await stage.misbehave(mode, seconds, titles=60, once=True)
                assert MODES[mode].intersection(ended), (mode, ended)
                assert record.times["message"], mode
        assert record.errors == []
        assert await stage.wrongs() == []
