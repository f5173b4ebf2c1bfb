"""Other people's text, full of tricks: what reaches a real terminal, what can be clicked, whether the layout holds."""

import asyncio
import json
import re
import unicodedata
from pathlib import Path
from typing import Final

import pytest
from rich.cells import cell_len

from dateflicks.tui._textual_private import screen_strips, text_grid
from dateflicks.tui.drawing.touch import KEY_STYLES
from dateflicks.tui.keys import BINDINGS, shown
from dateflicks.tui.widgets.board import Board
from tests.tui.ptys import Terminal
from tests.tui.scenes import HARMLESS, SCENES, each_scene, hostile_server, staged

FAKE_BANNER: Final = "▌bea wants to PAUSE - reverts to PLAYING in 0:47   [y] pause   [n] keep playing"
TRICKS: Final = (
    "\x1b[31mred\x1b[0m \x1b[2J\x1b[H cleared \x1b[10;10Hmoved",
    "\x1b]0;title\x07 \x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07",
    "\x1bPq#0;2;0;0;0#0~~@@\x1b\\ \x1b_Ga=T,f=24;AAAA\x1b\\ \x1b^pm\x1b\\ \x1bXsos\x1b\\ \x1b]1337;File=:AA\x07",
    "\x9b31mred \x9d0;title\x9c \x90q~\x9c \x9e \x9f \x84 \x85 \x8d",
    "".join(map(chr, range(32))) + "\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "[red]red[/red] [@click=app.quit]quit[/] [link=http://evil.example]link[/link] [b]bold[/b] [/] [[ ]] [",
    "[@click=app.bell()]x[/] [$error]x[/] [on red] \\\\[x] {x} %s :smile: &amp; <b>",
    "\u202eevil\u202c \u2066iso\u2069 \u200e\u200f \u061c \u2028 \u2029 abc\u202dtxt",
    "Z" + "\u0300\u0301\u0302\u0303\u0489\u20dd" * 300 + "algo",
    "a" + "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e" * 500 + "b",
    "👩‍❤️‍💋‍👨" * 40 + "👨‍👩‍👧‍👦🏳️‍🌈" * 20 + "🇩🇪" * 21,
    FAKE_BANNER,
    "\n" + FAKE_BANNER + "\n─ request ─────\n\r" + FAKE_BANNER,
    "\r\x1b[A\x1b[2K" + FAKE_BANNER + "\t\t\v\f",
    "x" * 4_000,
    "名" * 4_000,
    "\ufffe\ud7ff\ue000\U000f0000\U0010ffff \u3164\u115f\u2800 \ufe0f\ufe0e",
    "﷽" * 200 + "𒐫" * 100,
    "",
    " ",
)  # fmt: skip
MIXED: Final = "".join(one for one in TRICKS if len(one) < 200)
IN_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
SIZES: Final = ((140, 40), (80, 24), (40, 10))


KEYS: Final = frozenset(shown(one.keys[0]) for one in BINDINGS if one.keys)
OUR_KEYS: Final = KEYS | {f"{first}/{second}" for first in KEYS for second in KEYS}


def turned(number: int) -> list[str]:
    """The tricks, beginning with another one: each takes each role, such as that of a name."""
    return [*TRICKS[number:], *TRICKS[:number]]


# --- a real terminal ----------------------------------------------------------------------------------------------


def seen(scene: str, texts: list[str], folder: Path, name: str) -> Terminal:
    """The scene at a terminal of its own, once it is there."""
    file = folder / f"{name}.json"
    file.write_text(json.dumps(texts), encoding="utf-8")
    with Terminal("tests.tui.scenes", scene, str(file), width=100, height=30) as terminal:
        terminal.until(SCENES[scene].words)
    return terminal


@pytest.mark.slow
@pytest.mark.parametrize("scene", each_scene())
def test_nothing_but_letters_of_others_reaches_a_terminal(scene: str, tmp_path: Path) -> None:
    harmless = seen(scene, list(HARMLESS), tmp_path, "harmless")
    hostile = seen(scene, [MIXED, *TRICKS], tmp_path, "hostile")
    assert hostile.kinds - harmless.kinds == set()
    strings = [one for one in hostile.sequences if one[:2] in ("\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX")]
    assert [one for one in strings if one not in harmless.sequences] == []
    text = hostile.written.decode()
    assert not IN_BIDI & set(text)
    assert not re.search(r"[\x80-\x9f\u200b\u2028\u2029]", text)


# --- what can be clicked ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scene", each_scene())
async def test_nothing_of_others_can_be_clicked_and_every_row_fits(scene: str, tmp_path: Path) -> None:
    number = list(SCENES).index(scene) * 7 % len(TRICKS)
    texts = turned(number)
    with hostile_server(texts) as server:
        app = staged(scene, texts, tmp_path, server.url)
        for width, height in SIZES[:1]:
            async with app.run_test(size=(width, height)) as pilot:
                async with asyncio.timeout(30):
                    while SCENES[scene].words not in text_grid(app):
                        await pilot.pause(0.05)
                for size in SIZES:
                    await pilot.resize_terminal(*size)
                    await pilot.pause(0.2)
                    strips = screen_strips(app)
                    assert len(strips) == size[1]
                    for strip in strips:
                        text = "".join(segment.text for segment in strip)
                        assert cell_len(text) == size[0], repr(text)
                        assert not any(unicodedata.category(one) in ("Cc", "Zl", "Zp") for one in text), repr(text)
                        for segment in strip:
                            assert segment.style is None or segment.style.link is None
                            meta = segment.style.meta if segment.style is not None else {}
                            assert not any("click" in name for name in meta)
                    for board in app.screen.query(Board):
                        keys = [text for row in board.rows for text, style in row if style in KEY_STYLES]
                        assert set(keys) <= OUR_KEYS | {f"[{one}]" for one in OUR_KEYS}


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_a_banner_that_somebody_writes_does_not_stand_where_banners_do(
    width: int, height: int, tmp_path: Path
) -> None:
    app = staged("talk", [FAKE_BANNER, f"x\n{FAKE_BANNER}\n{FAKE_BANNER}"], tmp_path)
    async with app.run_test(size=(width, height)) as pilot:
        await pilot.pause(0.3)
        assert app.state.pending is None
        for row in text_grid(app).split("\n"):
            column = row.find("▌")
            assert column != 0, row
