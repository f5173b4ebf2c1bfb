"""The messages service as a process of its own, on one data folder through all its lives, without limits in the way."""

import os
from pathlib import Path
from typing import Final

from dateflicks.client.service_process import ServiceProcess

SERVICE: Final = "messages"


class MessagesProcess:
    """`key` is the deployment's, `public_url` what it tells for its own address; made once, started often."""

    def __init__(self, folder: Path, key: str, public_url: str = "") -> None:
        self._folder, self._log = folder / "data", folder / "service.log"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("DATEFLICKS_")}
        self._environ = {**ours, **_settings(key, public_url)}
        self._process: ServiceProcess | None = None

    @property
    def data(self) -> Path:
        """The folder of its database."""
        return self._folder / SERVICE

    async def start(self) -> int:
        """Start it; its port once it serves. Raises ServerFailed."""
        self._process = await ServiceProcess.start(SERVICE, self._folder, self._log, environ=self._environ)
        return self._process.port

    async def kill(self) -> None:
        """End it as a crash would; its engine is not told."""
        assert self._process is not None
        await self._process.kill()

    async def end(self) -> None:
        """Ask it to end, if it runs."""
        if self._process is not None:
            await self._process.end()


def _settings(key: str, public_url: str) -> dict[str, str]:
    """No limits but that on one person's connections."""
    values = {
        "AUTH_KEY": key,
        "PUBLIC_URL": public_url,
        "CHAT_PER_SECOND": "100000",
        "CHAT_BURST": "100000",
        "LIMITS_FRAMES_PER_SECOND": "100000",
        "LIMITS_FRAMES_BURST": "100000",
        "LIMITS_SOCKETS_PER_ADDRESS": "1000",
    }
    return {f"DATEFLICKS_MESSAGES_{name}": value for name, value in values.items() if value}
