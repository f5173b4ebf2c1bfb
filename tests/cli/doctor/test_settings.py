"""Settings files, one by one."""

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look, one


def test_each_settings_file_is_told_and_each_mistake(doctor: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    assert "the defaults hold" in one(look(doctor, "settings"), "ok")
    (folder / "client.toml").write_text("gentle = true\n", encoding="utf-8")
    (folder / "timecode.toml").write_text("confirm_secs = 3\nband_seconds = \n", encoding="utf-8")
    (folder / "all.toml").write_text('[mongo]\nuri = "mongodb://a:s3cret@b/"\n', encoding="utf-8")
    (folder / "all.toml").chmod(0o644)
    rows = look(doctor, "settings")
    assert "client.toml: 1 value" in one(rows, "ok")
    assert "timecode.toml:2: is not TOML" in one(rows, "wrong")
    assert "chmod 600" in one(rows, "note")
    assert "s3cret" not in json.dumps(rows)


def test_a_path_that_a_shell_would_take_apart_is_quoted_where_it_is_to_be_typed(doctor: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "my settings"
    folder.mkdir()
    (folder / "all.toml").write_text('[mongo]\nuri = "mongodb://a:s3cret@b/"\n', encoding="utf-8")
    (folder / "all.toml").chmod(0o644)
    (folder / "al.toml").write_text("", encoding="utf-8")
    fixes = [row["fix"] for row in look(doctor, "settings", DATEFLICKS_SETTINGS=str(folder))]
    assert f"chmod 600 '{folder}/all.toml'" in fixes
    assert f"mv '{folder}/al.toml' to the name that was meant" in fixes


def test_with_settings_that_cannot_be_read_the_other_checks_say_that_alone(doctor: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty" / "all.toml").write_text("nothing = 1\n", encoding="utf-8")
    rows = look(doctor, "settings", "storage", "database", "bus", "python")
    states = {row["name"]: (row["state"], row["fix"]) for row in rows}
    assert states["settings"] == ("wrong", "dateflicks config edit all")
    assert states["database"] == states["bus"] == ("note", "dateflicks config validate")
    assert states["python"][0] == "ok"
