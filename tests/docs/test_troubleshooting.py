"""What the page on troubles says that people see is what they see: each message on it is in the code."""

import re
from typing import Final

import pytest

from tests.docs.pages import REPOSITORY

PAGE: Final = (REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
_SEEN: Final = re.compile(r"^\| ([^|]*)\|", re.MULTILINE)
_MESSAGE: Final = re.compile(r"`([^`]*[a-z] [^`]*)`")
_GOES_ON: Final = re.compile(r'"\s*\n\s*f?"')
_SHORTEST: Final = 6  # characters of a piece: less says nothing


def _messages() -> list[str]:
    """What stands in code in the first column of the tables, and has more than one word."""
    return [
        message for cell in _SEEN.findall(PAGE) for message in _MESSAGE.findall(cell) if "dateflicks" not in message
    ]


@pytest.fixture(scope="module")
def said() -> str:
    """The code, with texts that go on in the next line put together."""
    paths = sorted((REPOSITORY / "dateflicks").rglob("*.py"))
    return "\n".join(_GOES_ON.sub("", path.read_text(encoding="utf-8")) for path in paths)


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
