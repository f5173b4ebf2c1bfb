"""The ways in which terminals differ: sizes, colours, signs, motion; everything is told in all of them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from textual.geometry import Region
from textual.theme import BUILTIN_THEMES

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.terminal import opens_terminal
from dateflicks.tui._textual_private import screen_strips, text_grid
from dateflicks.tui.drawing.foot import SMALLEST
from dateflicks.tui.textual_themes import rich_styles
from dateflicks.tui.themes import CONTRAST_MIN, OWN_THEMES, contrast
from tests.cli.process import Program
from tests.tui.evenings import states
from tests.tui.ptys import Terminal
from tests.tui.scenes import HARMLESS, SCENES, Scene, Staged, each_scene, hostile_server, staged

ASCII_TEXTS: Final = ("bea", "Charade (1963)", "two bowls", "one is sacrificial", "yes")
SIXTEEN: Final = re.compile(r"\x1b\[([0-9;]*)m")
SECONDS: Final = 30.0
DECORATION: Final = frozenset("─━┄│┊╭╮╰╯▁▂▃▄▅▆▇█░▌·")


@asynccontextmanager
async def shown(
    scene: str, folder: Path, size: tuple[int, int] = (80, 24), texts: tuple[str, ...] = HARMLESS, **tui: Any
) -> AsyncIterator[tuple[Staged, Any]]:
    """A scene, once it is there."""
    with hostile_server(texts) as server:
        app = staged(scene, texts, folder, server.url, **tui)
        async with app.run_test(size=size) as pilot:
            async with asyncio.timeout(SECONDS):
                while SCENES[scene].words not in text_grid(app):
                    await pilot.pause(0.05)
            yield app, pilot


async def still(app: Staged, name: str) -> None:
    """Show one of the drawn evenings."""

    async def show(found: Staged, _: Any) -> None:
        found.show_film(states()[name])

    app.scene = Scene(show, "")


# --- colours ------------------------------------------------------------------------------------------------------


def unreadable(app: Staged) -> list[str]:
    """What is written in colours that are hard to tell apart; behind a dialog nothing has to be read."""
    boxes = list(app.screen.query(".dialog"))
    region = boxes[0].region if boxes else Region(0, 0, app.size.width, app.size.height)
    found: list[str] = []
    for y, strip in enumerate(screen_strips(app)):
        x = 0
        for segment in strip:
            style, place = segment.style, (x, y)
            x += segment.cell_length
            is_foot = y == app.size.height - 1
            if not set(segment.text) - DECORATION - {" "} or not (region.contains(*place) or is_foot):
                continue
            assert style is not None
            assert style.color is not None, segment
            assert style.bgcolor is not None, segment
            colours = [one.get_truecolor().hex for one in (style.color, style.bgcolor)]
            if contrast(*colours) < CONTRAST_MIN or style.dim:
                found.append(f"{segment.text.strip()!r}: {contrast(*colours):.1f}")
    return found


@pytest.mark.parametrize("scene", each_scene())
async def test_everything_on_every_screen_can_be_read_in_our_themes(scene: str, tmp_path: Path) -> None:
    async with shown(scene, tmp_path) as (app, pilot):
        for theme in OWN_THEMES:
            app.theme = theme.name
            for size in ((80, 24), (140, 40)):
                await pilot.resize_terminal(*size)
                await pilot.pause(0.2)
                assert unreadable(app) == [], (theme.name, size)


async def test_what_is_drawn_can_be_read_in_textuals_own_themes(tmp_path: Path) -> None:
    async with shown("watch", tmp_path) as (app, pilot):
        for theme in sorted(BUILTIN_THEMES):
            app.theme = theme
            await pilot.pause(0.05)
            if "ansi" in theme:  # the terminal's own sixteen colours, whatever they are
                continue
            for name, style in rich_styles(app).items():
                assert style.color is not None
                assert style.bgcolor is not None
                ratio = contrast(style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex)
                assert ratio >= CONTRAST_MIN, (theme, name)


# --- sizes and signs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", each_scene())
async def test_in_ascii_no_other_sign_is_drawn(scene: str, tmp_path: Path) -> None:
    async with shown(scene, tmp_path, (80, 24), ASCII_TEXTS, glyphs="ascii") as (app, pilot):
        for size in (SMALLEST, (60, 16), (80, 24), (140, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause(0.2)
            odd = {row for row in text_grid(app).split("\n") if not row.isascii()}
            assert odd == set(), size


async def test_in_the_smallest_terminal_the_film_its_state_what_is_asked_and_the_way_to_write_are_there(
    tmp_path: Path,
) -> None:
    async with shown("watch", tmp_path, SMALLEST, ASCII_TEXTS) as (app, _):
        grid = text_grid(app)
        for words in ("Charade", "0:41", "[y]", "[n]", "PAUSE", ">"):
            assert words in grid


async def test_below_that_one_line_asks_to_enlarge(tmp_path: Path) -> None:
    async with shown("watch", tmp_path) as (app, pilot):
        await pilot.resize_terminal(SMALLEST[0] - 1, SMALLEST[1])
        await pilot.pause(0.2)
        rows = [row for row in text_grid(app).split("\n") if row.strip()]
        assert len(rows) <= 2
        assert f"{SMALLEST[0]}" in rows[0]


# --- nothing by colour alone --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("playing", ["PLAYING", "0:41", "1:35:52", "in sync", "live", "mpv", "you", "host", "bea", "guest"]),
        ("asked", ["bea wants to PAUSE", "[y]", "[n]", "reverts to PLAYING"]),
        ("behind", ["bea", "−2.4", "behind"]),
        ("offline", ["offline", "queued", "r"]),
    ],
)
async def test_without_colours_words_tell_everything(name: str, words: list[str], tmp_path: Path) -> None:
    app = staged("talk", HARMLESS, tmp_path)
    await still(app, name)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        assert app.no_color  # as every test here is run
        grid = text_grid(app)
        assert [one for one in words if one not in grid] == []


async def test_states_that_differ_differ_in_their_letters(tmp_path: Path) -> None:
    grids: set[str] = set()
    for name in states():
        app = staged("talk", HARMLESS, tmp_path)
        await still(app, name)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.pause(0.3)
            grids.add(text_grid(app))
    assert len(grids) == len(states())


# --- real terminals -----------------------------------------------------------------------------------------------


def at_terminal(folder: Path, environ: Mapping[str, str], *, size: tuple[int, int] = (80, 24), **tui: str) -> Terminal:
    """The film's screen at a terminal of this kind, once it is there."""
    texts = folder / "texts.json"
    texts.write_text(json.dumps(ASCII_TEXTS), encoding="utf-8")
    width, height = size
    command = ("tests.tui.scenes", "watch", str(texts), json.dumps(tui))
    with Terminal(*command, width=width, height=height, environ=environ) as terminal:
        terminal.until("[y]")
    return terminal


def colours_of(terminal: Terminal) -> set[str]:
    """The parameters of all colour sequences."""
    return {part for one in SIXTEEN.findall(terminal.written.decode()) for part in [one]}


KINDS: Final = {
    "xterm": {"TERM": "xterm"},
    "screen": {"TERM": "screen"},
    "tmux": {"TERM": "tmux-256color", "TMUX": "/tmp/tmux-1/default,1,0"},
    "ssh": {"TERM": "xterm-256color", "SSH_TTY": "/dev/pts/9", "SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"},
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "without colours": {"TERM": "xterm-256color", "NO_COLOR": "1"},
}


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_terminal_shows_the_same_letters(kind: str, tmp_path: Path) -> None:
    terminal = at_terminal(tmp_path, {"COLORTERM": "", **KINDS[kind]})
    for words in ("PLAYING", "bea wants to PAUSE", "[n]", "two bowls", "live"):
        assert any(words in row for row in terminal.screen.display) or words in terminal.written.decode()
    colours = colours_of(terminal)
    if kind in ("xterm", "screen"):
        assert not [one for one in colours if re.search(r"[34]8;[25];", one)]
    if kind == "without colours":
        numbers = [re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", one) for one in colours]
        assert all(red == green == blue for found in numbers for red, green, blue in found)


@pytest.mark.slow
@pytest.mark.parametrize("locale", ["C", "POSIX", "en_GB.ISO-8859-1"])
def test_where_the_locale_has_no_other_signs_ascii_is_drawn(locale: str, tmp_path: Path) -> None:
    terminal = at_terminal(tmp_path, {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"})
    assert terminal.written.decode().isascii()


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_can_show_no_screen_gets_lines(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class AtTerminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", AtTerminal())
    monkeypatch.setattr("sys.stdout", AtTerminal())
    assert not opens_terminal(CliEnvironment(environ={"TERM": term}), plain=False)
    assert opens_terminal(CliEnvironment(environ={"TERM": "xterm"}), plain=False)
    assert not opens_terminal(CliEnvironment(environ={"TERM": "xterm"}), plain=True)


@pytest.mark.slow
def test_the_lobby_says_what_to_type_where_no_screen_can_be_drawn(tmp_path: Path) -> None:
    with Program(tmp_path / "ana", "lobby", TERM="dumb") as program:
        assert program.ends() == 2
    assert "dateflicks session list" in "\n".join(program.err)


def test_the_states_that_are_drawn_are_frozen() -> None:
    state = states()["playing"]
    assert replace(state) == state
