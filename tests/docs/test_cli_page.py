"""docs/cli.md: each example of the help that ends by itself is one that the program takes as it stands there."""

import re
import subprocess
from collections.abc import Iterator
from typing import Final

import pytest

from tests.docs.pages import REPOSITORY, blocks_of
from tests.docs.stage import Stage, staged

PAGE: Final = REPOSITORY / "docs" / "cli.md"
# For two, until somebody ends it, by hand, about other machines, or with programs of somebody else.
ELSEWHERE: Final = re.compile(
    r"^dateflicks (lobby|host|join|watch|demo|simulate|remote|passwd|register|login|init|serve (all|web|session)|"
    r"serve logs -f|users erase|jobs start|chat tail .*-f|providers run|recommenders run|recommend prior|doctor)\b"
    r"|fortune|fzf|gpg|docker|MONGO|/etc/|films\.example\.org| jq |man -l|\$OLD|\$NEW|ssh"
)
WRONG: Final = (2, 70)  # a usage that is none, and what nobody foresaw
SECONDS: Final = 60.0


def _lines() -> list[str]:
    return list(dict.fromkeys(line for block in blocks_of(PAGE) if block.language == "sh" for line in block.commands))


def test_examples_are_of_this_program_and_most_end_by_themselves() -> None:
    lines = _lines()
    assert len(lines) > 100
    assert not [line for line in lines if "dateflicks" not in line]
    assert len([line for line in lines if not ELSEWHERE.search(line)]) > len(lines) / 2


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("cli")) as found:
        yield found


def _asked(stage: Stage, line: str) -> tuple[int, str]:
    line = re.sub(r"\b(7fk2|k3v9)\b", stage.session, line)
    done = subprocess.run(
        ["bash", "-c", line], cwd=stage.folder, env=dict(stage.variables), stdin=subprocess.DEVNULL, check=False,
        capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_program_takes_every_example_as_it_stands(stage: Stage) -> None:
    (stage.folder / "uri.txt").write_text("mongodb://127.0.0.1:27017\n", encoding="utf-8")
    wrong = []
    for line in _lines():
        if not ELSEWHERE.search(line):
            code, told = _asked(stage, line)
            if code in WRONG or "Traceback" in told:
                wrong.append(f"{line}: {code}: {told[-400:]}")
    assert not wrong, "\n".join(wrong)
