"""What stands in the lobby: which of one's sessions need an answer, which are live, which are past; and in what words.

Pure: no widget.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from dateflicks.client.sentences import clock_text
from dateflicks.protocol.bodies import HistoryEntry, SessionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui.drawing.cells import clean, cut, fill, width_of

Section = Literal["asked", "waiting", "live", "past"]
PAST_SHOWN: Final = 8
TITLE_CELLS: Final = 14  # of a title: fewer say too little
INVITES_CELLS: Final = 50  # from here on in whole sentences
TITLES: Final[dict[Section, str]] = {
    "asked": "Invitations to you",
    "waiting": "Not answered yet",
    "live": "Ready to watch",
    "past": "Over",
}
_ENDED: Final = {"rejected": "said no", "cancelled": "taken back", "ended": "over"}


@dataclass(frozen=True, slots=True)
class LobbyRow:
    """One session: `with_whom` and `title` are other people's text, made printable; `note` says how it stands."""

    session: SessionBody
    section: Section
    with_whom: str
    title: str
    note: str


def section_of(session: SessionBody, me: str) -> Section:
    """Where a session stands for this person."""
    if session.state == "pending":
        return "waiting" if session.host_user_id == me else "asked"
    return "live" if session.state == "accepted" else "past"


def rows_of(sessions: Iterable[SessionBody], me: str, now: datetime) -> list[LobbyRow]:
    """All rows, what needs this person first, the newest first in each section; only a few of the past."""
    order: tuple[Section, ...] = ("asked", "live", "waiting", "past")
    found: dict[Section, list[LobbyRow]] = {name: [] for name in order}
    for session in sorted(sessions, key=lambda one: one.created_at, reverse=True):
        section = section_of(session, me)
        found[section].append(LobbyRow(session, section, _other(session, me), _title(session), _note(session, now)))
    found["past"] = found["past"][:PAST_SHOWN]
    return [row for name in order for row in found[name]]


def text_of(row: LobbyRow, width: int, ellipsis: str = "…") -> str:
    """A row in exactly `width` cells: names and titles are cut, and where there is no room, the least needed goes."""
    name = cut(row.with_whom, max(8, width // 3), ellipsis)
    lead, rest = "", f" with {name}"
    if row.section == "asked":
        lead, rest = (f"{name} invites you to " if width >= INVITES_CELLS else f"{name}: "), ""
    note = f"  {row.note}" if row.note else ""
    room = width - width_of(lead + rest + note)
    if room < TITLE_CELLS and row.section == "past":  # how it ended matters more than with whom it was
        room, rest = room + width_of(rest), ""
    elif room < TITLE_CELLS:
        room, note = room + width_of(note), ""
    text = f"{lead}{cut(row.title, max(1, room), ellipsis)}{rest}"
    return fill(text, width - width_of(note), ellipsis) + note


def history_line(entries: Iterable[HistoryEntry]) -> str:
    """How much was watched together, in one line; nothing where there is nothing."""
    watched = list(entries)
    if not watched:
        return ""
    minutes = round(sum(entry.position or 0.0 for entry in watched) / 60)
    films = f"{len(watched)} film{'' if len(watched) == 1 else 's'}"
    last = next((entry.video for entry in watched if entry.video is not None), None)
    tail = f" · last: {printable(last.title or last.url)}" if last is not None else ""
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{films} · {hours}{minutes % 60} min together{tail}"


def ago(text: str | None, now: datetime) -> str:
    """How long ago a record time was, as people say it."""
    at = _at(text)
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    if seconds < 90:
        return "just now"
    for size, word in ((60.0, "min"), (3_600.0, "h"), (86_400.0, "day")):
        count = round(seconds / size)
        if (word == "min" and count < 60) or (word == "h" and count < 36) or word == "day":
            return f"{count} {word}{'s' if word == 'day' and count != 1 else ''} ago"
    return ""


def local_time(text: str | None) -> str:
    """A record time on the wall clock of here, or nothing."""
    at = _at(text)
    try:
        return "" if at is None else at.astimezone().strftime("%a %d %b %H:%M")
    except (ValueError, OverflowError):  # at the ends of what a calendar has
        return ""


def _at(text: str | None) -> datetime | None:
    """A record time; one that names no zone is meant as all others are."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _other(session: SessionBody, me: str) -> str:
    name = session.guest_name if session.host_user_id == me else session.host_name
    return clean(name or "") or ("whoever has the line" if session.state == "pending" else "nobody")


def _title(session: SessionBody) -> str:
    video = session.video
    return clean((video.title or video.url) if video is not None else "") or "a film"


def _note(session: SessionBody, now: datetime) -> str:
    length = clock_text(session.video.length) if session.video is not None and session.video.length else ""
    match session.state:
        case "pending":
            return f"asked {ago(session.created_at, now)}"
        case "accepted":
            return length
        case _:
            return f"{_ENDED.get(session.state, session.state)} {ago(session.ended_at or session.answered_at, now)}"
