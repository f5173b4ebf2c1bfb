"""`dateflicks` as a process with a person at it: its lines as they come, words typed into it, its children."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

SECONDS = 30.0


class Program:
    """One run; everything it writes is kept. Each person has a home of their own."""

    def __init__(self, home: Path, *args: str, **variables: str) -> None:
        home.mkdir(parents=True, exist_ok=True)
        environ = {
            **os.environ, "DATEFLICKS_HOME": str(home), "DATEFLICKS_CLIENT_CREDENTIALS": "file",
            "USER": home.name, **variables,
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dateflicks", *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            cwd=home,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            self._reader(self.process.stdout, self.out),
            self._reader(self.process.stderr, self.err),
        ]
        self._seen = 0

    def _reader(self, stream: IO[str], lines: list[str]) -> threading.Thread:
        def read() -> None:
            for line in stream:
                lines.append(line.rstrip("\n"))

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(SECONDS)
        for thread in self._readers:
            thread.join(SECONDS)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    # --- what it says -------------------------------------------------------------------------------------------

    def wait_until(self, predicate: Callable[[], bool], *, seconds: float = SECONDS) -> None:
        """Wait for it, with a deadline that shows what was said instead."""
        deadline = time.monotonic() + seconds
        while not predicate():
            assert time.monotonic() < deadline, "\n".join(["it did not happen:", *self.out, "--- stderr", *self.err])
            threading.Event().wait(0.02)

    def until(self, words: str) -> str:
        """The next line on stdout with these words in it; those before are passed over."""
        found = ""

        def is_there() -> bool:
            nonlocal found
            while self._seen < len(self.out):
                found = self.out[self._seen]
                self._seen += 1
                if words in found:
                    return True
            return False

        try:
            self.wait_until(is_there)
        except AssertionError as error:
            raise AssertionError(f"never said {words!r}: {error}") from None
        return found

    def until_said(self, words: str) -> None:
        """Wait until these words are on stderr."""
        self.wait_until(lambda: any(words in line for line in self.err))

    # --- what is done to it -------------------------------------------------------------------------------------

    def type(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hang_up(self) -> None:
        """Type nothing more."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def ends(self) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(SECONDS)
        for thread in self._readers:
            thread.join(SECONDS)
        return code

    def child(self, word: str) -> int:
        """The process id of its child that has this word in its command line."""
        found = [pid for pid in children_of(self.process.pid) if word in command_line(pid)]
        assert len(found) == 1, f"{len(found)} children have {word!r}"
        return found[0]

    def kill_child(self, word: str) -> None:
        """End this child without asking it."""
        os.kill(self.child(word), signal.SIGKILL)


def is_running(pid: int) -> bool:
    """Whether this process is there and not only waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """The process ids of its children."""
    task = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in task.read_text(encoding="utf-8").split()]


def command_line(pid: int) -> str:
    """What it was started with, as one line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
