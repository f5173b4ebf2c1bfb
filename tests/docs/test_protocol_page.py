"""The page on the wire protocol says what the code says: its tables are made from it, its words and calls are there.

The examples are played in `tests/journeys/test_protocol_page.py`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from dateflicks.server.deployment import _KINDS as KINDS
from dateflicks.server.websocket.frames import Code
from tests.docs.pages import REPOSITORY
from tests.docs.wire_tables import PAGE, names_on, page_with_tables, tables

TEXT: Final = PAGE.read_text(encoding="utf-8")
_CODE: Final = re.compile(r"`([a-z][a-z0-9-]*)`")
_CALL: Final = re.compile(r"^\| `([A-Z]+) (/[^`?]+)` \| (\w+) \|", re.MULTILINE)
_SPOKEN: Final = ("core", "server/services", "server/auth", "server/web", "server/websocket")


def _rows_below(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def test_the_tables_are_those_of_the_code() -> None:
    assert page_with_tables(TEXT) == TEXT, "run: python -m tests.docs.wire_tables"


def test_every_table_is_on_the_page_once() -> None:
    assert sorted(names_on(TEXT)) == sorted(
        set(tables()) - {"frames session server", "object limits told", "numbers of playback"}
    )


def _codes_in(tree: ast.AST) -> Iterator[str]:
    """Words that refusals are given: `code="…"` of what is raised, and `code = "…"` of a class of refusals."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            given = [one.value for one in node.keywords if one.arg == "code"]
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name[:1].isupper():
                yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and line.targets[0:1] and isinstance(line.value, ast.Constant):
                    target: Any = line.targets[0]
                    if target.id == "code":
                        yield str(line.value.value)


def test_the_words_of_refusals_are_those_of_the_code() -> None:
    said = {
        code
        for folder in _SPOKEN
        for path in (REPOSITORY / "dateflicks" / folder).rglob("*.py")
        if "code" in (text := path.read_text(encoding="utf-8"))
        for code in _codes_in(ast.parse(text))
    } - {"refused"}  # of the root, which is never raised itself
    rows = [line for line in _rows_below("When something is wrong").splitlines() if line.startswith("| ")]
    shown = {code for row in rows for code in _CODE.findall(row.split(" | ")[1 if row[2].isdigit() else 0])}
    assert said - shown == set(), "words that docs/protocol.md does not explain"
    assert shown - said == set(), "words that nothing says"


def test_the_calls_are_those_of_the_services() -> None:
    routes = {call for name in KINDS for call in _declared(name)}
    shown = {(method, path, service) for method, path, service in _CALL.findall(TEXT)}
    assert routes - shown == set(), "calls that docs/protocol.md does not name"
    assert shown - routes == set(), "calls that there are none of"


def _declared(service: str) -> Iterator[tuple[str, str, str]]:
    """The routes of a service as its file declares them: to make the service itself would need its database."""
    path = Path(REPOSITORY / "dateflicks" / "server" / "services" / service / "routes.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        words = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if name == "Route" and len(words) > 2:
            yield words[0], words[1], service
        if name == "_action":
            start = {"session": "/sessions/{id}/", "prediction": "/predictions/{sessionId}/{id}/"}[service]
            yield "POST", start + words[0], service


@pytest.mark.parametrize("code", [code for code in Code if code >= 4000 or code in (1008, 1011, 1012, 1013)])
def test_every_close_code_of_ours_is_explained(code: Code) -> None:
    assert f"| {int(code)} |" in TEXT
