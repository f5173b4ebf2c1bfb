"""Every command block of a page is run, in the order of the page, or says above it why not."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import PAGES, REPOSITORY, Block, blocks_of
from tests.docs.stage import Stage, staged

SHELL: Final = ("sh", "console", "bash")
RUN: Final = (
    "README.md",
    "docs/first-evening.md",
    "docs/troubleshooting.md",
    "docs/seeing-inside.md",
    "docs/installing.md",
)
RUN_ALONE: Final = ("docs/backup.md",)  # of a database that no server has
RUN_ELSEWHERE: Final = {
    "docs/hosting.md": "tests/hosting",
    "docs/cli.md": "tests/cli",  # made from the help, which is held by tests
    "docs/experiments.md": "tests/cli/test_experiments.py",
    "docs/writing-a-recommender.md": "tests/server/recommenders",
    "docs/writing-a-source.md": "tests/providers",
    "docs/sync.md": "tests/benchmarks",
    "docs/security.md": "tests/strangers",
}


def _shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks_of(page) if block.language in SHELL]


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def test_every_page_with_commands_is_run_or_it_is_known_where_they_are() -> None:
    pages = {_name(page) for page in PAGES if _shell_blocks(page)}
    assert pages <= {*RUN, *RUN_ALONE, *RUN_ELSEWHERE}


def test_where_commands_are_run_elsewhere_there_are_tests() -> None:
    missing = [f"{page}: {place}" for page, place in RUN_ELSEWHERE.items() if (REPOSITORY / page).exists()
               and not (REPOSITORY / place).exists()]  # fmt: skip
    assert not missing, missing


def test_what_is_not_run_says_why() -> None:
    reasons = [(block.name, block.not_run) for page in PAGES for block in _shell_blocks(page) if block.not_run]
    assert reasons
    assert not [name for name, reason in reasons if len(reason.split()) < 3]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("pages")) as found:
        yield found


def _play(stage: Stage, page: str) -> None:
    blocks: Sequence[Block] = [block for block in _shell_blocks(REPOSITORY / page) if not block.not_run]
    for block in blocks:
        stage.run(block)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", list(RUN))
def test_the_commands_of_a_page_work_in_its_order(stage: Stage, page: str) -> None:
    _play(stage, page)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", RUN_ALONE)
def test_the_commands_of_a_page_about_the_database_work(tmp_path: Path, page: str) -> None:
    folder = tmp_path / "alone"
    folder.mkdir()
    with staged(folder, is_served=False) as stage:
        _play(stage, page)
