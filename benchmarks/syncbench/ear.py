"""Hearing a player: a film of clicks, a sound device that is none, and the instants at which its clicks sounded.

A PulseAudio of our own (nobody else's is touched) has one device, which plays to nobody in real time. What it plays is
recorded as it comes. The device is paced by the machine's monotonic clock, so a sample's number tells its instant on
that clock but for a constant: how long the sound was under way to here. What is measured must not depend on it.
"""

import array
import asyncio
import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import Final, Self

from benchmarks.syncbench.films import encoded

PROGRAMS: Final = ("pulseaudio", "parec", "mpv", "ffmpeg")
CLICK_EVERY_SECONDS: Final = 0.25  # at film time 0 and so on
RATE: Final = 48_000
LOUD: Final = 5_000  # of 32,767; a click has 26,000
DEAF_SECONDS: Final = 0.1  # a click is over by then, however slowly it is played
STRETCH_SECONDS: Final = 10.0  # of a recording; the quickest pieces of each tell whether it is even
READY_SECONDS: Final = 10.0
QUIT_SECONDS: Final = 3.0


async def make_click_film(path: Path, seconds: float) -> Path:
    """Write a film with a short click at each multiple of `CLICK_EVERY_SECONDS`; returns it.

    The sound is FLAC in packets of whole milliseconds: Matroska keeps no finer times, and a rounded packet would seem
    to move.
    """
    click = f"0.8*sin(2*PI*2000*t)*lt(mod(t,{CLICK_EVERY_SECONDS}),0.004)"
    sound = ("-f", "lavfi", "-i", f"aevalsrc='{click}':s={RATE}:n={RATE // 10}", "-t", f"{seconds:.3f}")
    return await encoded(path, "-f", "lavfi", "-i", "testsrc=size=160x90:rate=25", *sound, "-g", "25", "-c:a", "flac")


class Ear:
    """One sound device and what it plays; an async context manager that listens for as long as its block runs."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dateflicks-ear-")
        self._socket = Path(self._folder.name) / "sound"
        self._processes: list[asyncio.subprocess.Process] = []
        self._listening: asyncio.Task[None] | None = None
        self._hears = asyncio.Event()
        self._clicks: list[int] = []  # the number of the first sample of each
        self._pieces: list[tuple[float, int]] = []  # when it came, and how many samples there were then

    @property
    def mpv_arguments(self) -> tuple[str, ...]:
        """What makes an mpv sound here."""
        return ("--ao=pulse", f"--pulse-host=unix:{self._socket}")

    async def __aenter__(self) -> Self:
        try:
            await self._start(
                *("pulseaudio", "-n", "--daemonize=no", "--system=false", "--use-pid-file=no", "--realtime=no"),
                *("--exit-idle-time=-1", "--log-level=error"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={self._socket}"),
                *("-L", f"module-null-sink sink_name=ear rate={RATE} channels=1 format=s16le"),
            )
            async with asyncio.timeout(READY_SECONDS):
                while not self._hears.is_set():  # the sound server was not there yet
                    recorder = await self._start(
                        *("parec", f"--server=unix:{self._socket}", "--device=ear.monitor", "--raw"),
                        *(f"--rate={RATE}", "--channels=1", "--format=s16le", "--latency-msec=20"),
                    )
                    assert recorder.stdout is not None
                    self._listening = asyncio.create_task(self._listen(recorder.stdout))
                    hears = asyncio.create_task(self._hears.wait())
                    await asyncio.wait((self._listening, hears), return_when=asyncio.FIRST_COMPLETED)
                    hears.cancel()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._end()

    def clicks(self) -> list[float]:
        """When each click began, on the monotonic clock plus a constant of some milliseconds."""
        zero = min(self._offsets(), default=0.0)
        return [zero + sample / RATE for sample in self._clicks]

    def uneven_ms(self) -> float:
        """By how much the recording gained on the monotonic clock or lost, in milliseconds."""
        quickest: dict[int, float] = {}
        for (at, _), offset in zip(self._pieces, self._offsets(), strict=True):
            stretch = int((at - self._pieces[0][0]) / STRETCH_SECONDS)
            quickest[stretch] = min(offset, quickest.get(stretch, offset))
        whole = [quickest[stretch] for stretch in sorted(quickest)[: max(len(quickest) - 1, 1)]]
        return 1000 * (max(whole) - min(whole))

    def _offsets(self) -> list[float]:
        return [at - count / RATE for at, count in self._pieces]

    async def _start(self, *command: str) -> asyncio.subprocess.Process:
        folder = self._folder.name
        homes = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"), folder)
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **homes},
        )
        self._processes.append(process)
        return process

    async def _listen(self, recorded: asyncio.StreamReader) -> None:
        count, rest = 0, b""
        while piece := await recorded.read(1 << 16):
            now = time.monotonic()
            whole = len(rest + piece) // 2 * 2
            samples, rest = array.array("h", (rest + piece)[:whole]), (rest + piece)[whole:]
            self._find(samples, count)
            count += len(samples)
            self._pieces.append((now, count))
            self._hears.set()

    def _find(self, samples: "array.array[int]", count: int) -> None:
        """Note the clicks as they come: to look for them later would hold up whoever else measures here."""
        if max(samples, default=0) <= LOUD and min(samples, default=0) >= -LOUD:
            return
        for number, sample in enumerate(samples, count):
            if abs(sample) > LOUD and (not self._clicks or number > self._clicks[-1] + DEAF_SECONDS * RATE):
                self._clicks.append(number)

    async def _end(self) -> None:
        for process in reversed(self._processes):
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(QUIT_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        self._folder.cleanup()
