"""A running deployment to test: one that was started here as a command, or one that is named from outside."""

import itertools
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from tests.server.processes import members_of

READY = re.compile(r"http://127\.0\.0\.1:\d+")
START_SECONDS = 40.0
STOP_SECONDS = 15.0

# Each person calls from a loopback address of their own: limits per address are then met only where a test means to.
_numbers = itertools.count(secrets.randbelow(15_000_000))


@dataclass
class Deployment:
    """Where the services are, and whether their settings are known here."""

    url: str
    is_ours: bool

    @property
    def feed_url(self) -> str:
        return "ws" + self.url.removeprefix("http")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    def fresh_address(self) -> str | None:
        """A source address nobody called from before, where the deployment is on this machine."""
        if self.host != "127.0.0.1":
            return None
        number, last = divmod(next(_numbers), 254)
        return f"127.{1 + number // 256 % 254}.{number % 256}.{last + 1}"


@dataclass
class Server:
    """`serve all`, or one service alone, as a process of its own, with what it said last."""

    process: subprocess.Popen[str]
    service: str = "all"
    said: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    url: str = ""
    _spoke: threading.Event = field(default_factory=threading.Event)
    _listening: threading.Thread | None = None

    def listen(self) -> None:
        """Read everything the process says for as long as it lives: a full pipe would stop it."""
        self._listening = threading.Thread(target=self._read, daemon=True)
        self._listening.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            found = READY.search(line)
            if found and not self.url:
                self.url = found[0]
                self._spoke.set()
        self._spoke.set()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        self._spoke.wait(START_SECONDS)
        while time.monotonic() < deadline and self.url and self.process.poll() is None:
            try:
                if httpx2.get(f"{self.url}/health", verify=False, trust_env=False).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            threading.Event().wait(0.05)
        raise AssertionError(
            f"serve {self.service} is not ready (exit code {self.process.poll()}):\n{''.join(self.said)}"
        )

    def kill(self) -> None:
        """What a power cut does to the service; what it started is not told."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def ask_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def living_members(self) -> list[int]:
        """Processes of this server's group that still run."""
        return members_of(self.process.pid)

    def close(self) -> None:
        if self.process.poll() is None:
            self.ask_to_stop()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(STOP_SECONDS)
        for member in self.living_members():
            os.kill(member, signal.SIGKILL)
        if self._listening is not None:
            self._listening.join(STOP_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running_server(
    folder: Path, *flags: str, service: str = "all", variables: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Start `serve all`, or one service, on any free port, on the data folder that is given."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    command = ["serve", service, "--host", "127.0.0.1", "--port", "0", "--data", str(folder), *flags]
    process = subprocess.Popen(
        [sys.executable, "-m", "dateflicks", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1", **(variables or {})},
        start_new_session=True,
    )
    server = Server(process, service)
    server.listen()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.close()
