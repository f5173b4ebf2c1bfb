"""A backup: everything that is kept, page by page into an archive, while services go on."""

from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from dateflicks.server.storage.kept import Kept
from dateflicks.server.storage.lines import Digest, to_line
from dateflicks.server.upkeep.archive import FORMAT, PART_BYTES, ArchiveWriter, Contained, Head, Manifest
from dateflicks.server.upkeep.declared import DATABASES, in_order
from dateflicks.server.upkeep.migrations import check_versions, version_of

Tell = Callable[[str, int, int], None]
"""Told of each page: the collection, how many documents are done, and how many there are, about."""


async def back_up(
    kept: Kept, stream: BinaryIO, *, program: str, made_at: str, key: bytes | None, tell: Tell
) -> Manifest:
    """Write all of it to a stream. Raises SchemaTooNew, Unavailable, StorageFault, OSError; the rest is of no use then.

    `key` is the signing key, if it is to be kept as well.
    """
    there = set(await kept.databases())
    names = [name for name in DATABASES if name in there]
    schemas: dict[str, int] = {name: await version_of(kept, name) for name in names}
    check_versions(schemas)
    found = {name: {one.name: one.documents for one in await kept.collections(name)} for name in names}
    total = sum(sum(counts.values()) for counts in found.values())
    head = Head(
        format=FORMAT,
        program=program,
        made_at=made_at,
        engine=kept.engine,
        engine_version=kept.version,
        consistency=kept.consistency,
    )
    writer = ArchiveWriter(stream, head)
    if key is not None:
        writer.key(key)
    contained: dict[str, dict[str, Contained]] = {}
    done = 0
    for database in names:
        contained[database] = {}
        for collection in in_order(list(found[database])):
            digest = await _write(kept, writer, database, collection, partial(tell, collection), done, total)
            contained[database][collection] = Contained(documents=digest.count, digest=digest.text)
            done += digest.count
    return writer.end(schemas, contained)


async def _write(
    kept: Kept,
    writer: ArchiveWriter,
    database: str,
    collection: str,
    tell: Callable[[int, int], None],
    done: int,
    total: int,
) -> Digest:
    digest, lines, size = Digest(), list[bytes](), 0
    async for page in kept.documents(database, collection):
        for document in page:
            line = to_line(document)
            digest.add(line)
            lines.append(line)
            size += len(line) + 1
            if size >= PART_BYTES:
                writer.part(database, collection, lines)
                lines, size = [], 0
        tell(done + digest.count, total)
    if lines:
        writer.part(database, collection, lines)
    return digest
