"""Which sources there are: found without importing, built-in names first, and a broken package hinders no other."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import pytest

from dateflicks.server.plugins import PACKAGE
from dateflicks.server.providers.discovery import (
    BUILT_IN,
    BrokenSource,
    Found,
    config_of,
    discover,
    find,
    load,
    problems_of,
)
from dateflicks.server.providers.source import ENTRY_POINTS, BaseSource, Complete, Yield
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.providers import ProvidersSettings

GOOD = """
from dateflicks.server.providers.source import BaseSource, Complete

class Source(BaseSource):
    name = "{name}"

    async def fetch(self, context, state, mode):
        yield Complete(full=True)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    known = set(sys.modules)
    yield folder
    for name in set(sys.modules) - known:
        if name.startswith("plugged_"):
            del sys.modules[name]


def install(site: Path, package: str, entries: str, code: str | None = None) -> None:
    module = f"plugged_{package.replace('-', '_')}"
    if code is not None:
        (site / f"{module}.py").write_text(code, encoding="utf-8")
    metadata = site / f"{module}-1.2.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{entries}\n", encoding="utf-8")


def plugins() -> list[Found]:
    return [found for found in discover() if found.package != PACKAGE]


def test_the_built_in_sources_come_first_and_can_be_found() -> None:
    assert [found.name for found in discover()][:8] == [*BUILT_IN]
    assert find("archive").reference == "dateflicks.server.providers.archive:ArchiveVideoSource"


def test_a_plug_in_is_found_without_being_imported(site: Path) -> None:
    install(site, "good", "good = plugged_good:Source", "raise SystemExit('imported')")
    (found,) = plugins()
    assert (found.name, found.package, found.version, found.problem) == ("good", "good", "1.2", None)
    assert "plugged_good" not in sys.modules


def test_finding_sources_imports_none() -> None:
    code = (
        "import sys; from dateflicks.server.providers.discovery import discover; discover(); "
        "print([name for name in sys.modules if name in ('httpx2', 'dateflicks.server.providers.archive')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_a_plug_in_is_loaded_by_its_class_or_by_a_function(site: Path) -> None:
    code = GOOD.format(name="good") + "\n\ndef make():\n    return Source()\n"
    install(site, "good", "good = plugged_good:make", code)
    assert load(find("good")).name == "good"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("raise ImportError('built for another Python')", "ImportError: built for another Python"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def (", "SyntaxError: "),
        ("", "AttributeError: module 'plugged_bad' has no attribute 'Source'"),
        ("class Source:\n    def __init__(self):\n        1 / 0", "ZeroDivisionError: division by zero"),
        ("class Source:\n    name = 'bad'", "it is no video source: it has no api_version, config, hosts"),
        ("Source = dict", "it is no video source"),
        (GOOD.format(name="other"), "it calls itself 'other', and its entry point 'bad'"),
        (GOOD.format(name="bad") + "\n    api_version = 99\n", "it is made for version 99 of this interface"),
        (None, "ModuleNotFoundError"),
    ],
)
def test_a_broken_plug_in_is_told_as_broken_and_blocks_nothing(site: Path, code: str | None, problem: str) -> None:
    install(site, "bad", "bad = plugged_bad:Source", code)
    install(site, "good", "good = plugged_good:Source", GOOD.format(name="good"))
    with pytest.raises(BrokenSource) as caught:
        load(find("bad"))
    assert str(caught.value).startswith(problem)
    assert load(find("good")).name == "good"


def test_a_name_is_taken_by_who_comes_first_and_built_in_sources_by_nobody_else(site: Path) -> None:
    install(site, "mine", "archive = plugged_mine:Source\nfilms = plugged_mine:Source")
    install(site, "yours", "films = plugged_yours:Source")
    problems = {(found.name, found.package): found.problem for found in plugins()}
    assert problems == {
        ("archive", "mine"): "the name is taken by dateflicks",
        ("films", "mine"): None,
        ("films", "yours"): "the name is taken by mine",
    }
    assert find("archive").package == PACKAGE
    assert find("films").package == "mine"


def test_the_settings_allow_and_deny(site: Path) -> None:
    install(site, "good", "good = plugged_good:Source", GOOD.format(name="good"))
    assert {found.name for found in discover(allow=["good", "url"]) if found.problem is None} == {"good", "url"}
    assert find("good", allow=["good"]).problem is None
    with pytest.raises(BrokenSource, match="'good' is not used: denied by the settings"):
        find("good", deny=["good"])
    with pytest.raises(BrokenSource, match="'archive' is not used: not allowed by the settings"):
        find("archive", allow=["good"])
    with pytest.raises(BrokenSource, match="no source 'nowhere'"):
        find("nowhere")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "METADATA").write_bytes(b"\xff\xfe\x00"),
        lambda folder: (folder / "METADATA").unlink(),
        lambda folder: (folder / "entry_points.txt").write_bytes(b"\xff\xfe\x00"),
        lambda folder: (folder / "entry_points.txt").write_text("no section = at all\n[["),
        lambda folder: (folder / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n= nothing\n\x1b[2J = x\nA B = y:z"),
    ],
)
def test_a_package_whose_data_are_broken_hides_no_other(site: Path, spoil: Any) -> None:
    install(site, "bad", "bad = plugged_bad:Source")
    install(site, "good", "good = plugged_good:Source")
    spoil(site / "plugged_bad-1.2.dist-info")
    found = plugins()
    assert "good" in {one.name for one in found if one.problem is None}
    assert all(one.name.isprintable() for one in found)


class Config(msgspec.Struct, frozen=True):
    """What a plug-in can be told."""

    base_url: str = "https://films.example.org"
    token: Annotated[str, msgspec.Meta(extra={"secret": True})] = ""
    pages: int = 3


class Plugged(BaseSource):
    """A source as a package brings it."""

    name: ClassVar[str] = "plugged"
    config: ClassVar[type[msgspec.Struct]] = Config

    async def fetch(self, context: Any, state: Any, mode: Any) -> AsyncIterator[Yield]:
        yield Complete(full=True)


def test_a_plug_in_is_set_in_a_section_of_its_own() -> None:
    own = {"plugged": {"enabled": False, "schedule": "1 2 * * *", "token": "abc", "pages": 5}}
    settings = ProvidersSettings(plugins=own)
    assert config_of(Plugged(), settings) == Config(token="abc", pages=5)
    assert config_of(Plugged(), ProvidersSettings()) == Config()
    assert settings.scheduled("plugged").schedule == "1 2 * * *"
    assert not settings.scheduled("plugged").enabled
    assert settings.scheduled("other").enabled
    assert settings.scheduled("netflix").schedule == "17 3 * * *"


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ({"pages": "many"}, r"plugins\.plugged: Expected int"),
        ({"tokn": "hidden"}, r"plugins\.plugged\.tokn: no such key"),
        ({"token": 12345}, r"plugins\.plugged: Expected str"),
    ],
)
def test_a_wrong_setting_of_a_plug_in_is_named_and_no_secret_told(own: dict[str, Any], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        config_of(Plugged(), ProvidersSettings(plugins={"plugged": own}))
    assert "12345" not in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_the_vendors_share_their_keys_unless_they_have_their_own() -> None:
    settings = msgspec.convert(
        {"tmdb": {"token": "shared"}, "apple": {"token": "own", "provider_ids": [350]}}, ProvidersSettings
    )
    netflix, apple = settings.section("netflix"), settings.section("apple")
    assert (getattr(netflix, "token", ""), getattr(apple, "token", "")) == ("shared", "own")
    assert getattr(netflix, "base_url", "") == "https://api.themoviedb.org"
    assert settings.section("mongo") is None
    assert settings.section("plugged") is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"hosts": ["films.example.org"]}, "its hosts are no tuple of names"),
        ({"hosts": ("https://films.example.org/",)}, "no name of a host"),
        ({"requests_per_second": 0}, "it wants 0 requests per second"),
        ({"requests_per_second": float("inf")}, "it wants inf requests per second"),
        ({"attribution": None}, "its attribution is no text"),
        ({"config": dict}, "its config is no msgspec.Struct"),
        ({"config": msgspec.defstruct("Odd", [("key", str)])}, "its config has keys without a default"),
    ],
)
def test_what_a_source_declares_is_looked_at(changes: dict[str, Any], problem: str) -> None:
    source = type("Odd", (Plugged,), changes)()
    assert problem in "; ".join(problems_of(source, "plugged"))
    assert [*problems_of(Plugged(), "plugged")] == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_source_can_be_loaded_and_has_a_section_of_settings(name: str) -> None:
    settings = ProvidersSettings()
    source = load(find(name))
    assert isinstance(config_of(source, settings), source.config)
    assert source.attribution
