"""The pages for those who plug something in or compare recommenders: writing-a-source.md, writing-a-recommender.md and
experiments.md, with their packages installed, their settings in force, and a library and ratings that are here."""

from pathlib import Path
from typing import Final

import pytest

from dateflicks.server.recommenders.evaluating.synthetic import synthetic
from tests import examples
from tests.docs.pages import REPOSITORY, Block, blocks_of
from tests.docs.stage import Stage, staged
from tests.journeys.deployment import running_server
from tests.providers.server import RecordedServer
from tests.server.recommenders.evaluating.folders import write_folder

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

DOCS: Final = REPOSITORY / "docs"


def _blocks(page: str, language: str) -> list[Block]:
    return [block for block in blocks_of(DOCS / page) if block.language == language]


def _set_up(stage: Stage, page: str, service: str, words: dict[str, str]) -> None:
    """The page's settings (not those of its package) in the folder where they are looked for."""
    (block,) = [one for one in _blocks(page, "toml") if "[project]" not in one.text]
    text = block.text
    for made_up, real in words.items():
        assert made_up in text
        text = text.replace(made_up, real)
    (stage.folder / "settings").mkdir()
    (stage.folder / "settings" / f"{service}.toml").write_text(text, encoding="utf-8")


def _installed(stage: Stage, name: str) -> None:
    site = examples.installed(REPOSITORY / "examples" / name, stage.folder / "example")
    stage.variables = {**stage.variables, "PYTHONPATH": str(site)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a page is followed."""
    found = tmp_path / "page"
    (found / "example").mkdir(parents=True)
    return found


def test_a_source_is_tried_as_its_page_says(folder: Path) -> None:
    with RecordedServer() as library, staged(folder, is_served=False) as stage:
        films = [{"id": "charade", "title": "Charade", "page": "https://library.example.org/charade"}]
        library.route("/films", {"films": films, "next": None}, {"page": 1})
        _installed(stage, "dateflicks-source-example")
        _set_up(stage, "writing-a-source.md", "providers", {"https://mirror.example.org": library.url})
        blocks = _blocks("writing-a-source.md", "sh")
        assert blocks
        for block in blocks:
            stage.run(block)
        (shown,) = [one for one in stage.told("providers", "list") if one["name"] == "example"]
        assert shown["titles"] == 1


def test_a_recommender_is_tried_as_its_page_says(folder: Path) -> None:
    with staged(folder, is_served=False) as stage:
        _installed(stage, "dateflicks-recommender-example")
        _set_up(stage, "writing-a-recommender.md", "recommenders", {})
        write_folder(synthetic(users=60, films=60, clusters=4, watched=12), folder / "ml-1m")
        blocks = _blocks("writing-a-recommender.md", "sh")
        assert blocks
        for block in blocks:
            stage.run(block)


def test_an_experiment_is_set_up_steered_and_read_as_its_page_says(folder: Path) -> None:
    with staged(folder, is_served=False) as stage:
        _set_up(stage, "experiments.md", "recommendation", {})
        variables = {"DATEFLICKS_SETTINGS": str(folder / "settings")}
        for algorithm in ("blend", "edlae"):
            stage.tell("recommenders", "run", algorithm)
        with running_server(folder / "data", variables=variables):
            stage.words["recommenders assign"] = "--yes recommenders assign"  # at a terminal one is asked
            blocks = _blocks("experiments.md", "sh")
            assert len(blocks) == 2
            for block in blocks:
                stage.run(block)
            assert stage.told("recommenders", "ab-report")
