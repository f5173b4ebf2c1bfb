"""The example of a source, as its reader would use it: a real package, built and installed, found, tested and run."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from dateflicks.server.plugins import PACKAGE
from dateflicks.server.providers.discovery import config_of, discover, find, load
from dateflicks.server.providers.records import MemoryLedger
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.settings.providers import ProvidersSettings
from tests import examples
from tests.examples import REPOSITORY
from tests.providers import server as provider
from tests.providers.server import RecordedServer
from tests.server.providers.sources import Kept

EXAMPLE: Final = REPOSITORY / "examples" / "dateflicks-source-example"
PAGE: Final = REPOSITORY / "docs" / "writing-a-source.md"
SOURCE: Final = EXAMPLE / "src" / "dateflicks_source_example" / "__init__.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examples.installed(EXAMPLE, tmp_path_factory.mktemp("example"))


@pytest.fixture
def plugged(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process with the example installed."""
    monkeypatch.syspath_prepend(installed)
    yield
    sys.modules.pop("dateflicks_source_example", None)


@pytest.fixture
def library() -> Iterator[RecordedServer]:
    with RecordedServer() as server:
        for page in (1, 2):
            films: list[dict[str, Any]] = [
                {"id": f"f{page}{number}", "title": "Film", "page": f"https://library.example.org/{page}{number}"}
                for number in range(20)
            ]
            server.route("/films", {"films": films, "next": 2 if page == 1 else None}, {"page": page})
        yield server


async def run(server: RecordedServer, kept: Kept, ledger: MemoryLedger) -> Any:
    settings = ProvidersSettings(plugins={"example": {"base_url": server.url}})
    source = load(find("example"))

    async def no_time(_: float) -> None:
        """Wait for nothing."""

    return await run_source(
        source, Plan(id="run-1"), config=config_of(source, settings), writer=kept, ledger=ledger, sleep=no_time
    )


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("plugged")
def test_the_installed_package_is_found_by_its_entry_point() -> None:
    (found,) = (one for one in discover() if one.package != PACKAGE)
    assert (found.name, found.package, found.version) == ("example", "dateflicks-source-example", "1.0.0")
    assert load(found).attribution == "Films by the Example Library."


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("plugged")
async def test_it_runs_against_a_server_and_a_second_run_finds_all_as_it_was(library: RecordedServer) -> None:
    kept, ledger = Kept(), MemoryLedger()
    first = await run(library, kept, ledger)
    second = await run(library, kept, ledger)
    assert (first.status, first.counters.new, first.counters.requests) == ("ok", 40, 2)
    assert (second.status, second.counters.unchanged) == ("unchanged", 40)
    assert kept.sweeps == [False, False]


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("plugged")
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (provider.failing(500), "transient"),
        (provider.too_many(86_400), "quota"),
        (provider.failing(401), "auth"),
        (provider.malformed, "schema"),
        (provider.changed(lambda page: {"items": page["films"]}), "schema"),
        (provider.changed(lambda page: page.update(films=[{"name": "Film"}] * 20)), "schema"),
        (provider.redirected("https://elsewhere.example.org/films"), "schema"),
    ],
)
async def test_what_goes_wrong_on_the_second_page_leaves_the_first_and_a_place_to_go_on_from(
    library: RecordedServer, fault: provider.Fault, kind: str
) -> None:
    kept, ledger = Kept(), MemoryLedger()
    library.misbehave(lambda answer: answer)
    library.misbehave(fault, always=True)
    broken = await run(library, kept, ledger)
    assert (broken.error_kind, broken.counters.new, broken.cursor_after) == (kind, 20, {"page": 2})
    library.behave()
    assert (await run(library, kept, ledger)).counters.new == 20
    assert len(kept.there) == 40


@pytest.mark.timeout(300)
def test_its_own_tests_pass(installed: Path) -> None:
    assert "1 passed" in examples.own_tests(EXAMPLE, installed)


@pytest.mark.parametrize(
    "name", ["src/dateflicks_source_example/__init__.py", "pyproject.toml", "tests/test_example.py"]
)
def test_the_page_on_writing_a_source_has_it_word_for_word(name: str) -> None:
    assert (EXAMPLE / name).read_text(encoding="utf-8") in examples.code_of(PAGE)


def test_the_source_has_thirty_lines_beneath_what_it_imports() -> None:
    assert examples.lines_of_code(SOURCE) <= 30
