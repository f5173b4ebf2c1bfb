"""What the commands on the database share: where it is by the settings, how it is read, and how errors are told."""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.services import ALL, check_service

if TYPE_CHECKING:
    from dateflicks.server.storage.kept import Kept

LINE_SECONDS: Final = 5.0

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Place:
    """Where a deployment keeps its things: `folder` is that of the embedded database, `uri` says whether it is one."""

    uri: str
    timeout_seconds: float
    folder: Path
    key: str
    key_file: Path

    @property
    def is_embedded(self) -> bool:
        """Whether the database is files of ours."""
        from dateflicks.server.storage.database import EMBEDDED

        return self.uri == EMBEDDED

    @property
    def name(self) -> str:
        """It in words, without passwords."""
        return str(self.folder) if self.is_embedded else "the MongoDB of 'mongo.uri'"

    @property
    def engine_pid(self) -> int | None:
        """The process that runs the embedded engine, as far as one does."""
        from dateflicks.server.storage.folder import EngineFolder

        with contextlib.suppress(OSError, ValueError):
            pid = int(EngineFolder(self.folder).pid.read_text(encoding="ascii"))
            os.kill(pid, 0)
            return pid
        return None


def place_of(environment: CliEnvironment, service: str, data: Path | None) -> Place:
    """By the settings of `all`, or of one service that runs alone. Raises SettingsError, CliError."""
    from dateflicks.server.auth.key import FILE_NAME

    check_service(service)
    flags = {"server.data": str(data)} if data is not None else {}
    hosting = environment.load(service, flags).settings
    folder = environment.data_folder(hosting.server.data)
    return Place(
        uri=hosting.mongo.uri,
        timeout_seconds=hosting.mongo.timeout_seconds,
        folder=folder if service == ALL else folder / service,
        key=hosting.auth.key,
        key_file=Path(hosting.auth.key_file) if hosting.auth.key_file else folder / FILE_NAME,
    )


@contextlib.asynccontextmanager
async def kept_at(place: Place, *, patience_seconds: float | None = None) -> "AsyncIterator[Kept]":
    """All that is kept there, to be read; a MongoDB is waited for so long. Raises CliError."""
    from dateflicks.server.upkeep.declared import DATABASES

    with told(place):
        if place.is_embedded:
            from dateflicks.server.storage.nxfiles import NxFiles

            with NxFiles.open(place.folder, DATABASES) as files:
                yield files
        else:
            from dateflicks.server.storage.mongokept import PATIENCE_SECONDS, MongoKept, connected

            patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
            async with connected(place.uri, patience_seconds=patience) as client, MongoKept.open(client) as kept:
                yield kept


@contextlib.contextmanager
def told(place: Place) -> Iterator[None]:
    """What goes wrong with a database, with its exit code. Raises CliError."""
    from dateflicks.core.errors import Unavailable
    from dateflicks.server.storage.database import DatabaseAddressWrong
    from dateflicks.server.storage.folder import FolderInUse
    from dateflicks.server.storage.mongokept import SignInRefused
    from dateflicks.server.storage.records import StorageFull
    from dateflicks.server.upkeep.migrations import SchemaTooNew
    from dateflicks.server.upkeep.restore import NotEmpty

    try:
        yield
    except (FolderInUse, NotEmpty, SchemaTooNew) as error:
        raise _cli_error(Exit.REFUSED, error) from error
    except DatabaseAddressWrong as error:
        raise _cli_error(Exit.USAGE, error) from error
    except SignInRefused as error:
        raise _cli_error(Exit.SIGN_IN, error) from error
    except StorageFull as error:
        raise _cli_error(Exit.FAILED, error) from error
    except Unavailable as error:
        raise _cli_error(Exit.UNREACHABLE, error) from error
    except PermissionError as error:
        what = f"{error.filename or place.folder} cannot be used: {error.strerror}."
        raise CliError(Exit.FAILED, what) from error


def _cli_error(code: Exit, error: Exception) -> CliError:
    what, _, why = str(error).partition("\n")
    return CliError(code, what, why=why)


@contextlib.contextmanager
def counting(environment: CliEnvironment) -> Iterator[Tell]:
    """Tell on stderr how far something is: what, how many of how many (0: nobody knows)."""
    if environment.is_quiet:
        yield lambda _what, _done, _total: None
    elif environment.stderr.isatty() and environment.environ.get("TERM") != "dumb":
        with _bar(environment) as tell:
            yield tell
    else:
        yield _lines(environment)


def _lines(environment: CliEnvironment) -> Tell:
    last = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            environment.say(f"{what}: {done} of {total} documents" if total else f"{what}: {done} documents")

    return tell


@contextlib.contextmanager
def _bar(environment: CliEnvironment) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    color = environment.is_colored(environment.stderr)
    console = Console(file=environment.stderr, color_system="auto" if color else None, highlight=False)
    columns = (
        TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), MofNCompleteColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda what, done, total: bars.update(task, description=what, completed=done, total=total or None)
