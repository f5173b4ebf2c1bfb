"""The pages for people, taken apart: their blocks of code with what is said about running them, their links, and the
paths of the code that they name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypedDict

REPOSITORY: Final = Path(__file__).parents[2]
PAGES: Final = tuple(
    sorted([REPOSITORY / "README.md", REPOSITORY / "ARCHITECTURE.md", *(REPOSITORY / "docs").glob("*.md")])
)
_FENCE: Final = re.compile(r"^( *)```(\w*)\s*$")
_MARK: Final = re.compile(r"<!-- not run: (.+?) -->")
_ENDS_WITH: Final = re.compile(r"<!-- ends with (\d+(?: or \d+)*): .+? -->")
_RUN_BY: Final = re.compile(r"<!-- run by ((?:\S+::\w+, )*\S+::\w+): .+? -->")
_PLAYED_BY: Final = re.compile(r"<!-- played by (\w+) -->")
_GOES_ON: Final = re.compile(r"<!-- goes on -->")
_LINK: Final = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_HEADING: Final = re.compile(r"^#+ (.+)$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced (or, without a language, indented) block; `not_run` is the reason why nobody runs it, if there is one.

    `run_by` names the tests that run it where its page is not simply followed, `played_by` whose part in the evening of
    its page it is, `exit_codes` what its last command may end with. What `goes_on` has commands that last until they
    are stopped.
    """

    page: Path
    line: int
    language: str
    text: str
    not_run: str = ""
    run_by: tuple[str, ...] = ()
    played_by: str = ""
    exit_codes: tuple[int, ...] = (0,)
    goes_on: bool = False

    @property
    def name(self) -> str:
        """Where it stands, for whoever reads that it fails."""
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def commands(self) -> Sequence[str]:
        """Its lines as a shell reads them: joined where they go on, without remarks and without what was answered."""
        text = self.text.replace("\\\n", " ")
        lines = [line.strip() for line in text.splitlines()]
        if self.language == "console":
            return [line[2:] for line in lines if line.startswith("$ ")]
        return [line for line in lines if line and not line.startswith("#")]

    @property
    def answers(self) -> Sequence[tuple[str, Sequence[str]]]:
        """The commands of a `console` block, each with the lines that are shown as its answer."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
        return found


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    return list(_blocks(page, page.read_text(encoding="utf-8").splitlines()))


def _blocks(page: Path, lines: Sequence[str]) -> Iterator[Block]:
    number, remarks = 0, ""
    while number < len(lines):
        line = lines[number]
        opened = _FENCE.match(line)
        if opened is not None:
            end = next(i for i in range(number + 1, len(lines)) if lines[i].strip() == "```")
            margin = len(opened[1])
            text = "\n".join(inside[margin:] for inside in lines[number + 1 : end]) + "\n"
            yield Block(page, number + 1, opened[2], text, **_told_by(remarks))
            number, remarks = end + 1, ""
            continue
        if line.startswith("    dateflicks "):
            yield Block(page, number + 1, "", line.strip() + "\n")
        if line.startswith("<!--"):
            remarks += line
        elif line.strip():
            remarks = ""
        number += 1


class _Told(TypedDict):
    not_run: str
    run_by: tuple[str, ...]
    played_by: str
    exit_codes: tuple[int, ...]
    goes_on: bool


def _told_by(remarks: str) -> _Told:
    """What stands above a block about running it."""
    why, ends, tests, person = (pattern.search(remarks) for pattern in (_MARK, _ENDS_WITH, _RUN_BY, _PLAYED_BY))
    return {
        "not_run": why[1] if why else "",
        "run_by": tuple(tests[1].split(", ")) if tests else (),
        "played_by": person[1] if person else "",
        "exit_codes": tuple(int(code) for code in ends[1].split(" or ")) if ends else (0,),
        "goes_on": _GOES_ON.search(remarks) is not None,
    }


def prose_of(page: Path) -> str:
    """A page without its blocks."""
    kept, is_inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            is_inside = not is_inside
        elif not is_inside:
            kept.append(line)
    return "\n".join(kept)


def links_of(page: Path) -> list[str]:
    """Where a page leads."""
    return _LINK.findall(prose_of(page))


def words_in_code(page: Path) -> list[str]:
    """What a page's prose has between backticks."""
    return _CODE.findall(prose_of(page))


def anchors_of(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in addresses."""
    found: set[str] = set()
    for line in prose_of(page).splitlines():
        heading = _HEADING.match(line)
        if heading is not None:
            text = re.sub(r"[^\w\- ]", "", heading[1].lower().replace("`", ""))
            found.add(text.replace(" ", "-"))
    return found
