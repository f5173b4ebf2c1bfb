"""The example of a source, as its reader would use it: a real package, built and installed, found, tested and run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from dateflicks.server.providers.discovery import config_of, discover, find, load
from dateflicks.server.providers.records import MemoryLedger
from dateflicks.server.providers.running import Plan, run_source
from dateflicks.settings.providers import ProvidersSettings
from tests.providers import server as provider
from tests.providers.server import RecordedServer
from tests.server.providers.sources import Kept

REPOSITORY: Final = Path(__file__).parents[3]
EXAMPLE: Final = REPOSITORY / "examples" / "dateflicks-source-example"
PAGE: Final = REPOSITORY / "docs" / "writing-a-source.md"
SOURCE: Final = EXAMPLE / "src" / "dateflicks_source_example" / "__init__.py"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built from a copy and installed into a folder of its own, without a network."""
    folder = tmp_path_factory.mktemp("example")
    copy, target = folder / "package", folder / "site"
    ignored = ("__pycache__", "build", ".egg-info")
    for path in EXAMPLE.rglob("*"):
        if path.is_file() and not any(word in str(path) for word in ignored):
            place = copy / path.relative_to(EXAMPLE)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--target", str(target), str(copy)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


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
    (found,) = (one for one in discover() if not one.is_built_in)
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
    environ = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(EXAMPLE)]
    command += ["-c", os.devnull, str(EXAMPLE / "tests")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize(
    "name", ["src/dateflicks_source_example/__init__.py", "pyproject.toml", "tests/test_example.py"]
)
def test_the_page_on_writing_a_source_has_it_word_for_word(name: str) -> None:
    blocks = PAGE.read_text(encoding="utf-8").split("```")[1::2]
    contents = [block.partition("\n")[2] for block in blocks]
    assert (EXAMPLE / name).read_text(encoding="utf-8") in contents


def test_the_source_has_thirty_lines_beneath_what_it_imports() -> None:
    lines = SOURCE.read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if line.strip() and not line.startswith(("import ", "from ", '"""'))]
    assert len(code) <= 30
