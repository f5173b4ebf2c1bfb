"""`serve logs`: what the services of this machine have logged, put together by time, and what comes.

Lines come from the files below the data folder, from the journal where systemd keeps it, or from whatever was named. A
file is followed by what it is, not by its name: when it is put aside for a new one, it is read to its end first. A line
that is no JSON is shown as it is. Whatever it was, nothing of it reaches the terminal that moves a cursor.
"""

import heapq
import json
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.log_sources import FileSource, Line, PipeSource, Reader, cursor_of_journal, line_of_journal
from dateflicks.cli.output import Format, cell, pick
from dateflicks.protocol.printable import escaped_json, printable

LINES: Final = 200  # without --since and --lines
POLL_SECONDS: Final = 0.25
FOLDER: Final = "logs"  # as `server.observe.logs` names them, which is not loaded for it; a test keeps them the same
PATTERN: Final = "*.jsonl"
JOURNAL: Final = Path("/run/systemd/system")  # is there where systemd runs
UNITS: Final = "dateflicks*"
COLUMNS: Final = ("time", "level", "service", "event")
RANKS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_COLOURS: Final = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown; `since` is in Unix seconds."""

    files: tuple[Path, ...] = ()
    is_followed: bool = False
    services: tuple[str, ...] = ()
    level: str = "debug"
    lines: int | None = None
    since: float | None = None

    def has(self, line: Line) -> bool:
        """Whether this line is among it. What has no level is shown: it may be the last word of a process."""
        if line.level is not None and RANKS.get(line.level, RANKS["critical"]) < RANKS[self.level]:
            return False
        if self.services and line.service not in self.services:
            return False
        return self.since is None or line.at >= self.since

    def missed(self) -> str:
        """That there is nothing of it, in words."""
        said = [
            "Nothing",
            *([f"as grave as '{self.level}'"] if self.level != "debug" else []),
            "was logged",
            *([f"by {' or '.join(self.services)}"] if self.services else []),
            *(["since then"] if self.since is not None else []),
        ]
        return " ".join(said)


@dataclass(slots=True)
class Log:
    """All that is to be read: what was named, or the files of a folder and the journal."""

    folder: Path
    files: Sequence[Path] = ()
    journal: str | None = None  # the program that reads it
    _sources: dict[Path, FileSource] = field(default_factory=dict)
    _pipes: list[PipeSource] = field(default_factory=list)
    _named: set[Path] = field(default_factory=set)  # those of the pipes

    def find(self) -> bool:
        """Look for files that are new. Whether there is anything to read."""
        for path in self.files or sorted(self.folder.glob(PATTERN)):
            if path in self._sources or path in self._named:
                continue
            if self.files and not path.is_file():  # stdin, or what a shell puts there for a program
                handle = sys.stdin.fileno() if str(path) == "-" else os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                self._named.add(path)
                self._pipes.append(PipeSource(handle, Reader("stdin" if str(path) == "-" else path.name)))
            else:
                self._sources[path] = FileSource(path)
        return bool(self._sources or self._pipes or self.journal)

    def before(self, wanted: Wanted) -> Iterator[Line]:
        """What there is by now, by time."""
        parts = [source.before(is_all=not wanted.is_followed) for source in self._sources.values()]
        if not wanted.is_followed:
            parts += [pipe.before() for pipe in self._pipes]
        if self.journal is not None:
            parts.append(self._of_journal(wanted))
        return heapq.merge(*parts, key=lambda line: line.at)

    def come(self) -> list[Line]:
        """What has come since, by time."""
        self.find()
        found: list[Line] = []
        for source in self._sources.values():
            while more := source.read():
                found += more
        for pipe in self._pipes:
            found += pipe.read()
        return sorted(found, key=lambda line: line.at)

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come."""
        return not self._sources and all(pipe.is_over for pipe in self._pipes)

    def close(self) -> None:
        """Read no more."""
        for source in self._sources.values():
            source.close()
        for pipe in self._pipes:
            pipe.close()

    def _of_journal(self, wanted: Wanted) -> Iterator[Line]:
        """What it has by now; where it is followed, another one is asked for all that comes behind the last of it."""
        is_sifted = wanted.since is not None or bool(wanted.services) or wanted.level != "debug"
        many = "all" if is_sifted else str(LINES if wanted.lines is None else wanted.lines)
        since = [f"--since=@{wanted.since:.0f}"] if wanted.since is not None else []
        cursor = ""

        def read(text: str, name: str, before: float) -> Line:
            nonlocal cursor
            cursor = cursor_of_journal(text) or cursor
            return line_of_journal(text, name, before)

        yield from self._ask_journal(read, f"--lines={many}", *since).before()
        if wanted.is_followed:
            behind = [f"--after-cursor={cursor}"] if cursor else since
            self._ask_journal(line_of_journal, f"--lines={'all' if behind else 0}", *behind, "--follow")

    def _ask_journal(self, read: Callable[[str, str, float], Line], *words: str) -> PipeSource:
        assert self.journal is not None
        command = [self.journal, "--quiet", "--no-pager", "--output=json", f"--unit={UNITS}", *words]
        process = subprocess.Popen(  # noqa: S603 - the system's own program, and nothing of it from outside
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        pipe = PipeSource(process.stdout.fileno(), Reader("all", read), process)
        self._pipes.append(pipe)
        return pipe


class Paper:
    """Where lines are written: for people, or one record a line for programs."""

    def __init__(self, environment: CliEnvironment) -> None:
        self._stream = environment.stdout
        self._form = environment.output or (Format.TABLE if self._stream.isatty() else Format.JSONL)
        self._fields = environment.fields
        self._is_coloured = environment.is_colored(self._stream)
        self._day = ""

    def write(self, line: Line) -> None:
        """Write one line at once."""
        if self._form in (Format.JSON, Format.JSONL):
            record = {name: pick(line.record, name) for name in self._fields} if self._fields else line.record
            text = escaped_json(json.dumps(record, ensure_ascii=False, default=repr))
        elif self._fields or self._form is Format.PLAIN:
            text = "\t".join(cell(pick(line.record, name)) for name in self._fields or COLUMNS)
        else:
            text = self._for_people(line)
        self._stream.write(text + "\n")

    def flush(self) -> None:
        """Let go of what was written."""
        self._stream.flush()

    def _for_people(self, line: Line) -> str:
        if line.is_raw:
            return printable(line.record["event"])
        record = line.record
        moment = datetime.fromtimestamp(line.at, UTC)
        head = ""
        if (day := f"{moment:%Y-%m-%d}") != self._day:
            self._day, head = day, self._in("2", f"{day}, times in UTC") + "\n"
        level = line.level or "?"
        told = ("time", "level", "service", "event", "logger", "exception", "stack")
        rest = " ".join(f"{cell(name)}={cell(value)}" for name, value in record.items() if name not in told)
        text = " ".join(
            [
                f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}",
                self._in(_COLOURS.get(level, "31"), f"{printable(level)[:7]:<7}"),
                self._in("36", f"{printable(line.service)[:14]:<10}"),
                cell(record["event"]),
                *([self._in("2", rest)] if rest else []),
            ]
        )
        for name in ("exception", "stack"):
            if isinstance(trace := record.get(name), str):
                text += "".join(f"\n    {one}" for one in printable(trace, keep_newlines=True).splitlines())
        return head + text

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._is_coloured else text


def show_logs(
    environment: CliEnvironment,
    wanted: Wanted,
    *,
    since: str | None,
    data: Path | None,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Write what there is, and go on with what comes when that is asked. Raises CliError."""
    wanted = replace(wanted, since=_since(environment, since))
    log = _log_of(environment, wanted, data)
    paper = Paper(environment)
    try:
        is_there = log.find()
        if not is_there:
            if not wanted.is_followed:
                raise CliError(
                    Exit.NOT_FOUND,
                    f"Nothing was logged in {log.folder}.",
                    hint="Services log there once they run; name another folder with --data DIR, or files.",
                )
            environment.say(f"Nothing was logged yet in {log.folder}; waiting for it.")
        count = 0
        for count, line in enumerate(_last(filter(wanted.has, log.before(wanted)), wanted), 1):  # noqa: B007
            paper.write(line)
            if wanted.files:
                paper.flush()  # it may come slowly, through a pipe
        paper.flush()
        if is_there and not (count or wanted.lines == 0 or (wanted.files and wanted.is_followed)):
            environment.say(f"{wanted.missed()}{'; waiting for it.' if wanted.is_followed else '.'}")
        while wanted.is_followed:
            lines = [line for line in log.come() if wanted.has(line)]
            for line in lines:
                paper.write(line)
            paper.flush()
            if wanted.files and log.is_over:
                return
            if not lines:
                wait(POLL_SECONDS)
    except OSError as error:
        if error.filename is None:
            raise
        why = error.strerror or type(error).__name__
        hint = "Ask as the account that the services run as, or as root."
        raise CliError(Exit.FAILED, f"{error.filename} cannot be read: {why}.", hint=hint) from error
    finally:
        log.close()


def _last(lines: Iterable[Line], wanted: Wanted) -> Iterable[Line]:
    if wanted.lines is None and (wanted.since is not None or wanted.files):
        return lines
    return deque(lines, maxlen=LINES if wanted.lines is None else wanted.lines)


def _log_of(environment: CliEnvironment, wanted: Wanted, data: Path | None) -> Log:
    for path in wanted.files:
        if str(path) != "-" and (not path.exists() or path.is_dir()):
            raise CliError(Exit.NOT_FOUND, f"There is no file {path}.")
    if data is None and not wanted.files:
        data = environment.data_folder(environment.load("all").settings.server.data)
        journal = shutil.which("journalctl", path=environment.environ.get("PATH")) if JOURNAL.is_dir() else None
    else:
        journal = None
    return Log((data or environment.home) / FOLDER, wanted.files, journal)


def _since(environment: CliEnvironment, text: str | None) -> float | None:
    """A length of time before now, or a time. Raises CliError."""
    if text is None:
        return None
    from dateflicks.cli.chatting import duration_of
    from dateflicks.cli.moments import moment_of

    if "-" in text:
        return moment_of("--since", text)
    return environment.now().timestamp() - duration_of(text, "--since").total_seconds()
