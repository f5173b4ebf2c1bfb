"""The embedded engine's folder: who runs the engine, one at a time, where its socket is, and who else may use it.

The locks are advisory ones on files. The engine's process inherits `lock`, so that it stays taken until both it and
whoever runs it are gone, however they ended. `seat` is for services alone: there is one process of these for a folder,
while any number of others (jobs) may use its engine, or run it for as long as no services do.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import os
import socket
import stat
import tempfile
import time
from pathlib import Path
from typing import Final

from dateflicks.core.errors import DateflicksError

SOCKET_PATH_BYTES: Final = 100  # 108 on Linux and 104 on macOS, with the final zero
LOCK_SECONDS: Final = 4.0  # an engine whose server died needs up to three to notice and end
LOG_BYTES: Final = 1_000_000
BACKLOG: Final = 512  # all connections of many workers break at one moment, and come back before anybody answers


class FolderInUse(DateflicksError):
    """Another process has this data folder."""


class EngineFolder:
    """`<data>/mongo`: a file per logical database, the locks, the log, the process id and, if it fits, the socket."""

    def __init__(self, data: Path) -> None:
        self.path = data.absolute() / "mongo"
        self.databases = self.path / "databases"
        self.log = self.path / "engine.log"
        self.pid = self.path / "engine.pid"
        self._lock = self.path / "lock"
        self._seat = self.path / "seat"
        self._where = self.path / "engine.at"
        self._made: Path | None = None

    async def claim(self) -> int:
        """Make the folder and take its lock, whose file descriptor is returned. Raises FolderInUse."""
        return await self._claim(self._lock)

    async def claim_seat(self) -> int:
        """Take the place of the services in the same way. Raises FolderInUse."""
        return await self._claim(self._seat)

    async def _claim(self, path: Path) -> int:
        self._make()
        lock = _open(path)
        try:
            await self._take(lock)
        except BaseException:
            os.close(lock)
            raise
        _write_pid(lock)
        return lock

    def claim_at_once(self) -> int | None:
        """The lock, if it is free this very moment: whoever ran the engine is gone, and so is the engine.

        None also when that cannot be seen now, as with too many open files.
        """
        try:
            lock = _open(self._lock)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        _write_pid(lock)
        return lock

    def _make(self) -> None:
        for folder in (self.path, self.databases):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    async def _take(self, lock: int) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > deadline or _is_running(_read_pid(lock)):
                    raise FolderInUse(self._in_use(self._holder(lock))) from None
                await asyncio.sleep(0.05)
            else:
                return

    def _holder(self, lock: int) -> int | None:
        """The server that has the folder; the engine that it left behind when it is gone."""
        owner = _read_pid(lock)
        if _is_running(owner):
            return owner
        with contextlib.suppress(OSError):
            text = self.pid.read_text().strip()
            return int(text) if text.isdigit() else None
        return None

    def _in_use(self, owner: int | None) -> str:
        who = f"process {owner}" if owner else "another process"
        return (
            f"The data folder {self.path.parent} is in use by {who}.\n"
            "Stop that one, or give this one a data folder of its own (`server.data`).\n"
            "Services in several processes can share one MongoDB: name it in `mongo.uri`."
        )

    async def running(self) -> Path | None:
        """Where the socket is of an engine that somebody else runs; None when a process that is gone has left it."""
        deadline = time.monotonic() + LOCK_SECONDS
        while time.monotonic() < deadline:
            if (path := self._running()) is not None:
                return path
            await asyncio.sleep(0.05)  # it is being started this moment, perhaps
        return None

    def _running(self) -> Path | None:
        try:
            path = Path(os.fsdecode(self._where.read_bytes()))
            found = path.lstat()
            lock = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ValueError):
            return None
        try:
            is_ours = stat.S_ISSOCK(found.st_mode) and found.st_uid == os.getuid()
            return path if is_ours and _is_running(_read_pid(lock)) else None
        finally:
            os.close(lock)

    def listen(self, at: Path | None = None) -> tuple[socket.socket, Path]:
        """A listening socket in a private folder, and its path; what a process that was killed left is replaced.

        `at` is where others look for it already.
        """
        path = at or self.path / "engine.sock"
        if len(os.fsencode(path)) > SOCKET_PATH_BYTES:
            path = self._short_folder() / "engine.sock"
        elif path.parent != self.path:
            self._make_again(path.parent)
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(os.fspath(path))
            path.chmod(0o600)
            listener.listen(BACKLOG)
            with os.fdopen(os.open(self._where, _WRITING, 0o600), "wb") as file:
                file.write(os.fsencode(path))
        except OSError:
            listener.close()
            raise
        return listener, path

    def _make_again(self, folder: Path) -> None:
        """A short folder that whoever ran the engine before has tidied away."""
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if not _is_private(folder):
            raise PermissionError(f"{folder} is somebody else's")
        self._made = folder

    def _short_folder(self) -> Path:
        """A folder with a short name, always the same for one data folder unless somebody else has taken it."""
        root = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        if len(os.fsencode(root)) > SOCKET_PATH_BYTES - 50 or not root.is_dir():
            root = Path("/tmp")  # noqa: S108 - the folder below is checked to be ours and private
        name = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        folder = root / f"dateflicks-{os.getuid()}-{name}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if not _is_private(folder):
            folder = Path(tempfile.mkdtemp(prefix="dateflicks-", dir=root))
        self._made = folder
        return folder

    def open_log(self) -> int:
        """The log, for appending; one that has grown large is put aside first."""
        with contextlib.suppress(FileNotFoundError):
            if self.log.stat().st_size > LOG_BYTES:
                self.log.replace(self.log.with_suffix(".log.1"))
        return os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def last_words(self) -> str:
        """The end of the log, for an error that has to say why the engine did not start."""
        try:
            return self.log.read_text(errors="replace").strip().rpartition("\n")[2]
        except OSError:
            return ""

    def write_pid(self, pid: int) -> None:
        """Note the engine's process id."""
        with os.fdopen(os.open(self.pid, _WRITING, 0o600), "w") as file:
            file.write(f"{pid}\n")

    def tidy(self, socket_path: Path) -> None:
        """Remove what only a running engine needs."""
        for path in (socket_path, self.pid, self._where):
            with contextlib.suppress(OSError):
                path.unlink()
        if self._made is not None:
            with contextlib.suppress(OSError):
                self._made.rmdir()


_WRITING: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_private(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) == 0o700


def _write_pid(lock: int) -> None:
    with contextlib.suppress(OSError):  # a note for people: a full disk must not cost us the lock
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())


def _read_pid(lock: int) -> int | None:
    text = os.pread(lock, 32, 0).decode(errors="replace").strip()
    return int(text) if text.isdigit() else None


def _is_running(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
