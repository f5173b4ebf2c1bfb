"""Films made once for all tests here, an mpv that shows and sounds nothing, and somebody else at its socket."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dateflicks.client.players.film import make_film
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.mpv_ipc import IpcEvent, MpvIpc, connect_path
from dateflicks.client.players.process import MpvOptions
from tests.conftest import require


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty seconds of picture and sound."""
    require("mpv", "ffmpeg")
    return asyncio.run(make_film(tmp_path_factory.mktemp("films") / "film.mkv", 30.0))


@pytest.fixture(scope="session")
def silent_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty seconds of picture alone."""
    require("mpv", "ffmpeg")
    return asyncio.run(make_film(tmp_path_factory.mktemp("films") / "silent.mkv", 30.0, sound=False))


@pytest_asyncio.fixture
async def player() -> AsyncIterator[MpvPlayer]:
    """A running mpv without a film."""
    require("mpv", "ffmpeg")
    player = await MpvPlayer.start(MpvOptions(null_outputs=True, named_socket=True))
    yield player
    await player.close()


@pytest_asyncio.fixture
async def outside(player: MpvPlayer) -> AsyncIterator[MpvIpc]:
    """A second connection to the same mpv: what its user does, and what is really so, by no code of the player's."""
    assert player.socket_path is not None

    def ignore(_: IpcEvent | str) -> None:
        """Nothing that mpv says by itself matters out here."""

    ipc = await connect_path(player.socket_path, ignore, ignore)
    yield ipc
    ipc.close()
