"""Changing one key of a settings file, with everything else in it, comments too, as it was."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from dateflicks.settings.errors import SettingsError


def write_value(path: Path, key: str, value: Any) -> None:
    """Put `value` under the dotted key; None takes the key out, so that the default holds. Raises SettingsError.

    A file that is not there is made, for its owner only. It is replaced as a whole, or not at all.
    """
    write_values(path, {key: value})


def write_values(path: Path, values: Mapping[str, Any]) -> None:
    """The same for several keys at once: all of them are written, or none. Raises SettingsError."""
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise SettingsError(str(path), "", f"cannot be read: {error}") from error
    for key, value in values.items():
        _put(document, path, key, value)
    replace_file(path, tomlkit.dumps(document))


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


def replace_file(path: Path, text: str) -> None:
    """Write a file for its owner only, whole or not at all, and the folder that it is in. Raises SettingsError."""
    fresh = path.with_suffix(f".{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        raise SettingsError(str(path), "", f"cannot be written: {error.strerror}") from error
