"""The signing key of a deployment on its way into a backup and out of it."""

import os
import secrets
from pathlib import Path
from typing import Final, Literal

SIZE_MAX: Final = 4_096

Outcome = Literal["written", "there already", "another one is there"]


def key_in(path: Path) -> bytes | None:
    """The key in a file, or None. Raises OSError."""
    try:
        with path.open("rb") as file:
            return file.read(SIZE_MAX)
    except FileNotFoundError:
        return None


def put_key(key: bytes, path: Path, *, replace: bool) -> Outcome:
    """Keep the key in a file for its owner only; one that is there is replaced only when told so. Raises OSError."""
    there = key_in(path)
    if there is not None and there.strip() == key.strip():
        return "there already"
    if there is not None and not replace:
        return "another one is there"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.strip() + b"\n")
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return "written"
