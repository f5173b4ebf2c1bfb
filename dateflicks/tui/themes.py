"""Our own two themes and what each style of a drawn segment looks like in a theme. Plain data: no Textual, no Rich.

A style names colours by the part that they play, so that Textual's own themes can dress it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Colour = Literal[
    "foreground", "muted", "primary", "secondary", "accent", "success", "warning", "error",
    "background", "surface", "panel", "banner", "banner_text",
]  # fmt: skip
Style = Literal[
    "text", "dim", "strong", "title", "accent", "good", "warning", "bad", "host", "guest", "rule", "key", "label",
    "banner", "banner-strong", "banner-key", "banner-dim", "bad-banner", "bad-banner-strong", "bad-banner-key",
    "marked",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """How a style is drawn: its colours by the part that they play, and whether it is bold."""

    foreground: Colour
    background: Colour
    is_bold: bool = False


LOOKS: Final[Mapping[Style, Look]] = {
    "text": Look("foreground", "background"),
    "dim": Look("muted", "background"),
    "strong": Look("foreground", "background", True),
    "title": Look("primary", "background", True),
    "accent": Look("accent", "background"),
    "good": Look("success", "background"),
    "warning": Look("warning", "background", True),
    "bad": Look("error", "background", True),
    "host": Look("primary", "background", True),
    "guest": Look("secondary", "background", True),
    "rule": Look("muted", "background"),
    "key": Look("accent", "panel", True),
    "label": Look("foreground", "panel"),
    "banner": Look("banner_text", "banner"),
    "banner-strong": Look("banner_text", "banner", True),
    "banner-key": Look("banner", "banner_text", True),
    "banner-dim": Look("banner_text", "banner"),
    "bad-banner": Look("background", "error"),
    "bad-banner-strong": Look("background", "error", True),
    "bad-banner-key": Look("error", "background", True),
    "marked": Look("foreground", "panel", True),
}
CONTRAST_MIN: Final = 4.5  # WCAG 2.2, level AA, for text of ordinary size


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTheme:
    """One theme: a name for the settings and `#rrggbb` for each part."""

    name: str
    is_dark: bool
    colours: Mapping[Colour, str]


DARK: Final = OwnTheme(
    name="dateflicks-dark",
    is_dark=True,
    colours={
        "foreground": "#e6e1d8",
        "muted": "#a39c90",
        "primary": "#f2b65a",
        "secondary": "#7fc8e8",
        "accent": "#e59ac4",
        "success": "#8fce8b",
        "warning": "#f0c94d",
        "error": "#ff8f83",
        "background": "#14130f",
        "surface": "#1d1b16",
        "panel": "#2a2721",
        "banner": "#f2b65a",
        "banner_text": "#1a1408",
    },
)

LIGHT: Final = OwnTheme(
    name="dateflicks-light",
    is_dark=False,
    colours={
        "foreground": "#26221a",
        "muted": "#5f584b",
        "primary": "#7a4a00",
        "secondary": "#0b5673",
        "accent": "#8a2566",
        "success": "#27602a",
        "warning": "#6f5200",
        "error": "#a3211b",
        "background": "#fbf8f1",
        "surface": "#f4efe4",
        "panel": "#ebe4d5",
        "banner": "#7a4a00",
        "banner_text": "#fffaf0",
    },
)

OWN_THEMES: Final = (DARK, LIGHT)


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
