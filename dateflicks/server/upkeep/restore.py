"""A backup put back, whichever engine it came from: all of it or nothing.

The archive is gone through before anything is written. The embedded engine is filled in a folder beside, by an engine
of our own, and the folders change places when what was written reads as what was backed up. A MongoDB is filled where
it is while it is empty, and otherwise beside, under other names, which then take the place of those that are there.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from dateflicks.core.errors import DateflicksError
from dateflicks.server.services.session import records as session
from dateflicks.server.storage.embedded import EmbeddedEngine
from dateflicks.server.storage.folder import EngineFolder
from dateflicks.server.storage.kept import Kept
from dateflicks.server.storage.lines import Digest, from_line, to_line
from dateflicks.server.storage.mongokept import Filling, MongoKept, connected
from dateflicks.server.storage.nxfiles import NxFiles
from dateflicks.server.storage.records import Duplicate, StorageFault
from dateflicks.server.upkeep.archive import ArchiveReader, BackupUnusable, Head, Manifest
from dateflicks.server.upkeep.backup import Tell
from dateflicks.server.upkeep.declared import COLLECTIONS, DATABASES, schema_of
from dateflicks.server.upkeep.migrations import check_versions

BATCH: Final = 500
RESTORING: Final = "restoring"  # the folder that is filled, and the first word of collections that are
REPLACED: Final = "databases.replaced"  # what was there, for the moment in which folders change places
OLD: Final = "databases.old"
INDEX_FOLDER: Final = "videos-index"  # of the videos service: made of the database, and anew when it is not there
_SAYS_NOTHING: Final = frozenset(
    {(session.DATABASE, session.PROGRESS.name), *((name, schema_of(name).name) for name in DATABASES)}
)


class NotEmpty(DateflicksError):
    """There is something where a backup is to be restored."""


@dataclass(frozen=True, slots=True)
class Checked:
    """An archive that is whole and was not changed."""

    head: Head
    manifest: Manifest
    key: bytes | None


def check(stream: BinaryIO, tell: Tell) -> Checked:
    """Go through an archive from its beginning. Raises BackupUnusable, SchemaTooNew, OSError."""
    stream.seek(0)
    reader = ArchiveReader(stream)
    digests: dict[tuple[str, str], Digest] = {}
    done = 0
    for part in reader.parts():
        digest = digests.setdefault((part.database, part.collection), Digest())
        for line in part.lines:
            digest.add(line)
        done += len(part.lines)
        tell("looking through it", done, 0)
    manifest = reader.manifest
    assert manifest is not None
    said = {(database, name): one for database, all_ in manifest.databases.items() for name, one in all_.items()}
    for place, one in said.items():
        digest = digests.pop(place, Digest())
        if (digest.count, digest.text) != (one.documents, one.digest):
            raise BackupUnusable(f"This backup is damaged: {'.'.join(place)} is not what its manifest says.")
    if digests or not {*manifest.databases, *manifest.schemas} <= set(DATABASES):
        raise BackupUnusable("This backup holds databases that this program does not know.")
    check_versions(manifest.schemas)
    return Checked(reader.head, manifest, reader.key)


async def documents_in(kept: Kept) -> int:
    """How many documents there are that a restore would lose."""
    count = 0
    for database in await kept.databases():
        if database in DATABASES:
            found = await kept.collections(database)
            count += sum(one.documents for one in found if (database, one.name) not in _SAYS_NOTHING)
    return count


# --- the embedded engine --------------------------------------------------------------------------------------------


async def restore_files(stream: BinaryIO, checked: Checked, data: Path, *, replace: bool, tell: Tell) -> None:
    """Restore into a data folder that nobody uses.

    Raises FolderInUse, NotEmpty, BackupUnusable, Unavailable, StorageFault, OSError: nothing is changed then.
    """
    async with _held(data) as folder:
        beside = folder.path / RESTORING
        mend(folder)
        with NxFiles.open(data) as kept:
            _see_whether_empty(await documents_in(kept), replace=replace)
        try:
            engine = EmbeddedEngine(beside, "worker")
            await engine.start()
            try:
                async with connected(engine.uri) as client:
                    await _fill(stream, checked, Filling(client), tell)
            finally:
                await engine.stop()
            with NxFiles.open(beside) as kept:
                await _compare(kept, checked.manifest, lambda name: name, tell)
            fresh = EngineFolder(beside).databases
            _sync(fresh)
            _change_places(folder, fresh)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        _forget_what_was_made_of_it(data)


@contextlib.asynccontextmanager
async def _held(data: Path) -> AsyncIterator[EngineFolder]:
    """The folder for us alone: neither services nor jobs. Raises FolderInUse."""
    folder = EngineFolder(data)
    seat = await folder.claim_seat()
    try:
        lock = await folder.claim()
        try:
            yield folder
        finally:
            os.close(lock)
    finally:
        os.close(seat)


def mend(folder: EngineFolder) -> None:
    """Put right what a restore has left that was ended half-way, by a power cut perhaps. Raises NotEmpty."""
    replaced = folder.path / REPLACED
    for leftover in (folder.path / RESTORING, folder.path / OLD):
        shutil.rmtree(leftover, ignore_errors=True)
    if not replaced.exists():
        return
    if any(folder.databases.iterdir()):
        raise NotEmpty(
            f"{replaced} is what was there before a restore that was ended half-way, and services have begun anew.\n"
            f"Keep what you want of that folder and of {folder.databases.name} beside it, and move it away."
        )
    folder.databases.rmdir()
    replaced.rename(folder.databases)


def _change_places(folder: EngineFolder, fresh: Path) -> None:
    """Nothing is awaited here, so that nobody interrupts it."""
    replaced, old = folder.path / REPLACED, folder.path / OLD
    folder.databases.rename(replaced)
    try:
        fresh.rename(folder.databases)
    except OSError:
        replaced.rename(folder.databases)
        raise
    replaced.rename(old)
    _sync_folder(folder.path)
    shutil.rmtree(old, ignore_errors=True)


def _forget_what_was_made_of_it(data: Path) -> None:
    for index in (data / INDEX_FOLDER, *data.glob(f"worker-*/{INDEX_FOLDER}")):
        shutil.rmtree(index, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- a MongoDB ------------------------------------------------------------------------------------------------------


async def restore_mongo(stream: BinaryIO, checked: Checked, uri: str, *, replace: bool, tell: Tell) -> None:
    """Restore into a MongoDB that no services use.

    Raises NotEmpty, BackupUnusable, SignInRefused, Unavailable, StorageFault: nothing is changed then, unless the
    database went away while what was there was replaced; that begins only when all else is done.
    """
    async with connected(uri) as client:
        async with MongoKept.open(client) as kept:
            there = await documents_in(kept)
            _see_whether_empty(there, replace=replace)
            before = {
                (database, one.name)
                for database in await kept.databases()
                if database in DATABASES
                for one in await kept.collections(database)
            }
        filling = Filling(client, RESTORING if there else "")
        try:
            await _fill(stream, checked, filling, tell)
            async with MongoKept.open(client) as kept:
                await _compare(kept, checked.manifest, filling.name_of, tell)
        except BaseException:
            await asyncio.shield(filling.undo())
            raise
        await filling.show()
        said = {(database, name) for database, all_ in checked.manifest.databases.items() for name in all_}
        for database, name in sorted(before - said) if there else ():
            await filling.drop(database, name)


# --- both -----------------------------------------------------------------------------------------------------------


def _see_whether_empty(documents: int, *, replace: bool) -> None:
    if documents and not replace:
        raise NotEmpty(
            f"There are {documents} documents already where this is to be restored.\n"
            "Say --replace, and they are deleted once the backup is there whole."
        )


async def _fill(stream: BinaryIO, checked: Checked, filling: Filling, tell: Tell) -> None:
    """Write all documents, then what they are looked up by."""
    for database, collections in checked.manifest.databases.items():
        for collection in collections:
            await filling.begin(database, collection)
    stream.seek(0)
    done, total = 0, checked.manifest.documents
    for part in ArchiveReader(stream).parts():
        for lines in _batches(part.lines):
            try:
                await filling.insert(part.database, part.collection, [_read(line) for line in lines])
            except Duplicate as error:
                raise BackupUnusable(f"This backup is damaged: {part.collection} has a document twice.") from error
            done += len(lines)
            tell(f"writing {part.collection}", done, total)
    for declared in COLLECTIONS:
        if declared.name in checked.manifest.databases.get(declared.database, {}):
            await filling.index(declared)


def _batches(lines: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(lines), BATCH):
        yield lines[start : start + BATCH]


def _read(line: bytes) -> dict[str, object]:
    try:
        document = from_line(line)
    except ValueError as error:
        raise BackupUnusable(f"This backup is damaged: a document in it cannot be read: {error}.") from error
    if not isinstance(document["_id"], str):  # of others the embedded engine takes some for the same
        raise BackupUnusable("This backup is damaged: a document in it has an id that none of ours has.")
    return document


async def _compare(kept: Kept, manifest: Manifest, name_of: Callable[[str], str], tell: Tell) -> None:
    """Read all of it again: it must be what was backed up. Raises StorageFault."""
    done = 0
    for database, collections in manifest.databases.items():
        for name, said in collections.items():
            digest = Digest()
            async for page in kept.documents(database, name_of(name)):
                for document in page:
                    digest.add(to_line(document))
                tell(f"comparing {name}", done + digest.count, manifest.documents)
            done += digest.count
            if (digest.count, digest.text) != (said.documents, said.digest):
                raise StorageFault(
                    f"{database}.{name} does not come back from this database as it is in the backup: "
                    f"{digest.count} of {said.documents} documents, or other ones. Nothing was changed."
                )
