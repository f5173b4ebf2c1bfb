"""What every test gets: a home of its own, no developer's settings, a fixed locale, and a word on what is missing."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REQUIRED = os.environ.get("DATEFLICKS_REQUIRE", "")

# The same few examples in every run; DATEFLICKS_EXPLORE=1 looks for others, and for more.
EXPLORES = bool(os.environ.get("DATEFLICKS_EXPLORE"))
settings.register_profile(
    "same", derandomize=True, database=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)  # the machine is not theirs alone
if not EXPLORES:
    settings.load_profile("same")


def examples(count: int) -> int:
    """How many of so many examples are looked at: in every run two of five, as where no number is named."""
    return count if EXPLORES else max(1, count * 2 // 5)


REAL_SECONDS = 240
_REAL_PROCESSES = ("cli", "faults", "journeys", "server", "strangers", "tui", "watching")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep thousands of collected tests, and all that they import, out of what the collector of garbage looks through.

    They stay to the end: to look at them again and again finds nothing, and takes long each time.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of servers, screens and players get one more try, told in the summary: the machine is not theirs alone.

    And more time: what they wait for has a deadline each, and says what has not come; the one for all of it does not.
    """
    here = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(here).parent.as_posix()
        if folder.startswith(_REAL_PROCESSES):
            item.add_marker(pytest.mark.flaky(reruns=1))
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(REAL_SECONDS))


def require(*programs: str) -> None:
    """Skip the test when a program is missing, or fail it when `DATEFLICKS_REQUIRE` is `all` or names the program."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    if REQUIRED == "all" or any(program in REQUIRED.split(",") for program in missing):
        pytest.fail(f"{', '.join(missing)} must be installed here (DATEFLICKS_REQUIRE={REQUIRED})")
    pytest.skip(f"{', '.join(missing)} not installed")


def _isolate(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    for name in list(os.environ):
        if name.startswith("DATEFLICKS_") and name != "DATEFLICKS_REQUIRE":
            monkeypatch.delenv(name)
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(home / variable.lower()))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture(scope="session", autouse=True)
def isolated_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for what is started once for many tests."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _isolate(monkeypatch, tmp_path_factory.mktemp("run") / "home")
        yield


@pytest.fixture(autouse=True)
def isolated_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point every folder a program may look for at an empty one, and drop the developer's settings."""
    _isolate(monkeypatch, tmp_path / "home")
