"""Emoji and their short names, so that the layout never depends on how wide a terminal draws one.

Terminals agree on a single code point that is wide in Unicode's table, and on nothing else: joined families, flags,
skin tones and variation selectors are drawn as one, two or four cells. `shown` writes those by name, or all of them.
"""

import re
import unicodedata
from functools import lru_cache
from types import MappingProxyType
from typing import Final, Literal

EmojiMode = Literal["names", "simple", "all"]

EMOJI: Final = MappingProxyType(
    {
        "heart": "❤️",
        "joy": "😂",
        "scream": "😱",
        "cry": "😢",
        "+1": "👍",
        "-1": "👎",
        "sob": "😭",
        "smile": "😄",
        "grin": "😁",
        "laughing": "😆",
        "rofl": "🤣",
        "blush": "😊",
        "wink": "😉",
        "slightly_smiling_face": "🙂",
        "upside_down_face": "🙃",
        "heart_eyes": "😍",
        "kissing_heart": "😘",
        "thinking": "🤔",
        "neutral_face": "😐",
        "expressionless": "😑",
        "unamused": "😒",
        "roll_eyes": "🙄",
        "grimacing": "😬",
        "sleeping": "😴",
        "yawning_face": "🥱",
        "dizzy_face": "😵",
        "exploding_head": "🤯",
        "partying_face": "🥳",
        "sunglasses": "😎",
        "nerd_face": "🤓",
        "confused": "😕",
        "worried": "😟",
        "open_mouth": "😮",
        "astonished": "😲",
        "flushed": "😳",
        "pleading_face": "🥺",
        "fearful": "😨",
        "cold_sweat": "😰",
        "sweat_smile": "😅",
        "angry": "😠",
        "rage": "😡",
        "skull": "💀",
        "ghost": "👻",
        "clown_face": "🤡",
        "poop": "💩",
        "see_no_evil": "🙈",
        "broken_heart": "💔",
        "two_hearts": "💕",
        "fire": "🔥",
        "100": "💯",
        "boom": "💥",
        "tada": "🎉",
        "star": "⭐",
        "sparkles": "✨",
        "zzz": "💤",
        "eyes": "👀",
        "clap": "👏",
        "wave": "👋",
        "pray": "🙏",
        "raised_hands": "🙌",
        "muscle": "💪",
        "ok_hand": "👌",
        "shrug": "🤷",
        "facepalm": "🤦",
        "popcorn": "🍿",
        "pizza": "🍕",
        "beer": "🍺",
        "beers": "🍻",
        "wine_glass": "🍷",
        "coffee": "☕",
        "tea": "🍵",
        "clapper": "🎬",
        "film": "🎥",
        "tv": "📺",
        "question": "❓",
        "exclamation": "❗",
        "white_check_mark": "✅",
        "x": "❌",
    }
)

_SELECTORS: Final = "\ufe0e\ufe0f"
_TONES: Final = "\U0001f3fb-\U0001f3ff"
_FLAG_LETTERS: Final = "\U0001f1e6-\U0001f1ff"
_TAGS: Final = "\U000e0020-\U000e007f"
_BASES: Final = "\u231a-\u23ff\u25fd\u25fe\u2600-\u27bf\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_PART: Final = rf"(?:[{_FLAG_LETTERS}]{{2}}|[{_BASES}])[{_SELECTORS}{_TONES}{_TAGS}]*"
_CLUSTER: Final = re.compile(rf"\u200d*{_PART}(?:\u200d+{_PART})*\u200d*")
_STRAY: Final = re.compile(rf"[{_SELECTORS}\u20e3{_TAGS}]")  # belongs to no emoji that is known here
_BARE: Final = re.compile(rf"[{_SELECTORS}{_TONES}{_TAGS}]")
_SPELLED: Final = re.compile(r":([a-z0-9_+\-]{1,32}):")
_PLAIN: Final = re.compile(r"[ -~\u00a0-\u02ff\u0370-\u0482\u2010-\u2027]*")  # nothing here is an emoji
_SEXES: Final = "\u2640\u2642"
_PARTS_MAX: Final = 4
_NAMES: Final = {_BARE.sub("", emoji): name for name, emoji in EMOJI.items()}


def is_certain(emoji: str) -> bool:
    """Whether every terminal draws it two cells wide: one code point, wide by Unicode's table, no half of a flag."""
    return len(emoji) == 1 and unicodedata.east_asian_width(emoji) == "W" and not "\U0001f1e6" <= emoji <= "\U0001f1ff"


@lru_cache(maxsize=1024)
def name_of(emoji: str) -> str:
    """The short name of an emoji, of however many parts: `joy`, `flag_fr`, `man_woman_girl`."""
    bare = _BARE.sub("", emoji)
    if bare in _NAMES:
        return _NAMES[bare]
    if len(bare) == 2 and all("\U0001f1e6" <= one <= "\U0001f1ff" for one in bare):
        return "flag_" + "".join(chr(ord(one) - 0x1F1E6 + ord("a")) for one in bare)
    parts = [one for one in bare.replace("\u200d", "") if one not in _SEXES or len(bare) == 1][:_PARTS_MAX]
    return "_".join(_NAMES.get(one) or _official(one) for one in parts) or "emoji"


def reaction_name(content: str) -> str:
    """What a reaction is called, whether it came as an emoji or as a name, with or without its colons."""
    text = content.strip()
    if len(text) > 2 and text.startswith(":") and text.endswith(":"):
        text = text[1:-1]
    return name_of(text) if text and _CLUSTER.fullmatch(text) else text


def reaction_shown(content: str, mode: EmojiMode) -> str:
    """A reaction as it is drawn: its emoji where the mode lets one through, else its name between colons."""
    name = reaction_name(content)
    if mode == "names":
        return f":{name}:"
    emoji = EMOJI.get(name) or (content.strip() if _CLUSTER.fullmatch(content.strip()) else "")
    return emoji if emoji and (mode == "all" or is_certain(emoji)) else f":{name}:"


def shown(text: str, mode: EmojiMode) -> str:
    """A text with its emoji by name, or with those of certain width alone, or with all of them."""
    if mode != "names" and ":" in text:
        text = _SPELLED.sub(lambda found: _spelled(found, mode), text)
    if mode == "all" or _PLAIN.fullmatch(text):
        return text
    return _STRAY.sub("", _CLUSTER.sub(lambda found: _by_name(found[0], mode), text))


def _spelled(found: re.Match[str], mode: EmojiMode) -> str:
    emoji = EMOJI.get(found[1], "")
    return emoji if emoji and (mode == "all" or is_certain(emoji)) else found[0]


def _by_name(cluster: str, mode: EmojiMode) -> str:
    if mode == "simple":
        bare = _BARE.sub("", cluster).strip("\u200d")
        if is_certain(bare) and "\ufe0f" not in cluster:
            return bare
    if len(cluster) == 1 and unicodedata.east_asian_width(cluster) != "W" and cluster < "\U0001f000":
        return cluster  # a sign such as a star or a tick: text, one cell wide
    if cluster.endswith("\ufe0e") and cluster[0] < "\U0001f000":
        return cluster[0]
    return f":{name_of(cluster)}:"


def _official(character: str) -> str:
    return unicodedata.name(character, "emoji").lower().replace(" ", "_").replace("-", "_")
