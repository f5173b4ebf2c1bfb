"""What the page on troubles says that people see is what they see: each message on it is in the code."""

import ast
import re
from typing import Any, Final

import pytest

from tests.docs.pages import REPOSITORY

PAGE: Final = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
_SEEN: Final = re.compile(r"^\| ([^|]*)\|", re.MULTILINE)
_MESSAGE: Final = re.compile(r"`([^`]*[a-z] [^`]*)`")
_SHORTEST: Final = 6  # characters of a piece: less says nothing


def _messages() -> list[str]:
    """What stands in code in the first column of the tables, and has more than one word."""
    return [
        message for cell in _SEEN.findall(PAGE) for message in _MESSAGE.findall(cell) if "dateflicks" not in message
    ]


@pytest.fixture(scope="module")
def said() -> str:
    """All texts in the code, each part of one with something filled in by itself."""
    texts: list[str] = []
    for path in sorted((REPOSITORY / "dateflicks").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            value: Any = getattr(node, "value", None)
            if isinstance(node, ast.Constant) and isinstance(value, str):
                texts.append(value)
    return "\n\0".join(texts)


def test_there_are_messages_to_look_for() -> None:
    assert len(_messages()) > 20


def test_every_message_on_the_page_is_one_that_is_said(said: str) -> None:
    missing = [
        f"{message!r}: {piece!r}"
        for message in _messages()
        for piece in re.split(r"…|40×10", message)
        if len(piece.strip()) >= _SHORTEST and piece.strip().strip(",") not in said
    ]
    assert not missing, "\n".join(missing)
