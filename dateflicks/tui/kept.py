"""An evening as it is put down on disk every few seconds, so that a crash, or a closed window, loses none of it."""

import contextlib
from pathlib import Path
from typing import Any, Self

import msgspec

from dateflicks.client.private_file import replace_private


def kept_file(home: Path) -> Path:
    """Where it is put down, below the user's own data folder."""
    return home / "evening.json"


class KeptEvening(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What `--resume` needs: where, which session, the own copy, where it was, and what is unsent of the talk."""

    server: str
    own_server: tuple[str, int] | None = None  # of one's own: the address and port at which others look for it
    session_id: str
    film: str | None = None
    position: float | None = None
    chat: dict[str, Any] | None = None
    draft: str = ""

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """The one that was put down last; None when there is none that makes sense."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def write(self, path: Path) -> None:
        """Put it in the place of the one before, whole or not at all; a disk that is full is no end of an evening."""
        with contextlib.suppress(OSError):
            replace_private(path, msgspec.json.encode(self))
