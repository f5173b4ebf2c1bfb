"""An address that somebody else named, and what is found there, opens that film and nothing of this machine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from dateflicks.client.errors import ClientError
from dateflicks.client.films import film_of
from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.film import make_film
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.mpv_ipc import IpcRefused, MpvIpc, connect_path
from dateflicks.client.players.process import MpvOptions, command_line
from dateflicks.client.players.sources import checked_source
from dateflicks.protocol.bodies import VideoRef
from tests.conftest import require

PATIENCE = 4.0  # a file of this machine opens at once; some of what is found elsewhere is looked for for ever
SECONDS = 7.0  # how long the film of this machine is that nobody else may open


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of this machine."""
    require("mpv", "ffmpeg")
    return asyncio.run(make_film(tmp_path_factory.mktemp("private") / "private.mkv", SECONDS))


@contextlib.asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[str]:
    """The base address of a server that says this, whatever it is asked for."""

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def found(body: str, kind: str = "application/octet-stream") -> bytes:
    data = body.encode()
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


def traps(path: Path) -> dict[str, tuple[str, bytes]]:
    """The name of a film, and what is found under it: each leads to the film of this machine, if anything does."""
    place, length = str(path), len(str(path))
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:7\n#EXTINF:7,\n{}\n#EXT-X-ENDLIST\n"
    return {
        "playlist of a path": ("film.m3u", found(f"#EXTM3U\n#EXTINF:7,x\n{place}\n", "audio/x-mpegurl")),
        "playlist of a file address": ("film.m3u", found(f"#EXTM3U\nfile://{place}\n", "audio/x-mpegurl")),
        "playlist of memory": ("film.m3u", found("#EXTM3U\nmemory://#EXTM3U\n", "audio/x-mpegurl")),
        "playlist of a filter": ("film.m3u", found("#EXTM3U\nav://lavfi:testsrc=duration=7\n", "audio/x-mpegurl")),
        "pls": ("film.pls", found(f"[playlist]\nFile1={place}\nNumberOfEntries=1\n", "audio/x-scpls")),
        "edit list": ("film.edl", found(f"# mpv EDL v0\n%{length}%{place},0,7\n")),
        "edit list of an address": ("film.mkv", found(f"# mpv EDL v0\n%{length + 7}%file://{place},0,7\n")),
        "cue sheet": ("film.cue", found(f'FILE "{place}" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n')),
        "hls of a path": ("film.m3u8", found(hls.format(place), "application/vnd.apple.mpegurl")),
        "hls of a file address": ("film.m3u8", found(hls.format(f"file://{place}"), "application/vnd.apple.mpegurl")),
        "hls of a pipe": ("film.m3u8", found(hls.format("pipe:0"), "application/vnd.apple.mpegurl")),
        "hls of a concatenation": (
            "film.m3u8",
            found(hls.format(f"concat:{place}|{place}"), "application/vnd.apple.mpegurl"),
        ),
        "concatenation": ("film.ffconcat", found(f"ffconcat version 1.0\nfile '{place}'\n")),
        "concatenation of an address": ("film.txt", found(f"ffconcat version 1.0\nfile file://{place}\n")),
        "smooth streaming": (
            "film.mpd",
            found(
                '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT7S"><Period>'
                f'<AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>file://{place}</BaseURL>'
                "</Representation></AdaptationSet></Period></MPD>",
                "application/dash+xml",
            ),
        ),
        "session description": ("film.sdp", found("v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n")),
        "subtitles that name a script": ("film.ass", found("[Script Info]\nAudio File: " + place + "\n")),
        "moved to a file": ("film.mkv", moved(f"file://{place}")),
        "moved to a path": ("film.mkv", moved(f"file:{quote(place)}")),
        "moved to memory": ("film.mkv", moved("memory://#EXTM3U")),
        "moved to an edit list": ("film.mkv", moved(f"edl://{place}")),
        "moved to a concatenation": ("film.mkv", moved(f"concat:{place}")),
    }


async def opened(outside: MpvIpc) -> float | None:
    """How long the film is that mpv has come to, whatever it went through before; None where it has given up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while not await outside.get("idle-active"):
                try:
                    return float(await outside.get("duration"))
                except IpcRefused:
                    await asyncio.sleep(0.02)  # it is still at it
    return None


CHEAP = ("playlist of a path", "edit list", "hls of a file address", "moved to a file")


@pytest.mark.mpv
@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "names",
    [pytest.param(CHEAP, id="some"), pytest.param(tuple(traps(Path("x"))), id="all", marks=pytest.mark.long)],
)
async def test_what_is_found_at_an_address_leads_to_nothing_of_this_machine(
    names: tuple[str, ...], private: Path
) -> None:
    player = await MpvPlayer.start(MpvOptions(null_outputs=True, named_socket=True))
    assert player.socket_path is not None
    outside = await connect_path(player.socket_path, lambda _: None, lambda _: None)
    try:
        assert await player.load(str(private)) == pytest.approx(SECONDS, abs=0.1)  # it can be opened by its person
        for name in names:
            file_name, answer = traps(private)[name]
            async with serving(answer) as base:
                with contextlib.suppress(PlayerError, TimeoutError):
                    async with asyncio.timeout(PATIENCE):
                        length = await player.load(f"{base}/{file_name}")
                        assert length != pytest.approx(SECONDS, abs=0.5), name
                assert await opened(outside) != pytest.approx(SECONDS, abs=0.5), name
                await outside.command("stop")
    finally:
        outside.close()
        await player.close()


# --- what may be named ------------------------------------------------------------------------------------------------

TRICKS = (
    "--script=/tmp/x.lua",
    "-v",
    "--",
    "--input-ipc-server=/tmp/x",
    "memory://#EXTM3U\nfile:///etc/passwd",
    "edl://%11%/etc/passwd",
    "lavf://http://films.example/x",
    "av://lavfi:movie=/etc/passwd",
    "lavfi://testsrc",
    "ffmpeg://x",
    "file:///etc/passwd",
    "FILE:/etc/passwd",
    "file:/etc/passwd",
    "fd://0",
    "fdclose://0",
    "pipe:0",
    "concat:/etc/passwd|/etc/passwd",
    "subfile,,start,0,end,9,,:/etc/passwd",
    "data:video/mp4;base64,AAAA",
    "crypto:/etc/passwd",
    "cache:/etc/passwd",
    "async:/etc/passwd",
    "hls+http://films.example/x",
    "mf://*.png",
    "slice://0-9@/etc/passwd",
    "null://",
    "bd://",
    "dvdnav://",
    "tv://",
    "cdda://",
    "archive:///x.zip",
    "ytdl://dQw4w9WgXcQ",
    "ytsearch:x",
    "rtmp://films.example/x",
    "rtsp://films.example/x",
    "ftp://films.example/x",
    "sftp://films.example/x",
    "smb://films.example/x",
    "udp://239.0.0.1:1",
    "javascript:alert(1)",
    "http:/films.example/x",
    "http:films.example/x",
    " http://films.example/x",
    "http://films.example/x\n--script=y",
    "http://films.example/x\r\nHost: evil",
    "http://films.example/x\0.mkv",
    "http://films.example/\x1b]0;x\x07",
    "http://films.example/\u202egpj.exe",
    "http://fïlms.example/x",
    "//films.example/x",
    "\\\\films.example\\share\\x",
    "../../../etc/passwd",
    "/etc/passwd",
    "~/.ssh/id_ed25519",
    "%2e%2e/%2e%2e/etc/passwd",
    "C:\\Windows\\win.ini",
    "NUL",
    ".",
    "..",
    "\0",
)


@pytest.mark.parametrize("url", TRICKS)
def test_of_what_somebody_else_names_only_the_web_and_a_bare_name_in_ones_own_folder_opens(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        film = film_of(VideoRef(url=url, title="X", length=1.0), [tmp_path])
    except ClientError:
        return
    assert Path(film.source).parent == tmp_path, film
    with pytest.raises(PlayerError):
        checked_source(film.source)


@pytest.mark.parametrize("url", TRICKS)
def test_a_file_of_an_odd_name_in_ones_own_folder_is_opened_by_its_path(url: str, tmp_path: Path) -> None:
    name = url.replace("\\", "/").rpartition("/")[2]
    if not name or name in (".", "..") or "\0" in name:
        return
    (tmp_path / name).write_bytes(b"film")
    try:
        film = film_of(VideoRef(url=name, title="X", length=1.0), [tmp_path])
    except ClientError:
        return  # it reads as an address
    assert checked_source(film.source) == str(tmp_path / name), "absolute, so that it is no option and no scheme"


def test_mpv_asks_nobody_else_and_reads_nothing_that_was_not_asked_for() -> None:
    arguments = set(command_line(MpvOptions(), fd=7, socket_path=None, has_display=True))
    assert arguments >= {"--no-config", "--load-scripts=no", "--ytdl=no", "--load-unsafe-playlists=no"}
    assert not any("script=" in argument or "ytdl-raw" in argument for argument in arguments)
