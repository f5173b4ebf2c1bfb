"""The pictures in the README are those of today's terminal client."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tui.pictures import FOLDER, PICTURES, plain_svg

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_every_picture_is_as_fresh_as_the_program(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "tests.tui.pictures", str(tmp_path / "made")]
    subprocess.run(command, check=True, env=environ, timeout=55)
    made = {file.name: file.read_text(encoding="utf-8") for file in (tmp_path / "made").iterdir()}
    kept = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.svg")}
    assert set(made) == set(kept) == {f"{name}.svg" for name in PICTURES}
    stale = [name for name in made if made[name] != kept[name]]
    assert stale == [], "make pictures"


@pytest.mark.parametrize("name", PICTURES)
def test_the_readme_shows_each_picture_with_words_for_who_cannot_see_it(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    before, found, _ = readme.partition(f"](docs/pictures/{name}.svg)")
    assert found
    assert len(before.rpartition("![")[2]) > 20


def test_a_picture_names_no_machine_and_loads_nothing() -> None:
    for file in FOLDER.glob("*.svg"):
        text = file.read_text(encoding="utf-8")
        assert "127.0.0.1" not in text
        assert "url(http" not in text.replace('"', "")
        assert "@font-face" not in text
    assert plain_svg('<svg class="terminal-123-r1">  \n</svg>', "x") == '<svg class="dateflicks-x-r1">\n</svg>\n'
