"""A program in a real pseudo-terminal: every byte that it writes, and the screen that a terminal makes of them."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyte

SECONDS: Final = 40.0
QUIET_SECONDS: Final = 0.4  # without a byte, the screen is taken for finished
ROOT: Final = Path(__file__).parents[2]

_SEQUENCE: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\x00-\x1f\x7f-\x9f]", re.DOTALL
)


class Terminal:
    """Runs `python -m …` at a terminal of this size; ends it with the block."""

    def __init__(
        self, *command: str, width: int = 80, height: int = 24, environ: Mapping[str, str] | None = None
    ) -> None:
        self._command = [sys.executable, "-m", *command]
        self._size = width, height
        plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
        self._environ = {**plain, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), **(environ or {})}
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.written = b""

    def __enter__(self) -> Self:
        width, height = self._size
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        self.process = subprocess.Popen(
            self._command, stdin=slave, stdout=slave, stderr=slave, env=self._environ, start_new_session=True
        )
        os.close(slave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None:
            self._read(0.1)
            if time.monotonic() > deadline:
                self.process.kill()
                self.process.wait()
        while self._read(0.0):
            pass
        os.close(self._master)

    def until(self, words: str) -> str:
        """The screen, once these words are on it and nothing more comes."""
        deadline = time.monotonic() + SECONDS
        while words not in self.text:
            is_late = time.monotonic() > deadline or self.process.poll() is not None
            assert not is_late, f"never saw {words!r}:\n{self.text}"
            self._read(0.1)
        while self._read(QUIET_SECONDS) and time.monotonic() < deadline:
            pass
        return self.text

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    @property
    def text(self) -> str:
        """The rows of the screen."""
        return "\n".join(self.screen.display)

    @property
    def sequences(self) -> list[str]:
        """Every control sequence and control character that was written, in order."""
        return _SEQUENCE.findall(self.written.decode())

    @property
    def kinds(self) -> set[str]:
        """What kinds of them there were: numbers in cursor moves and colours make no other kind."""
        return {re.sub(r"^\x1b\[[0-9;:]*([A-Za-z])$", r"ESC[\1", one) for one in self.sequences}

    def _read(self, seconds: float) -> bool:
        try:
            if not select.select([self._master], [], [], seconds)[0]:
                return False
            found = os.read(self._master, 65_536)
        except OSError:  # the other end is closed
            return False
        self.written += found
        self._stream.feed(found)
        return bool(found)
