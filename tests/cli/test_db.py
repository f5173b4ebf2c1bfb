"""`dateflicks db`: how the database is, its indexes and migrations; backups that are whole or not there at all."""

import asyncio
import contextlib
import gc
import gzip
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from dateflicks.cli import backing_up
from dateflicks.cli.exits import Exit
from dateflicks.server.storage.mongokept import SignInRefused, told
from dateflicks.server.storage.nxfiles import NxFiles
from dateflicks.server.upkeep.declared import DATABASES
from tests.cli.conftest import Cli
from tests.server.upkeep.kept import deployment, everything, furnish
from tests.small_disk import small_disk


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with something in it, whose services have stopped; to be copied."""
    folder = tmp_path_factory.mktemp("furnished") / "server"

    async def make() -> None:
        async with deployment(folder) as (_, client):
            await furnish(client, 30)

    asyncio.run(make())
    return folder


@pytest.fixture
def data(cli: Cli, furnished: Path) -> Path:
    """The data folder of whoever types here."""
    folder = cli.home / "server"
    shutil.copytree(furnished, folder)
    return folder


def read(folder: Path) -> dict[tuple[str, str], Any]:
    async def all_of_it() -> dict[tuple[str, str], Any]:
        with NxFiles.open(folder, DATABASES) as kept:
            return await everything(kept)

    return asyncio.run(all_of_it())


def backups_in(folder: Path) -> list[str]:
    return [name for name in names_in(folder) if "dfb" in name]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- how it is ------------------------------------------------------------------------------------------------------


def test_the_status_shows_all_that_is_kept_and_what_is_wrong(cli: Cli, data: Path) -> None:
    result = cli("db", "status", "--json")
    assert result.exit_code == Exit.PROBLEMS
    found = {(one["database"], one["collection"]): one for one in json.loads(result.stdout)}
    assert found["MessageDb", "messages"]["documents"] == 31
    assert found["MessageDb", "messages"]["bytes"] > 1_000_000
    assert found["VideoDb", "works"]["problem"] is None
    assert [one["problem"] for one in found.values() if one["problem"]] == ["SessionDb is at version 0 of 1"]
    assert found["SessionDb", "users"]["engine"] == "embedded"
    assert f"{data}" in result.stderr
    assert "dateflicks db migrate" in result.stderr
    assert cli("db", "--json").stdout == result.stdout


def test_where_there_is_no_database_nothing_is_made(cli: Cli) -> None:
    for verb in ("status", "indexes", "migrate"):
        result = cli("db", verb)
        assert (result.exit_code, result.stdout) == (0, "")
    assert "There is no database yet" in cli("db", "status").stderr
    assert cli("db", "backup", "x").exit_code == Exit.NOT_FOUND
    assert not cli.home.exists()
    assert backups_in(Path.cwd()) == []


def test_a_service_that_does_not_exist_is_named(cli: Cli) -> None:
    result = cli("db", "status", "--service", "message")
    assert (result.exit_code, "Did you mean 'messages'?" in result.stderr) == (Exit.USAGE, True)


@pytest.mark.slow
def test_missing_indexes_are_found_and_created(cli: Cli, data: Path) -> None:
    with contextlib.closing(sqlite3.connect(data / "mongo" / "databases" / "SessionDb.db")) as file:
        file.execute("DROP INDEX idx_users_nameKey")
        file.execute("DROP INDEX idx_sessions_pair_order")
        file.execute("CREATE INDEX idx_tokens_other ON tokens(json_extract(data, '$.other'))")
        file.commit()
    status = cli("db", "status")
    assert "not indexed as declared: nameKey" in status.stdout
    found = cli("db", "indexes", "--json")
    assert found.exit_code == Exit.PROBLEMS
    states = {(one["collection"], one["fields"]): one["state"] for one in json.loads(found.stdout)}
    assert {place: state for place, state in states.items() if state != "ok"} == {
        ("users", "nameKey"): "missing", ("sessions", "pair,order"): "missing", ("tokens", "other"): "not declared"
    }  # fmt: skip
    applied = cli("db", "indexes", "--apply")
    assert (applied.exit_code, applied.stderr) == (0, "2 indexes were created.\n")
    with contextlib.closing(sqlite3.connect(data / "mongo" / "databases" / "SessionDb.db")) as file:
        file.execute("DROP INDEX idx_users_nameKey")
        file.commit()
    assert cli("db", "indexes", "--apply").stderr == "1 index was created.\n"
    assert cli("db", "indexes").exit_code == 0


@pytest.mark.slow
def test_what_is_stored_is_brought_up_to_date_once(cli: Cli, data: Path) -> None:
    def set_up() -> None:
        async def make() -> None:
            async with deployment(data) as (_, client):
                await client["SessionDb"]["sessions"].insert_one(
                    {"_id": "ses_old", "rev": 1, "hostUserId": "users:000001", "guestUserId": "v9", "order": "t1"}
                )

        asyncio.run(make())

    set_up()
    planned = cli.json("db", "migrate", "--dry-run")
    assert [(one["database"], one["version"], one["state"]) for one in planned] == [("SessionDb", 1, "pending")]
    assert [one["state"] for one in cli.json("db", "migrate")] == ["done"]
    (old,) = [one for one in read(data)["SessionDb", "sessions"] if one["_id"] == "ses_old"]
    assert (old["pair"], old["rev"]) == ("users:000001:v9", 2)
    again = cli("db", "migrate")
    assert (again.exit_code, again.stdout, again.stderr) == (0, "", "The database is up to date.\n")
    assert cli("db", "status").exit_code == 0


# --- backups --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_backup_is_private_whole_and_restored_elsewhere_with_its_key(cli: Cli, data: Path) -> None:
    (data / "auth.key").write_text("k" * 64 + "\n")
    (data / "auth.key").chmod(0o600)
    before = read(data)
    made = cli("db", "backup", "x.dfb", "--with-key", "--json")
    record = json.loads(made.stdout)
    assert "can sign in as anybody" in made.stderr
    assert (record["documents"], record["has_key"]) == (sum(map(len, before.values())), True)
    assert record["bytes"] == Path("x.dfb").stat().st_size
    assert stat.S_IMODE(Path("x.dfb").stat().st_mode) == 0o600
    assert backups_in(Path.cwd()) == ["x.dfb"]
    assert cli.json("db", "restore", "x.dfb", "--check")["documents"] == record["documents"]

    restored = cli("db", "restore", "x.dfb", "--data", "other", "--json")
    assert json.loads(restored.stdout)["key"] == "written"
    assert read(Path("other")) == before
    assert Path("other/auth.key").read_text() == "k" * 64 + "\n"
    assert stat.S_IMODE(Path("other/auth.key").stat().st_mode) == 0o600


def test_a_backup_goes_into_a_pipe_and_a_file_is_overwritten_only_with_a_yes(cli: Cli, data: Path) -> None:
    piped = cli("db", "backup", "-")
    assert piped.exit_code == 0
    Path("x.dfb").write_bytes(piped.stdout_bytes)
    assert cli("db", "restore", "x.dfb", "--check").exit_code == 0
    refused = cli("db", "backup", "x.dfb", "--no-input")
    assert (refused.exit_code, Path("x.dfb").read_bytes()) == (Exit.USAGE, piped.stdout_bytes)
    assert cli("db", "backup", "x.dfb", keys="n\n", is_interactive=True).exit_code == Exit.REFUSED
    assert cli("db", "backup", "x.dfb", "--yes").exit_code == 0
    assert cli("db", "backup", "nowhere/x.dfb").exit_code == Exit.FAILED
    assert cli("db", "backup", "y.dfb", "--with-key").exit_code == Exit.NOT_FOUND
    assert not Path("y.dfb").exists()


def changed(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """The archive with other members."""
    members: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        for about in tar:
            file = tar.extractfile(about)
            assert file is not None
            members[about.name] = file.read()
    change(members)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, member in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(member)
            tar.addfile(about, io.BytesIO(member))
    return stream.getvalue()


def edit_a_document(members: dict[str, bytes]) -> None:
    name = next(name for name in members if "/users/" in name)
    members[name] = members[name].replace(b'"number":1', b'"number":8')


def drop_a_part(members: dict[str, bytes]) -> None:
    del members[next(name for name in members if "/works/" in name)]


def be_of_the_future(members: dict[str, bytes]) -> None:
    members["dateflicks-backup.json"] = members["dateflicks-backup.json"].replace(b'"format":1', b'"format":2')


def have_been_migrated_further(members: dict[str, bytes]) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["schemas"]["SessionDb"] = 99
    members["manifest.json"] = json.dumps(manifest).encode()


def lose_the_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


def climb_out(members: dict[str, bytes]) -> None:
    manifest = members.pop("manifest.json")
    members |= {"../../evil/000001.jsonl": b"{}\n", "manifest.json": manifest}


def test_a_file_that_is_no_whole_backup_is_refused_and_nothing_is_changed(cli: Cli, data: Path) -> None:
    whole = cli("db", "backup", "-").stdout_bytes
    middle = len(whole) // 2
    flipped = bytearray(whole)
    flipped[middle] ^= 0x55
    cases = {
        "no backup": b"a letter",
        "ends early": whole[:middle],
        "damaged|no backup|not whole": bytes(flipped),
        "damaged|does not begin like one": gzip.compress(b""),
        "not what its manifest says": changed(whole, edit_a_document),
        "is not what its manifest": changed(whole, drop_a_part),
        "has format 2": changed(whole, be_of_the_future),
        "is at version 99": changed(whole, have_been_migrated_further),
        "before its manifest": changed(whole, lose_the_manifest),
        "does not belong into it": changed(whole, climb_out),
    }
    before = read(data)
    for words, content in cases.items():
        Path("x.dfb").write_bytes(content)
        result = cli("db", "restore", "x.dfb", "--replace", "--yes")
        assert result.exit_code in (Exit.FAILED, Exit.REFUSED), (words, result.stderr)
        assert any(word in result.stderr for word in words.split("|")), (words, result.stderr)
    assert cli("db", "restore", "none.dfb").exit_code == Exit.NOT_FOUND
    assert read(data) == before
    assert "restoring" not in names_in(data / "mongo")


def test_what_is_there_is_replaced_only_with_a_word_and_a_yes(cli: Cli, data: Path) -> None:
    assert cli("db", "backup", "x.dfb").exit_code == 0
    before = read(data)
    refused = cli("db", "restore", "x.dfb")
    assert (refused.exit_code, "Say --replace" in refused.stderr) == (Exit.REFUSED, True)
    assert cli("db", "restore", "x.dfb", "--replace", "--no-input").exit_code == Exit.USAGE
    assert cli("db", "restore", "x.dfb", "--replace", keys="n\n", is_interactive=True).exit_code == Exit.REFUSED
    assert read(data) == before


@pytest.mark.slow
def test_a_folder_whose_services_run_is_backed_up_and_not_restored_into(cli: Cli, data: Path) -> None:
    async def meanwhile() -> None:
        async with deployment(data):
            made = await asyncio.to_thread(cli, "db", "backup", "x.dfb")
            assert made.exit_code == 0
            refused = await asyncio.to_thread(cli, "db", "restore", "x.dfb", "--replace", "--yes")
            assert (refused.exit_code, "is in use by process" in refused.stderr) == (Exit.REFUSED, True)
            status = await asyncio.to_thread(cli, "db", "status")
            assert "run by process" in status.stderr

    asyncio.run(meanwhile())


@pytest.mark.slow
@pytest.mark.parametrize("what", ["writing works", pytest.param("comparing works", marks=pytest.mark.long)])
def test_ctrl_c_in_the_middle_leaves_everything_as_it_was(
    cli: Cli, data: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    assert cli("db", "backup", "x.dfb").exit_code == 0
    before = read(data)

    @contextlib.contextmanager
    def interrupted(_environment: object) -> Iterator[Callable[[str, int, int], None]]:
        def tell(told: str, _done: int, _total: int) -> None:
            if told in (what, "works"):
                os.kill(os.getpid(), signal.SIGINT)

        yield tell

    monkeypatch.setattr(backing_up, "counting", interrupted)
    result = cli("db", "restore", "x.dfb", "--replace", "--yes")
    assert (result.exit_code, "Interrupted." in result.stderr) == (Exit.INTERRUPTED, True)
    assert cli("db", "backup", "y.dfb").exit_code == Exit.INTERRUPTED
    assert backups_in(Path.cwd()) == ["x.dfb"]
    assert read(data) == before
    assert [path.name for path in (data / "mongo").iterdir() if path.is_dir()] == ["databases"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=1) as place:
        yield place


@pytest.mark.long
def test_a_full_disk_is_told_and_nothing_half_written_stays(cli: Cli, data: Path, disk: Path) -> None:
    assert cli("db", "backup", "x.dfb").exit_code == 0
    result = cli("db", "restore", "x.dfb", "--data", str(disk / "server"))
    assert (result.exit_code, "disk is full" in result.stderr) == (Exit.FAILED, True), result.stderr
    assert read(disk / "server") == {}
    assert not (disk / "server" / "mongo" / "restoring").exists()
    shutil.rmtree(disk / "server")
    (disk / "ballast").write_bytes(b"x" * (1_048_576 - 8_192))
    result = cli("db", "backup", str(disk / "x.dfb"))
    assert (result.exit_code, "disk is full" in result.stderr) == (Exit.FAILED, True), result.stderr
    assert names_in(disk) == ["ballast"]


def test_a_pipe_that_is_closed_early_is_no_backup(cli: Cli, data: Path) -> None:
    environ = {**os.environ, "DATEFLICKS_HOME": str(cli.home)}
    with subprocess.Popen(
        [sys.executable, "-m", "dateflicks", "db", "backup", "-"],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as ended:  # fmt: skip
        assert ended.stdout is not None
        assert ended.stderr is not None
        ended.stdout.close()
        said = ended.stderr.read()
    assert (ended.returncode, said) == (1, "Error: The pipe was closed before all was written.\n")


# --- a MongoDB ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets a refused socket
def test_an_address_that_is_none_and_one_where_nobody_answers_are_told(cli: Cli) -> None:
    wrong = cli("db", "status", DATEFLICKS_ALL_MONGO_URI="postgres://x")
    assert (wrong.exit_code, "connection string" in wrong.stderr) == (Exit.USAGE, True)
    away = cli("db", "status", DATEFLICKS_ALL_MONGO_URI="mongodb://ana:secret@127.0.0.1:1/")
    assert (away.exit_code, "cannot be reached" in away.stderr) == (Exit.UNREACHABLE, True)
    assert "secret" not in away.stderr
    gc.collect()


def test_a_password_that_is_refused_is_told_as_that() -> None:
    with pytest.raises(SignInRefused, match="refuses this: Authentication failed"), told("the database"):
        raise OperationFailure("no", 18, {"errmsg": "Authentication failed."})


# --- a demo ---------------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_demo_is_put_where_nothing_is_and_beside_what_is_there_only_with_a_word(cli: Cli) -> None:
    people = cli.json("db", "seed")
    assert [one["name"] for one in people] == ["ana", "bea"]
    assert all(len(one["password"]) >= 16 for one in people)
    status = {one["collection"]: one for one in cli.json("db", "status")}
    assert [status[name]["documents"] for name in ("users", "sessions", "messages", "works")] == [2, 4, 3, 10]
    found = read(cli.home / "server")
    assert [one["version"] for one in found["SessionDb", "schema"]] == [1], "it is not told as up to date"
    assert sorted(one["state"] for one in found["SessionDb", "sessions"]) == [
        "accepted", "ended", "pending", "rejected"
    ]  # fmt: skip
    assert len(found["UserPredictionDb", "outcomes"]) == 1
    assert {one["authorName"] for one in found["MessageDb", "messages"]} == {"ana", "bea"}
    refused = cli("db", "seed")
    assert (refused.exit_code, "Say --force" in refused.stderr) == (Exit.REFUSED, True)
    assert [one["name"] for one in cli.json("db", "seed", "--force")] == ["ana2", "bea2"]
