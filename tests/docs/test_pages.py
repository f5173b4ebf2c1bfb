"""What the pages show is so: commands that exist, settings that load, links that lead somewhere, code that is there."""

import ast
import itertools
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
import pytest

from dateflicks.settings.loader import SERVICES, load
from tests.docs.pages import PAGES, REPOSITORY, Block, anchors_of, blocks_of, links_of, prose_of, words_in_code
from tests.docs.shell_lines import complaint_about, programs_of

BLOCKS: Final = tuple(block for page in PAGES for block in blocks_of(page))
SHELL: Final = ("sh", "console", "bash", "")
ROOTS: Final = ("dateflicks", "tests", "benchmarks", "settings", "examples", "docs")
_PATH: Final = re.compile(r"[\w.\-/]+(?:/[\w.\-]*|\.(?:py|md|toml|svg|yaml|txt))")
_MAKE: Final = set(re.findall(r"^([a-z][\w-]*)(?:(?: [\w-]+)*):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
_NOT_OURS: Final = re.compile(
    r"^(?:https?:|/|~|\.|<)|^(?:[\w-]+/)*[\w.-]+\.(?:mkv|mp4|dfb|pem|sock|json)$|^(?:metrics|application|text)[-/]"
)


def _name(block: Block) -> str:
    return block.name


def _commands() -> Iterator[tuple[Block, str]]:
    for block in BLOCKS:
        if block.language in SHELL and "protocol.md" not in block.name:
            for line in block.commands:
                if block.language or line.startswith("dateflicks "):
                    yield block, line


def test_every_command_is_one_that_the_program_knows() -> None:
    wrong = [
        f"{block.name}: {line}: {complaint}"
        for block, line in _commands()
        for words in programs_of(line)
        if words[0].rsplit("/", 1)[-1] == "dateflicks" and (complaint := complaint_about(words[1:]))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_target_and_module_that_is_named_for_a_shell_is_there() -> None:
    wrong: list[str] = []
    for block, line in _commands():
        for words in programs_of(line):
            if words[0] == "make":
                wrong += [f"{block.name}: {line}" for target in words[1:] if "=" not in target and target not in _MAKE]
            if words[0].endswith("python") and words[1:2] == ["-m"]:
                place = REPOSITORY / words[2].replace(".", "/")
                if words[2].startswith(ROOTS) and not (place.is_dir() or place.with_suffix(".py").is_file()):
                    wrong.append(f"{block.name}: {line}")
    assert not wrong, "\n".join(wrong)


def test_every_command_in_a_sentence_begins_as_one_that_there_is() -> None:
    wrong: list[str] = []
    for page in PAGES:
        for code in words_in_code(page):
            if not code.startswith("dateflicks ") or code.startswith("dateflicks ["):
                continue
            words: list[str] = []
            for word in code.split()[1:]:
                if re.fullmatch(r"[a-z][a-z-]*", word) is None:
                    break
                words.append(word)
            complaint = complaint_about(words)
            if complaint.startswith("No such command"):
                wrong.append(f"{page.relative_to(REPOSITORY)}: {code}: {complaint}")
    assert not wrong, "\n".join(wrong)


TOML: Final = [block for block in BLOCKS if block.language == "toml"]


@pytest.mark.parametrize("block", TOML, ids=_name)
def test_settings_that_a_page_shows_load(block: Block, tmp_path: Path) -> None:
    shown = tomllib.loads(block.text)
    if "build-system" in shown or "project" in shown:
        return  # a package of somebody else's
    service = _service_of(block, set(shown))
    (tmp_path / f"{service}.toml").write_text(block.text, encoding="utf-8")
    load(service, SERVICES[service], environ={}, folders=[tmp_path])


def _service_of(block: Block, keys: set[str]) -> str:
    """Whose settings a block shows: the file's that it, or the text above it, names last."""
    said = re.search(r"^# (?:settings/)?(\w+)\.toml", block.text)
    above = "\n".join(block.page.read_text(encoding="utf-8").splitlines()[: block.line])
    named = [said[1]] if said else re.findall(r"\b(\w+)(?:\.model)?\.toml", above)
    found = next((name for name in reversed(named) if name in SERVICES), None)
    assert found is not None, f"{block.name} does not say whose settings it shows ({', '.join(sorted(keys))})"
    return found


def test_json_and_python_on_the_pages_are_whole() -> None:
    for block in BLOCKS:
        if block.language in ("json", "jsonl"):
            for text in [block.text] if block.language == "json" else block.text.splitlines():
                msgspec.json.decode(text)
                json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
        if block.language == "python":
            ast.parse(block.text, filename=block.name)


def test_every_block_says_what_it_is_in() -> None:
    """A block without a language is a picture, or what a program says; commands are marked as such."""
    wrong = [
        block.name
        for block in BLOCKS
        if not block.language
        and len(block.commands) > 1
        and all(line.startswith("dateflicks ") for line in block.commands)
    ]
    assert not wrong, f"commands in a block without `sh`: {wrong}"


def test_every_link_leads_somewhere() -> None:
    wrong: list[str] = []
    for page in PAGES:
        for link in links_of(page):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / parts.path).resolve() if parts.path else page
            there = target.is_file() or target.is_dir()
            if not there or (parts.fragment and target.suffix == ".md" and parts.fragment not in anchors_of(target)):
                wrong.append(f"{page.relative_to(REPOSITORY)}: {link}")
    assert not wrong, "\n".join(wrong)


def test_every_piece_of_the_code_that_a_page_names_is_there() -> None:
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY, check=False, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    known = kept or [str(path.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("*") if path.is_file()]
    ends = {"/".join(Path(path).parts[-count:]) for path in known for count in range(1, 8)}
    folders = {
        "/".join(folder.parts[-count:])
        for path in known
        for folder in Path(path).parents
        for count in range(1, len(folder.parts) + 1)
    }
    wrong = [
        f"{page.relative_to(REPOSITORY)}: {code}"
        for page in PAGES
        for code in words_in_code(page)
        if _PATH.fullmatch(code) and not _NOT_OURS.match(code) and _looks_like_code(code)
        if code.rstrip("/") not in ends | folders
    ]
    assert not wrong, "\n".join(wrong)


def _looks_like_code(code: str) -> bool:
    """A file of Python, or a path below one of the folders; settings are copied, and need not be there."""
    if code.endswith(".py"):
        return not code.startswith(("src/", "test_example"))
    first, _, rest = code.partition("/")
    return (
        bool(rest)
        and first in (*ROOTS, "server", "client", "core", "protocol", "tui", "cli")
        and not (code.endswith(".toml") and ".model." not in code)
    )


def test_the_index_names_every_page() -> None:
    index = REPOSITORY / "docs" / "README.md"
    named = {(index.parent / urlsplit(link).path).resolve() for link in links_of(index) if not urlsplit(link).scheme}
    missing = [page.name for page in PAGES if page.parent == index.parent and page != index and page not in named]
    assert not missing, f"docs/README.md does not name {missing}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name == "docs"], ids=lambda page: page.name)
def test_a_page_says_first_whom_it_is_for(page: Path) -> None:
    title, first = page.read_text(encoding="utf-8").split("\n\n")[:2]
    assert title.startswith("# ")
    assert first.startswith("For ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_go_down_one_step_at_a_time_and_no_two_of_a_page_have_one_name(page: Path) -> None:
    headings = re.findall(r"^(#+) (.+)$", prose_of(page), re.MULTILINE)
    levels = [len(marks) for marks, _ in headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(deeper <= level + 1 for level, deeper in itertools.pairwise(levels))
    assert len(anchors_of(page)) == len(headings)
