"""A playback's log, played again: each decision as a record, or as a line that can be read."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

if TYPE_CHECKING:
    from io import BufferedIOBase

    from dateflicks.core.playback import TimecodeEvent
    from dateflicks.protocol.playback_replay import Decision

COLUMNS: Final = ("line", "since", "by", "input", "what", "told", "status", "position", "revision", "wakes_in")
_HEADER: Final = f"{'line':>6} {'at':>11}  {'who':<8} {'input':<8} {'what':<24} decision"


def replay(environment: CliEnvironment, file: str, *, only_told: bool, whose: str | None) -> None:
    """Print each decision. Raises CliError for a log that cannot be read, with the line where it breaks."""
    from dateflicks.cli.output import Format
    from dateflicks.protocol.playback_log import BrokenLog
    from dateflicks.protocol.playback_replay import Replay

    printer, playing, count, told = environment.printer, Replay(), 0, 0
    is_table = printer.form is Format.TABLE
    if is_table:
        print(_HEADER, file=environment.stdout)
    try:
        for decision in playing.decisions(_lines(file)):
            count, told = count + 1, told + len(decision.told)
            if (only_told and not decision.told and not decision.refused) or whose not in (None, decision.by):
                continue
            if is_table:
                print(_line(decision), file=environment.stdout)
            else:
                printer.event(_record(decision, is_json=printer.form is not Format.PLAIN), COLUMNS)
    except BrokenLog as broken:
        hint = "See 'dateflicks replay --help' for the format."
        raise CliError(Exit.PROBLEMS, f"{_name(file)}: {broken}", hint=hint) from None
    if playing.control is None:
        raise CliError(Exit.PROBLEMS, f"{_name(file)} is empty.", hint="See 'dateflicks replay --help' for the format.")
    environment.say(f"{count} inputs, {told} events told.")


def _lines(file: str) -> Iterator[bytes]:
    from dateflicks.protocol.playback_log import LINE_MAX_BYTES

    try:
        if file == "-":
            yield from _bounded(sys.stdin.buffer, LINE_MAX_BYTES)  # type: ignore[arg-type]  # it reads lines too
            return
        with open(file, "rb") as stream:  # noqa: PTH123 - as it was typed
            yield from _bounded(stream, LINE_MAX_BYTES)
    except FileNotFoundError:
        hint = "A log is written where 'record_folder' of the timecode service's settings says."
        raise CliError(Exit.NOT_FOUND, f"There is no file {file}.", hint=hint) from None
    except OSError as error:
        raise CliError(Exit.FAILED, f"{file} cannot be read: {error.strerror}.") from None


def _bounded(stream: "BufferedIOBase", most: int) -> Iterator[bytes]:
    while line := stream.readline(most + 2):
        yield line


def _name(file: str) -> str:
    return "What was read" if file == "-" else file


def _line(one: "Decision") -> str:
    from dateflicks.protocol.printable import printable

    told = "; ".join(_sentence(event) for event in one.told)
    decision = f"refused: {one.refused}" if one.refused else told
    who = printable((one.by or "").removeprefix("usr_")[:8])
    return f"{one.line:>6} {one.since:>+11.3f}  {who:<8} {one.input:<8} {one.what:<24} {decision}".rstrip()


def _sentence(event: "TimecodeEvent") -> str:
    """What was told, why, and what it waits for."""
    from dateflicks.protocol.printable import printable

    parts = [f"r{event.revision} {event.reason.value}"]
    if event.by is not None:
        parts.append(f"by {event.by.removeprefix('usr_')[:10]}")
    parts.append(f"-> {event.status.value} {event.current_position:.3f}" + (" moving" if event.rate else ""))
    if event.pending is not None:
        parts.append(f"(asked: {event.pending.target})")
    if event.waiting_for:
        parts.append(f"(waits for {', '.join(one.removeprefix('usr_')[:10] for one in event.waiting_for)})")
    return printable(" ".join(parts))


def _record(one: "Decision", *, is_json: bool) -> dict[str, Any]:
    record: dict[str, Any] = {
        "line": one.line, "at": one.at, "since": round(one.since, 6), "input": one.input, "by": one.by,
        "what": one.what,
    }  # fmt: skip
    record["told"] = [_event(event) for event in one.told] if is_json else "; ".join(map(_sentence, one.told))
    record |= {
        "refused": one.refused, "status": one.status.value, "position": round(one.position, 6),
        "revision": one.revision, "next_wake": one.next_wake,
        "wakes_in": None if one.next_wake is None else round(max(0.0, one.next_wake - one.at), 6),
    }  # fmt: skip
    if not is_json and one.refused:
        record["told"] = f"refused: {one.refused}"
    return record


def _event(event: "TimecodeEvent") -> dict[str, Any]:
    pending = event.pending
    return {
        "revision": event.revision, "reason": event.reason.value, "by": event.by, "status": event.status.value,
        "current_position": event.current_position, "at": event.at, "rate": event.rate,
        "waiting_for": list(event.waiting_for),
        "pending": None if pending is None else {
            "by": pending.by, "from": pending.origin, "to": pending.target, "deadline": pending.deadline,
        },
        "excused": [user for user, one in event.participants.items() if one.excused],
    }  # fmt: skip
