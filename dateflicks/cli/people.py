"""What the commands on accounts share: the databases in which something of people is kept, and how errors are told."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.databases import LINE_SECONDS, Place, Tell, place_of, told
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format, Printer
from dateflicks.cli.services import ALL

if TYPE_CHECKING:
    from dateflicks.server.storage.records import Document
    from dateflicks.server.upkeep.people import Account, Accounts, Details, Everywhere

LOOK: Final = "See them with 'dateflicks users list'."
OWNER: Final = "session"  # the service that has the accounts


@dataclass(frozen=True)
class Alone(Place):
    """Where services keep their things that run alone: the session service's, and by database that of each."""

    parts: Mapping[str, Place] = field(default_factory=dict)


def place_of_accounts(environment: CliEnvironment, service: str, data: Path | None) -> Place:
    """By the settings of `all`; or by those of the session service and of each other one, where they run alone.

    Raises SettingsError, CliError.
    """
    place = place_of(environment, service, data)
    if service == ALL:
        return place
    if service != OWNER:
        raise CliError(Exit.USAGE, f"The service '{service}' has no accounts.", hint=f"Say --service {OWNER}.")
    parts = {database: place_of(environment, name, data) for name, database in _databases().items()}
    return Alone(**{one.name: getattr(place, one.name) for one in fields(place)}, parts=parts)


@contextlib.asynccontextmanager
async def everywhere_at(place: Place, *, is_new: bool = False) -> "AsyncIterator[Everywhere]":
    """All that is kept of people there, to be changed; where nothing is kept yet only if it may be `is_new`.

    Services that run alone have a database each. Raises CliError.
    """
    from dateflicks.server.storage.database import Database, DatabaseSettings
    from dateflicks.server.upkeep.people import COLLECTIONS, Everywhere

    databases: dict[str, Database] = {}
    with told(place), _told():
        async with contextlib.AsyncExitStack() as stack:
            for one, names in _opened(place, is_new=is_new):
                settings = DatabaseSettings(one.uri, one.timeout_seconds)
                wanted = [collection for name in names for collection in COLLECTIONS[name]]
                database = await stack.enter_async_context(Database.open(settings, one.folder, wanted, role="worker"))
                await database.ping()
                databases |= dict.fromkeys(names, database)
            yield Everywhere(databases)


def is_there(place: Place) -> bool:
    """Whether accounts are kept there: of a MongoDB nobody knows before it is asked."""
    from dateflicks.server.services.session.records import DATABASE

    return any(DATABASE in names for _, names in _kept_in(place))


def lacking(place: Place) -> list[str]:
    """The databases in which something of people may be kept, and which are not there: of a MongoDB, none."""
    from dateflicks.server.upkeep.people import COLLECTIONS

    there = [name for _, names in _kept_in(place) for name in names]
    return [name for name in COLLECTIONS if name not in there]


def _opened(place: Place, *, is_new: bool) -> list[tuple[Place, list[str]]]:
    """Which databases are where. Raises CliError."""
    from dateflicks.server.services.session.records import DATABASE
    from dateflicks.server.upkeep.people import COLLECTIONS

    if is_new and not is_there(place):
        return [(place, [DATABASE] if isinstance(place, Alone) else list(COLLECTIONS))]
    found = _kept_in(place)
    if not is_there(place):
        hint = "Name the folder with --data DIR; accounts are made by services, or by 'dateflicks users create'."
        raise CliError(Exit.NOT_FOUND, f"There are no accounts at {place.name}.", hint=hint)
    return found


def _kept_in(place: Place) -> list[tuple[Place, list[str]]]:
    """Where there is something, in one place or in those of services that run alone, and which databases that are."""
    from dateflicks.server.upkeep.people import COLLECTIONS

    if isinstance(place, Alone):
        found = [(one, [database]) for database, one in place.parts.items()]
    elif _has_database(place):
        found = [(place, list(COLLECTIONS))]
    else:
        found = [(replace(place, folder=place.folder / name), [one]) for name, one in _databases().items()]
    return [(one, names) for one, names in found if _has_database(one)]


def _has_database(place: Place) -> bool:
    from dateflicks.server.storage.folder import EngineFolder

    return not place.is_embedded or EngineFolder(place.folder).databases.is_dir()


def _databases() -> dict[str, str]:
    """The databases in which something of people is kept, by the service that keeps them."""
    from dateflicks.server.recommendation import records as recommendation
    from dateflicks.server.services.messages import records as messages
    from dateflicks.server.services.prediction import records as prediction
    from dateflicks.server.services.session import records as session
    from dateflicks.server.services.timecode import records as timecode

    return {
        "session": session.DATABASE, "timecode": timecode.DATABASE, "messages": messages.DATABASE,
        "prediction": prediction.DATABASE, "recommendation": recommendation.DATABASE,
    }  # fmt: skip


def _is_served(place: Place) -> bool:
    """Whether services may run: of a MongoDB nobody knows."""
    return any(not one.is_embedded or one.engine_pid is not None for one, _ in _kept_in(place))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    from dateflicks.server.upkeep.people import NoSuchAccount, NotTheirs

    try:
        yield
    except NoSuchAccount as error:
        raise CliError(Exit.NOT_FOUND, str(error), hint=LOOK) from error
    except NotTheirs as error:
        raise CliError(Exit.REFUSED, str(error)) from error


async def listed(place: Place, state: str, limit: int) -> "list[Account]":
    """Accounts by name, of one state, or all that were not erased. Raises CliError."""
    from dateflicks.server.upkeep.people import Accounts

    found: list[Account] = []
    async with everywhere_at(place) as everywhere:
        async for one in Accounts(everywhere).all(erased=state == "erased"):
            if state in ("", one.state):
                found.append(one)
            if len(found) == limit:
                break
    return found


async def shown(place: Place, name: str) -> "Details":
    """One account. Raises CliError."""
    async with account_at(place, name) as (accounts, user):
        return await accounts.details(user)


@contextlib.asynccontextmanager
async def account_at(place: Place, name: str) -> "AsyncIterator[tuple[Accounts, Document]]":
    """One account, to be changed. Raises CliError."""
    from dateflicks.server.upkeep.people import Accounts

    async with everywhere_at(place) as everywhere:
        accounts = Accounts(everywhere)
        yield accounts, await accounts.find(name)


async def created(place: Place, name: str, password: str, *, is_one_time: bool) -> "Details":
    """A new account, also where there is no database yet. Raises CliError."""
    from dateflicks.cli.seeding import bring_up_to_date
    from dateflicks.server.upkeep.people import Accounts

    is_first = not is_there(place)
    async with everywhere_at(place, is_new=True) as everywhere:
        accounts = Accounts(everywhere)
        found = await accounts.details(await accounts.create(name, password, is_one_time=is_one_time))
    if is_first:
        with told(place):
            await bring_up_to_date(place)
    return found


async def export_to(environment: CliEnvironment, place: Place, name: str, form: Format) -> None:
    """Write everything that is kept of a person to stdout, as one document or a line each. Raises CliError."""
    from dateflicks.server.upkeep.people import Accounts
    from dateflicks.server.upkeep.people_export import KINDS, exported

    printer = Printer(environment.stdout, form, (), color=False, width=None)
    document: dict[str, Any] = {kind: [] for kind in KINDS}
    async with everywhere_at(place) as everywhere:
        user = await Accounts(everywhere).find(name)
        async for kind, record in exported(everywhere, user):
            if form is Format.JSONL:
                printer.event({"kind": kind, **record}, ())
            else:
                document[kind].append(record)
    if form is Format.JSON:
        printer.one({**document, "account": document["account"][0]}, ())


async def erased(environment: CliEnvironment, place: Place, user_id: str) -> dict[str, int]:
    """Erase a person; how much of what was deleted or made nameless. Raises CliError."""
    from dateflicks.server.upkeep.people import Accounts
    from dateflicks.server.upkeep.people_erase import SETTLE_SECONDS, Erasing

    settle_seconds = SETTLE_SECONDS if _is_served(place) else 0.0
    async with everywhere_at(place) as everywhere:
        user = await Accounts(everywhere).find(user_id)
        erasing = Erasing(everywhere, user, _progress(environment), settle_seconds=settle_seconds)
        return dict(await erasing.run())


def _progress(environment: CliEnvironment) -> Tell:
    """Say on stderr what is waited for, and now and then how far it is."""
    last = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        if not total:
            environment.say(f"{what}…")
        elif time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            environment.say(f"{done} of {total} {what}")

    return tell
