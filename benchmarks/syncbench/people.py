"""The bench's side of the two who watch: their processes, what they were told, and what they are to do."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, Self

import msgspec

from benchmarks import kernel
from benchmarks.syncbench.person import Part

START_SECONDS: Final = 30.0
QUIT_SECONDS: Final = 5.0

Heard = dict[str, Any]


class Person:
    """One of the two; `start` returns once the film is open and the part is played."""

    def __init__(self, name: str, part: Part, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.part = part
        self.heard: list[Heard] = []
        self._process = process
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, name: str, part: Part) -> Self:
        """Start the process. Raises RuntimeError when it does not get ready."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.syncbench.person", msgspec.json.encode(part).decode()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        person = cls(name, part, process)
        await person.hear(lambda one: one["kind"] == "ready", START_SECONDS)
        return person

    @property
    def player_pid(self) -> int:
        """The process id of this person's mpv."""
        ready = next(one for one in self.heard if one["kind"] == "ready")
        return int(ready["pid"])

    def do(self, what: str, **fields: Any) -> float:
        """Have the person do something; the true monotonic instant of it."""
        assert self._process.stdin is not None
        now = time.monotonic()
        self._process.stdin.write(json.dumps({"do": what, **fields}).encode() + b"\n")
        return now

    async def hear(self, matches: Callable[[Heard], bool], seconds: float, *, since: float = 0.0) -> Heard:
        """The first thing told from `since` on that matches. Raises RuntimeError after so many seconds."""
        looked = 0
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self._news.clear()
                    for one in self.heard[looked:]:
                        looked += 1
                        if one["at"] >= since and matches(one):
                            return one
                    if self._reading.done():
                        raise RuntimeError(f"{self.name} has gone; the last heard of them is {self.heard[-3:]}")
                    await self._news.wait()
        except TimeoutError:
            raise RuntimeError(f"{self.name} did not hear it within {seconds:g} s: {self.heard[-3:]}") from None

    def frozen(self) -> AbstractContextManager[None]:
        """The player does nothing for as long as the block runs."""
        return kernel.frozen(self.player_pid)

    async def quit(self) -> None:
        """Let the person go home, and see that the process is gone."""
        with contextlib.suppress(OSError, AssertionError):
            self.do("quit")
        try:
            async with asyncio.timeout(QUIT_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            with contextlib.suppress(ValueError):
                self.heard.append(json.loads(line))
            self._news.set()
        self._news.set()
