"""A backup as a file: a gzipped tar of JSON lines; a head says what it is, a manifest what is in it.

The head is first, so that a file that is none, or one of a newer program, is known at once; the manifest is last, so
that it can be written to a pipe, and so that a file that ends early has none. Nothing of it is ever unpacked to a path
that it names. A file may come from anybody: each block is read as what this program writes and as nothing else, and
whatever it claims, no more is in memory than one part of a real one.
"""

import gzip
import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

import msgspec

from dateflicks.core.errors import DateflicksError

FORMAT: Final = 1
HEAD: Final = "dateflicks-backup.json"
MANIFEST: Final = "manifest.json"
KEY: Final = "auth.key"
PART_BYTES: Final = 4_000_000  # of lines in one part, which is in memory as a whole
_MEMBER_BYTES_MAX: Final = 256_000_000  # a part may hold one document more: 16 MB, and several times that as text
LINES_MAX: Final = PART_BYTES // 8  # of one part: the shortest document has twice as many bytes
MEMBERS_MAX: Final = 250_000  # a terabyte of documents
KEY_BYTES: Final = range(32, 4_097)
_BLOCK: Final = tarfile.BLOCKSIZE
_LEVEL: Final = 5
_GZIP: Final = 31
_PART: Final = re.compile(r"([A-Za-z][A-Za-z0-9]{0,62})/((?!system\.)[A-Za-z0-9_.\-]{1,120})/\d{6,7}\.jsonl")


class BackupUnusable(DateflicksError):
    """The file is no backup, or not a whole one, or of a program that is newer; the text is for people."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What the file is."""

    format: int
    program: str
    made_at: str
    engine: str
    engine_version: str
    consistency: str


class Contained(msgspec.Struct, frozen=True, kw_only=True):
    """One collection: how many documents, and what they add up to."""

    documents: int
    digest: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is in it: each database's version and collections, and the SHA-256 of each member."""

    schemas: dict[str, int]
    databases: dict[str, dict[str, Contained]]
    members: dict[str, str]

    @property
    def documents(self) -> int:
        """How many there are in all."""
        return sum(one.documents for collections in self.databases.values() for one in collections.values())


@dataclass(frozen=True, slots=True)
class Part:
    """Some documents of a collection, as lines."""

    database: str
    collection: str
    lines: list[bytes]


class ArchiveWriter:
    """Writes to a stream, which may be a pipe, and which is whole at its `end`."""

    def __init__(self, stream: BinaryIO, head: Head) -> None:
        self._stream = stream
        self._zipped = zlib.compressobj(_LEVEL, wbits=_GZIP)
        self._members: dict[str, str] = {}
        self._add(HEAD, msgspec.json.encode(head))

    def part(self, database: str, collection: str, lines: list[bytes]) -> None:
        """Write some documents of a collection."""
        self._add(f"{database}/{collection}/{len(self._members):06d}.jsonl", b"".join(line + b"\n" for line in lines))

    def key(self, key: bytes) -> None:
        """Write the signing key."""
        self._add(KEY, key)

    def end(self, schemas: dict[str, int], databases: dict[str, dict[str, Contained]]) -> Manifest:
        """Write the manifest, and the end."""
        manifest = Manifest(schemas=schemas, databases=databases, members=dict(self._members))
        self._add(MANIFEST, msgspec.json.encode(manifest))
        self._write(bytes(2 * tarfile.BLOCKSIZE))
        self._stream.write(self._zipped.flush())
        return manifest

    def _add(self, name: str, content: bytes) -> None:
        about = tarfile.TarInfo(name)
        about.size = len(content)
        about.mode = 0o600
        self._write(about.tobuf(tarfile.PAX_FORMAT))
        self._write(content)
        self._write(bytes(-len(content) % tarfile.BLOCKSIZE))
        self._members[name] = hashlib.sha256(content).hexdigest()

    def _write(self, content: bytes) -> None:
        self._stream.write(self._zipped.compress(content))


class ArchiveReader:
    """Reads from the place of a stream on. `head` is there once it is made, `manifest` and `key` once all is read."""

    def __init__(self, stream: BinaryIO) -> None:
        self._members = self._read(stream)
        self.manifest: Manifest | None = None
        self.key: bytes | None = None
        self._seen: dict[str, str] = {}
        name, content = next(self._members, ("", b""))
        if name != HEAD:
            raise BackupUnusable("This is no backup of dateflicks: it does not begin like one.")
        self.head = _decoded(content, Head)
        if self.head.format != FORMAT:
            raise BackupUnusable(
                f"This backup has format {self.head.format}, and this program reads format {FORMAT}.\n"
                f"It was made by {self.head.program}: use that, or a newer one."
            )

    def parts(self) -> Iterator[Part]:
        """The documents; at the end everything is compared with the manifest. Raises BackupUnusable."""
        for name, content in self._members:
            if self.manifest is not None:
                raise BackupUnusable("This backup is damaged: there is more in it after its end.")
            if name == KEY:
                if len(content) not in KEY_BYTES:
                    raise BackupUnusable("This backup is damaged: what it has for a key is none.")
                self.key = content
            elif name == MANIFEST:
                self.manifest = _manifest(content)
            elif (found := _PART.fullmatch(name)) and content.count(b"\n") <= LINES_MAX:
                yield Part(found[1], found[2], content.splitlines())
            else:
                raise _does_not_belong(name)
        if self.manifest is None:
            raise BackupUnusable("This backup is not whole: it ends before its manifest.")
        if self._seen != self.manifest.members:
            raise BackupUnusable("This backup is damaged: what is in it is not what its manifest says.")

    def _read(self, stream: BinaryIO) -> Iterator[tuple[str, bytes]]:
        try:
            with gzip.GzipFile(fileobj=stream, mode="rb") as unzipped:
                while (block := unzipped.read(_BLOCK)) != bytes(_BLOCK):
                    if not block and not self._seen:
                        return
                    if len(block) < _BLOCK:
                        raise EOFError
                    name, size = self._about(block)
                    content = unzipped.read(size)
                    if len(content) < size or len(unzipped.read(-size % _BLOCK)) < -size % _BLOCK:
                        raise EOFError
                    if name != MANIFEST:
                        self._seen[name] = hashlib.sha256(content).hexdigest()
                    yield name, content
        except EOFError as error:
            raise BackupUnusable("This backup is not whole: it ends early.") from error
        except gzip.BadGzipFile as error:
            raise BackupUnusable(f"This is no backup of dateflicks, or a damaged one: {error}.") from error
        except (tarfile.TarError, zlib.error, UnicodeDecodeError) as error:
            raise BackupUnusable(f"This backup is damaged: {error}.") from error

    def _about(self, block: bytes) -> tuple[str, int]:
        """The name and size of a plain file; whatever else a tar may have (links, long names, holes) we never wrote."""
        about = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        is_plain = about.type == tarfile.REGTYPE and 0 <= about.size <= _MEMBER_BYTES_MAX
        if not is_plain or about.name in self._seen or len(self._seen) >= MEMBERS_MAX:
            raise _does_not_belong(about.name)
        return about.name, about.size


def _manifest(content: bytes) -> Manifest:
    manifest: Manifest = _decoded(content, Manifest)
    for database, collections in manifest.databases.items():
        for collection in collections:
            if not _PART.fullmatch(f"{database}/{collection}/000000.jsonl"):
                raise _does_not_belong(f"{database}.{collection}")
    return manifest


def _does_not_belong(name: str) -> BackupUnusable:
    return BackupUnusable(f"This backup is damaged: {name[:100]!r} does not belong into it.")


def _decoded(content: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BackupUnusable(f"This backup is damaged: {error}.") from error
