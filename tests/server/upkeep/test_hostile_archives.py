"""A file that somebody else has made: refused before anything is written, and never more in memory than a real part."""

import asyncio
import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from dateflicks.server.storage.lines import Digest, from_line
from dateflicks.server.storage.records import StorageFault
from dateflicks.server.upkeep import archive
from dateflicks.server.upkeep.archive import HEAD, KEY, ArchiveWriter, BackupUnusable, Contained, Head
from dateflicks.server.upkeep.migrations import SchemaTooNew
from dateflicks.server.upkeep.restore import RESTORING, check, restore_files

HEADING = Head(
    format=1, program="somebody", made_at="2026-11-26", engine="nx", engine_version="1", consistency="\x1b[2Jwhole"
)
ONE = b'{"_id":"usr_1","rev":1}'


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody looks."""


def contained(*lines: bytes) -> Contained:
    digest = Digest()
    for line in lines:
        digest.add(line)
    return Contained(documents=digest.count, digest=digest.text)


def written(
    *lines: bytes, collection: str = "users", key: bytes | None = None, schemas: Mapping[str, int] | None = None
) -> bytes:
    """A backup with these lines, whose manifest is right."""
    out = io.BytesIO()
    writer = ArchiveWriter(out, HEADING)
    writer.part("SessionDb", collection, list(lines))
    if key is not None:
        writer.key(key)
    writer.end(dict(schemas or {}), {"SessionDb": {collection: contained(*lines)}})
    return out.getvalue()


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, size: int | None = None) -> bytes:
    """One member of a tar, which may claim another size than it has."""
    about = tarfile.TarInfo(name)
    about.size, about.type = len(content) if size is None else size, kind
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        about.linkname = "/etc/passwd"
    return about.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def packed(*members: bytes) -> bytes:
    return gzip.compress(b"".join((member(HEAD, msgspec.json.encode(HEADING)), *members)), 1)


@pytest.mark.parametrize(
    "path",
    [
        "../../evil", "/etc/passwd", "SessionDb/../../x/000001.jsonl", "SessionDb/system.users/000001.jsonl",
        "SessionDb/a\\b/000001.jsonl", "SessionDb/users/000001.jsonl/x", "SessionDb//000001.jsonl", "auth.key/x",
        "SessionDb/\u202eusers/000001.jsonl", "SessionDb/" + "x" * 80 + "'; DROP TABLE users;--/000001.jsonl",
    ],
)  # fmt: skip
def test_a_member_that_leads_elsewhere_is_refused_by_its_name(path: str) -> None:
    with pytest.raises(BackupUnusable, match="does not belong into it"):
        check(io.BytesIO(packed(member(path, ONE + b"\n"))), quiet)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        (tarfile.XHDTYPE, 7_000_000_000), (tarfile.XGLTYPE, 7_000_000_000), (tarfile.GNUTYPE_LONGNAME, 7_000_000_000),
        (tarfile.GNUTYPE_SPARSE, 512), (tarfile.SYMTYPE, 0), (tarfile.LNKTYPE, 0), (tarfile.DIRTYPE, 0),
        (tarfile.CHRTYPE, 0), (tarfile.FIFOTYPE, 0), (tarfile.REGTYPE, 7_000_000_000), (tarfile.REGTYPE, 8 << 40),
        (tarfile.REGTYPE, -512),
    ],
)  # fmt: skip
def test_what_is_no_plain_file_or_claims_to_be_huge_is_refused_before_it_is_read(kind: bytes, size: int) -> None:
    with pytest.raises(BackupUnusable, match="does not belong into it"):
        check(io.BytesIO(packed(member("SessionDb/users/000001.jsonl", kind=kind, size=size))), quiet)


@pytest.mark.parametrize("name", ["../../x", "a\0b", "system.users", 'a"; DROP TABLE x;--', "$x", "", "x" * 200])
def test_a_manifest_that_names_what_no_collection_is_called_is_refused(name: str) -> None:
    out = io.BytesIO()
    ArchiveWriter(out, HEADING).end({}, {"SessionDb": {name: contained()}})
    with pytest.raises(BackupUnusable, match="does not belong into it"):
        check(io.BytesIO(out.getvalue()), quiet)


def test_no_more_lines_than_a_part_can_have_become_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LINES_MAX", 3)
    check(io.BytesIO(written(ONE, ONE, ONE)), quiet)
    with pytest.raises(BackupUnusable, match="does not belong into it"):
        check(io.BytesIO(packed(member("SessionDb/users/000001.jsonl", b"\n" * 4))), quiet)


def test_no_more_members_than_a_backup_can_have_are_remembered_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MEMBERS_MAX", 3)
    empty = [member(f"SessionDb/users/{number:06d}.jsonl") for number in range(9)]
    for members in (empty, [empty[0], empty[0]], [member(HEAD, msgspec.json.encode(HEADING))]):
        with pytest.raises(BackupUnusable, match="does not belong into it"):
            check(io.BytesIO(packed(*members)), quiet)


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 5_000])
def test_a_key_that_is_none_is_not_taken(key: bytes) -> None:
    with pytest.raises(BackupUnusable, match="for a key"):
        check(io.BytesIO(written(ONE, key=key)), quiet)


def test_versions_are_those_of_databases_that_there_are() -> None:
    with pytest.raises(SchemaTooNew):
        check(io.BytesIO(written(ONE, schemas={"SessionDb": 10**6})), quiet)
    with pytest.raises(BackupUnusable, match="does not know"):
        check(io.BytesIO(written(ONE, schemas={"admin": 1})), quiet)


@pytest.mark.parametrize("content", [b"", b"\0", b"{}", b'{"format":1}', b"[" * 100_000, b'{"format":1e999}', b"\xff"])
def test_a_head_or_manifest_that_is_none_is_said_to_be_damaged(content: bytes) -> None:
    for data in (gzip.compress(member(HEAD, content)), packed(member(archive.MANIFEST, content)), content):
        with pytest.raises(BackupUnusable):
            check(io.BytesIO(data), quiet)


@pytest.mark.parametrize("cut", [1, 511, 512, 513, 1_023, 1_025, 2_000])
def test_a_tar_that_ends_anywhere_is_not_whole(cut: int) -> None:
    whole = gzip.decompress(written(ONE))
    with pytest.raises(BackupUnusable):
        check(io.BytesIO(gzip.compress(whole[:cut])), quiet)


LINES: dict[str, bytes] = {
    "no id": b'{"rev":1}',
    "a list": b"[]",
    "nothing": b"",
    "deep": b'{"_id":"a","x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep and odd": b'{"_id":"a","y":{"$oid":1},"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "no time": b'{"_id":"a","at":{"$date":{"$numberLong":"99999999999999999999999"}}}',
    "no number": b'{"_id":"a","n":{"$numberDecimal":"x"}}',
    "no bytes": b'{"_id":"a","b":{"$binary":{"base64":"*","subType":"zz"}}}',
    "no text": b'{"_id":"\xff"}',
    "nan": b'{"_id":"a","x":NaN}',
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_that_is_no_document_is_said_to_be_none(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever it is that does not fit
        from_line(line)


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines",
    [
        (ONE, ONE),
        (b'{"_id":"a","n":100000000000000000000000}',),
        pytest.param((b'{"_id":{"$oid":"0"}}',), marks=pytest.mark.long),
        pytest.param((b'{"_id":["a"]}',), marks=pytest.mark.long),
        pytest.param((b'{"_id":"a","$where":"1"}',), marks=pytest.mark.long),
        pytest.param((b'{"_id":"a","b\\u0000c":"1"}',), marks=pytest.mark.long),
        pytest.param((LINES["deep"],), marks=pytest.mark.long),
    ],
    ids=["twice", "huge number", "odd id", "list id", "operator", "nul", "deep"],
)
def test_documents_that_do_not_come_back_as_they_are_leave_what_was_there(
    tmp_path: Path, lines: tuple[bytes, ...]
) -> None:
    stream = io.BytesIO(written(*lines, key=b"k" * 32))
    checked = check(stream, quiet)
    with pytest.raises((BackupUnusable, StorageFault)):
        asyncio.run(restore_files(stream, checked, tmp_path, replace=False, tell=quiet))
    left = {path.name for path in tmp_path.rglob("*")}
    assert left.isdisjoint({RESTORING, KEY, "SessionDb.db"})
