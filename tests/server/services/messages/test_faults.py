"""The service dies again and again under talk, lines are cut, and nothing that was acknowledged is lost or doubled.

`python -m benchmarks.chat_faults` does the same at full size.
"""

from pathlib import Path

import pytest

from benchmarks.faultbench.evening import Scale, run_evening

FEW = Scale(sessions=4, messages=240, kills=2, cut_seconds=0.04, patience_seconds=150.0)
MORE = Scale(sessions=6, messages=600, kills=4, cut_seconds=0.04, patience_seconds=150.0)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("scale", [pytest.param(FEW, id="few"), pytest.param(MORE, id="more", marks=pytest.mark.long)])
async def test_all_lists_are_the_database_s_after_kills_restarts_and_cuts(tmp_path: Path, scale: Scale) -> None:
    result = await run_evening(scale, 20_261_125, tmp_path)

    findings = result.findings
    assert findings.is_good, (findings, (tmp_path / "service.log").read_text()[-2_000:])
    assert result.kills == scale.kills
    assert findings.said == scale.messages
    assert findings.acknowledged + findings.unacknowledged_kept + findings.unacknowledged_absent == findings.said
    assert result.cuts
    assert findings.reconnects >= scale.kills  # otherwise nothing was tried
    assert findings.resends
