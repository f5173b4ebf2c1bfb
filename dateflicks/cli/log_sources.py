"""Where lines of logs come from: files that grow and are put aside for others, and what other processes write.

Each source makes lines of its bytes, with their time and whose they are. A line that is no JSON is one all the same.
"""

import contextlib
import json
import math
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

LINE_BYTES: Final = 256 * 1024  # a longer one is told in pieces
CHUNK_BYTES: Final = 64 * 1024
_PART: Final = "dateflicks.server.services."


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `at` is its time in Unix seconds, or that of the line before it."""

    at: float
    level: str | None
    service: str
    record: dict[str, Any]
    is_raw: bool = False


@dataclass(slots=True)
class Reader:
    """Makes lines of bytes as they come, those of one process; a piece of a line is kept until its end comes."""

    name: str
    read_line: "Callable[[str, str, float], Line]" = field(default_factory=lambda: line_of)
    _rest: bytes = b""
    _at: float = 0.0

    def lines(self, found: bytes, *, is_end: bool = False) -> list[Line]:
        """The lines that are whole with this."""
        *whole, rest = (self._rest + found).split(b"\n")
        if len(rest) > LINE_BYTES or (is_end and rest):
            whole, rest = [*whole, rest], b""
        self._rest = rest
        return [self._line(one) for one in whole if one.strip()]

    def _line(self, raw: bytes) -> Line:
        line = self.read_line(raw.decode(errors="replace").rstrip("\r"), self.name, self._at)
        self._at = line.at
        return line


def line_of(text: str, name: str, before: float) -> Line:
    """One line of the log of the process `name`; `before` is the time of the one before it."""
    try:
        found = json.loads(text, parse_constant=str, parse_float=_number)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or "event" not in found:
        record = {"time": None, "level": None, "service": _process(name), "event": text}
        return Line(before, None, _process(name), record, is_raw=True)
    level = found.get("level")
    level = level.lower() if isinstance(level, str) else None
    service = _service(found, name)
    moment = _moment(found.get("time"))
    return Line(before if moment is None else moment, level, service, {"service": service, **found})


def _number(text: str) -> float | str:
    """A number, or its text where it is greater than any that JSON can be sure to carry: `1e999` is no infinity."""
    number = float(text)
    return number if math.isfinite(number) else text


def line_of_journal(text: str, name: str, before: float) -> Line:
    """The same of what `journalctl --output=json` writes, which has the line of the process in it."""
    try:
        entry = json.loads(text)
        moment = _told(int(entry["__REALTIME_TIMESTAMP"]) / 1e6)
        message, unit = entry["MESSAGE"], str(entry.get("_SYSTEMD_UNIT") or entry.get("UNIT") or name)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return line_of(text, name, before)
    if isinstance(message, list):  # bytes that are no text
        message = bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode(errors="replace")
    service = unit.partition(".")[0].removeprefix("dateflicks").strip("-@") or "all"
    return line_of(str(message), service, before if moment is None else moment)


def cursor_of_journal(text: str) -> str:
    """Where a line of `journalctl --output=json` stands in the journal; nothing where it does not say."""
    try:
        return str(json.loads(text)["__CURSOR"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def _process(name: str) -> str:
    """The service of a process by the name of its log, such as `timecode-3` for a worker."""
    head, _, tail = name.rpartition("-")
    return head if head and tail.isdigit() else name


def _service(found: dict[str, Any], name: str) -> str:
    """Whose line it is: named in it, or where in the program it was said, or the process's."""
    if isinstance(named := found.get("service"), str):
        return named
    where = found.get("logger")
    if isinstance(where, str) and where.startswith(_PART):
        return where.removeprefix(_PART).partition(".")[0]
    return _process(name)


def _moment(text: Any) -> float | None:
    """A time in Unix seconds, if it is one that can be written again."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return _told(moment.timestamp())


def _told(moment: float) -> float | None:
    """The same time, if there is a date for it: one a hair before the year 10000 is rounded into it."""
    try:
        datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment


class FileSource:
    """A file that grows, is put aside for another one of its name, or is cut to nothing; it need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = Reader(path.name.partition(".")[0])
        self._file: int | None = None
        self._at = 0

    def before(self, *, is_all: bool = False) -> Iterator[Line]:
        """What was put aside, the oldest first, and what is there now; `is_all`: also a line that has no end."""
        ours = _identity(os.fstat(self._file)) if self._open(self._path) and self._file is not None else None
        for number in sorted(self._aside(), reverse=True):
            with contextlib.suppress(FileNotFoundError), self._aside_at(number).open("rb") as file:
                if _identity(os.fstat(file.fileno())) == ours:  # put aside in this moment
                    break
                while chunk := file.read(CHUNK_BYTES):
                    yield from self._reader.lines(chunk)
        while found := self.read():
            yield from found
        if is_all:
            yield from self._reader.lines(b"", is_end=True)

    def read(self) -> list[Line]:
        """What has come since, through every file that has had the name meanwhile; at most a part of it at once."""
        while self._file is not None or self._open(self._path):
            assert self._file is not None
            if os.fstat(self._file).st_size < self._at:
                self._at = 0
            if chunk := os.pread(self._file, CHUNK_BYTES, self._at):
                self._at += len(chunk)
                if found := self._reader.lines(chunk):
                    return found
            elif not self._turn():
                break
        return []

    def close(self) -> None:
        """Read no more of it."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _open(self, path: Path) -> bool:
        try:
            self._file, self._at = os.open(path, os.O_RDONLY | os.O_CLOEXEC), 0
        except FileNotFoundError:
            self._file = None
        return self._file is not None

    def _turn(self) -> bool:
        """Go on to the file that came after the one that was read, if there is one."""
        assert self._file is not None
        ours = os.fstat(self._file)
        newer = []
        for path in (self._path, *(self._aside_at(number) for number in sorted(self._aside()))):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                if _identity(found) == _identity(ours) or found.st_mtime_ns < ours.st_mtime_ns:
                    break
                newer.append(path)
        if not newer:
            return False
        os.close(self._file)
        return self._open(newer[-1])

    def _aside(self) -> list[int]:
        beside = self._path.parent.glob(f"{self._path.name}.*")
        return [int(one.suffix[1:]) for one in beside if one.suffix[1:].isdecimal()]

    def _aside_at(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class PipeSource:
    """What another process writes, or stdin; over when it has ended."""

    def __init__(self, handle: int, reader: Reader, process: "subprocess.Popen[bytes] | None" = None) -> None:
        self._handle, self._reader, self._process = handle, reader, process
        self.is_over = False

    def before(self) -> Iterator[Line]:
        """All of it, as it comes."""
        while not self.is_over:
            yield from self._take()

    def read(self) -> list[Line]:
        """What has come since; nobody is waited for."""
        import select

        found: list[Line] = []
        while not self.is_over and select.select([self._handle], [], [], 0)[0]:
            found += self._take()
        return found

    def close(self) -> None:
        """Read no more of it."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
        elif self._handle > 2:
            os.close(self._handle)

    def _take(self) -> list[Line]:
        chunk = os.read(self._handle, CHUNK_BYTES)
        self.is_over = not chunk
        return self._reader.lines(chunk, is_end=self.is_over)
