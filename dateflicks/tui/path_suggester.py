"""Completes the path of a film while it is typed."""

import asyncio
import os
from pathlib import Path
from typing import Final

from textual.suggester import Suggester

LOOKED_AT_MAX: Final = 2_000  # names in one folder: more is not worth the wait


class PathSuggester(Suggester):
    """The first name that goes on like what is typed; folders end with a slash."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """What may follow, as a whole; nothing for an address or a folder that cannot be read."""
        return None if "://" in value or not value else await asyncio.to_thread(_completed, value)


def _completed(value: str) -> str | None:
    folder, slash, begin = value.rpartition("/")
    try:
        with os.scandir(Path(f"{folder}/" if slash else ".").expanduser()) as entries:
            names = [
                f"{entry.name}/" if entry.is_dir() else entry.name
                for _, entry in zip(range(LOOKED_AT_MAX), entries, strict=False)
                if entry.name.startswith(begin) and (begin.startswith(".") or not entry.name.startswith("."))
            ]
    except (OSError, RuntimeError, ValueError):
        return None
    found = min(names, default=None)
    return None if found is None else f"{folder}{slash}{found}"
