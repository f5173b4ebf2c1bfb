"""What lines, bars and marks are drawn with: one set for fonts with box drawing and eighth blocks, one in ASCII.

Every glyph is one cell wide, and none says anything that a word or a place on the screen does not say too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One set; `blocks` are eight heights, the lowest first, `eighths` eight widths."""

    is_ascii: bool
    play: str
    pause: str
    stop: str
    seek: str
    wait: str
    on: str  # a line that stands, somebody who is here
    off: str
    done: str  # of the timeline, what lies behind
    left: str  # and what is to come
    centre: str
    level: str  # the meter's line
    edge: str  # the meter's ends
    rule: str
    bar: str  # left edge of a banner
    full: str
    empty: str
    yes: str
    no: str
    marked: str
    dot: str
    up: str
    down: str
    minus: str
    dash: str
    ellipsis: str
    blocks: str
    eighths: str  # of a bar that grows to the right, the least first, a whole cell last
    corners: str  # top left, top right, bottom left, bottom right
    side: str


UNICODE: Final = Glyphs(
    is_ascii=False,
    play="▶",
    pause="‖",
    stop="■",
    seek="»",
    wait="◌",
    on="●",
    off="○",
    done="━",
    left="┄",
    centre="┼",
    level="·",
    edge="│",
    rule="─",
    bar="▌",
    full="█",
    empty="░",
    yes="✓",
    no="✗",
    marked="▸",
    dot="·",
    up="↑",
    down="↓",
    minus="−",
    dash="—",
    ellipsis="…",
    blocks="▁▂▃▄▅▆▇█",
    eighths="▏▎▍▌▋▊▉█",
    corners="╭╮╰╯",
    side="│",
)

ASCII: Final = Glyphs(
    is_ascii=True,
    play=">",
    pause="=",
    stop="#",
    seek="~",
    wait="?",
    on="*",
    off="o",
    done="=",
    left="-",
    centre="+",
    level=".",
    edge="|",
    rule="-",
    bar="|",
    full="#",
    empty=".",
    yes="v",
    no="x",
    marked=">",
    dot=".",
    up="^",
    down="v",
    minus="-",
    dash="-",
    ellipsis="~",
    blocks="_.,:;+*#",
    eighths="...---##",
    corners="++++",
    side="|",
)

Choice = Literal["auto", "unicode", "ascii"]
_PLAIN: Final = str.maketrans(
    {"—": "-", "–": "-", "−": "-", "…": "~", "·": ".", "“": '"', "”": '"', "’": "'", "±": "+"}
)


def glyphs_for(choice: Choice, environ: Mapping[str, str]) -> Glyphs:
    """The set of a setting in an environment."""
    return ASCII if is_ascii_wanted(choice, environ) else UNICODE


def is_ascii_wanted(choice: Choice, environ: Mapping[str, str]) -> bool:
    """Whether only ASCII is to be drawn; "auto" asks terminal and locale, as fonts and encodings go by them."""
    if choice != "auto":
        return choice == "ascii"
    if environ.get("TERM") in ("linux", "vt100", "vt220", "dumb"):
        return True
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return locale in ("C", "POSIX") or ("." in locale and "utf" not in locale.lower())


def own_text(text: str, glyphs: Glyphs) -> str:
    """Our own words with these glyphs: dashes, dots and quotes as ASCII has them."""
    return text.translate(_PLAIN) if glyphs.is_ascii else text
