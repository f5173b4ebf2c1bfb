"""Every exception as what a person needs: an exit code, what happened, why, and what to type next."""

import difflib
import errno
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dateflicks.cli.exits import Exit
from dateflicks.client import errors
from dateflicks.core.errors import DateflicksError
from dateflicks.protocol.printable import printable


@dataclass(frozen=True, slots=True)
class Failure:
    """At most three lines: `what` always, `why` and `hint` where there is more to say."""

    exit: Exit
    what: str
    why: str = ""
    hint: str = ""


class CliError(DateflicksError):
    """Something the command line itself has to say no to."""

    def __init__(self, exit_code: Exit, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.failure = Failure(exit_code, what, why, hint)


def traced(error: BaseException) -> str:
    """An error with all that led to it, in lines that are safe to print: its words may be somebody else's."""
    import traceback

    return printable("".join(traceback.format_exception(error)), keep_newlines=True)


_START: Final = "Start one with 'dateflicks serve all', or name one with --server URL."
_TRUST: Final = (
    "Name the file with its certificate, which whoever keeps the server has: dateflicks config set client.ca_file FILE."
)
_FOR_PROGRAMS: Final = re.compile(r" [^.]*\b(GET|POST) /\S+$")  # what a service tells those who speak HTTP
_OF_SETTINGS: Final = ("SettingsClash", "BusAddressWrong", "DatabaseAddressWrong")  # of the server, which is not loaded
_FIELDS: Final = {
    "old": "the old password",
    "new": "the new password",
    "content": "the text",
    "prediction.details": "the text",
}  # which nobody has typed by this name
_YOURSELF: Final = "is yourself"  # which the sentence has said already: one cannot be one's own guest, or friend
_CLIENT: tuple[tuple[type[errors.ClientError], Exit, str], ...] = (
    (errors.TimedOut, Exit.UNREACHABLE, "Try again, or allow more time: DATEFLICKS_CLIENT_TIMEOUT_SECONDS."),
    (errors.ServiceDown, Exit.UNREACHABLE, "Try again in a moment."),
    (errors.Untrusted, Exit.UNREACHABLE, _TRUST),
    (errors.Unreachable, Exit.UNREACHABLE, _START),
    (errors.NotSignedIn, Exit.SIGN_IN, "Type 'dateflicks login', or 'dateflicks register' for a new account."),
    (errors.NotAllowed, Exit.SIGN_IN, ""),
    (errors.NoInvitation, Exit.NOT_FOUND, ""),
    (errors.FilmMissing, Exit.NOT_FOUND, ""),
    (errors.NoPlayer, Exit.FAILED, "With --player manual you steer your own; --player simulated shows nothing."),
    (errors.FilmUnplayable, Exit.FAILED, ""),
    (errors.ServerFailed, Exit.FAILED, ""),
    (errors.NotThere, Exit.NOT_FOUND, "See what there is with 'dateflicks session list'."),
    (errors.AtOdds, Exit.REFUSED, ""),
    (errors.DoesNotFit, Exit.USAGE, ""),
    (errors.AskedTooOften, Exit.FAILED, ""),
    (errors.ServiceFailed, Exit.FAILED, "Check that the address is that of a DATEFLICKS server."),
)


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint that names the closest of `known`, or else all of them, as far as there are any."""
    if not known:
        return "There are none yet."
    close = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"There are: {', '.join(known)}."


def failure_of(error: BaseException) -> Failure | None:
    """What to tell of an expected failure; None for one that nobody foresaw."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, CliError):
        return error.failure
    if isinstance(error, errors.ClientError):
        return _of_client(error)
    if type(error).__name__ == "SettingsError":
        return _of_settings(error)
    if isinstance(error, DateflicksError):
        what, _, hint = str(error).partition("\n")
        return Failure(Exit.USAGE if type(error).__name__ in _OF_SETTINGS else Exit.FAILED, what, hint=hint)
    if isinstance(error, OSError) and error.errno in _FULL:
        return Failure(Exit.FAILED, "Nothing more can be written: the disk is full.", hint="Make room, then try again.")
    if isinstance(error, NotADirectoryError) and error.filename is not None:
        what = f"{error.filename} cannot be used: there is a file where a folder should be."
        return Failure(Exit.FAILED, what, hint="Name another folder.")
    if isinstance(error, OSError) and error.errno in _FORBIDDEN and error.filename is not None:
        hint = "Give this account the right to it, or name a folder of its own in DATEFLICKS_HOME."
        return Failure(Exit.FAILED, f"{error.filename} cannot be used: {error.strerror}.", hint=hint)
    return None


def _of_client(error: errors.ClientError) -> Failure:
    known = ((code, hint) for kind, code, hint in _CLIENT if isinstance(error, kind))
    code, hint = next(known, (Exit.FAILED, ""))  # such as sign-ins that cannot be read, which say what to do
    what, why = _FOR_PROGRAMS.sub("", error.detail), ""
    if isinstance(error, errors.Unreachable) and hint == _START and not _is_here(error.url):
        hint = "Check the address and your connection, or name another server with --server URL."
    if isinstance(error, errors.DoesNotFit) and error.problems:
        told = [one for one in error.problems if one.message != _YOURSELF]
        why = "; ".join(f"{_FIELDS.get(one.field, one.field)}: {one.message}" for one in told)
        if what.endswith("does not fit."):  # a body or a query, of which nobody has heard who typed a command
            what, why = why, ""
    if isinstance(error, errors.FilmMissing) and error.looked_in:
        why = f"Looked in {' and '.join(error.looked_in)}."
    if isinstance(error, errors.ServerFailed):
        why = error.why
    if isinstance(error, errors.AskedTooOften) and error.retry_after is not None:
        hint = f"Try again in {error.retry_after:.0f} s."
    return Failure(code, what, why, hint)


def _is_here(url: str) -> bool:
    """Whether a server is one that could be started here; of an address that nobody has told, it is."""
    from urllib.parse import urlsplit

    from dateflicks.protocol.hosts import is_loopback_host

    host = urlsplit(url).hostname
    return host is None or is_loopback_host(host)


def _of_settings(error: BaseException) -> Failure:
    # Compared by name above: the settings load msgspec, which `--help` and usage errors can do without.
    from dateflicks.settings.errors import SettingsError

    assert isinstance(error, SettingsError)
    hint = f"Did you mean '{error.suggestion}'?" if error.suggestion else "See 'dateflicks config model' for all keys."
    if isinstance(error.__cause__, OSError):
        hint = "Name another folder with --settings DIR, or in DATEFLICKS_SETTINGS."
    return Failure(Exit.USAGE, str(error), hint=hint)
