"""What chat commands share: entry to a session by ticket, how messages are written, what was typed as a time."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format
from dateflicks.cli.sessions import accepted, full_id

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.tickets import Tickets
    from dateflicks.protocol.bodies import SessionBody
    from dateflicks.protocol.chat import Message

COLUMNS: Final = (
    "id", "seq", "time", "position", "author_name", "type", "content", "edited_at", "deleted_at",
)  # fmt: skip
_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


class ExportFormat(StrEnum):
    """How a talk is kept."""

    TEXT = "text"
    JSONL = "jsonl"
    SRT = "srt"


@dataclass(frozen=True, slots=True)
class Entry:
    """A session's id and tickets; the session itself while its service gives it and it is not over."""

    session_id: str
    tickets: "Tickets"
    session: "SessionBody | None"


async def entered(environment: CliEnvironment, client: "ServiceClient", text: str) -> Entry:
    """The session that begins with `text`, by a fresh ticket, or by the last known where none is given out (any more).

    So what was said can be read for as long as the last ticket holds, also after the session and without its service.
    """
    from dateflicks.client import errors
    from dateflicks.client.tickets import Tickets

    kept = environment.acting(client)
    last = kept.tickets if kept else {}
    session = None
    try:
        session_id = await full_id(client, text)
        session = await accepted(client, session_id)
    except errors.Unreachable:
        found = [name for name in last if name.startswith((text, f"ses_{text}"))]
        if len(found) != 1:
            raise
        session_id = found[0]
    except CliError:
        session_id = await full_id(client, text)
        if session_id not in last:
            raise
    ticket = session.ticket if session is not None and isinstance(session.ticket, str) else last[session_id]

    def keep(ticket: str) -> None:
        environment.keep_ticket(client, session_id, ticket)

    keep(ticket)
    return Entry(session_id, Tickets(client, session_id, ticket, keep), session)


class MessageWriter:
    """Writes messages to stdout: lines with their film time for people, records for everything else."""

    def __init__(self, environment: CliEnvironment) -> None:
        from dateflicks.client.chat_sentences import Answers

        self._environment = environment
        self._printer = environment.printer
        self._answers = Answers()
        form = environment.output or (Format.TABLE if environment.stdout.isatty() else Format.PLAIN)
        self.is_for_people = form is Format.TABLE and not environment.fields

    def message(self, message: "Message") -> None:
        """Write one, at once."""
        from dateflicks.client.chat_sentences import at_film_time
        from dateflicks.protocol.printable import printable

        if not self.is_for_people:
            self._printer.event(message, COLUMNS)
            return
        line = printable(at_film_time(message, self._answers.spoken(message)))
        print(line, file=self._environment.stdout, flush=True)


def duration_of(text: str, option: str) -> timedelta:
    """10m, 1h30m, 2d, 90s or 90 (seconds)."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        raise CliError(Exit.USAGE, f"{option}: '{text}' is no length of time.", hint="Write 90s, 10m, 1h30m or 2d.")
    days, hours, minutes, seconds = (min(int(part or 0), 10**8) for part in found.groups())
    return timedelta(seconds=min(days * 86_400 + hours * 3_600 + minutes * 60 + seconds, 10**9))


def position_of(text: str | None, option: str) -> float | None:
    """Seconds of film of 41:12, 1:02:03 or 90."""
    from dateflicks.client.sentences import parse_position
    from dateflicks.core.limits import POSITION_MAX_SECONDS

    if text is None:
        return None
    try:
        position = parse_position(text)
    except ValueError:
        position = POSITION_MAX_SECONDS + 1
    if position > POSITION_MAX_SECONDS:
        raise CliError(Exit.USAGE, f"{option}: '{text}' is no position in a film.", hint="Write 41:12 or 1:02:03.")
    return position
