"""One run's process: away from our terminal and our memory, watched for time and memory, asked to end and then made to.

What it tells on its standard output, a JSON object a line, is handed on; what it says on standard error is logged.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 10.0
LINE_BYTES: Final = 65_536
DRAIN_SECONDS: Final = 1.0  # for what it said last, when something that it started keeps its output open
WORDS_KEPT: Final = 5
LINES_MAX: Final = 2_000  # that are logged of one run, of so many characters each
LINE_MAX: Final = 500
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")

Why = Literal["timeout", "memory", "asked", "lease"]


@dataclass(slots=True)
class Ended:
    """Its exit code (below zero the signal), why we ended it if we did, what it used, and what it said last."""

    code: int
    why: Why | None
    peak_memory_bytes: int
    cpu_seconds: float
    last_words: list[str]

    @property
    def told_by(self) -> str:
        """The end in words."""
        if self.code < 0:
            with contextlib.suppress(ValueError):
                return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"


class Child:
    """One process, from its start to its end."""

    def __init__(
        self,
        name: str,
        *,
        timeout_seconds: float,
        memory_bytes: int,
        grace_seconds: float = GRACE_SECONDS,
        on_told: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self._name = name
        self._timeout = timeout_seconds
        self._memory = memory_bytes
        self._grace = grace_seconds
        self._on_told = on_told
        self._process: asyncio.subprocess.Process | None = None
        self._why: Why | None = None
        self._kill_at: float | None = None
        self._peak = 0
        self._cpu = 0.0
        self._lines_said = 0
        self._words: deque[str] = deque(maxlen=WORDS_KEPT)
        self._readers: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        """Start it. Raises OSError."""
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            asyncio.create_task(_lines(self._process.stdout, self._told), name=f"told by {self._name}"),
            asyncio.create_task(_lines(self._process.stderr, self._said), name=f"said by {self._name}"),
        ]

    async def wait(self) -> Ended:
        """Watch it to its end; a wait that is cancelled ends it at once."""
        assert self._process is not None
        loop = asyncio.get_running_loop()
        due = loop.time() + self._timeout
        ending = asyncio.create_task(self._process.wait(), name=f"end of {self._name}")
        try:
            while not ending.done():
                self._sample(self._process.pid)
                if self._peak > self._memory and self._why != "memory":
                    self._why = "memory"
                    self._kill()
                elif loop.time() > due and self._kill_at is None:
                    self.ask("timeout")
                elif self._kill_at is not None and loop.time() > self._kill_at:
                    self._kill()
                await asyncio.wait({ending}, timeout=WATCH_SECONDS)
        finally:
            self._kill()  # with whatever it has started; after a good end there is nothing left
            await asyncio.shield(ending)
            await self._finish_reading()
        return Ended(ending.result(), self._why, self._peak, self._cpu, list(self._words))

    def ask(self, why: Why) -> None:
        """Ask it to end; what has not within the grace is made to."""
        if self._process is None or self._kill_at is not None or self._process.returncode is not None:
            return
        self._why = why
        self._kill_at = asyncio.get_running_loop().time() + self._grace
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def kill(self, why: Why) -> None:
        """End it at once."""
        self._why = why
        self._kill()

    def _kill(self) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _sample(self, pid: int) -> None:
        """What it uses now; where there is no /proc its own limit has to do."""
        try:
            resident = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
            words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except (OSError, IndexError, ValueError):
            return
        self._peak = max(self._peak, resident)
        self._cpu = max(self._cpu, (int(words[11]) + int(words[12])) / _TICKS)

    def _told(self, line: str) -> None:
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            return
        if isinstance(told, dict):
            try:
                self._on_told(told)
            except Exception:  # whoever listens fails: what else it tells is still heard
                log.exception("what %s has told could not be taken", self._name)

    def _said(self, line: str) -> None:
        self._words.append(line[:LINE_MAX])
        self._lines_said += 1
        if self._lines_said <= LINES_MAX:
            log.info("%s: %s", self._name, line[:LINE_MAX])

    async def _finish_reading(self) -> None:
        _, late = await asyncio.wait(self._readers, timeout=DRAIN_SECONDS)
        for reader in late:
            reader.cancel()
        if late:
            await asyncio.wait(late)


async def _lines(stream: asyncio.StreamReader, tell: Callable[[str], None]) -> None:
    """Each line; one that is too long is dropped."""
    rest, is_too_long = b"", False
    while chunk := await stream.read(LINE_BYTES):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if not is_too_long and line.strip():
                tell(line.decode("utf-8", "replace"))
            is_too_long = False
        if len(rest) > LINE_BYTES:
            rest, is_too_long = b"", True
    if rest.strip() and not is_too_long:
        tell(rest.decode("utf-8", "replace"))
