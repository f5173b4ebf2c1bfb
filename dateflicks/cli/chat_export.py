"""A whole talk, written as text, as lines of JSON or as subtitles; a file is there whole, or as it was before."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

from dateflicks.cli.chatting import COLUMNS, ExportFormat
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format, Printer
from dateflicks.client.chat_history import ChatHistory
from dateflicks.client.chat_sentences import Answers, at_film_time
from dateflicks.client.chat_subtitles import subtitles
from dateflicks.protocol.printable import printable

TEXT_INDENT: Final = 30  # behind the times


async def write(environment: CliEnvironment, history: ChatHistory, stream: TextIO, form: ExportFormat) -> int:
    """Write the whole talk; how many messages were written comes back."""
    match form:
        case ExportFormat.TEXT:
            return await _write_text(history, stream)
        case ExportFormat.JSONL:
            return await _write_jsonl(environment, history, stream)
        case ExportFormat.SRT:
            return await _write_srt(environment, history, stream)


@contextlib.contextmanager
def sink(environment: CliEnvironment, out: Path | None) -> Iterator[TextIO]:
    """Where it goes; a file is there whole, or as it was before."""
    if out is None:
        yield environment.stdout
        return
    try:
        with _fresh(out.resolve()) if out.is_file() or not out.exists() else out.open("w", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        why = f"{error.strerror}." if error.strerror else ""
        raise CliError(Exit.FAILED, f"{out} cannot be written.", why=why, hint="Name another file.") from error


@contextlib.contextmanager
def _fresh(out: Path) -> Iterator[TextIO]:
    fresh = out.with_name(f".{out.name}.{secrets.token_hex(4)}.new")
    try:
        with fresh.open("x", encoding="utf-8", newline="\n") as stream:
            yield stream
        fresh.replace(out)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


async def _write_text(history: ChatHistory, stream: TextIO) -> int:
    """A line each, with the time of day in UTC and the film time; further lines of a message stand below its first."""
    answers, count = Answers(), 0
    async for message in history.all_after():
        line = f"{message.time[:19].replace('T', ' ')}  {at_film_time(message, answers.spoken(message))}"
        stream.write(printable(line, keep_newlines=True).replace("\n", f"\n{' ' * TEXT_INDENT}") + "\n")
        count += 1
    return count


async def _write_jsonl(environment: CliEnvironment, history: ChatHistory, stream: TextIO) -> int:
    printer, count = Printer(stream, Format.JSONL, environment.fields, color=False, width=None), 0
    async for message in history.all_after():
        printer.event(message, COLUMNS)
        count += 1
    return count


async def _write_srt(environment: CliEnvironment, history: ChatHistory, stream: TextIO) -> int:
    messages = [message async for message in history.all_after()]
    text, left_out = subtitles(messages)
    stream.write(text)
    if left_out:
        environment.say(f"{left_out} without a film position {'is' if left_out == 1 else 'are'} left out.")
    return sum(1 for one in messages if one.deleted_at is None and one.type != "system") - left_out
