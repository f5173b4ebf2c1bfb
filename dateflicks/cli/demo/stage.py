"""What the demo stands on: a folder that goes away, the services as processes of their own, a film and who plays it.

Nothing here reads or writes the user's own settings, sign-ins or data; only processes that were started here are ended.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.film import make_film
from dateflicks.client.service_process import ServiceProcess
from dateflicks.settings.client import ClientSettings, ConsentSettings

FILM_NAME: Final = "The_Test_Card.mkv"
OTHERS: Final = ("messages", "prediction")
FILM_SECONDS: Final = 120.0
BASE_MAX_BYTES: Final = 60  # the name of a socket below it must not be longer than 104 bytes
SHORT_BASE: Final = "/tmp"  # noqa: S108 - a folder of its own is made there, as in any other place
WIDTH, HEIGHT = 160, 90  # two of them are decoded here, and the machine may be a small one


@contextmanager
def demo_folder(*, is_kept: bool) -> Iterator[Path]:
    """A new folder for its user only, removed at the end unless it is to be kept."""
    base = tempfile.gettempdir()
    is_long = len(os.fsencode(base)) > BASE_MAX_BYTES and Path(SHORT_BASE).is_dir()
    folder = Path(tempfile.mkdtemp(prefix="dateflicks-demo-", dir=SHORT_BASE if is_long else base))
    try:
        yield folder
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)


def missing_programs() -> list[str]:
    """What a real player would need and is not installed."""
    return [name for name in ("mpv", "ffmpeg") if shutil.which(name) is None]


class Stage:
    """The services and the film; `open` them before, `close` them after."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        confirm_seconds: float,
        player: str,
        may_simulate: bool = True,
    ) -> None:
        self.folder = folder
        self.confirm_seconds = confirm_seconds
        self.player = player
        self.why_simulated = ""
        self._may_simulate = may_simulate
        self.session: ServiceProcess | None = None
        self.timecode: ServiceProcess | None = None
        self.others: dict[str, ServiceProcess] = {}
        self._environ = {name: value for name, value in environ.items() if not name.startswith("DATEFLICKS_")}
        self._environ |= {"DATEFLICKS_HOME": str(folder / "home"), "DATEFLICKS_SETTINGS": str(folder / "settings")}

    @property
    def is_real(self) -> bool:
        """Whether real players play a real film."""
        return self.player == "mpv"

    async def open(self) -> None:
        """Make the film and start the services. Raises ExceptionGroup, of ServerFailed and PlayerError."""
        (self.folder / "settings").mkdir()
        async with asyncio.TaskGroup() as group:
            if self.is_real:
                group.create_task(self._film())
            group.create_task(self._services())

    async def start_timecode(self, port: int = 0) -> ServiceProcess:
        """Start the timecode service, with the data that is there. Raises ServerFailed."""
        flags = ("--confirm-seconds", f"{self.confirm_seconds:g}")
        self.timecode = await self._start("timecode", port=port, flags=flags)
        return self.timecode

    def settings_of(self, name: str) -> ClientSettings:
        """A person's settings: everything is asked of them, and an observer can look at their player."""
        assert self.session is not None
        return ClientSettings(
            server=f"http://127.0.0.1:{self.session.port}",
            credentials="file",
            player="mpv" if self.is_real else "simulated",
            mpv_arguments=["--vo=null", "--ao=null", f"--input-ipc-server={self.socket_of(name)}"],
            consent=ConsentSettings(play="ask", pause="ask", stop="ask", seek="ask"),
        )

    def socket_of(self, name: str) -> Path:
        """Where a person's mpv can be looked at."""
        return self.folder / f"{name}.mpv"

    def film_of(self, name: str) -> Path:
        """A person's own copy of the film."""
        return self.folder / name / FILM_NAME

    async def close(self) -> list[int]:
        """End the services; their exit statuses."""
        running = [service for service in (self.session, self.timecode, *self.others.values()) if service is not None]
        self.session = self.timecode = None
        self.others = {}
        return list(await asyncio.gather(*(service.end() for service in running)))

    async def _film(self) -> None:
        try:
            made = await make_film(self.folder / FILM_NAME, FILM_SECONDS, width=WIDTH, height=HEIGHT)
        except PlayerError as error:
            if not self._may_simulate:
                raise
            self.player, self.why_simulated = "simulated", str(error)
            return
        for name in ("ana", "bea"):
            copy = self.film_of(name)
            copy.parent.mkdir()
            await asyncio.to_thread(shutil.copyfile, made, copy)

    async def _services(self) -> None:
        """The session service last: it is told where the others are."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.start_timecode())
            for name in OTHERS:
                group.create_task(self._start_other(name))
        assert self.timecode is not None
        ports = {"timecode": self.timecode.port} | {name: self.others[name].port for name in OTHERS}
        addresses = ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in ports.items())
        self._environ["DATEFLICKS_SESSION_SERVICES"] = addresses
        self.session = await self._start("session")

    async def _start_other(self, name: str) -> None:
        self.others[name] = await self._start(name)

    async def _start(self, name: str, *, port: int = 0, flags: tuple[str, ...] = ()) -> ServiceProcess:
        log = self.folder / f"{name}.log"
        return await ServiceProcess.start(
            name, self.folder / "data", log, port=port, flags=flags, environ=self._environ
        )
