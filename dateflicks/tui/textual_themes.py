"""Our themes as Textual takes them, the styles of drawn rows in whatever theme there is, and bars to scroll with."""

from typing import Any, ClassVar, Final

from rich.style import Style as RichStyle
from textual.app import App
from textual.color import Color, ColorParseError
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import Theme

from dateflicks.tui.themes import CONTRAST_MIN, LOOKS, OWN_THEMES, Colour, OwnTheme, Style, contrast

_IN_OTHERS: Final[dict[Colour, str]] = {
    "muted": "text-muted",
    "banner": "primary",
    "banner_text": "background",
}  # the parts that Textual's own themes name otherwise


class WholeCells(ScrollBarRender):
    """A bar of coloured cells without eighths of one at its ends, which not every font has."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def register_themes(app: "App[Any]") -> None:
    """Let both be chosen beside Textual's own."""
    ScrollBar.renderer = WholeCells
    for one in OWN_THEMES:
        app.register_theme(_theme(one))


def _theme(one: OwnTheme) -> Theme:
    colours = one.colours
    return Theme(
        name=one.name,
        primary=colours["primary"],
        secondary=colours["secondary"],
        accent=colours["accent"],
        foreground=colours["foreground"],
        background=colours["background"],
        surface=colours["surface"],
        panel=colours["panel"],
        success=colours["success"],
        warning=colours["warning"],
        error=colours["error"],
        dark=one.is_dark,
        variables={"muted": colours["muted"], "banner": colours["banner"], "banner_text": colours["banner_text"]},
    )


def rich_styles(app: "App[Any]") -> dict[Style, RichStyle]:
    """What each style of a drawn row is in the theme that the app has now."""
    own = next((one for one in OWN_THEMES if one.name == app.theme), None)
    variables = app.theme_variables
    ground = Color.parse(variables["background"])

    def colour(part: Colour) -> str:
        if own is not None:
            return own.colours[part]
        value = variables.get(_IN_OTHERS.get(part, part), variables["foreground"])
        try:
            found = Color.parse(value)
        except ColorParseError:  # such as `auto 60%`
            return _plain(ground.blend(ground.get_contrast_text(), 0.7))
        return _plain(ground.blend(found, found.a) if found.a < 1 else found)

    return {
        style: RichStyle(
            color=_readable(colour(look.foreground), colour(look.background)),
            bgcolor=colour(look.background),
            bold=look.is_bold,
        )
        for style, look in LOOKS.items()
    }


def _readable(colour: str, ground: str) -> str:
    """The colour, or with as little black or white in it as makes it readable: other people's themes promise less."""
    found = Color.parse(colour)
    end = Color.parse(max("#000000", "#ffffff", key=lambda one: contrast(one, ground)))
    for share in range(11):
        mixed = _plain(found.blend(end, share / 10))
        if contrast(mixed, ground) >= CONTRAST_MIN:
            return mixed
    return _plain(end)


def _plain(colour: Color) -> str:
    return f"#{colour.r:02x}{colour.g:02x}{colour.b:02x}"
