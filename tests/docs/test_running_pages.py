"""Every command block of a page is run, in the order of the page, or says above it why not."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dateflicks.server.recommenders.evaluating.synthetic import synthetic
from tests.docs.pages import PAGES, REPOSITORY, Block, blocks_of
from tests.docs.shell_lines import programs_of
from tests.docs.stage import Stage, free_port, staged
from tests.server.recommenders.evaluating.folders import write_folder

SHELL: Final = ("sh", "console", "bash")
RUN: Final = (
    "README.md",
    "docs/first-evening.md",
    "docs/troubleshooting.md",
)
RUN_APART: Final = ("docs/installing.md",)  # it ends with everything deleted
RUN_ALONE: Final = ("docs/backup.md",)  # of a database that no server has
# By a module of their own, which plays or runs each block of the page.
RUN_ELSEWHERE: Final = {
    "docs/hosting.md": "tests/docs/test_hosting_page.py",
    "docs/experiments.md": "tests/docs/test_recommending_pages.py",
    "docs/writing-a-recommender.md": "tests/docs/test_recommending_pages.py",
    "docs/writing-a-source.md": "tests/docs/test_recommending_pages.py",
    "docs/sync.md": "tests/docs/test_sync_page.py",
    "docs/cli.md": "tests/docs/test_cli_page.py",
}
PLAYED: Final = {
    "README.md": "tests/docs/test_readme_evening.py",
    "docs/first-evening.md": "tests/docs/test_first_evening.py",
}
MOST_NOT_RUN: Final = 7
FOR_TWO: Final = ("host", "join", "watch", "lobby")


def _shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in SHELL]


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def _tests_of(module: Path) -> dict[str, str]:
    """The names of a module's tests, each with its text."""
    text = module.read_text(encoding="utf-8")
    found = {
        node.name: ast.get_source_segment(text, node) or ""
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return {name: code for name, code in found.items() if name.startswith("test_")}


def test_every_page_with_commands_is_run_or_it_is_known_where_they_are() -> None:
    pages = {_name(page) for page in PAGES if _shell_blocks(page)}
    assert pages == {*RUN, *RUN_APART, *RUN_ALONE, *RUN_ELSEWHERE}


@pytest.mark.parametrize("page", [*RUN_ELSEWHERE, *PLAYED])
def test_where_a_page_is_run_elsewhere_the_module_reads_it_and_has_tests(page: str) -> None:
    for module in {RUN_ELSEWHERE.get(page), PLAYED.get(page)} - {None}:
        path = REPOSITORY / str(module)
        assert _tests_of(path)
        assert Path(page).name in path.read_text(encoding="utf-8")


def test_a_block_that_is_run_by_other_tests_names_tests_that_there_are() -> None:
    wrong: list[str] = []
    for page in PAGES:
        for block in blocks_of(page):
            for place in block.run_by:
                module, _, name = place.partition("::")
                if not (REPOSITORY / module).is_file() or name not in _tests_of(REPOSITORY / module):
                    wrong.append(f"{block.name}: {place}")
    assert not wrong, "\n".join(wrong)


def test_what_is_for_two_is_played_by_two() -> None:
    wrong = [
        f"{block.name}: {line}"
        for page in PAGES
        if page.name != "cli.md"
        for block in _shell_blocks(page)
        for line in block.commands
        for words in programs_of(line)
        if words[0] == "dateflicks" and (words[1:2] == [] or words[1] in FOR_TWO) and not block.played_by
    ]
    assert not wrong, "\n".join(wrong)
    played = {_name(page) for page in PAGES if any(block.played_by for block in _shell_blocks(page))}
    assert played == set(PLAYED)


def test_what_is_not_run_says_why() -> None:
    reasons = [(block.name, block.not_run) for page in PAGES for block in _shell_blocks(page) if block.not_run]
    assert reasons
    assert not [name for name, reason in reasons if len(reason.split()) < 3]
    assert len(reasons) <= MOST_NOT_RUN, [name for name, _ in reasons]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("pages")) as found:
        yield found


def _play(stage: Stage, page: str, *, goes_on: bool = False) -> None:
    """Each block in its order, without those that others have a part in."""
    for block in _shell_blocks(REPOSITORY / page):
        if block.goes_on is goes_on and not (block.not_run or block.run_by or block.played_by):
            stage.run(block)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", list(RUN))
def test_the_commands_of_a_page_work_in_its_order(stage: Stage, page: str) -> None:
    write_folder(synthetic(users=60, films=60, clusters=4, watched=12), stage.folder / "ml-latest")
    _play(stage, page)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in RUN if any(block.goes_on for block in blocks_of(REPOSITORY / page))])
def test_what_goes_on_until_it_is_stopped_does_so(tmp_path: Path, page: str) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    with staged(folder, is_served=False) as stage:
        stage.variables = {**stage.variables, "DATEFLICKS_ALL_PORT": str(free_port())}
        stage.words |= {"8701": str(free_port()), "serve web": "serve web --port 0"}
        _play(stage, page, goes_on=True)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN_ALONE)
def test_the_commands_of_a_page_about_the_database_work(tmp_path: Path, page: str) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    with staged(folder, is_served=False) as stage:
        _play(stage, page)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN_APART)
def test_a_page_that_takes_itself_away_again_works_alone(tmp_path: Path, page: str) -> None:
    place = f"{Path(__file__).relative_to(REPOSITORY)}::{test_a_page_that_takes_itself_away_again_works_alone.__name__}"
    folder = tmp_path / "alone"
    folder.mkdir()
    with staged(folder) as stage:
        for block in _shell_blocks(REPOSITORY / page):
            if not block.not_run and (not block.run_by or place in block.run_by):
                stage.run(block)
        left = {path.name: path.read_text() for path in (folder / "home").rglob("*") if path.is_file()}
        assert "dateflicks" not in "".join([*left, *left.values()])
