"""The deployment's signing key: given by a setting, or kept in a file for its owner only, made at the first start."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from dateflicks.core.errors import DateflicksError
from dateflicks.server.auth.tokens import KEY_MIN_BYTES

FILE_NAME: Final = "auth.key"
_SIZE_MAX: Final = 4_096


class KeyUnusable(DateflicksError):
    """The signing key is too short, or its file cannot be used; the text is for people."""


def signing_key(setting: str, path: Path) -> bytes:
    """The key of the setting when there is one, or that of the file, which is made if need be. Raises KeyUnusable."""
    if setting:
        return _checked(setting.encode(), "The setting auth.key")
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise KeyUnusable(f"The signing key {path} cannot be read: {error.strerror}.") from error
    try:
        _make(path)
        return _read(path)
    except OSError as error:
        raise KeyUnusable(f"The signing key {path} cannot be written: {error.strerror}.") from error


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise KeyUnusable(f"The signing key {path} is not a file.")
        if found.st_mode & 0o077:
            raise KeyUnusable(
                f"Others on this machine can read the signing key {path}, so it may be known to them.\n"
                "Remove it (everybody signs in again), or make it private with: chmod 600"
            )
        return _checked(file.read(_SIZE_MAX).strip(), f"The signing key {path}")


def _make(path: Path) -> None:
    """Write a new key beside its place and link it there, so that of two processes that start one wins, whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(KEY_MIN_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(fresh, path)
        except FileExistsError:
            return  # another process was first: its key counts
    finally:
        fresh.unlink(missing_ok=True)


def _checked(key: bytes, what: str) -> bytes:
    if len(key) < KEY_MIN_BYTES:
        raise KeyUnusable(
            f"{what} is too short: it has {len(key)} characters and needs {KEY_MIN_BYTES}.\n"
            "Leave the setting empty and the file away, and one is made."
        )
    return key
