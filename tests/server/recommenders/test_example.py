"""The example of a recommender, as its reader would use it: a real package, built and installed, found and run."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dateflicks.server.plugins import PACKAGE
from dateflicks.server.recommenders.discovery import config_of, discover, find, load
from dateflicks.server.recommenders.recommender import Context
from dateflicks.settings.recommenders import RecommendersSettings
from dateflicks.testing.recommenders import planted
from tests import examples
from tests.examples import REPOSITORY

EXAMPLE: Final = REPOSITORY / "examples" / "dateflicks-recommender-example"
PAGE: Final = REPOSITORY / "docs" / "writing-a-recommender.md"
MODULE: Final = EXAMPLE / "src" / "dateflicks_recommender_example" / "__init__.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examples.installed(EXAMPLE, tmp_path_factory.mktemp("example"))


@pytest.fixture
def plugged(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process with the example installed."""
    monkeypatch.syspath_prepend(installed)
    yield
    sys.modules.pop("dateflicks_recommender_example", None)


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("plugged")
def test_the_installed_package_is_found_set_and_fitted() -> None:
    (found,) = (one for one in discover() if one.package != PACKAGE)
    assert (found.name, found.package, found.version) == ("together", "dateflicks-recommender-example", "1.0.0")
    recommender = load(find("together"))
    settings = RecommendersSettings(plugins={"together": {"chance": 0.0, "schedule": "5 * * * *"}})
    assert settings.scheduled("together").schedule == "5 * * * *"
    data = planted()
    model = recommender.fit(data, Context(config=config_of(recommender, settings)))
    expected = data.weights.toarray()[:1] @ (data.weights.T @ data.weights).toarray()
    told = model.score(data.weights[:1])
    assert told.shape == expected.shape
    assert (told <= expected + 1e-3).all()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_its_own_tests_pass(installed: Path) -> None:
    assert "1 passed" in examples.own_tests(EXAMPLE, installed)


@pytest.mark.parametrize(
    "name", ["src/dateflicks_recommender_example/__init__.py", "pyproject.toml", "tests/test_example.py"]
)
def test_the_page_on_writing_a_recommender_has_it_word_for_word(name: str) -> None:
    assert (EXAMPLE / name).read_text(encoding="utf-8") in examples.code_of(PAGE)


def test_the_recommender_has_thirty_lines_beneath_what_it_imports() -> None:
    assert examples.lines_of_code(MODULE) <= 30
