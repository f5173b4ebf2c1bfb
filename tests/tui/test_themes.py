"""Our themes: everything can be read, in colours and without; and the glyphs that things are drawn with."""

import re
from dataclasses import fields
from typing import Final, get_args

import pytest
from rich.cells import cell_len
from rich.color import Color, ColorSystem

from dateflicks.tui.glyphs import ASCII, UNICODE, Glyphs, glyphs_for, own_text
from dateflicks.tui.themes import (
    CONTRAST_MIN,
    LOOKS,
    OWN_THEMES,
    Colour,
    OwnTheme,
    Style,
    contrast,
)

TEXT_COLOURS: Final[tuple[Colour, ...]] = (
    "foreground", "muted", "primary", "secondary", "accent", "success", "warning", "error",
)  # fmt: skip
GROUNDS: Final[tuple[Colour, ...]] = ("background", "surface", "panel")
THEMES = pytest.mark.parametrize("theme", OWN_THEMES, ids=lambda theme: theme.name)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#ffffff", "#777777", 4.48),
        ("#123456", "#123456", 1),
    ],
)
def test_contrast_is_what_the_guidelines_call_so(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)


@THEMES
def test_a_theme_has_every_colour_once_as_a_number(theme: OwnTheme) -> None:
    assert set(theme.colours) == set(get_args(Colour))
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in theme.colours.values())


@THEMES
@pytest.mark.parametrize("style", get_args(Style))
def test_every_style_can_be_read(theme: OwnTheme, style: Style) -> None:
    look = LOOKS[style]
    assert contrast(theme.colours[look.foreground], theme.colours[look.background]) >= CONTRAST_MIN


@THEMES
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("colour", TEXT_COLOURS)
def test_every_colour_of_text_can_be_read_on_every_ground(theme: OwnTheme, colour: Colour, ground: Colour) -> None:
    assert contrast(theme.colours[colour], theme.colours[ground]) >= CONTRAST_MIN


@THEMES
@pytest.mark.parametrize("style", get_args(Style))
def test_in_sixteen_colours_no_text_has_the_colour_of_its_ground(theme: OwnTheme, style: Style) -> None:
    look = LOOKS[style]
    text, ground = (
        Color.parse(theme.colours[part]).downgrade(ColorSystem.STANDARD).number
        for part in (look.foreground, look.background)
    )
    assert text != ground


@THEMES
def test_a_theme_is_as_dark_as_it_says(theme: OwnTheme) -> None:
    assert (contrast(theme.colours["background"], "#000000") < 3) is theme.is_dark


# --- glyphs -----------------------------------------------------------------------------------------------------


def singles(glyphs: Glyphs) -> dict[str, str]:
    """Every glyph of one set by its name, those in rows one by one."""
    found: dict[str, str] = {}
    for field in fields(glyphs):
        value = getattr(glyphs, field.name)
        if isinstance(value, str):
            found.update({f"{field.name}{index}": one for index, one in enumerate(value)})
    return found


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_glyph_is_one_cell_wide(glyphs: Glyphs) -> None:
    assert {name: text for name, text in singles(glyphs).items() if cell_len(text) != 1} == {}


def test_ascii_is_ascii() -> None:
    assert all(text.isascii() for text in singles(ASCII).values())


@pytest.mark.parametrize("name", ["play", "pause", "stop", "seek", "wait"])
def test_signs_of_the_film_differ_from_one_another_in_both_sets(name: str) -> None:
    for glyphs in (UNICODE, ASCII):
        others = [getattr(glyphs, one) for one in ("play", "pause", "stop", "seek", "wait") if one != name]
        assert getattr(glyphs, name) not in others


@pytest.mark.parametrize("pair", [("on", "off"), ("yes", "no"), ("done", "left"), ("full", "empty"), ("up", "down")])
def test_opposites_differ_without_colour(pair: tuple[str, str]) -> None:
    for glyphs in (UNICODE, ASCII):
        assert getattr(glyphs, pair[0]) != getattr(glyphs, pair[1])


def test_both_sets_have_eight_heights_and_four_corners() -> None:
    for glyphs in (UNICODE, ASCII):
        assert (len(glyphs.blocks), len(set(glyphs.blocks)), len(glyphs.corners)) == (8, 8, 4)


@pytest.mark.parametrize(
    ("environ", "is_ascii"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "en_GB.utf8"}, False),
        ({"LANG": "C"}, True),
        ({"LANG": "C.UTF-8"}, False),
        ({"LC_ALL": "POSIX", "LANG": "en_GB.UTF-8"}, True),
        ({"LC_ALL": "", "LC_CTYPE": "en_US.ISO-8859-1"}, True),
        ({"LANG": "en_GB"}, False),
        ({"TERM": "linux", "LANG": "en_GB.UTF-8"}, True),
        ({"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}, False),
    ],
)
def test_by_itself_the_set_goes_by_terminal_and_locale(environ: dict[str, str], is_ascii: bool) -> None:
    assert glyphs_for("auto", environ).is_ascii is is_ascii


def test_a_set_that_is_asked_for_is_taken() -> None:
    assert glyphs_for("ascii", {"LANG": "en_GB.UTF-8"}) is ASCII
    assert glyphs_for("unicode", {"LANG": "C"}) is UNICODE


def test_our_own_words_have_no_other_signs_in_ascii() -> None:
    assert own_text("a — b · “c” −3 …", ASCII) == 'a - b . "c" -3 ~'
    assert own_text("a — b", UNICODE) == "a — b"
