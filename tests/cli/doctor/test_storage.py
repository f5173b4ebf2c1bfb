"""The folder, the key and the database, by real parts."""

import asyncio
import contextlib
import gc
import json
import os
import sqlite3
from pathlib import Path

import pytest

from dateflicks.cli.doctor import storage
from dateflicks.server.storage.folder import EngineFolder
from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look, one
from tests.server.upkeep.kept import deployment, furnish


def test_the_folder_can_be_written_to_and_has_room(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = look(doctor, "storage")
    assert all("made at the first start" in row["found"] for row in rows)
    monkeypatch.setattr(storage, "TOO_LITTLE_BYTES", 1 << 62)
    assert look(doctor, "storage")[0]["state"] == "wrong"
    monkeypatch.setattr(storage, "TOO_LITTLE_BYTES", 0)
    monkeypatch.setattr(storage, "LITTLE_BYTES", 1 << 62)
    assert look(doctor, "storage")[0]["state"] == "note"
    doctor.home.write_text("a file", encoding="utf-8")
    assert "is a file" in look(doctor, "storage")[0]["found"]


def test_a_path_that_a_shell_would_take_apart_is_quoted_where_it_is_to_be_typed(
    doctor: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "my data"
    own = {"DATEFLICKS_HOME": str(home)}
    home.mkdir()
    for limit in ("LITTLE_BYTES", "TOO_LITTLE_BYTES"):
        monkeypatch.setattr(storage, limit, 1 << 62)
        assert f"du -xh '{home}' |" in look(doctor, "storage", **own)[0]["fix"]
    (home / "server").mkdir()
    (home / "server" / "auth.key").write_text("k" * 64, encoding="utf-8")
    (home / "server" / "auth.key").chmod(0o644)
    assert look(doctor, "key", **own)[0]["fix"] == f"chmod 600 '{home}/server/auth.key'"
    (home / "credentials.json").write_text("{}", encoding="utf-8")
    (home / "credentials.json").chmod(0o644)
    assert look(doctor, "sign-in", **own)[0]["fix"] == f"chmod 600 '{home}/credentials.json'"
    file = tmp_path / "a file"
    file.write_text("", encoding="utf-8")
    assert look(doctor, "storage", DATEFLICKS_HOME=str(file))[0]["fix"] == f"mv '{file}' elsewhere"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told(doctor: Cli) -> None:
    doctor.home.mkdir(mode=0o500)
    assert "cannot be written" in look(doctor, "storage")[0]["found"]


def test_the_key_is_looked_at_and_none_is_made(doctor: Cli) -> None:
    assert "made at the first start" in one(look(doctor, "key"), "ok")
    path = doctor.home / "server" / "auth.key"
    assert not path.exists()
    path.parent.mkdir(parents=True)
    path.write_text("k" * 64, encoding="utf-8")
    path.chmod(0o600)
    assert look(doctor, "key")[0]["state"] == "ok"
    path.chmod(0o644)
    assert "Others on this machine can read" in one(look(doctor, "key"), "wrong")
    assert "config unset all.auth.key" in one(look(doctor, "key", DATEFLICKS_ALL_AUTH_KEY="short"), "wrong")


@pytest.mark.slow
def test_the_database_is_looked_at_with_its_indexes_and_migrations(doctor: Cli) -> None:
    assert "nothing kept yet" in one(look(doctor, "database"), "ok")
    assert not doctor.home.exists()

    async def furnished() -> None:
        async with deployment(doctor.home / "server") as (_, client):
            await furnish(client, 1)

    asyncio.run(furnished())
    rows = look(doctor, "database")
    assert [row["state"] for row in rows] == ["ok", "wrong"]
    assert "dateflicks db migrate" in one(rows, "wrong")
    with contextlib.closing(
        sqlite3.connect(doctor.home / "server" / "mongo" / "databases" / "SessionDb.db")
    ) as database:
        database.execute("DROP INDEX idx_users_nameKey")
        database.commit()
    told = look(doctor, "database")[1]
    assert (told["found"], told["fix"]) == ("indexes are missing: SessionDb.users", "dateflicks db indexes --apply")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets a refused socket
def test_a_database_that_is_away_wrong_or_spoilt_is_told_without_its_password(
    doctor: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PATIENCE_SECONDS", 0.1)
    for uri, words in (
        ("mongodb://ana:s3cret@127.0.0.1:1/", "Connect call failed"),
        ("postgres://ana:s3cret@x/", "neither"),
    ):
        rows = look(doctor, "database", DATEFLICKS_ALL_MONGO_URI=uri)
        assert words in one(rows, "wrong")
        assert "s3cret" not in json.dumps(rows)
    gc.collect()
    file = doctor.home / "server" / "mongo" / "databases" / "SessionDb.db"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database at all" * 500)
    assert "db restore" in one(look(doctor, "database"), "wrong")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the driver forgets a silent socket
def test_an_engine_that_hangs_is_told(doctor: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PATIENCE_SECONDS", 0.2)
    folder = EngineFolder(doctor.home / "server")
    lock = asyncio.run(folder.claim())
    listener, path = folder.listen()
    folder.write_pid(os.getpid())
    told = one(look(doctor, "database"), "wrong")
    gc.collect()
    listener.close()
    folder.tidy(path)
    os.close(lock)
    assert f"does not answer (process {os.getpid()})" in told
    assert "nothing kept yet" in one(look(doctor, "database"), "ok")
