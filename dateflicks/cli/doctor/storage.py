"""What the services keep here: the folder and its room, the signing key, the database. Nothing of it is changed."""

import asyncio
import os
import shutil
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from dateflicks.cli.databases import Place, kept_at, place_of
from dateflicks.cli.doctor.finding import Finding, fine, note, wrong
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.services import ALL

if TYPE_CHECKING:
    from dateflicks.server.upkeep.status import CollectionStatus

LITTLE_BYTES: Final = 1_000_000_000
TOO_LITTLE_BYTES: Final = 50_000_000
PATIENCE_SECONDS: Final = 4.0
_FIXES: Final = {
    Exit.UNREACHABLE: "Start that MongoDB, or keep all in files: dateflicks config unset all.mongo.uri",
    Exit.SIGN_IN: "dateflicks config set all.mongo.uri -",
    Exit.USAGE: "dateflicks config set all.mongo.uri -",
}
_UNITS: Final = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def storage(environment: CliEnvironment) -> list[Finding]:
    """The folder of the data and that of this user: whether they can be written to, and the room that is left."""
    folders = dict.fromkeys((environment.home, place_of(environment, ALL, None).folder))
    return [_of_folder(folder) for folder in folders]


def _of_folder(folder: Path) -> Finding:
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not there.is_dir():
        return wrong(
            "storage", f"{there} is a file, and {folder} should be a folder.", f"mv {quote(str(there))} elsewhere"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        fix = f"chmod u+rwx {quote(str(there))}, or name another folder: dateflicks config set all.server.data DIR"
        return wrong("storage", f"{there} cannot be written to.", fix)
    free = shutil.disk_usage(there).free
    state = "" if there == folder else ", made at the first start"
    said = f"{folder}{state}; {size(free)} free"
    if free < TOO_LITTLE_BYTES:
        return wrong(
            "storage",
            f"{said}: too little to keep anything.",
            f"Make room: du -xh {quote(str(there))} | sort -h | tail",
        )
    if free < LITTLE_BYTES:
        return note("storage", f"{said}, which is little.", f"du -xh {quote(str(there))} | sort -h | tail")
    return fine("storage", said)


def size(count: int) -> str:
    """A number of bytes for people."""
    return next((f"{count / unit:.1f} {name}" for name, unit in _UNITS if count >= unit), f"{count} bytes")


def key(environment: CliEnvironment) -> list[Finding]:
    """The deployment's signing key, without making one."""
    from dateflicks.server.auth.key import KeyUnusable, signing_key

    place = place_of(environment, ALL, None)
    if not place.key and not place.key_file.exists():
        return [fine("key", f"none yet; made at the first start, as {place.key_file}")]
    try:
        signing_key(place.key, place.key_file)
    except KeyUnusable as error:
        fix = "dateflicks config unset all.auth.key" if place.key else f"chmod 600 {quote(str(place.key_file))}"
        return [wrong("key", str(error), fix)]
    return [fine("key", "that of the settings" if place.key else f"{place.key_file}, for its owner only")]


async def database(environment: CliEnvironment) -> list[Finding]:
    """The database and its engine, its indexes and its migrations."""
    from dateflicks.server.storage.records import StorageFault

    try:
        return await _of_database(place_of(environment, ALL, None))
    except StorageFault as error:
        return [wrong("database", str(error), "dateflicks db restore FILE --replace")]
    except CliError as error:
        failure = error.failure
        if failure.exit not in _FIXES:
            raise
        found = " ".join(part for part in (failure.what, failure.why) if part).partition(" (configured timeouts")[0]
        return [wrong("database", found, failure.hint or _FIXES[failure.exit])]


async def _of_database(place: Place) -> list[Finding]:
    from dateflicks.server.upkeep.status import status_of

    async with kept_at(place, patience_seconds=PATIENCE_SECONDS) as kept:
        found = await status_of(kept)
        about = f"{kept.engine} ({kept.version}), {place.name}"
    pid = place.engine_pid if place.is_embedded else None
    if pid is not None:
        if not await _answers(place):
            said = f"The engine that has {place.name} does not answer (process {pid})."
            return [wrong("database", said, "Stop 'dateflicks serve' and start it again.")]
        about += f", answers as process {pid}"
    if not found:
        return [fine("database", f"{about}: nothing kept yet")]
    documents = sum(one.documents for one in found)
    said = f"{about}: {len(found)} collections, {documents} document{'' if documents == 1 else 's'}"
    return [fine("database", said), *_of_collections(found)]


async def _answers(place: Place) -> bool:
    """Whether the engine that runs gives a sign of life; one that has ended meanwhile need not."""
    import urllib.parse

    from dateflicks.core.errors import Unavailable
    from dateflicks.server.storage.folder import EngineFolder
    from dateflicks.server.storage.mongokept import connected

    path = await EngineFolder(place.folder).running()
    if path is None:
        return True
    uri = f"mongodb://{urllib.parse.quote(os.fspath(path), safe='')}/"
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), connected(uri, patience_seconds=PATIENCE_SECONDS):
            return True
    except (Unavailable, TimeoutError):
        return False


def _of_collections(found: "list[CollectionStatus]") -> list[Finding]:
    findings = []
    if lacking := [f"{one.database}.{one.collection}" for one in found if one.missing_indexes]:
        said = f"indexes are missing: {', '.join(lacking)}"
        findings.append(wrong("database", said, "dateflicks db indexes --apply"))
    versions = [one for one in found if one.problem and one.schema_version != one.schema_known]
    if newer := [one.database for one in versions if one.schema_version > one.schema_known]:
        said = f"written by a newer program: {', '.join(newer)}"
        findings.append(wrong("database", said, "pipx upgrade dateflicks"))
    if older := [one.problem or "" for one in versions if one.schema_version < one.schema_known]:
        findings.append(wrong("database", "; ".join(older), "dateflicks db migrate"))
    return findings or [fine("database", "indexes and migrations are as declared")]
