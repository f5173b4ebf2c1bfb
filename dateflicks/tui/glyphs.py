"""What lines, bars and marks are drawn with: one set for fonts with box drawing and eighth blocks, one in ASCII.

Every glyph is one cell wide, and none says anything that a word or a place on the screen does not say too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """One set; `blocks` are eight heights, the lowest first."""

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
    corners="++++",
    side="|",
)

SETS: Final[Mapping[Literal["unicode", "ascii"], Glyphs]] = {"unicode": UNICODE, "ascii": ASCII}
_PLAIN: Final = str.maketrans(
    {"—": "-", "–": "-", "−": "-", "…": "~", "·": ".", "“": '"', "”": '"', "’": "'", "±": "+"}
)


def glyphs_for(choice: Literal["auto", "unicode", "ascii"], environ: Mapping[str, str]) -> Glyphs:
    """The set of a setting; "auto" asks the locale of an environment, as terminals and fonts go by it."""
    if choice != "auto":
        return SETS[choice]
    if environ.get("TERM") in ("linux", "vt100", "vt220", "dumb"):
        return ASCII
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    says_other = locale in ("C", "POSIX") or ("." in locale and "utf" not in locale.lower())
    return ASCII if says_other else UNICODE


def own_text(text: str, glyphs: Glyphs) -> str:
    """Our own words with these glyphs: dashes, dots and quotes as ASCII has them."""
    return text.translate(_PLAIN) if glyphs.is_ascii else text


def singles(glyphs: Glyphs) -> dict[str, str]:
    """Every glyph of one set by its name, those in rows one by one."""
    found: dict[str, str] = {}
    for field in fields(glyphs):
        value = getattr(glyphs, field.name)
        if isinstance(value, str):
            found.update({f"{field.name}{index}": one for index, one in enumerate(value)})
    return found
