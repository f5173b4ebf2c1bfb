"""An eye on films without sound: where the pictures are, by when mpv says that they change."""

import asyncio
import contextlib
from pathlib import Path

from dateflicks.cli.demo.measuring import Reading
from dateflicks.cli.demo.observer import MpvEye
from dateflicks.client.players.mpv_ipc import IpcError, IpcEvent, MpvIpc, connect_path

TIME_POS = 1


class PictureEye:
    """Two of these see their films equally far ahead of what is shown, so that the difference is true."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._standing = MpvEye(path)
        self._ipc: MpvIpc | None = None
        self._news = asyncio.Event()
        self._last: Reading | None = None

    async def look(self) -> Reading | None:
        """The newest picture, once each."""
        with contextlib.suppress(IpcError):
            if self._ipc is None or self._ipc.lost is not None:
                self._ipc = await connect_path(self._path, self._told, lambda _: None)
                await self._ipc.command("observe_property", TIME_POS, "time-pos")
        await self._news.wait()
        self._news.clear()
        return self._last

    async def stand(self) -> float | None:
        """Where a film stands, or None when it does not."""
        return await self._standing.stand()

    def close(self) -> None:
        """Let go of the player."""
        self._standing.close()
        if self._ipc is not None:
            self._ipc.close()

    def _told(self, event: IpcEvent) -> None:
        position = event.fields.get("data")
        if event.name == "property-change" and isinstance(position, int | float):
            self._last = Reading(float(position), event.at)
            self._news.set()
