"""Files of this user that nobody else reads: replaced as a whole or not at all, by one process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROBE_BYTES: Final = 4096  # a disk that is full has no room for so much


def replace_private(path: Path, content: bytes, *, is_synced: bool = False) -> None:
    """Put `content` in the place of what is there, and make the folder; `is_synced` waits until the disk has it.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(f".{os.urandom(4).hex()}.new")  # that nobody has put there, whose folder it may be
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if is_synced:
                file.flush()
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def probe_private(path: Path) -> None:
    """Look whether a file could be put there, and leave nothing behind, not even its folder. Raises OSError."""
    import tempfile  # few commands need it

    folder = next(one for one in path.parents if one.exists())
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(PROBE_BYTES))
    if (lock := path.with_suffix(".lock")).exists():
        os.close(os.open(lock, os.O_RDWR))


@contextlib.contextmanager
def alone_with(path: Path, *, waits: bool = True) -> Iterator[None]:
    """Whoever else wants to change this file waits for as long as the block runs. Makes the folder. Raises OSError.

    The lock is on a file of its own beside it, so that replacing the other one does not lose it. Where somebody else
    has it, whoever does not wait gets the OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
