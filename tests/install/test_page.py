"""The page about installing: what it says to type of this program is typed."""

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dateflicks import __version__
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.main import app
from tests.docs.pages import REPOSITORY, blocks_of


def test_what_it_says_to_type_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = REPOSITORY / "docs" / "installing.md"
    lines = [
        line
        for block in blocks_of(page)
        if block.language == "sh" and block.exit_codes == (0,) and not (block.not_run or block.run_by)
        for line in block.commands
    ]
    assert len(lines) >= 3
    told = ""
    for line in lines:
        program, *words = [str(Path(word).expanduser()) if word.startswith("~") else word for word in shlex.split(line)]
        assert program == "dateflicks"
        result = CliRunner().invoke(app, words, catch_exceptions=False, obj=CliEnvironment(is_interactive=False))
        assert result.exit_code == 0, result.stderr
        told += result.stdout
    assert __version__ in told
    assert (Path.home() / ".local" / "share" / "man" / "man1" / "dateflicks.1").exists()
    assert (Path.home() / ".bash_completions" / "dateflicks.sh").exists()
