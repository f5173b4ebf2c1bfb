"""Which recommenders there are: found without importing, built-in names first; a broken package hinders no other."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from dateflicks.server.plugins import PACKAGE
from dateflicks.server.recommenders.discovery import (
    BUILT_IN,
    ENTRY_POINTS,
    Broken,
    config_of,
    discover,
    find,
    load,
    problems_of,
)
from dateflicks.server.recommenders.recommender import BaseRecommender, Context, Interactions, Model
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.recommenders import RecommendersSettings


class Config(msgspec.Struct, frozen=True):
    """What a plug-in can be told."""

    depth: int = 3


class Plugged(BaseRecommender):
    """A recommender as a package brings it."""

    name: ClassVar[str] = "plugged"
    config: ClassVar[type[msgspec.Struct]] = Config
    summary: ClassVar[str] = "plugged"

    def fit(self, data: Interactions, context: Context) -> Model:
        raise NotImplementedError


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which two packages are installed, a good one and a bad one."""
    monkeypatch.syspath_prepend(tmp_path)
    for package, entries in (("good", "good = plugged_good:Good"), ("bad", "bad = plugged_bad:Bad\nblend = a:b")):
        metadata = tmp_path / f"plugged_{package}-1.2.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{entries}\n", encoding="utf-8")
    (tmp_path / "plugged_bad.py").write_text("raise ImportError('built for another Python')", encoding="utf-8")
    (tmp_path / "plugged_good.py").write_text(
        "from tests.server.recommenders.test_discovery import Plugged\n"
        "Good = type('Good', (Plugged,), {'name': 'good'})\n",
        encoding="utf-8",
    )
    yield tmp_path
    for name in ("plugged_good", "plugged_bad"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_one_can_be_loaded_and_has_a_section_of_settings(name: str) -> None:
    recommender = load(find(name))
    assert isinstance(config_of(recommender, RecommendersSettings()), recommender.config)
    assert recommender.summary


def test_finding_recommenders_imports_no_arithmetic() -> None:
    code = (
        "import sys; from dateflicks.server.recommenders.discovery import discover; discover(); "
        "print([name for name in sys.modules if name in ('numpy', 'scipy', 'implicit')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("site")
def test_a_broken_plug_in_is_told_as_broken_and_hinders_no_other() -> None:
    plugins = {(one.name, one.package): one.problem for one in discover() if one.package != PACKAGE}
    assert plugins == {
        ("bad", "bad"): None, ("blend", "bad"): "the name is taken by dateflicks", ("good", "good"): None
    }  # fmt: skip
    with pytest.raises(Broken, match="ImportError: built for another Python"):
        load(find("bad"))
    assert load(find("good")).name == "good"
    assert find("blend").package == PACKAGE
    with pytest.raises(Broken, match="The recommender 'good' is not used: denied by the settings"):
        find("good", deny=["good"])
    with pytest.raises(Broken, match="There is no recommender 'nobody'"):
        find("nobody")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": ""}, "its version is no short text"),
        ({"version": 3}, "its version is no short text: 3"),
        ({"summary": None}, "its summary is no text"),
        ({"fit": None}, "it cannot be fitted"),
        ({"api_version": 99}, "it is made for version 99 of this interface, which is at 1"),
        ({"config": dict}, "its config is no msgspec.Struct"),
        ({"name": "other"}, "it calls itself 'other', and its entry point 'plugged'"),
    ],
)
def test_what_a_recommender_declares_is_looked_at(changes: dict[str, Any], problem: str) -> None:
    odd = type("Odd", (Plugged,), changes)()
    assert problem in "; ".join(problems_of(odd, "plugged"))
    assert [*problems_of(Plugged(), "plugged")] == []
    assert "no recommender can be called" in "; ".join(problems_of(type("A", (Plugged,), {"name": "all"})(), "all"))


def test_a_plug_in_is_set_in_a_section_of_its_own() -> None:
    settings = RecommendersSettings(plugins={"plugged": {"enabled": False, "schedule": "1 2 * * *", "depth": 5}})
    assert config_of(Plugged(), settings) == Config(depth=5)
    assert not settings.scheduled("plugged").enabled
    assert settings.scheduled("other").enabled
    with pytest.raises(SettingsError, match=r"plugins\.plugged\.dept: no such key"):
        config_of(Plugged(), RecommendersSettings(plugins={"plugged": {"dept": 5}}))
