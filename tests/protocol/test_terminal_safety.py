"""Whatever people send, a terminal that is given what is left of it does nothing but print.

A terminal emulator that obeys is compared with one that can only draw: after the same text both must be in the same
state, to the last cell and mode. A real tmux is asked as well.
"""

import itertools
import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import wcwidth

from dateflicks.protocol.printable import printable
from dateflicks.protocol.text import clean_line, clean_text
from tests.cli.terminals import Terminals
from tests.conftest import require

Clean = Callable[[str], str]

MOST: Final = 400  # characters: less than the screen below the prompt has cells
COLUMNS, LINES = 80, 60
PROMPT: Final = "│ana: "
CLEANERS: Final[dict[str, Clean]] = {
    "clean_line": lambda text: clean_line(text, MOST),
    "clean_text": lambda text: clean_text(text, MOST, lines_max=20),
    "printable": printable,
    "printable with lines": lambda text: printable(text, keep_newlines=True),
}

STRINGS_BEGIN: Final = ("\x1b]", "\x9d", "\x1bP", "\x90", "\x1bX", "\x98", "\x1b^", "\x9e", "\x1b_", "\x9f")
STRINGS_END: Final = ("\x07", "\x1b\\", "\x9c", "", "\x18", "\x1b")
CSI: Final = (
    "2J", "H", "5;5H", "1A", "999D", "31m", "38;5;1m", "?1049h", "?25l", "?7l", "?6h", "4h", "20h", "3;20r", "2K", "1P",
    "5L", "5M", "5S", "5X", "s", "u", "6n", "c", "3g", "?1000h", "?1006h", "?2004h", "200~rm -rf\x1b[201~", "!p", "0 q",
    "M !!", "<0;1;1M", "999999999999C", ";;;;;H", ">4;2m", "?2026h", "21t", "5;",
)  # fmt: skip
OSC: Final = (
    "0;owned", "2;owned", "1;owned", "8;;http://x", "52;c;aGk=", "4;1;rgb:00/00/00", "104", "7;file:///", "1337;x", "",
    "$q q", "+q544e", "Gf=24;AAAA",
)  # fmt: skip
SHORT: Final = tuple(
    "\x1b" + rest for rest in ("c", "7", "8", "D", "M", "E", "H", "(0", ")0", "#8", "=", ">", "N", "%@", " F", "")
)
CONTROLS: Final = tuple(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
SEQUENCES: Final = (
    *(introducer + rest for introducer in ("\x1b[", "\x9b") for rest in CSI),
    *(begin + rest + end for begin in STRINGS_BEGIN for rest in OSC for end in STRINGS_END),
    *SHORT,
)  # fmt: skip
TRICKS: Final = (
    "password\rhidden  ", "abc\x08\x08\x08xyz", "abc\x7f\x7f", "one\r\ntwo", "one\n\rtwo", "a\x0bb\x0cc\x85d",
    "\x0elqqk\x0f", "\x00a\x00", "\t\ta\tb", "\u202egnp.exe", "\u2066a\u2069", "\u2067\u2068\u202a\u202b\u202d\u202c",
    "\u200e\u200f\u061c", "\u2028\u2029", "\ufeff", "\u200b" * 40, "\u200c" * 40, "\u200d" * 40,
    "\u2060\u2061\u2062\u2063\u00ad", "a" + "\u0301" * 40, "\u0301a", "\u20dd", "a" + "\u0301\u0316\u20dd" * 20,
    "a" + "\u0903" * 40, "a" + ("\u0301" * 4 + "\u0903") * 10, "\u0903a", " \u0301 \u0301", "\u1031\u1031",
    "\U000e0041\U000e0042", "🏴" + "\U000e0067" * 40, "🏴\U000e0067\U000e007f\U000e0067", "\U000e0100" * 40,
    "x\ufe0f\ufe0e\ufe00\U000e0100", "漢\U000e0100", "\ud800", "\udc00\ud800", "\ue000\U000f0000\U0010ffff",
    "\ufffe\ufdd0", "👨" + "\u200d👩" * 40, "👩🏽\u200d❤️\u200d💋\u200d👨🏿", "🇩🇪" * 9, "1️⃣", "👍🏽",
    "\u3164\u115f\u1160\uffa0\u2800\u034f\u17b4", "\u1160a", "\u1100" + "\u1161" * 40, "\u1100\u1161\u11a8",
    "\u11a8" * 9, "\U0001d160" * 9, "\ufb2c\u0344\u0958", "e\u0301" * 9, "ﷺ" * 9, "\u3000a\u3000", "\u00a0" * 20,
    "क्\u200dष", "ශ්\u200dරී", "می\u200cخواهم", "￼�",
)  # fmt: skip
CORPUS: Final = (*CONTROLS, *SEQUENCES, *TRICKS)
NASTY: Final = st.lists(st.sampled_from(CORPUS) | st.text(max_size=6) | st.text(st.characters(codec=None), max_size=6))
TEXT: Final = NASTY.map("".join)

with_each_cleaner = pytest.mark.parametrize("clean", CLEANERS.values(), ids=CLEANERS)


def screen() -> pyte.Screen:
    """A terminal in the middle of an evening."""
    found = pyte.Screen(COLUMNS, LINES)
    for line in ("the film", "┌──────┐", "│chat e", PROMPT):
        if found.cursor.y or found.cursor.x:
            found.carriage_return()
            found.linefeed()
        found.draw(line)
    return found


def state(of: pyte.Screen) -> dict[str, Any]:
    """All that a terminal remembers."""
    return {
        "cells": {
            y: {x: tuple(cell) for x, cell in row.items() if cell != of.default_char} for y, row in of.buffer.items()
        },
        "cursor": (of.cursor.x, of.cursor.y, tuple(of.cursor.attrs), of.cursor.hidden),
        "modes": of.mode,
        "margins": of.margins,
        "titles": (of.title, of.icon_name),
        "charsets": (of.charset, of.g0_charset, of.g1_charset),
        "tab stops": of.tabstops,
        "saved": (list(of.savepoints), of.saved_columns),
    }


def obeyed(text: str) -> pyte.Screen:
    """A terminal after the text; each line is followed by a Z of ours, which tells whether it still listens."""
    found = screen()
    stream = pyte.Stream(found)
    stream.use_utf8 = False  # else it does not listen to changes of the character set
    for line in text.split("\n"):
        stream.feed(line)
        stream.feed("Z")
        found.carriage_return()
        found.linefeed()
    return found


def drawn(text: str) -> pyte.Screen:
    """A terminal that cannot but draw, and go to the next tab stop."""
    found = screen()
    for line in text.split("\n"):
        for part in re.split("(\t)", line):
            if part == "\t":
                found.tab()
            else:
                found.draw(part)
        found.draw("Z")
        found.carriage_return()
        found.linefeed()
    return found


@lru_cache(20_000)
def check(text: str) -> None:
    """What is shown is the text, and nothing else has happened."""
    found, before = obeyed(text), screen()
    assert state(found) == state(drawn(text)), ascii(text)
    for y in range(before.cursor.y + 1):
        reach = COLUMNS if y < before.cursor.y else before.cursor.x
        kept = [before.buffer[y][x] for x in range(reach)]
        assert [found.buffer[y][x] for x in range(reach)] == kept, ascii(text)
    cells = sum(map(wcwidth, text))
    if "\n" not in text and "\t" not in text and before.cursor.x + cells < COLUMNS and is_understood(text):
        there = screen()
        pyte.Stream(there).feed(text)
        assert (there.cursor.x - before.cursor.x, there.cursor.y) == (cells, before.cursor.y), ascii(text)


def is_understood(text: str) -> bool:
    """Whether the emulator draws all of it: it gives a text up at a character without width that is no mark to it."""
    return all(wcwidth(character) > 0 or unicodedata.combining(character) for character in text)


def nested(outer: str, inner: str) -> Iterator[str]:
    """One inside the other, at each place: what takes out the inner one leaves the outer one whole."""
    for at in range(1, len(outer)):
        yield outer[:at] + inner + outer[at:]


@with_each_cleaner
def test_of_a_nasty_string_nothing_is_left_that_a_terminal_obeys(clean: Clean) -> None:
    for text in CORPUS:
        for around in (text, f"a{text}b", f"漢{text}{text}é"):
            check(clean(around))


@with_each_cleaner
def test_taking_one_out_of_another_leaves_none(clean: Clean) -> None:
    outers = (
        "\x1b[2J",
        "\x9b5;5H",
        "\x1b]0;owned\x07",
        "\x1b[?1049h",
        "\x1bc",
        "\r\n",
        "\x1b(0",
        "\U0001f3f4\U000e0067",
    )
    inners = (*outers, "\x1b", "\x9b", "\x07", "\x1b\\", "\x18", "\u200d", "\u202e", "\ud800", "\u0301", "\x00")
    for outer, inner in itertools.product(outers, inners):
        for text in nested(outer, inner):
            check(clean(text))
            check(clean(f"a{text}b{text[::-1]}c"))


@with_each_cleaner
def test_half_of_one_is_none(clean: Clean) -> None:
    for text in (*SEQUENCES[::5], *TRICKS):
        for at in range(1, min(len(text), 20)):
            check(clean(text[:at]))
            check(clean(f"a{text[at:]}"))


@with_each_cleaner
@settings(deadline=None)
@given(text=TEXT)
def test_no_text_brings_a_terminal_to_anything_but_printing(clean: Clean, text: str) -> None:
    check(clean(text)[:MOST])


@with_each_cleaner
@settings(deadline=None)
@given(text=TEXT)
def test_what_is_left_is_composed_and_cleaning_it_again_changes_nothing(clean: Clean, text: str) -> None:
    found = clean(text)
    assert unicodedata.is_normalized("NFC", found)
    assert clean(found) == found
    assert printable(found, keep_newlines=True) == found.replace("\t", " ")


@with_each_cleaner
@settings(deadline=None)
@given(text=TEXT)
def test_little_hangs_on_what_is_seen(clean: Clean, text: str) -> None:
    run = 0
    for character in clean(text):
        run = run + 1 if wcwidth(character) <= 0 and character not in "\n\t" else 0
        assert run <= 12, ascii(text)  # a base with all that may hang on it, a joiner, a selector


def test_the_emulator_obeys_what_is_not_cleaned() -> None:
    """Otherwise nothing above would mean anything."""

    def is_obeyed(text: str) -> bool:
        try:
            return state(obeyed(text)) != state(drawn(text))
        except TypeError:  # a command with more parameters than the emulator thought of
            return True

    moved = [text for text in (*CONTROLS, *SEQUENCES) if is_obeyed(text)]
    assert len(moved) > len(SEQUENCES) / 2
    known = {
        "\x1b[2J",
        "\x9b5;5H",
        "\x1b]2;owned\x07",
        "\x1b[3;20r",
        "\x1b7",
        "\x1bH",
        "\x1b(0",
        "\x1b[4h",
        "\x0e",
        "\x08",
    }
    assert known <= set(moved)


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "flood",
    [" ", "\u00a0", " \n", "\u0301\u0316", "\u1161", "\x1b[", "\x1b]", "\u200d👩", "a\u200c", "\ufe0f"],
    ids=ascii,
)
@pytest.mark.parametrize("clean", [CLEANERS["clean_text"], CLEANERS["printable"]], ids=["clean_text", "printable"])
def test_a_flood_is_cleaned_in_proportion_to_its_length(clean: Clean, flood: str) -> None:
    """Sixteen times the longest message: half a second's work, and a minute's or many where it grows by the square."""
    clean("x" + flood * (256 * 1024 // len(flood)) + "é")


FLAGS: Final = " ".join(
    f"#{{{name}}}"
    for name in (
        "pane_title", "alternate_on", "insert_flag", "wrap_flag", "origin_flag", "cursor_flag", "keypad_flag",
        "keypad_cursor_flag", "mouse_any_flag", "mouse_sgr_flag", "scroll_region_upper", "scroll_region_lower",
        "pane_tabs", "pane_in_mode",
        "pane_width", "pane_height", "window_name",
    )
)  # fmt: skip
SAMPLES: Final = 40  # on one screen, a line each
SHOWING: Final = """
import sys
print(sys.argv[1], end="", flush=True)
input()
print(open(sys.argv[2]).read(), end="END", flush=True)
input()
"""


@pytest.mark.slow
def test_a_real_terminal_shows_a_line_for_a_line_and_stays_as_it_was(tmp_path: Path) -> None:
    require("tmux")
    samples = [*CONTROLS, *SEQUENCES[:: len(SEQUENCES) // 150], *SHORT, *TRICKS]
    samples += [text for outer in ("\x1b[2J", "\x1b]0;owned\x07") for text in nested(outer, "\x1bc")]
    with Terminals(tmp_path) as terminals:
        for batch in range(0, len(samples), SAMPLES):
            show(terminals, f"batch{batch}", samples[batch : batch + SAMPLES], tmp_path / f"{batch}")


def show(terminals: Terminals, name: str, samples: list[str], file: Path) -> None:
    """Print the samples in a window of their own, and look at it and at what it remembers."""
    said = [f"{number:02}|{clean_line(f'a{text}', 60)}|{number:02}" for number, text in enumerate(samples)]
    file.write_text("\n".join(said) + "\n", encoding="utf-8")
    command = [sys.executable, "-X", "utf8", "-c", SHOWING, "READY\n", str(file)]
    tmux(terminals, "new-window", "-t", "test", "-n", name, *command)
    terminals.until(name, "READY")
    before = tmux(terminals, "display-message", "-p", "-t", f"test:{name}", FLAGS)
    terminals.press(name, "Enter")
    terminals.until(name, "END")
    screen = tmux(terminals, "capture-pane", "-p", "-t", f"test:{name}").splitlines()
    first = screen.index("READY") + 2  # behind the echo of Enter
    for number, line in enumerate(screen[first : first + len(samples)]):
        assert re.fullmatch(f"{number:02}\\|.+\\|{number:02}", line), (ascii(samples[number]), line)
    assert screen[first + len(samples)] == "END"
    assert tmux(terminals, "display-message", "-p", "-t", f"test:{name}", FLAGS) == before
    cursor = tmux(terminals, "display-message", "-p", "-t", f"test:{name}", "#{cursor_x},#{cursor_y}")
    assert cursor.strip() == f"3,{first + len(samples)}"
    terminals.close(name)


def tmux(terminals: Terminals, *words: str) -> str:
    """What tmux answers to a command."""
    try:
        return terminals._tmux(*words)
    except subprocess.CalledProcessError as error:
        raise AssertionError(error.stderr) from error
