"""Changes of what is stored, in order: each database says how many of its own it has had.

A migration adds what newer programs look for and takes nothing away, may be carried out while services run, and does
nothing the second time. So none needs a lock, and one that was interrupted begins again.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from dateflicks.core.errors import DateflicksError
from dateflicks.server.services.session import records as session
from dateflicks.server.services.session.pairing import DONE, Pairing
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.kept import Kept
from dateflicks.server.upkeep.declared import DATABASES, schema_of

VERSION_ID: Final = "schema:version"


class SchemaTooNew(DateflicksError):
    """A newer program has written this."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of one database: the version that it leads to, what it does, and how.

    `mark` is the collection and the id of a document by which services that do the same at their start say so.
    """

    database: str
    version: int
    says: str
    carry_out: Callable[[Database], Awaitable[None]]
    mark: tuple[str, str] | None = None


async def _name_pairs(database: Database) -> None:
    tables = (database.table(one) for one in (session.USERS, session.SESSIONS, session.PROGRESS))
    await Pairing(*tables).fill()


MIGRATIONS: Final = (
    Migration(
        session.DATABASE, 1, "Sessions name their two people as one pair.", _name_pairs, (session.PROGRESS.name, DONE)
    ),
)
COLLECTIONS: Final = (*session.COLLECTIONS, *(schema_of(database) for database in DATABASES))


def newest(database: str) -> int:
    """The version that this program knows of a database."""
    return max((one.version for one in MIGRATIONS if one.database == database), default=0)


async def version_of(kept: Kept, database: str) -> int:
    """The version that a database is at: what it says itself, or what its services have done meanwhile."""
    document = await kept.get(database, schema_of(database).name, VERSION_ID)
    version = 0 if document is None else int(document["version"])
    for one in MIGRATIONS:
        is_next = one.database == database and one.version == version + 1
        if is_next and one.mark is not None and await kept.get(database, *one.mark) is not None:
            version = one.version
    return version


async def pending(kept: Kept) -> list[Migration]:
    """What is to be done, in order. Raises SchemaTooNew."""
    at = {database: await version_of(kept, database) for database in DATABASES}
    check_versions(at)
    return [one for one in MIGRATIONS if one.version > at[one.database]]


def check_versions(versions: dict[str, int]) -> None:
    """See that this program knows all of them. Raises SchemaTooNew."""
    for database, version in versions.items():
        if version > newest(database):
            raise SchemaTooNew(
                f"{database} is at version {version}, and this program knows {newest(database)} at most.\n"
                "Use the program that wrote it, or a newer one."
            )


async def migrate(database: Database, migrations: Sequence[Migration], done: Callable[[Migration], None]) -> None:
    """Carry these out, on a database that is open with `COLLECTIONS`; what is done is told at once.

    Raises Unavailable, StorageFault: what was done until then stays, and is not done again.
    """
    for one in migrations:
        await one.carry_out(database)
        await database.table(schema_of(one.database)).upsert({"_id": VERSION_ID, "rev": 1, "version": one.version})
        done(one)
