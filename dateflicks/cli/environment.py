"""Everything a command touches outside itself, as one object on `ctx.obj`: streams, terminal, folders, clock, server.

Tests hand in one of their own. Nothing heavy is imported before it is used: `--help` pays for none of it.
"""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, TypeVar

import typer

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format, Printer
from dateflicks.cli.own_evening import EVENING, address_of, kept_as, within_evening
from dateflicks.core import limits
from dateflicks.protocol.printable import printable

if TYPE_CHECKING:
    from dateflicks.client.credentials import CredentialStore, SignIn
    from dateflicks.client.http import ServiceClient
    from dateflicks.settings.client import ClientSettings
    from dateflicks.settings.loader import Loaded

R = TypeVar("R")
_COMMAND: Final = re.compile(r"(?<![\w/.])dateflicks (?=[a-z])")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class CliEnvironment:
    """One run of the program: where it runs, and what its global options chose."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: Callable[[], datetime] = _utc_now
    is_interactive: bool | None = None  # None: find out from the streams

    output: Format | None = None
    fields: tuple[str, ...] = ()
    color: Literal["auto", "always", "never"] = "auto"
    may_ask: bool = True
    is_agreed: bool = False
    is_quiet: bool = False
    verbosity: int = 0
    is_debug: bool = False
    server: str | None = None
    settings_folder: Path | None = None
    profile: str | None = None  # None: as the variable says

    # --- streams ------------------------------------------------------------------------------------------------

    @property
    def stdout(self) -> TextIO:
        """Data goes here."""
        return sys.stdout

    @property
    def stderr(self) -> TextIO:
        """Words go here."""
        return sys.stderr

    def is_colored(self, stream: TextIO) -> bool:
        """Whether colour is wanted on this stream."""
        if self.color != "auto":
            return self.color == "always"
        if self.environ.get("NO_COLOR"):
            return False
        return bool(self.environ.get("FORCE_COLOR")) or (stream.isatty() and self.environ.get("TERM") != "dumb")

    @property
    def printer(self) -> Printer:
        """Writes records to stdout: a table for people, plain lines into a pipe, or what was asked for."""
        form = self.output or (Format.TABLE if self.stdout.isatty() else Format.PLAIN)
        width = None if self.stdout.isatty() else 120
        return Printer(self.stdout, form, self.fields, color=self.is_colored(self.stdout), width=width)

    def show(self, value: Any, columns: tuple[str, ...]) -> None:
        """Write one record."""
        self.printer.one(value, columns)

    def show_all(self, values: list[Any], columns: tuple[str, ...], *, empty: str) -> None:
        """Write a list of records, or say that it is empty."""
        if words := self.printer.many(values, columns, empty=empty):
            self.say(words)

    def say(self, *lines: str) -> None:
        """Tell what happened, on stderr, unless asked to be quiet."""
        if not self.is_quiet:
            self.complain(*lines)

    def complain(self, *lines: str) -> None:
        """Write to stderr even when asked to be quiet."""
        for line in lines:
            print(self.fitted(printable(line), self.stderr), file=self.stderr, flush=True)

    def fitted(self, line: str, stream: TextIO) -> str:
        """A line as this stream shows it: broken between words, where it is a terminal of fewer columns."""
        width = self._width_of(stream)
        if not width or len(line) < width:
            return line
        from dateflicks.cli.tables import folded

        return folded(line, width)

    def _width_of(self, stream: TextIO) -> int | None:
        """How many columns a terminal has; None for what is none."""
        if not stream.isatty():
            return None
        with contextlib.suppress(ValueError, OSError):
            return int(self.environ.get("COLUMNS") or 0) or os.get_terminal_size(stream.fileno()).columns
        return None

    def retyped(self, text: str) -> str:
        """A text in which commands are named, with the `--profile` of this one: without it they would mean another."""
        return _COMMAND.sub(f"dateflicks --profile {self.profile} ", text) if self.profile else text

    # --- asking -------------------------------------------------------------------------------------------------

    def _can_ask(self) -> bool:
        if self.is_interactive is None:
            self.is_interactive = sys.stdin.isatty() and self.stderr.isatty()
        return self.may_ask and self.is_interactive

    def ask(
        self, question: str, *, instead: str, is_secret: bool = False, twice: bool = False, default: str | None = None
    ) -> str:
        """Ask on the terminal; where nobody can be, a `default` is the answer, else `instead` says what to type."""
        if not self._can_ask():
            if default is not None:
                return default
            raise CliError(Exit.USAGE, f"{question} is needed, and there is nobody to ask.", hint=instead)
        found: str = typer.prompt(
            question, default=default, hide_input=is_secret, confirmation_prompt=twice, err=True,
            show_default=bool(default),
        )  # fmt: skip
        return found

    def ask_password(self, *, from_stdin: bool, is_new: bool = False) -> str:
        """A password from the terminal, or the first line of stdin when told so; never from the arguments."""
        if from_stdin:
            return sys.stdin.readline().rstrip("\r\n")
        hint = "Give it on the first line of stdin, with --password-stdin."
        if not is_new:
            return self.ask("Password", instead=hint, is_secret=True)
        return self.ask_new_password("Password", instead=hint)

    def ask_new_password(self, question: str, *, instead: str) -> str:
        """A password that is to be: asked for twice at the terminal, after what it has to be like."""
        if self._can_ask():
            question = f"{question} ({limits.PASSWORD_MIN_CHARACTERS} characters or more)"
        return self.ask(question, instead=instead, is_secret=True, twice=True)

    def agree(self, question: str, *, instead: str = "Say yes beforehand with --yes.") -> None:
        """Go on only with a yes: typed here, or given before with --yes (or as `instead` says)."""
        if self.is_agreed:
            return
        if not self._can_ask():
            raise CliError(Exit.USAGE, f"{question} Nobody can be asked here.", hint=instead)
        if not typer.confirm(question, err=True):
            raise CliError(Exit.REFUSED, "Nothing was changed.")

    # --- folders and settings -----------------------------------------------------------------------------------

    @cached_property
    def home(self) -> Path:
        """This user's data: in `DATEFLICKS_HOME` or where this system keeps such things; a profile's is below it."""
        if chosen := self.environ.get("DATEFLICKS_HOME"):
            home = Path(chosen)
        else:
            from platformdirs import user_data_path

            home = user_data_path("dateflicks", appauthor=False)
        return home / "profiles" / self.profile_name if self.profile_name else home

    def data_folder(self, chosen: str | Path | None) -> Path:
        """Where the services of this machine keep their data: what was chosen, or beside this user's own."""
        return Path(chosen) if chosen else self.home / "server"

    @property
    def profile_name(self) -> str:
        """Which of several homes this is: by `--profile` or `DATEFLICKS_PROFILE`; empty for the usual one."""
        return self.environ.get("DATEFLICKS_PROFILE", "") if self.profile is None else self.profile

    def check_profile(self, *, is_new: bool = False) -> None:
        """Raises CliError where a profile was chosen that is not there; `is_new` when it is about to be made."""
        if self.profile_name:
            from dateflicks.cli.profiles import check_profile

            check_profile(self.profile_name, self.shared_folders[-1], is_new=is_new)

    @property
    def profile_folder(self) -> Path | None:
        """Where the chosen profile has its settings files; None without one."""
        return self.shared_folders[-1] / "profiles" / self.profile_name if self.profile_name else None

    @cached_property
    def settings_folders(self) -> tuple[Path, ...]:
        """Where settings files are looked for, the first one first: in the profile's, then in those of everybody."""
        own = self.profile_folder
        return self.shared_folders if own is None else (own, *self.shared_folders)

    @property
    def changed_folders(self) -> tuple[Path, ...]:
        """Where settings files are changed: of a profile, only its own."""
        own = self.profile_folder
        return self.shared_folders if own is None else (own,)

    @cached_property
    def shared_folders(self) -> tuple[Path, ...]:
        """Where settings files are looked for with any profile, and without one."""
        if chosen := self.settings_folder or self.environ.get("DATEFLICKS_SETTINGS"):
            folder = Path(chosen)
            if not folder.is_dir():
                raise CliError(Exit.USAGE, f"There is no folder {folder}.", hint="Name one with --settings DIR.")
            return (folder,)
        from platformdirs import user_config_path

        return (Path("settings"), user_config_path("dateflicks", appauthor=False))

    def load(self, service: str, flags: Mapping[str, Any] | None = None) -> "Loaded[Any]":
        """The settings of a service, with the flags that were typed."""
        from dateflicks.settings.loader import SERVICES, load

        found = load(service, SERVICES[service], flags=flags, environ=self.environ, folders=self.settings_folders)
        if service == "client" and self.profile_folder is not None:
            from dateflicks.cli.profiles import without_token_of_others

            return without_token_of_others(found, self.profile_folder)
        return found

    @cached_property
    def client(self) -> "ClientSettings":
        """The client's settings; `--server` wins over them."""
        import msgspec

        flags = {"server": self.server} if self.server and not self.is_evening else None
        settings: ClientSettings = self.load("client", flags).settings
        # A token of the settings is for another server.
        return msgspec.structs.replace(settings, token="") if self.is_evening else settings

    @property
    def is_evening(self) -> bool:
        """Whether the server is that of an evening hosted from this home, which `run` starts if it has ended."""
        return self.server == EVENING

    @property
    def has_server(self) -> bool:
        """Whether somebody has said which server: by a flag, a variable or a settings file."""
        return self.server is not None or self.load("client").sources["server"].kind != "default"

    @cached_property
    def server_address(self) -> str:
        """The chosen server, in the one form in which addresses are compared. Raises CliError for an evening over."""
        from dateflicks.client.address import server_address

        if self.is_evening:
            found = address_of(self.home)
            if found is None:
                raise CliError(Exit.UNREACHABLE, "The evening is over.", hint="Go on with: dateflicks watch --resume")
            return found
        return server_address(self.client.server)

    @property
    def kept_as(self) -> str:
        """The name under which the sign-in at the chosen server is kept: its address, if it stays the same."""
        return kept_as(self.home) if self.is_evening else self.server_address

    @property
    def place(self) -> str:
        """The chosen server as it is told to people, with the profile whose sign-in counts there."""
        return f"{self.server_address} (profile {self.profile_name})" if self.profile_name else self.server_address

    def choose_server(self, address: str) -> None:
        """Talk to this server from here on, as if it had been named by `--server`."""
        self.server = address
        for name in ("client", "server_address", "credentials"):
            self.__dict__.pop(name, None)

    @property
    def credentials_path(self) -> Path:
        """Where sign-ins are kept, unless a keyring has them."""
        return self.home / "credentials.json"

    @property
    def log_path(self) -> Path:
        """Where the traceback of an unforeseen failure goes."""
        return self.home / "errors.log"

    def for_children(self) -> dict[str, str]:
        """The variables of a process that is to work with the settings that this one has."""
        chosen = {"DATEFLICKS_SETTINGS": str(self.settings_folder)} if self.settings_folder else {}
        return {**self.environ, **chosen, "DATEFLICKS_PROFILE": self.profile_name}

    # --- the server ---------------------------------------------------------------------------------------------

    @cached_property
    def credentials(self) -> "CredentialStore":
        """The sign-ins of this user, by server."""
        from dateflicks.client.credentials import CredentialStore

        return CredentialStore(self.credentials_path, keep_in=self.client.credentials, profile=self.profile_name)

    @property
    def signed_in(self) -> "SignIn | None":
        """Who is signed in at the chosen server."""
        return self.credentials.get(self.kept_as)

    def acting(self, client: "ServiceClient", server: str | None = None) -> "SignIn | None":
        """The kept sign-in that `client` acts by; None where it is a token of the settings, whoever's that is."""
        if client.token == (self.client.token or None):
            return None
        kept = self.credentials.get(server or self.kept_as)
        return kept if kept is not None and kept.token == client.token else None

    def keep_ticket(self, client: "ServiceClient", session_id: str, ticket: str, server: str | None = None) -> None:
        """Remember a session's ticket with the sign-in that it was given to, if that one is kept."""
        if self.acting(client, server) is not None:
            self.credentials.put_ticket(server or self.kept_as, session_id, ticket)

    def connect(self, *, anonymously: bool = False) -> "ServiceClient":
        """A client of the chosen server (an async context manager), with this user's token unless anonymous."""
        from dateflicks.client.errors import NotSignedIn

        token = None
        if not anonymously:
            kept = None if self.client.token else self.signed_in
            token = self.client.token or (kept.token if kept else None)
            if token is None:
                raise NotSignedIn(f"Nobody is signed in at {self.place}.")
        return self.client_of(token)

    def client_of(self, token: str | None) -> "ServiceClient":
        """A client of the chosen server with this token (an async context manager)."""
        from dateflicks.client.http import ServiceClient

        settings = self.client
        return ServiceClient(
            self.server_address, token=token, timeout=settings.timeout_seconds, ca_file=settings.ca_file
        )

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """Run a coroutine to its end."""
        import asyncio

        return asyncio.run(within_evening(self, work) if self.is_evening else work)


def output_file() -> tuple[int, int]:
    """What our output goes to."""
    found = os.fstat(_stdout())
    return found.st_dev, found.st_ino


def is_hung_up(before: tuple[int, int]) -> bool:
    """Whether nobody reads our output any more: a pipe that broke may as well be one to a player or a server.

    It went to `before`; Rich, which draws the help, puts the null device there when that pipe breaks.
    """
    import select

    if output_file() != before:
        return True
    poll = select.poll()
    poll.register(_stdout(), 0)  # what is wrong with it is told unasked
    return bool(poll.poll(0))


def _stdout() -> int:
    return sys.__stdout__.fileno() if sys.__stdout__ else 1


def hang_up() -> None:
    """Whoever read our output has seen enough: let nothing more be written to it, also when the process ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _stdout())
    finally:
        os.close(nowhere)


def environment_of(ctx: typer.Context) -> CliEnvironment:
    """The environment that the root command put on the context."""
    assert isinstance(ctx.obj, CliEnvironment)
    return ctx.obj
