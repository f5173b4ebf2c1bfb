"""`dateflicks recommenders`: what there is, how it is, and runs by hand."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dateflicks.cli.exits import Exit
from dateflicks.cli.recommenders import _in_words
from dateflicks.server.recommenders.discovery import BUILT_IN
from tests.cli.conftest import Cli
from tests.server.jobs.odd import Odd


@pytest.fixture
def odd(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Iterator[Odd]:
    """A recommender of somebody else's, installed for us and for what we start."""
    odd = Odd(tmp_path)
    monkeypatch.syspath_prepend(odd.site)
    cli.variables |= {"DATEFLICKS_SETTINGS": str(odd.settings), "PYTHONPATH": str(odd.site)}
    yield odd
    sys.modules.pop("odd_one", None)


def test_recommenders_are_listed_shown_and_run(cli: Cli, odd: Odd) -> None:
    listed = {one["name"]: one for one in cli.json("recommenders")}
    assert set(listed) == {*BUILT_IN, "odd"}
    assert (listed["blend"]["state"], listed["edlae"]["state"], listed["edlae"]["next_run"]) == (
        "ready", "by hand", None
    )  # fmt: skip
    assert (listed["odd"]["package"], listed["odd"]["last_run"]) == ("odd", None)
    done = cli("recommenders", "run", "odd")
    assert (done.exit_code, done.stderr) == (0, "recommend-odd: unchanged, 0 seen\n")
    refused = cli("recommenders", "run", "odd", "--user", "nobody")
    assert (refused.exit_code, "nobody called 'nobody'" in refused.stderr) == (Exit.NOT_FOUND, True)
    shown = cli.json("recommend", "show", "odd")
    assert (shown["summary"], shown["last_status"], shown["attention"]) == ("odd", "unchanged", None)
    pointed = cli("recommend", "list", "--with", "bea")
    assert (pointed.exit_code, "recommendations list --with bea" in pointed.stderr) == (Exit.USAGE, True)
    assert cli("recommend", "list").stdout == cli("recommenders", "list").stdout


def test_what_came_of_a_run_is_told_to_people_in_words() -> None:
    figures = {"seconds": {"read": 0.5, "weigh": 1.25}, "coverage": None, "rows": 12, "peakMemoryBytes": 100 * 2**20}
    assert _in_words(figures) == "seconds (read 0.5, weigh 1.25), coverage -, rows 12, peak memory 100 MiB"


def test_a_recommender_that_is_not_there_or_not_used_is_named(cli: Cli, odd: Odd) -> None:
    result = cli("recommenders", "run", "blent")
    assert (result.exit_code, result.stderr) == (
        Exit.NOT_FOUND, "Error: There is no recommender 'blent'.\nDid you mean 'blend'?\n"
    )  # fmt: skip
    with (odd.settings / "recommenders.toml").open("w", encoding="utf-8") as file:
        file.write('deny = ["odd"]\n')
    refused = cli("recommenders", "run", "odd")
    assert refused.exit_code == Exit.REFUSED
    assert "The recommender 'odd' is not used: denied by the settings." in refused.stderr


def test_a_package_that_is_broken_is_told_as_broken(cli: Cli, odd: Odd) -> None:
    (odd.site / "odd_one.py").write_text("import no_such_package", encoding="utf-8")
    shown = cli.json("recommenders", "show", "odd")
    assert (shown["state"], shown["attention"]) == (
        "broken", "broken: ModuleNotFoundError: No module named 'no_such_package'"
    )  # fmt: skip


@pytest.mark.long
def test_all_are_run_and_one_that_fails_makes_it_partly(cli: Cli, odd: Odd) -> None:
    assert cli("recommenders", "run", "all").exit_code == Exit.OK
    (odd.site / "odd_one.py").write_text("import no_such_package", encoding="utf-8")
    result = cli("recommenders", "run", "all")
    assert result.exit_code == Exit.PARTLY
    assert "recommend-odd: failed, 0 seen. ModuleNotFoundError: No module named" in result.stderr
    alone = cli("recommenders", "run", "odd")
    assert alone.exit_code == Exit.FAILED
    listed = {one["name"]: one for one in cli.json("recommenders", "list")}
    assert listed["odd"]["attention"] == "broken: ModuleNotFoundError: No module named 'no_such_package'"
    assert {one["job"] for one in cli.json("jobs", "history")} >= {"recommend-odd", "recommend-blend"}
