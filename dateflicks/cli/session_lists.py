"""What is asked of one's sessions beyond what the service lists: by film, by person, since when; what one session holds
beside itself; and the history as a file.
"""

import asyncio
import contextlib
import csv
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TextIO

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Format, Printer, cell, pick, record_of
from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.tickets import Tickets
from dateflicks.core.handshake import State
from dateflicks.protocol.bodies import HistoryEntry, SessionBody

LIVE: Final = "live"  # accepted, and the film runs
PAUSED: Final = "paused"  # accepted, and it stands
STATUSES: Final = (*(state.value for state in State), LIVE, PAUSED)
SESSIONS_MAX: Final = 1_000
ASKED_AT_ONCE: Final = 8
COUNT_SECONDS: Final = 3.0  # for what a session holds beside itself: it is shown without, where that takes longer
EXPORTED: Final = (
    "session_id", "video_id", "video.title", "video.url", "with_user_id", "with_name", "started_at", "ended_at",
    "position", "length",
)  # fmt: skip


def statuses_of(text: str) -> tuple[str, ...]:
    """The words of `--status`. Raises CliError."""
    words = tuple(word for word in (part.strip().casefold() for part in text.split(",")) if word)
    for word in words:
        if word not in STATUSES:
            raise CliError(Exit.USAGE, f"--status: there is no '{word}'.", hint=nearest(word, STATUSES))
    return words


async def listed(
    client: ServiceClient, statuses: tuple[str, ...], with_name: str | None, limit: int
) -> list[SessionBody]:
    """One's sessions, newest first, that have one of the statuses and are with this person."""
    states = dict.fromkeys("accepted" if word in (LIVE, PAUSED) else word for word in statuses)
    asks_film = bool({LIVE, PAUSED} & set(statuses)) and "accepted" not in statuses
    is_narrowed = asks_film or with_name is not None
    found = []
    async for session in client.all_sessions(states, limit=SESSIONS_MAX if is_narrowed else limit):
        if with_name is None or _is_with(session, with_name):
            found.append(session)
        if len(found) >= limit and not asks_film:
            break
    if asks_film:
        gate = asyncio.Semaphore(ASKED_AT_ONCE)
        words = await asyncio.gather(*(_status(client, session, gate) for session in found))
        found = [session for session, word in zip(found, words, strict=True) if word in statuses]
    return found[:limit]


def _is_with(session: SessionBody, name: str) -> bool:
    return name.casefold() in {(session.host_name or "").casefold(), (session.guest_name or "").casefold()}


async def _status(client: ServiceClient, session: SessionBody, gate: asyncio.Semaphore) -> str:
    """A session's state, or of one that is accepted whether its film runs."""
    if session.state != "accepted":
        return session.state
    async with gate:
        if not isinstance(session.ticket, str):
            session = await client.session(session.id)
        if not isinstance(session.ticket, str):
            return session.state
        try:
            timecode = await client.timecode(session.id, ticket=session.ticket)
        except errors.NotThere:
            return PAUSED  # nobody has opened it yet
    return LIVE if timecode.status == "play" else PAUSED


# --- one session ----------------------------------------------------------------------------------------------------


async def with_counters(client: ServiceClient, session: SessionBody) -> dict[str, Any]:
    """A session with where its film is, and how much was said and predicted, as far as that can be had now."""
    record: dict[str, Any] = record_of(session)
    ticket = session.ticket
    if not isinstance(ticket, str):
        return record
    services = await client.services()

    async def film() -> dict[str, Any]:
        told = await client.timecode(session.id, ticket=ticket)
        return {"status": told.status, "position": told.current_position, "changed_at": told.last_status_change}

    async def messages() -> int:
        from dateflicks.client.chat_history import ChatHistory

        return await ChatHistory(session.id, Tickets(client, session.id, ticket)).head()

    async def predictions() -> int:
        from dateflicks.client.predicting import Predicting

        me = (await client.me()).id
        return len(await Predicting(session.id, Tickets(client, session.id, ticket), me).all())

    wanted: dict[str, Callable[[], Awaitable[Any]]] = {"film": film, "messages": messages, "predictions": predictions}
    known = {"film": "timecode", "messages": "messages", "predictions": "prediction"}
    asked = {name: ask for name, ask in wanted.items() if known[name] in services}
    found = await asyncio.gather(*(_counted(ask) for ask in asked.values()))
    return record | {name: value for name, value in zip(asked, found, strict=True) if value is not None}


async def _counted(ask: Callable[[], Awaitable[Any]]) -> Any:
    with contextlib.suppress(errors.ClientError, TimeoutError):
        async with asyncio.timeout(COUNT_SECONDS):
            return await ask()
    return None


# --- history --------------------------------------------------------------------------------------------------------


async def watched(
    client: ServiceClient, limit: int, with_name: str | None, since: timedelta | None, now: datetime
) -> list[HistoryEntry]:
    """What was watched, newest first, with this person and since then."""
    found: list[HistoryEntry] = []
    is_narrowed = with_name is not None or since is not None
    async for entry in client.all_history(limit=SESSIONS_MAX if is_narrowed else limit):
        if since is not None and datetime.fromisoformat(entry.started_at) < now - since:
            continue  # a later one may have begun earlier: they are in the order in which they were asked for
        if with_name is None or (entry.with_name or "").casefold() == with_name.casefold():
            found.append(entry)
        if len(found) >= limit:
            break
    return found


def export(environment: CliEnvironment, entries: list[HistoryEntry], out: Path) -> None:
    """Write the history as CSV or as lines of JSON, by the ending of the file's name. Raises CliError."""
    from dateflicks.cli.chat_export import sink

    with sink(environment, out) as stream:
        if out.suffix.lower() == ".csv":
            _write_csv(stream, entries, environment.fields or EXPORTED)
        else:
            Printer(stream, Format.JSONL, environment.fields, color=False, width=None).many(entries, EXPORTED)
    environment.say(f"{len(entries)} {'film is' if len(entries) == 1 else 'films are'} in {out}.")


def check_ending(out: Path) -> None:
    """Whether it can be told how to write this file. Raises CliError."""
    if out.suffix.lower() not in (".csv", ".jsonl"):
        raise CliError(Exit.USAGE, f"--export: {out} ends in neither .csv nor .jsonl.", hint="Name it history.csv.")


def _write_csv(stream: TextIO, entries: list[HistoryEntry], fields: tuple[str, ...]) -> None:
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    for entry in entries:
        record = record_of(entry)
        writer.writerow([_harmless(cell(pick(record, name)), pick(record, name)) for name in fields])


def _harmless(text: str, value: Any) -> str:
    """Text as a spreadsheet shows it: one that begins as a formula does would be run."""
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@") else text
