"""Changing one key of a settings file, with everything else in it, comments too, as it was."""

import contextlib
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from dateflicks.settings.errors import SettingsError, unreadable


def write_value(path: Path, key: str, value: Any, *, is_secret: bool = False) -> None:
    """Put `value` under the dotted key; None takes the key out, so that the default holds. Raises SettingsError.

    A file that is not there is made, for its owner only, and one that gets a secret is for its owner only from then on.
    It is replaced as a whole, or not at all.
    """
    write_values(path, {key: value}, is_secret=is_secret)


def write_values(path: Path, values: Mapping[str, Any], *, is_secret: bool = False) -> None:
    """The same for several keys at once: all of them are written, or none. Raises SettingsError."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise unreadable(path, error) from error
    for key, value in values.items():
        _put(document, path, key, value)
    text = tomlkit.dumps(document)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingsError(str(path), next(iter(values)), "is no UTF-8") from error
    replace_file(path, text, is_secret=is_secret)


def _put(document: Any, path: Path, key: str, value: Any) -> None:
    *sections, last = key.split(".")
    table = document
    for section in sections:
        if section not in table:
            if value is None:
                return
            table.add(section, tomlkit.table())
        table = table[section]
        if not isinstance(table, Table):
            raise SettingsError(str(path), section, "is no section")
    if value is None:
        table.pop(last, None)
    else:
        table[last] = value


def replace_file(path: Path, text: str, *, is_secret: bool = False) -> None:
    """Write a file whole or not at all, and the folder that it is in. Raises SettingsError.

    Who could read it before can do so afterwards, unless it has a secret now; a new one is for its owner only. Bytes
    that were read as lone surrogates are written as they were.
    """
    fresh = path.with_suffix(f".{secrets.token_hex(4)}.new")  # that nobody has put there, whose folder it may be
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            _keep_access(descriptor, path, 0o600 if is_secret else 0o777)
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise SettingsError(str(path), "", f"cannot be written: {error.strerror}") from error


def _keep_access(descriptor: int, path: Path, most: int) -> None:
    """Give a file the owner and the rights of the one whose place it takes: services read what root has changed."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        before = path.stat()
        os.fchown(descriptor, before.st_uid, before.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode) & most)
