"""The map is true: its folders and files are there, nothing large is missing from it, and its arrows are those of the
import contracts and of what really imports what."""

import re
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import grimp
import pytest

from tests.docs.pages import REPOSITORY, words_in_code

PAGE: Final = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROWS: Final = tuple(re.findall(r"^\| (`.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE))
LINES_AT_MOST: Final = 130  # one page
PLACES_OF_PACKAGES: Final = ("dateflicks", "dateflicks/server")
_CODE: Final = re.compile(r"`([^`]+)`")


def _named() -> list[str]:
    """All folders and files of the map's first column, in full."""
    found: list[str] = []
    for first, _, _ in ROWS:
        for path in _CODE.findall(first):
            above = found[-1].rpartition("/")[0] + "/" if "/" not in path else ""
            found.append(above + path)
    return found


def _layers() -> list[set[str]]:
    """The contract about arrows, from the top."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers: list[str] = next(one["layers"] for one in contracts if one["type"] == "layers")
    return [{name.strip().removeprefix("dateflicks.") for name in layer.split("|")} for layer in layers]


def _arrows() -> set[tuple[str, str]]:
    """What the page says: each `a → b → c`."""
    chains = [chain.split(" → ") for chain in words_in_code(REPOSITORY / "ARCHITECTURE.md") if " → " in chain]
    return {pair for chain in chains for pair in pairwise(chain)}


def _reached(arrows: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All that lies at the end of some way along the arrows."""
    ways = set(arrows)
    while more := {(a, d) for a, b in ways for c, d in ways if b == c} - ways:
        ways |= more
    return ways


@pytest.fixture(scope="module")
def imports() -> set[tuple[str, str]]:
    """Which part of the package really imports which."""
    graph = grimp.build_graph("dateflicks", cache_dir=None)
    parts: Mapping[str, Any] = {
        module: module.split(".")[1] for module in graph.modules if "." in module and module.split(".")[1] != "__main__"
    }
    return {
        (parts[module], parts[other])
        for module in parts
        for other in graph.find_modules_directly_imported_by(module)
        if other in parts and parts[other] != parts[module]
    }


def test_what_the_map_names_is_there() -> None:
    assert len(ROWS) > 15
    missing = [path for path in _named() if not (REPOSITORY / path).exists()]
    assert not missing, missing


def test_where_to_start_reading_is_there() -> None:
    wrong: list[str] = []
    for first, _, start in ROWS:
        folders = [REPOSITORY / path for path in _CODE.findall(first) if path.endswith("/")]
        wrong += [
            f"{first}: {path}"
            for path in (_CODE.findall(start) if folders else ())
            if not any((folder / path).is_file() for folder in folders)
        ]
    assert not wrong, wrong


def test_every_package_is_on_the_map() -> None:
    named = {path.rstrip("/") for path in _named()}
    packages = [
        f"{place}/{folder.name}"
        for place in PLACES_OF_PACKAGES
        for folder in sorted((REPOSITORY / place).iterdir())
        if (folder / "__init__.py").is_file() and any(folder.glob("*.py"))
    ]
    missing = [
        path for path in packages if path not in named and not any(name.startswith(path + "/") for name in named)
    ]
    assert not missing, f"ARCHITECTURE.md says nothing of {missing}"


def test_every_folder_of_the_repository_is_on_the_map() -> None:
    named = {path.partition("/")[0] for path in _named()}
    kept = {"dateflicks", "tests", "benchmarks", "settings", "examples", "docs"}
    assert kept <= named, f"ARCHITECTURE.md says nothing of {kept - named}"


def test_the_arrows_on_the_page_are_those_of_the_contract() -> None:
    level = {name: depth for depth, names in enumerate(_layers()) for name in names}
    arrows = _arrows()
    assert {name for pair in arrows for name in pair} == set(level), "the page and the contract speak of the same parts"
    upwards = {(one, other) for one, other in arrows if level[one] >= level[other]}
    assert not upwards, f"arrows that the contract forbids: {upwards}"
    allowed = {(one, other) for one in level for other in level if level[one] < level[other]}
    assert allowed - _reached(arrows) <= {("tui", "server")}, "what the contract lets through and the page does not say"


def test_the_arrows_on_the_page_are_those_of_the_code(imports: set[tuple[str, str]]) -> None:
    arrows = _arrows()
    assert not arrows - imports, f"said, and not so: {arrows - imports}"
    among = {name for pair in arrows for name in pair}
    unsaid = {pair for pair in imports if set(pair) <= among} - _reached(arrows)
    assert not unsaid, f"so, and not said: {unsaid}"


def test_nothing_imports_what_is_for_tests_of_plugins(imports: set[tuple[str, str]]) -> None:
    assert not {one for one, other in imports if other == "testing"}


def test_it_stays_one_page() -> None:
    assert len(PAGE.splitlines()) <= LINES_AT_MOST
