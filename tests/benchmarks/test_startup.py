"""The budget of the start: what `--help` may load, and what it takes beside a bare program of Typer and Rich."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.startup import BARE, OURS, PROGRAM, TARGET, Taken, measure, ratio_of

LIST = "import sys; print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"


def loaded_by(program: str) -> set[str]:
    """The packages that are loaded when a program shows its help."""
    text = f"import sys\nsys.argv = ['it', '--help']\ntry:\n    {program}\nexcept SystemExit:\n    pass\n{LIST}"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=30, check=True)
    return {name for name in done.stderr.split() if name not in sys.stdlib_module_names}


def test_the_help_loads_no_package_that_a_bare_program_of_typer_and_rich_does_not_load(tmp_path: Path) -> None:
    bare = tmp_path / "bare.py"
    bare.write_text(PROGRAM, encoding="utf-8")
    ours = loaded_by("from dateflicks.cli.main import run; run()")
    assert {"dateflicks", "typer"} <= ours
    assert ours - loaded_by(f"import runpy; runpy.run_path({str(bare)!r})") == {"dateflicks"}


def test_the_ratio_is_of_the_least_of_each() -> None:
    taken = {BARE: Taken(processor=[300.0, 100.0]), OURS: Taken(processor=[125.0, 700.0])}
    assert ratio_of(taken) == 1.25


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_help_takes_no_longer_than_half_as_much_again_as_a_bare_program() -> None:
    assert ratio_of(measure(9)) <= TARGET
