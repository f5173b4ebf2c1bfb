"""What may be opened as a film, and what is refused with a reason; pure but for looking whether a file is there.

mpv opens far more than films: schemes that read its own memory, run filters, open devices or start other programs. A
film's address may come from another person, so only a file's path and the web are let through.
"""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from dateflicks.client.players.base import PlayerError
from dateflicks.core.limits import URL_MAX_CHARACTERS
from dateflicks.protocol.printable import printable

WEB_SCHEMES: Final = frozenset({"http", "https"})
_SCHEME: Final = re.compile(r"([A-Za-z0-9_+.\-]*)://")
_SHOWN_CHARACTERS: Final = 80


def checked_source(source: str, *, schemes: Collection[str] = WEB_SCHEMES) -> str:
    """`source` in the form in which mpv may have it: an absolute path or a web address. Raises PlayerError."""
    if not source:
        raise PlayerError("No film was named. Give a file's path or a web address.")
    if "\0" in source:
        raise PlayerError(f"{_shown(source)} is not a path: it holds a zero character.")
    if match := _SCHEME.match(source):
        return _checked_address(source, match[1].lower(), schemes)
    try:
        path = Path(source).expanduser().absolute()
        if path.is_dir():
            raise PlayerError(f"{_shown(source)} is a folder. Name the film in it.")
        if not path.exists():
            raise PlayerError(f"There is no file {_shown(source)}. Check the path.")
        if not path.is_file():
            raise PlayerError(f"{_shown(source)} is not a plain file. Name a film's file.")
    except OSError as error:
        raise PlayerError(f"{_shown(source)} cannot be opened: {error.strerror}.") from None
    except (RuntimeError, ValueError):
        raise PlayerError(f"{_shown(source)} is not a path that can be opened here.") from None
    return str(path)


def _checked_address(source: str, scheme: str, schemes: Collection[str]) -> str:
    if scheme not in schemes:
        raise PlayerError(
            f"{_shown(source)} is refused: only files and {', '.join(sorted(schemes))} addresses are opened."
        )
    if len(source) > URL_MAX_CHARACTERS:
        raise PlayerError(f"{_shown(source)} is longer than {URL_MAX_CHARACTERS} characters, so it is not opened.")
    try:
        parts = urlsplit(source)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not source.isascii() or not source.isprintable() or " " in source:
        raise PlayerError(f"{_shown(source)} is not a valid web address.")
    return source


def _shown(source: str) -> str:
    text = printable(source.replace("\0", ""))
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
