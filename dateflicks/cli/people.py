"""What the commands on accounts share: the databases in which something of people is kept, and how errors are told."""

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.databases import LINE_SECONDS, Place, Tell, told
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.output import Format, Printer

if TYPE_CHECKING:
    from dateflicks.server.storage.records import Document
    from dateflicks.server.upkeep.people import Account, Accounts, Details, Everywhere

LOOK: Final = "See them with 'dateflicks users list'."


@contextlib.asynccontextmanager
async def everywhere_at(place: Place, *, is_new: bool = False) -> "AsyncIterator[Everywhere]":
    """All that is kept of people there, to be changed; where nothing is kept yet only if it may be `is_new`.

    Services that run alone have a database each. Raises CliError.
    """
    from dateflicks.server.storage.database import Database, DatabaseSettings
    from dateflicks.server.upkeep.people import COLLECTIONS, Everywhere

    settings = DatabaseSettings(place.uri, place.timeout_seconds)
    databases: dict[str, Database] = {}
    with told(place), _told():
        async with contextlib.AsyncExitStack() as stack:
            for folder, names in _folders(place, is_new=is_new).items():
                wanted = [one for name in names for one in COLLECTIONS[name]]
                database = await stack.enter_async_context(Database.open(settings, folder, wanted, role="worker"))
                await database.ping()
                databases |= dict.fromkeys(names, database)
            yield Everywhere(databases)


def is_there(place: Place) -> bool:
    """Whether anything is kept there: of a MongoDB nobody knows before it is asked."""
    return not place.is_embedded or bool(_kept_in(place))


def lacking(place: Place) -> list[str]:
    """The databases in which something of people may be kept, and which are not there: of a MongoDB, none."""
    from dateflicks.server.upkeep.people import COLLECTIONS

    there = list(COLLECTIONS) if not place.is_embedded else [name for one in _kept_in(place).values() for name in one]
    return [name for name in COLLECTIONS if name not in there]


def _folders(place: Place, *, is_new: bool) -> dict[Path, list[str]]:
    """Which databases are in which folder. Raises CliError."""
    from dateflicks.server.services.session.records import DATABASE
    from dateflicks.server.upkeep.people import COLLECTIONS

    if not place.is_embedded or (is_new and not _kept_in(place)):
        return {place.folder: list(COLLECTIONS)}
    found = _kept_in(place)
    if not any(DATABASE in names for names in found.values()):
        hint = "Name the folder with --data DIR; accounts are made by services, or by 'dateflicks users create'."
        raise CliError(Exit.NOT_FOUND, f"There are no accounts at {place.name}.", hint=hint)
    return found


def _kept_in(place: Place) -> dict[Path, list[str]]:
    """The databases that are in the folder, or in the folders of services that run alone."""
    from dateflicks.server.recommendation import records as recommendation
    from dateflicks.server.services.messages import records as messages
    from dateflicks.server.services.prediction import records as prediction
    from dateflicks.server.services.session import records as session
    from dateflicks.server.services.timecode import records as timecode
    from dateflicks.server.storage.folder import EngineFolder
    from dateflicks.server.upkeep.people import COLLECTIONS

    services = {
        "session": session, "timecode": timecode, "messages": messages, "prediction": prediction,
        "recommendation": recommendation,
    }  # fmt: skip
    if EngineFolder(place.folder).databases.is_dir():
        return {place.folder: list(COLLECTIONS)}
    found = {place.folder / name: [records.DATABASE] for name, records in services.items()}
    return {folder: names for folder, names in found.items() if EngineFolder(folder).databases.is_dir()}


def _is_served(place: Place) -> bool:
    """Whether services may run: of a MongoDB nobody knows."""
    return not place.is_embedded or any(replace(place, folder=one).engine_pid is not None for one in _kept_in(place))


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
    """Accounts by name, of one state or all. Raises CliError."""
    from dateflicks.server.upkeep.people import Accounts

    found: list[Account] = []
    async with everywhere_at(place) as everywhere:
        async for one in Accounts(everywhere).all():
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
