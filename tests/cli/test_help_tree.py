"""The whole help in one file, and what is made of the same walk: the page of the documentation, and man pages."""

import re
import subprocess
from pathlib import Path

import pytest

from dateflicks import __version__
from dateflicks.cli.manual import TREE_COLUMNS, Block, Item, Page, man_pages, markdown, pages, tree
from tests.cli.conftest import Cli
from tests.cli.help_tree import PAGE, TREE, written
from tests.conftest import require


@pytest.fixture(scope="module")
def found() -> list[Page]:
    return pages()


@pytest.mark.parametrize("path", [TREE, PAGE], ids=["tree.txt", "cli.md"])
def test_what_is_written_is_what_the_commands_say_now(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == written()[path], "see what has changed, then 'make help-tree'"


def test_the_tree_is_plain_text_of_a_hundred_columns(found: list[Page]) -> None:
    text = tree(found)
    assert "\x1b" not in text
    assert [line for line in text.splitlines() if len(line) > TREE_COLUMNS and "    dateflicks" not in line] == []
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_what_is_hidden_stands_nowhere(found: list[Page]) -> None:
    shown = {page.name for page in found}
    assert {"dateflicks session list", "dateflicks recommenders run"} <= shown
    assert not {"dateflicks recs", "dateflicks recommend", "dateflicks jobs exec"} & shown
    assert "--place" not in tree(found)
    assert "--install-completion" not in tree(found)


def test_the_links_of_the_page_lead_to_its_headings(found: list[Page]) -> None:
    text = markdown(found)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#(.+?)\)", text)
    assert len(links) > 20
    assert set(links) <= anchors


def test_prose_and_examples_are_told_apart(found: list[Page]) -> None:
    page = next(page for page in found if page.name == "dateflicks db backup")
    assert [block.is_example for block in page.blocks] == [True, False]
    assert page.examples == (
        "dateflicks db backup dateflicks.dfb",
        "dateflicks db backup - | gpg -c > dateflicks.dfb.gpg",
    )


def test_what_roff_would_take_for_its_own_is_written_as_it_is() -> None:
    odd = Page((), "", "Look.", (Block((".hidden is a name, and C:\\dos another",), False),), (), (Item("--a-b", ""),))
    text = man_pages([odd])["dateflicks.1"]
    assert r"\&.hidden is a name, and C:\edos another" in text
    assert r"\fB\-\-a\-b\fR" in text


def test_there_is_a_man_page_of_the_program_and_of_each_command(found: list[Page], cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "share" / "man1"
    result = cli("man", str(folder))
    names = {f"dateflicks-{page.words[0]}.1" for page in found if page.words} | {"dateflicks.1"}
    assert {path.name for path in folder.iterdir()} == names
    assert result.stdout.splitlines() == [str(folder / name) for name in man_pages(found)]
    assert "Read them with" in result.stderr
    assert cli("man").stdout == (folder / "dateflicks.1").read_text(encoding="utf-8")
    assert __version__ in cli("man").stdout


def test_a_folder_that_cannot_be_written_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = cli("man", str(tmp_path / "file" / "man1"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be written" in result.stderr


def test_the_man_pages_are_read_without_complaint(found: list[Page], tmp_path: Path) -> None:
    folder = tmp_path / "man1"
    folder.mkdir()
    for name, text in man_pages(found).items():
        (folder / name).write_text(text, encoding="utf-8")
    files = sorted(str(path) for path in folder.iterdir())
    require("mandoc")
    command = ["mandoc", "-T", "lint", "-W", "error", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
