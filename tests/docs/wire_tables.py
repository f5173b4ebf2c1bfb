"""The tables of pages that the code knows better: frames by service, limits, close codes, the numbers of playback.

`python -m tests.docs.wire_tables` writes them anew, between the remarks that name them; a test compares.
"""

import re
import types
from collections.abc import Iterator, Sequence
from typing import Any, Final, Union, get_args

import msgspec
from msgspec import inspect

from dateflicks.core import limits
from dateflicks.protocol import bodies, chat, frames, predictions
from dateflicks.server.web.openapi import close_codes
from dateflicks.server.web.service import Feed
from tests.docs.pages import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "protocol.md"
SYNC_PAGE: Final = REPOSITORY / "docs" / "sync.md"
_TABLE: Final = re.compile(r"(<!-- table: ([\w -]+) -->\n)(.*?)(\n<!-- end of table -->)", re.DOTALL)
_CONSTANT: Final = re.compile(r"^([A-Z_]+): Final = .*?# (.+)$", re.MULTILINE)
_FRAMES: Final[dict[str, Any]] = {
    "timecode client": frames.TimecodeClientFrame,
    "timecode server": frames.TimecodeServerFrame,
    "session server": bodies.InvitationFrame | bodies.SessionFrame | frames.ErrorFrame,
    "messages client": chat.ChatClientFrame,
    "messages server": chat.ChatServerFrame,
    "prediction client": predictions.PredictionClientFrame,
    "prediction server": predictions.PredictionServerFrame,
}
_OBJECTS: Final[dict[str, type[msgspec.Struct]]] = {
    "pending": frames.Pending,
    "participant": frames.ParticipantState,
    "limits told": frames.SyncLimits,
    "session": bodies.SessionBody,
    "message": chat.Message,
    "prediction": predictions.PredictionBody,
    "call": predictions.CallBody,
}
_LIMITS: Final = (
    "FRAME_MAX_BYTES", "BODY_MAX_BYTES", "WRITE_BUFFER_MAX_BYTES", "SILENCE_SECONDS", "FRAMES_PER_SECOND",
    "FRAMES_BURST", "CHAT_PER_SECOND", "CHAT_BURST", "ASKED_PER_SECOND", "ASKED_BURST", "SOCKETS_PER_PERSON",
    "SOCKETS_PER_ADDRESS", "SIGN_IN_TRIES_PER_NAME", "SIGN_IN_TRIES_PER_ADDRESS", "SIGN_IN_WINDOW_SECONDS",
    "ACCOUNTS_PER_ADDRESS", "ACCOUNTS_WINDOW_SECONDS", "REQUEST_DEADLINE_SECONDS", "TEXT_MAX_CHARACTERS",
    "REACTION_MAX_CHARACTERS", "DETAILS_MAX_BYTES", "PREDICTIONS_PER_SESSION", "PARTICIPANTS_MAX", "PAGE_MAX",
    "TOKEN_LIFETIME_SECONDS", "TICKET_LIFETIME_SECONDS", "INVITATION_LIFETIME_SECONDS", "CONFIRM_SECONDS",
    "SEEK_READY_SECONDS", "WAIT_SECONDS", "REPORT_FRESH_SECONDS", "EVENT_INTERVAL_SECONDS",
)  # fmt: skip

_NUMBERS: Final = (
    ("core/limits.py", (
        "BAND_SECONDS", "BAND_HOLD_SECONDS", "REPORT_FRESH_SECONDS", "MINIMUM_INTERVAL_SECONDS",
        "PULL_BACK_BUDGET_SECONDS", "PULL_BACK_WINDOW_SECONDS", "EXCUSE_SECONDS", "STALL_GRACE_SECONDS", "WAIT_SECONDS",
        "SEEK_READY_SECONDS", "LEAD_FACTOR", "LEAD_EXTRA_SECONDS", "LEAD_MIN_SECONDS", "LEAD_MAX_SECONDS",
        "EVENT_INTERVAL_SECONDS", "CONFIRM_SECONDS",
    )),
    ("core/playback/review.py", ("RECOVER_SECONDS", "DESERTED_SECONDS")),
    ("core/clock.py", (
        "BURST", "BURST_INTERVAL_SECONDS", "INTERVAL_SECONDS", "CALM_INTERVAL_SECONDS", "WINDOW_SECONDS",
        "HISTORY_SECONDS", "CONTRADICTION_SECONDS", "CONTRADICTIONS",
    )),
    ("client/viewer.py", (
        "REPORT_SECONDS", "REPORT_SOON_SECONDS", "REPORT_SOON_FOR_SECONDS", "REPORT_SOON_ERROR_SECONDS",
        "PING_CLEARANCE_SECONDS",
    )),
    ("client/follower.py", (
        "INTERVAL_SECONDS", "CALM_SECONDS", "DONE_SECONDS", "GAIN", "CLAMP", "GENTLE_CLAMP", "BAND_SECONDS",
        "COARSE_BAND_SECONDS", "HOLD_MAX_SECONDS", "SETTLE_SECONDS", "COARSE_INTERVAL_SECONDS", "DEAD_TIME_START",
        "CUE_SECONDS",
    )),
    ("client/players/estimate.py", ("SOUND_WINDOW_SECONDS", "PICTURE_WINDOW_SECONDS", "SLOW_ANSWER_SECONDS")),
    ("client/players/echoes.py", ("REMEMBERED_SECONDS",)),
    ("client/players/stalls.py", ("LOOK_BACK_SECONDS",)),
)  # fmt: skip


def tables() -> dict[str, str]:
    """Each table of the page by its name."""
    found = {f"frames {name}": _of_frames(_members(kinds)) for name, kinds in _FRAMES.items()}
    found |= {f"object {name}": _of_object(kind) for name, kind in _OBJECTS.items()}
    return found | {"limits": _of_limits(), "close codes": _of_codes(), "numbers of playback": _of_numbers()}


def page_with_tables(text: str) -> str:
    """The page with each of its tables as it is to be. Raises KeyError for a name that there is none of."""
    known = tables()
    return _TABLE.sub(lambda match: f"{match[1]}{known[match[2]]}{match[4]}", text)


def names_on(text: str) -> list[str]:
    """The tables that the page has."""
    return [match[2] for match in _TABLE.finditer(text)]


def _members(kinds: Any) -> Sequence[type[msgspec.Struct]]:
    is_union = isinstance(kinds, types.UnionType) or getattr(kinds, "__origin__", None) is Union
    return get_args(kinds) if is_union else (kinds,)


def _table(*rows: Sequence[str]) -> str:
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _of_frames(kinds: Sequence[type[msgspec.Struct]]) -> str:
    rows = [["`type`", "fields", "what it says"], ["---", "---", "---"]]
    for kind in kinds:
        fields = ", ".join(f"`{name}`{'?' if optional else ''} {what}" for name, what, optional in _fields(kind))
        rows.append([f"`{kind.__struct_config__.tag}`", fields or "–", _said_of(kind)])
    return _table(*rows)


def _of_object(kind: type[msgspec.Struct]) -> str:
    rows = [["field", "is"], ["---", "---"]]
    rows += [[f"`{name}`{'?' if optional else ''}", what] for name, what, optional in _fields(kind)]
    return _table(*rows)


def _said_of(kind: type[msgspec.Struct]) -> str:
    """The first paragraph of its docstring."""
    words = " ".join((kind.__doc__ or "").strip().split("\n\n")[0].split())
    return words.replace("`TYPING_SECONDS`", f"{chat.TYPING_SECONDS:g} s")


def _fields(kind: type[msgspec.Struct]) -> Iterator[tuple[str, str, bool]]:
    """Name, type, and whether it may be left out, of each field."""
    told = inspect.type_info(kind)
    assert isinstance(told, inspect.StructType)
    leaves_out = kind.__struct_config__.omit_defaults
    for one in told.fields:
        is_optional = not one.required and (leaves_out or one.default is msgspec.UNSET or one.default is None)
        yield one.encode_name, _type_of(one.type), is_optional


def _type_of(kind: inspect.Type) -> str:
    """A type as somebody reads it who does not know Python."""
    match kind:
        case inspect.Metadata():
            return _type_of(kind.type)
        case inspect.LiteralType():
            return " / ".join(f'"{value}"' for value in sorted(kind.values, key=str))
        case inspect.UnionType():
            words = list(dict.fromkeys(_type_of(part) for part in kind.types))
            if "number" in words and "integer" in words:
                words.remove("integer")
            return " or ".join(words)
        case inspect.IntType():
            return "integer" + _bounds(kind)
        case inspect.FloatType():
            return "number" + _bounds(kind)
        case inspect.StrType():
            return "string" + (f", {kind.min_length or 0}–{kind.max_length:,}" if kind.max_length is not None else "")
        case inspect.BoolType():
            return "true / false"
        case inspect.NoneType():
            return "null"
        case inspect.AnyType():
            return "anything"
        case inspect.ListType():
            return f"list of {_type_of(kind.item_type)}"
        case inspect.DictType():
            return f"{_type_of(kind.value_type)} of each, by user id"
        case inspect.StructType():
            return _name_of(kind.cls)
    return type(kind).__name__.removesuffix("Type").lower()


def _name_of(kind: Any) -> str:
    words = {known: name for name, known in _OBJECTS.items()} | {bodies.VideoRef: "`{url, title, length}`"}
    return words.get(kind) or str(kind.__name__.removesuffix("Body").lower())


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    low, high = (kind.ge if kind.ge is not None else kind.gt), (kind.le if kind.le is not None else kind.lt)
    if low is None or high is None or high >= 1e15:
        return ""
    return f", {_number(low)}–{_number(high)}" if kind.gt is None else f", above {low:g}, at most {high:g}"


def _of_limits() -> str:
    source = (REPOSITORY / "dateflicks" / "core" / "limits.py").read_text(encoding="utf-8")
    why = dict(_CONSTANT.findall(source))
    rows = [["limit", "is", "why"], ["---", "---", "---"]]
    for name in _LIMITS:
        words = name.lower().split("_")
        value = getattr(limits, name)
        unit = {"seconds": " s", "bytes": " bytes", "characters": " characters"}.get(words[-1], "")
        reason = re.sub(r"[A-Z]+(?:_[A-Z]+)+", lambda match: match[0].lower().replace("_", " "), why.get(name, "–"))
        rows.append([" ".join(words[:-1] if unit else words), f"{_number(value)}{unit}", reason])
    return _table(*rows)


def _of_numbers() -> str:
    """Constants by the file that they are in, with what is said beside them."""
    rows = [["number", "is", "in", "why"], ["---", "---", "---", "---"]]
    for file, names in _NUMBERS:
        source = (REPOSITORY / "dateflicks" / file).read_text(encoding="utf-8")
        for name in names:
            found = re.search(rf"^{name}(?:: Final)? = ([^#\n]*?)\s*(?:# (.+))?$", source, re.MULTILINE)
            assert found is not None, f"{file} has no {name}"
            rows.append([f"`{name}`", _number(float(found[1])), f"`{file}`", found[2] or "–"])
    return _table(*rows)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _of_codes() -> str:
    async def never(_: object) -> None:
        raise NotImplementedError

    codes = close_codes(Feed("/", never, ""))
    return _table(["code", "means"], ["---", "---"], *([str(code), meaning] for code, meaning in sorted(codes.items())))


if __name__ == "__main__":
    for page in (PAGE, SYNC_PAGE):
        page.write_text(page_with_tables(page.read_text(encoding="utf-8")), encoding="utf-8")
