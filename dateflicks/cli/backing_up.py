"""Backups as files of a user: written beside and put in place when they are whole, read from a file or a pipe."""

import contextlib
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from dateflicks import __version__
from dateflicks.cli.databases import Place, counting, kept_at, told
from dateflicks.cli.environment import CliEnvironment, hang_up
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

if TYPE_CHECKING:
    from dateflicks.server.upkeep.archive import Manifest
    from dateflicks.server.upkeep.restore import Checked

PIPE: Final = "-"
SPOOL_BYTES: Final = 16_000_000
COPY_BYTES: Final = 1_000_000


def back_up_to(environment: CliEnvironment, place: Place, file: Path, *, with_key: bool) -> dict[str, Any]:
    """Back up, and say what was. Raises CliError, StorageFault."""
    key = _key_of(place) if with_key else None
    if str(file) == PIPE:
        if sys.stdout.isatty():
            raise CliError(Exit.USAGE, "A backup is not for a terminal.", hint="Name a file, or send it into a pipe.")
        try:
            return environment.run(_back_up(environment, place, sys.stdout.buffer, file, key))
        except BrokenPipeError:  # whoever has half of a backup has none
            hang_up()
            raise CliError(Exit.FAILED, "The pipe was closed before all was written.") from None
    if file.exists():
        if not file.is_file():
            raise CliError(Exit.USAGE, f"{file} is no file.")
        environment.agree(f"{file} is there already. Write over it?")
    if with_key:
        environment.say("The key is in it: whoever reads this file can sign in as anybody.")
    with _whole(file) as stream:
        record = environment.run(_back_up(environment, place, stream, file, key))
    return {**record, "bytes": file.stat().st_size}


async def _back_up(
    environment: CliEnvironment, place: Place, stream: BinaryIO, file: Path, key: bytes | None
) -> dict[str, Any]:
    from dateflicks.protocol.times import rfc3339_from_unix
    from dateflicks.server.upkeep.backup import back_up

    async with kept_at(place) as kept:
        if not await kept.databases():
            raise CliError(Exit.NOT_FOUND, f"There is no database at {place.name}.")
        made_at = rfc3339_from_unix(environment.now().timestamp())
        with counting(environment) as tell:
            manifest = await back_up(
                kept, stream, program=f"dateflicks {__version__}", made_at=made_at, key=key, tell=tell
            )
        stream.flush()
        return {
            "file": str(file),
            "documents": manifest.documents,
            "bytes": None,
            "databases": _counts(manifest),
            "engine": f"{kept.engine} ({kept.version})",
            "consistency": kept.consistency,
            "has_key": key is not None,
        }


def restore_from(
    environment: CliEnvironment, place: Place, file: Path, *, replace: bool, is_check: bool
) -> dict[str, Any]:
    """Restore, or only look whether that could be done, and say what. Raises CliError, BackupUnusable, StorageFault."""
    from dateflicks.server.upkeep.restore import check

    with _opened(file) as stream, told(place):
        with counting(environment) as tell:
            checked = check(stream, tell)
        record = {
            "documents": checked.manifest.documents,
            "databases": _counts(checked.manifest),
            "made_at": checked.head.made_at,
            "made_by": checked.head.program,
            "from_engine": f"{checked.head.engine} ({checked.head.engine_version})",
            "key": "in it" if checked.key is not None else None,
        }
        if is_check:
            return record
        there = environment.run(_there(place))
        if there and replace:
            environment.agree(f"{there} documents at {place.name} will be replaced. Do that?")
        environment.run(_restore(environment, place, stream, checked, replace=replace))
    if checked.key is not None:
        record["key"] = _restore_key(environment, place, checked.key, replace=replace)
    elif not place.key and not place.key_file.exists():
        environment.say("No key is in it: everybody signs in again.")
    _say_what_next(environment, checked)
    return record


async def _there(place: Place) -> int:
    from dateflicks.server.upkeep.restore import documents_in

    async with kept_at(place) as kept:
        return await documents_in(kept)


async def _restore(
    environment: CliEnvironment, place: Place, stream: BinaryIO, checked: "Checked", *, replace: bool
) -> None:
    from dateflicks.server.upkeep.restore import restore_files, restore_mongo

    with counting(environment) as tell:
        if place.is_embedded:
            await restore_files(stream, checked, place.folder, replace=replace, tell=tell)
        else:
            await restore_mongo(stream, checked, place.uri, replace=replace, tell=tell)


def _restore_key(environment: CliEnvironment, place: Place, key: bytes, *, replace: bool) -> str:
    from dateflicks.server.upkeep.keyfile import put_key

    if place.key:
        environment.say("The key of the backup was left: the setting auth.key names one.")
        return "not used"
    outcome = put_key(key, place.key_file, replace=replace)
    if outcome == "another one is there":
        environment.say(f"The key of the backup was left: {place.key_file} is another one.")
    return outcome


def _say_what_next(environment: CliEnvironment, checked: "Checked") -> None:
    from dateflicks.server.upkeep.migrations import newest

    schemas = checked.manifest.schemas
    if any(version < newest(database) for database, version in schemas.items()):
        environment.say("It was made by an older program. Bring it up to date with 'dateflicks db migrate'.")


def _counts(manifest: "Manifest") -> dict[str, int]:
    return {
        database: sum(one.documents for one in collections.values())
        for database, collections in manifest.databases.items()
    }


def _key_of(place: Place) -> bytes:
    from dateflicks.server.upkeep.keyfile import key_in

    key = place.key.encode() if place.key else key_in(place.key_file)
    if key is None:
        raise CliError(Exit.NOT_FOUND, f"There is no key at {place.key_file}.", hint="Leave --with-key out.")
    return key


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[BinaryIO]:
    """A file for its owner only that is in its place once the block has run, and otherwise not at all."""
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CliError(Exit.FAILED, f"{file} cannot be written: {error.strerror}.") from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(descriptor)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """The backup, to be read more than once: what comes through a pipe is kept for as long as the block runs."""
    if str(file) != PIPE:
        try:
            with file.open("rb") as stream:
                yield stream
        except (FileNotFoundError, IsADirectoryError) as error:
            if error.filename != str(file):
                raise
            raise CliError(Exit.NOT_FOUND, f"There is no file {file}.") from error
        return
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as spool:
        while piece := sys.stdin.buffer.read(COPY_BYTES):
            spool.write(piece)
        yield spool  # type: ignore[misc]  # it is one, but for its type
