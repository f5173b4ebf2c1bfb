"""Files of this user that nobody else reads, replaced as a whole or not at all."""

import os
from pathlib import Path


def replace_private(path: Path, content: bytes, *, is_synced: bool = False) -> None:
    """Put `content` in the place of what is there, and make the folder; `is_synced` waits until the disk has it.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        if is_synced:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
