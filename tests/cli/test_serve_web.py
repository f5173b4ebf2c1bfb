"""`dateflicks serve web`: a page, a process behind each, nobody's sign-in in it, and nothing left of it."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pyte
import pytest
from textual.widgets import Input
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dateflicks.client.credentials import CredentialStore, SignIn
from dateflicks.client.errors import FilmMissing
from dateflicks.client.films import Film
from dateflicks.protocol.bodies import SessionBody
from dateflicks.settings.client import ClientSettings
from dateflicks.tui.app import DateflicksApp
from dateflicks.tui.screens.ask_film import AskFilmScreen
from dateflicks.tui.screens.new_session import NewSessionScreen
from dateflicks.tui.surroundings import HELD_WHERE_LENT, InLobby, Surroundings
from dateflicks.tui.widgets.hints import Hints
from tests.cli.conftest import Cli
from tests.cli.process import SECONDS, Program, children_of, is_running
from tests.scripted_server import session_json
from tests.waiting import until

pytest.importorskip("textual_serve")

from dateflicks.cli import web


class Pages:
    """A server of pages that runs, and how to look at it."""

    def __init__(self, program: Program, url: str, temporary: Path) -> None:
        self.program = program
        self.url = url
        self.temporary = temporary

    @property
    def visits(self) -> list[int]:
        """The processes behind open pages."""
        return [pid for pid in children_of(self.program.process.pid) if is_running(pid)]

    def get(self, path: str = "/", **headers: str) -> httpx2.Response:
        """Ask for something as a browser does."""
        return httpx2.get(f"{self.url}{path}", headers=headers, trust_env=False, timeout=SECONDS)

    @contextlib.asynccontextmanager
    async def page(self, width: int = 80, height: int = 24, **options: Any) -> AsyncIterator["Page"]:
        """An open page."""
        address = f"ws{self.url.removeprefix('http')}/ws?width={width}&height={height}"
        async with connect(address, proxy=None, open_timeout=SECONDS, **options) as line:
            yield Page(line, min(width, 200), min(height, 100))


class Page:
    """What a browser shows and sends."""

    def __init__(self, line: ClientConnection, width: int, height: int) -> None:
        self.line = line
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)

    async def until(self, words: str) -> str:
        """The screen, once it has these words on it."""
        try:
            async with asyncio.timeout(SECONDS):
                while words not in self.text:
                    told = await self.line.recv()
                    if isinstance(told, bytes):
                        self._stream.feed(told)
        except (TimeoutError, ConnectionClosed):
            pytest.fail(f"never saw {words!r}:\n{self.text}")
        return self.text

    async def until_closed(self) -> None:
        """Look on until the page is closed from the other side."""
        async with asyncio.timeout(SECONDS):
            async for _ in self.line:
                pass

    @property
    def text(self) -> str:
        """The rows of the screen."""
        return "\n".join(self._screen.display)

    async def type(self, keys: str) -> None:
        """Press keys."""
        await self.line.send(json.dumps(["stdin", keys]))


@contextlib.contextmanager
def serving(tmp_path: Path, **variables: str) -> Iterator[Pages]:
    """`serve web` on a free port, started by somebody who is signed in."""
    home, temporary = tmp_path / "ana", tmp_path / "tmp"
    temporary.mkdir()
    CredentialStore(home / "credentials.json", keep_in="file").put(
        "http://127.0.0.1:9", SignIn(name="ana", user_id="usr_a", expires_at="2027-12-24T01:43:00.123Z", token="t0ken")
    )
    named: dict[str, Any] = {"DATEFLICKS_CLIENT_SERVER": "http://127.0.0.1:9", "TMPDIR": str(temporary), **variables}
    with Program(home, "serve", "web", "--port", "0", **named) as program:
        program.until_said("Serving ")
        found = re.search(r"at (http://\S+)", "\n".join(program.err))
        assert found
        yield Pages(program, found[1], temporary)


def environ_of(pid: int) -> dict[str, str]:
    """The variables that a process was started with."""
    text = Path(f"/proc/{pid}/environ").read_text(encoding="utf-8")
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def folder_of(pid: int) -> Path:
    """Where a process runs."""
    return Path(f"/proc/{pid}/cwd").resolve()


# --- processes ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_page_shows_the_sign_in_and_nothing_of_whoever_serves_it_and_closes_for_who_leaves(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, DATEFLICKS_CLIENT_TOKEN="s3cret") as pages:
        page = pages.get()
        found = re.search(r'data-session-websocket-url="(.*?)"', page.text)
        assert found
        assert found[1] == f"ws{pages.url.removeprefix('http')}/ws"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert pages.get("/static/js/textual.js").status_code == 200
        async with pages.page() as one:
            shown = await one.until("Sign in")
            assert "ana" not in shown
            (visit,) = pages.visits
            environ = environ_of(visit)
            home = Path(environ["DATEFLICKS_HOME"])
            assert home.is_relative_to(pages.temporary)
            assert environ["HOME"] == str(home)
            assert {"DATEFLICKS_CLIENT_TOKEN", "USER", "DBUS_SESSION_BUS_ADDRESS"}.isdisjoint(environ)
            assert not any(value in "\n".join(environ.values()) for value in ("s3cret", str(tmp_path / "ana")))
            assert environ["DATEFLICKS_CLIENT_PLAYER"] == "manual"
            for folder in (home, home.parent, home / "here", home / "settings"):
                assert folder.stat().st_mode & 0o777 == 0o700
            assert folder_of(visit) == home / "here"
            assert not (home / "credentials.json").exists()
        await until(lambda: not pages.visits and not home.exists())
        async with pages.page() as one:  # of a person who leaves
            await one.until("Sign in")
            await one.type("\x11")  # ctrl+q
            await one.until_closed()
        await until(lambda: not pages.visits)
        pages.program.process.terminate()
        assert pages.program.ends() == 0
        assert pages.program.out == []
    assert list(pages.temporary.iterdir()) == []
    assert (tmp_path / "ana" / "errors.log").read_text() == ""


@pytest.mark.slow
@pytest.mark.long
async def test_pages_do_not_know_one_another_and_end_with_whoever_serves_them(tmp_path: Path) -> None:
    with serving(tmp_path) as pages:
        async with pages.page() as one, pages.page(120, 40) as other:
            await one.until("Sign in")
            await other.until("Sign in")
            visits = pages.visits
            assert len(visits) == 2
            homes = {folder_of(visit) for visit in visits}
            assert len(homes) == 2
            pages.program.process.send_signal(signal.SIGINT)
            assert pages.program.ends() == 0
        assert not any(map(is_running, visits))
    assert list(pages.temporary.iterdir()) == []


@pytest.mark.long
@pytest.mark.slow
async def test_pages_end_also_when_whoever_serves_them_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as pages:
        with contextlib.suppress(ConnectionClosed):
            async with pages.page() as one:
                await one.until("Sign in")
                (visit,) = pages.visits
                pages.program.process.kill()
                await until(lambda: not is_running(visit))
        await until(lambda: list(pages.temporary.iterdir()) == [])


@pytest.mark.slow
@pytest.mark.long
async def test_a_process_that_dies_closes_its_page(tmp_path: Path) -> None:
    with serving(tmp_path) as pages:
        async with pages.page() as one:
            await one.until("Sign in")
            os.kill(pages.visits[0], signal.SIGKILL)
            await one.until_closed()


ODD = ["{", "[]", "7", '["stdin", 7]', '["resize", {}]', '["resize", {"width": "x", "height": 1}]']


@pytest.mark.slow
@pytest.mark.parametrize(
    "frames", [pytest.param(ODD[-1:], id="one"), pytest.param(ODD, id="all", marks=pytest.mark.long)]
)
async def test_strangers_pages_and_odd_frames_come_to_nothing(tmp_path: Path, frames: list[str]) -> None:
    with serving(tmp_path) as pages:
        assert pages.get(Origin="http://evil.example").status_code == 403
        assert pages.get(Host="evil.example").status_code == 403
        for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}):
            with pytest.raises(InvalidStatus):
                async with pages.page(additional_headers=headers):
                    pass
        assert pages.visits == []
        async with contextlib.AsyncExitStack() as stack:
            lines = [await stack.enter_async_context(pages.page()) for _ in frames]
            for page, frame in zip(lines, frames, strict=True):
                await page.line.send(frame)
            for page in lines:
                await asyncio.wait_for(page.line.wait_closed(), SECONDS)
        async with pages.page(10**9, 10**9, origin=pages.url) as one:
            await one.line.send(json.dumps(["resize", {"width": 80, "height": 10**9}]))
            await one.line.send(json.dumps(["resize", {"width": 80, "height": 24}]))
            await until(lambda: len(pages.visits) == 1)
        await until(lambda: not pages.visits)
        assert not any("Traceback" in line for line in pages.program.err)


@pytest.mark.slow
@pytest.mark.long
async def test_no_more_pages_open_than_the_machine_can_carry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(web, "VISITS_MAX", 0)
    wishes = web.Wishes("127.0.0.1", unused_tcp_port, "http://127.0.0.1:9", "none")
    ready = asyncio.Event()
    task = asyncio.create_task(web.serve_web(wishes, lambda _: ready.set()))
    await asyncio.wait_for(ready.wait(), SECONDS)
    with pytest.raises(InvalidStatus, match="503"):
        async with connect(f"ws://127.0.0.1:{unused_tcp_port}/ws", proxy=None):
            pass
    task.cancel()
    await asyncio.wait([task])


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> list[web.Wishes]:
    """Nothing is started; what would have been is noted."""
    found: list[web.Wishes] = []

    async def note(wishes: web.Wishes, on_ready: Callable[[str], None]) -> None:
        found.append(wishes)
        on_ready(f"http://{wishes.host}:{wishes.port}")

    monkeypatch.setattr(web, "serve_web", note)
    return found


def test_without_flags_it_is_for_this_machine_alone(cli: Cli, plan: list[web.Wishes]) -> None:
    result = cli("serve", "web")
    assert result.exit_code == 0
    assert result.stderr == "Serving the terminal client at http://127.0.0.1:8780\n"
    assert (plan[0].host, plan[0].player, plan[0].server) == ("127.0.0.1", "manual", cli.server.url)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7"])
def test_an_address_that_others_can_reach_needs_tls_or_a_word(cli: Cli, plan: list[web.Wishes], host: str) -> None:
    refused = cli("serve", "web", "--host", host)
    assert refused.exit_code == 2
    assert f"{host} can be reached from the network" in refused.stderr
    assert "--url" in refused.stderr
    assert not plan
    assert cli("serve", "web", "--host", host, "--url", "https://films.example.org").exit_code == 0
    assert cli("serve", "web", "--host", host, "--insecure").exit_code == 0
    assert [one.url for one in plan] == ["https://films.example.org", None]


@pytest.mark.parametrize("flags", [("--player", "mpv"), ("--port", "65536"), ("--url", "ftp://x")])
def test_a_wrong_flag_is_exit_code_2(cli: Cli, plan: list[web.Wishes], flags: tuple[str, ...]) -> None:
    assert cli("serve", "web", *flags).exit_code == 2
    assert not plan


def test_without_the_extra_it_says_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "dateflicks.cli.web")
    monkeypatch.delattr("dateflicks.cli.web")
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    monkeypatch.setitem(sys.modules, "textual_serve.app_service", None)
    result = cli("serve", "web")
    assert result.exit_code == 1
    assert "pip install 'dateflicks[web]'" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.slow
def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        Program(tmp_path / "other", "serve", "web", "--port", str(taken.getsockname()[1])) as other,
    ):
        assert other.ends() == 1
        assert "cannot be had" in other.err[0]
        assert len(other.err) <= 3


# --- a lent machine -------------------------------------------------------------------------------------------------


def lent(tmp_path: Path) -> Surroundings:
    """What a visit is given."""
    return Surroundings(
        settings=ClientSettings(player="manual"),
        credentials=CredentialStore(tmp_path / "credentials.json", keep_in="file"),
        server="http://127.0.0.1:9",
        home=tmp_path,
        settings_file=tmp_path / "client.toml",
        login="visitor",
        is_lent=True,
    )


def test_of_a_film_that_is_named_on_a_lent_machine_no_folder_counts(tmp_path: Path) -> None:
    film = lent(tmp_path).own_film("/etc/passwd")
    assert (film.source, film.url) == ("passwd", "passwd")


@pytest.mark.parametrize("kind", ["new", "ask"])
async def test_on_a_lent_machine_no_file_is_looked_for_while_one_types(tmp_path: Path, kind: str) -> None:
    app = DateflicksApp(lent(tmp_path), InLobby())
    async with app.run_test(size=(120, 40)) as pilot:
        session = msgspec.convert(session_json(), SessionBody)
        found: list[Film | None] = []
        if kind == "new":
            await app.push_screen(NewSessionScreen())
        else:
            await app.push_screen(AskFilmScreen(FilmMissing("not here"), session), found.append)
        line = app.screen.query_one("#film" if kind == "new" else "#path", Input)
        assert line.suggester is None
        if kind == "ask":
            line.value = "/etc/passwd"
            await pilot.press("enter")
            await pilot.pause()
            assert found == [Film("passwd", "passwd")]


async def test_on_a_lent_machine_nothing_can_be_set_that_would_start_programs(tmp_path: Path) -> None:
    app = DateflicksApp(lent(tmp_path), InLobby())
    async with app.run_test(size=(120, 40)) as pilot:
        app.action_settings()
        await pilot.pause()
        assert app.screen.query_one(Hints)
        screen: Any = app.screen
        for name in HELD_WHERE_LENT:
            key = screen._keys[name]
            screen._set(key, {"player": "mpv", "credentials": "keyring"}.get(name, ["--script=x.lua"]))
            assert app.surroundings.settings == ClientSettings(player="manual"), name
        assert not (tmp_path / "client.toml").exists()
        screen._set(screen._keys["tui.emoji"], "names")
        assert app.surroundings.settings.tui.emoji == "names"
