"""What is stored becomes what a player opens: addresses and files as they are, references by their source."""

import pytest

from dateflicks.server.providers.discovery import BrokenSource
from dateflicks.server.providers.resolving import is_reference, resolved
from dateflicks.server.providers.source import AuthError, NotOffered
from dateflicks.settings.providers import PlexSettings, ProvidersSettings
from tests.providers.server import RecordedServer

MACHINE = "fedcba9876543210fedcba9876543210fedcba98"
PARTS = {"Media": [{"Part": [{"key": "/library/parts/7/17/file.mkv"}]}]}


@pytest.mark.parametrize("url", ["https://a.example/a.mp4", "file:///films/a.mkv", "/films/a.mkv", "https://[a/"])
async def test_an_address_and_a_file_are_opened_as_they_are(url: str) -> None:
    assert not is_reference(url)
    assert await resolved(url, ProvidersSettings()) == url


async def test_a_reference_is_opened_with_the_settings_of_whoever_asks() -> None:
    with RecordedServer("plex", headers={"X-Plex-Token": "my-own-token"}) as server:
        server.route("/identity", "server.json")
        server.route("/library/metadata/7", {"MediaContainer": {"size": 1, "Metadata": [PARTS]}})
        mine = ProvidersSettings(plex=PlexSettings(base_url=server.url, token="my-own-token"))
        stream = await resolved(f"plex://{MACHINE}/7", mine)
        assert stream == f"{server.url}/library/parts/7/17/file.mkv?X-Plex-Token=my-own-token"


async def test_what_cannot_be_opened_here_says_why() -> None:
    with pytest.raises(AuthError, match="address"):
        await resolved(f"plex://{MACHINE}/7", ProvidersSettings())
    with pytest.raises(NotOffered, match="does not play"):
        await resolved("netflix://title/7", ProvidersSettings())
    with pytest.raises(BrokenSource, match="no source"):
        await resolved("nobody://title/7", ProvidersSettings())
