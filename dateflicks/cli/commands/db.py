"""The database as a whole: how it is, its indexes, its migrations, backups, and something to try things with."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dateflicks.cli.databases import Place, kept_at, place_of, told
from dateflicks.cli.environment import CliEnvironment, environment_of
from dateflicks.cli.exits import Exit

if TYPE_CHECKING:
    from dateflicks.server.upkeep.migrations import Migration
    from dateflicks.server.upkeep.status import CollectionStatus, IndexStatus
from dateflicks.cli.services import DEPLOYMENTS

app = typer.Typer(add_completion=False)

STATUS = ("database", "collection", "documents", "bytes", "problem")
INDEXES = ("database", "collection", "fields", "unique", "state")
MIGRATIONS = ("database", "version", "state", "says")
BACKUP = ("file", "documents", "bytes", "databases", "engine", "consistency", "has_key")
SEEDED = ("name", "password")
RESTORE = ("documents", "databases", "made_at", "made_by", "from_engine", "key")

ServiceOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Whose database, where services run alone.",
        autocompletion=lambda: list(DEPLOYMENTS),
    ),
]
DataOption = Annotated[Path | None, typer.Option(metavar="DIR", help="The folder of the data.")]
FileArgument = Annotated[Path, typer.Argument(metavar="FILE|-", help="The file of the backup; - is a pipe.")]


@app.callback(invoke_without_command=True)
def db(ctx: typer.Context) -> None:
    """See, mend, back up and restore the database. Without a verb: show how it is.

    dateflicks db status
    dateflicks db backup evening.dfb
    dateflicks db backup - | ssh nas 'cat > dateflicks.dfb'
    """
    if ctx.invoked_subcommand is None:
        status(ctx)


@app.command()
def status(ctx: typer.Context, service: ServiceOption = "all", data: DataOption = None) -> None:
    """Show what is kept, how much of it, and what is wrong. Exit code 9 when something is."""
    environment = environment_of(ctx)
    place = place_of(environment, service, data)
    found = environment.run(_status(environment, place))
    environment.show_all(found, STATUS, empty=f"There is no database yet at {place.name}; services make it.")
    if any(one.problem for one in found):
        if any(one.missing_indexes for one in found):
            environment.complain("Create what is missing with 'dateflicks db indexes --apply'.")
        if any(one.schema_version < one.schema_known for one in found if one.problem):
            environment.complain("Bring it up to date with 'dateflicks db migrate'.")
        raise typer.Exit(Exit.PROBLEMS)


@app.command()
def indexes(
    ctx: typer.Context,
    apply: Annotated[bool, typer.Option("--apply", help="Create what is missing.")] = False,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """Compare the indexes that are declared with those that there are. Exit code 9 when some are missing."""
    from dateflicks.server.upkeep.status import is_wrong

    environment = environment_of(ctx)
    place = place_of(environment, service, data)
    found = environment.run(_indexes(place))
    if apply and any(is_wrong(one) for one in found):
        before = sum(is_wrong(one) for one in found)
        environment.run(_apply(place, {(one.database, one.collection) for one in found}))
        found = environment.run(_indexes(place))
        made = before - sum(is_wrong(one) for one in found)
        environment.say("1 index was created." if made == 1 else f"{made} indexes were created.")
    environment.show_all(found, INDEXES, empty=f"There is no database yet at {place.name}; services make it.")
    if any(is_wrong(one) for one in found):
        environment.complain("Create what is missing with 'dateflicks db indexes --apply'.")
        raise typer.Exit(Exit.PROBLEMS)


@app.command()
def migrate(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """Bring what is stored up to date. Services may run meanwhile, and what was done is not done again."""
    environment = environment_of(ctx)
    place = place_of(environment, service, data)
    todo = environment.run(_pending(place))
    if not todo:
        environment.show_all([], MIGRATIONS, empty="The database is up to date.")
        return
    if not dry_run:
        environment.run(_migrate(environment, place, todo))
    environment.show_all([_shown(one, "pending" if dry_run else "done") for one in todo], MIGRATIONS, empty="")


@app.command()
def backup(
    ctx: typer.Context,
    file: FileArgument,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Also the key that signs tokens: who has it can be anybody.")
    ] = False,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """Write everything that is kept to a file, while services run or not.

    dateflicks db backup dateflicks.dfb
    dateflicks db backup - | gpg -c > dateflicks.dfb.gpg

    It is for its owner only: messages are in it, and passwords as hashes.
    """
    from dateflicks.cli.backing_up import back_up_to

    environment = environment_of(ctx)
    record = back_up_to(environment, place_of(environment, service, data), file, with_key=with_key)
    if str(file) == "-":
        environment.say(f"{record['documents']} documents were written.")
    else:
        environment.show(record, BACKUP)


@app.command()
def restore(
    ctx: typer.Context,
    file: FileArgument,
    replace: Annotated[bool, typer.Option("--replace", help="Delete what is there, once the backup is.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only see whether the file is whole.")] = False,
    service: ServiceOption = "all",
    data: DataOption = None,
) -> None:
    """Put a backup back, of either engine into either. Stop the services before.

    dateflicks db restore dateflicks.dfb
    DATEFLICKS_ALL_MONGO_URI=mongodb://localhost dateflicks db restore dateflicks.dfb

    All of it is restored, or nothing.
    """
    from dateflicks.cli.backing_up import restore_from

    environment = environment_of(ctx)
    place = place_of(environment, service, data)
    environment.show(restore_from(environment, place, file, replace=replace, is_check=check), RESTORE)


@app.command()
def seed(
    ctx: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Also where there is something already.")] = False,
    data: DataOption = None,
) -> None:
    """Put something there to try things with: two people, films, sessions, a talk, a prediction.

    dateflicks db seed --data demo
    dateflicks serve all --data demo

    Their passwords are made up, and shown only here.
    """
    from dateflicks.cli.seeding import seed as fill

    environment = environment_of(ctx)
    people = fill(environment, place_of(environment, "all", data), is_forced=force)
    environment.show_all(people, SEEDED, empty="")
    environment.say("Start the services, and sign in as one of them: dateflicks login NAME --password-stdin")


async def _status(environment: CliEnvironment, place: Place) -> "list[CollectionStatus]":
    from dateflicks.server.upkeep.status import status_of

    async with kept_at(place) as kept:
        found = await status_of(kept)
        if found:
            pid = place.engine_pid if place.is_embedded else None
            run_by = f", run by process {pid}" if pid else ""
            environment.say(f"{kept.engine} ({kept.version}), {place.name}{run_by}")
        return found


async def _indexes(place: Place) -> "list[IndexStatus]":
    from dateflicks.server.upkeep.status import indexes_of

    async with kept_at(place) as kept:
        return await indexes_of(kept)


async def _apply(place: Place, collections: set[tuple[str, str]]) -> None:
    from dateflicks.server.storage.database import Database, DatabaseSettings
    from dateflicks.server.upkeep.declared import COLLECTIONS

    wanted = [one for one in COLLECTIONS if (one.database, one.name) in collections]
    settings = DatabaseSettings(place.uri, place.timeout_seconds)
    with told(place):
        async with Database.open(settings, place.folder, role="worker") as database:
            await database.ping()
            await database.ensure(wanted)


async def _pending(place: Place) -> "list[Migration]":
    from dateflicks.server.upkeep.migrations import pending

    async with kept_at(place) as kept:
        there = set(await kept.databases())
        return [one for one in await pending(kept) if one.database in there]


async def _migrate(environment: CliEnvironment, place: Place, todo: "list[Migration]") -> None:
    from dateflicks.server.storage.database import Database, DatabaseSettings
    from dateflicks.server.upkeep.migrations import COLLECTIONS, migrate

    names = {one.database for one in todo}
    wanted = [one for one in COLLECTIONS if one.database in names]
    settings = DatabaseSettings(place.uri, place.timeout_seconds)
    with told(place):
        async with Database.open(settings, place.folder, wanted, role="worker") as database:
            await database.ping()
            await migrate(database, todo, lambda one: environment.say(f"{one.database} is at version {one.version}."))


def _shown(one: "Migration", state: str) -> dict[str, Any]:
    return {"database": one.database, "version": one.version, "state": state, "says": one.says}
