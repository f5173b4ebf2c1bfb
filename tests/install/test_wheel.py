"""The wheel: what is in it, that it tells one version, and that it works where there is nothing else of ours."""

import email
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from dateflicks import __version__
from tests.cli.process import Program

CHECKOUT = Path(__file__).parents[2]
SECONDS = 60
INSTALL_SECONDS = 500  # everything is fetched


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the build backend that is here, without fetching anything."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, timeout=SECONDS)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def told(wheel: Path) -> Message:
    """The metadata."""
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"dateflicks-{__version__}.dist-info/METADATA"))


# --- what is in it ----------------------------------------------------------------------------------------------


def test_it_holds_every_file_of_the_package(names: set[str]) -> None:
    files = (path for path in (CHECKOUT / "dateflicks").rglob("*") if path.is_file() and path.suffix != ".pyc")
    expected = {path.relative_to(CHECKOUT).as_posix() for path in files}
    assert expected >= {"dateflicks/py.typed", "dateflicks/tui/app.tcss", "dateflicks/server/storage/nxchild.py"}
    assert expected <= names


def test_it_holds_the_model_of_each_settings_file(names: set[str]) -> None:
    models = {f"dateflicks/settings/models/{path.name}" for path in (CHECKOUT / "settings").glob("*.model.toml")}
    assert len(models) >= 10
    assert {name for name in names if name.startswith("dateflicks/settings/models/")} == models


def test_it_holds_the_licence_and_nothing_that_is_not_for_its_users(names: set[str]) -> None:
    assert f"dateflicks-{__version__}.dist-info/licenses/LICENSE" in names
    assert {name.split("/")[0] for name in names} == {"dateflicks", f"dateflicks-{__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".ambr"))]


def test_it_tells_one_version_and_what_it_needs(told: Message) -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert told["Version"] == __version__
    assert told["Requires-Python"] == project["requires-python"] == ">=3.11"
    needs = told.get_all("Requires-Dist") or []
    assert len([one for one in needs if "extra ==" not in one]) == len(project["dependencies"])
    assert told.get_all("Provides-Extra") == sorted(project["optional-dependencies"])


def test_the_page_about_installing_tells_each_extra_and_each_version(told: Message) -> None:
    page = (CHECKOUT / "docs" / "installing.md").read_text(encoding="utf-8")
    for extra in told.get_all("Provides-Extra") or []:
        assert f"| `{extra}` |" in page
    for classifier in told.get_all("Classifier") or []:
        if found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier):
            assert found[1] in page


# --- what it does -----------------------------------------------------------------------------------------------


def test_it_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    program = (
        "import importlib.metadata, dateflicks\n"
        "from dateflicks.cli.main import run\n"
        "print(dateflicks.__file__, importlib.metadata.version('dateflicks'), flush=True)\n"
        "run()"
    )
    # Before the checkout, which an editable installation puts on the path.
    environ = {**os.environ, "PYTHONPATH": str(installed), "DATEFLICKS_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, "config", "model"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    first, models = done.stdout.split("\n", 1)
    assert first == f"{installed / 'dateflicks' / '__init__.py'} {__version__}"
    for path in (CHECKOUT / "settings").glob("*.model.toml"):
        assert path.read_text(encoding="utf-8") in models


@pytest.mark.long
@pytest.mark.timeout(INSTALL_SECONDS + 120)
def test_it_works_in_an_environment_of_its_own(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", str(wheel)], check=True, capture_output=True, timeout=INSTALL_SECONDS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("DATEFLICKS_HOME", str(tmp_path / "data"))

    def run(*words: str) -> str:
        command = [str(python.parent / "dateflicks"), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("--version") == f"dateflicks {__version__}\n"
    assert "--server" in run("--help")
    assert "# Settings of the timecode service" in run("config", "model", "timecode")
    assert "Usage: dateflicks demo" in run("demo", "--help")
    assert "/timecodes" in run("api", "schema", "timecode")
    monkeypatch.setattr(sys, "executable", str(python))
    with Program(tmp_path / "home", "serve", "all", "--port", "0", "--data", str(tmp_path / "server")) as serving:
        serving.until_said("Serving ")
        url = next(line for line in serving.err if "Serving " in line).split(" at ")[1]
        ready = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1] + '/readyz', timeout=30).status)"
        asked = subprocess.run(
            [str(python), "-c", ready, url], capture_output=True, text=True, timeout=SECONDS, check=True
        )
        assert asked.stdout == "200\n"
    subprocess.run([*pip, "uninstall", "--yes", "dateflicks"], check=True, capture_output=True, timeout=SECONDS)
    assert list((tmp_path / "venv").rglob("*dateflicks*")) == []
