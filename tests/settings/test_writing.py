"""Changing one key of a settings file: all else in it stays, and a file that cannot be changed is left as it is."""

import stat
from pathlib import Path
from typing import Any

import pytest

from dateflicks.settings.client import ClientSettings
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.keys import keys_of
from dateflicks.settings.loader import load, read_value
from dateflicks.settings.models import explanations, model_text
from dateflicks.settings.writing import write_value


def test_one_key_is_changed_and_every_comment_stays(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text(model_text("client"), encoding="utf-8")
    write_value(path, "consent.seek", "tell")
    before, after = model_text("client").splitlines(), path.read_text(encoding="utf-8").splitlines()
    assert [(old, new) for old, new in zip(before, after, strict=True) if old != new] == [
        ('seek = "ask"', 'seek = "tell"')
    ]
    assert load("client", ClientSettings, folders=[tmp_path]).settings.consent.seek == "tell"


def test_a_file_that_is_not_there_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "settings" / "client.toml"
    write_value(path, "tui.motion", "none")
    write_value(path, "films", ["films", "more films"])
    assert path.stat().st_mode & 0o077 == 0
    settings = load("client", ClientSettings, folders=[path.parent]).settings
    assert (settings.tui.motion, settings.films) == ("none", ["films", "more films"])


def test_whoever_could_read_a_file_still_can_unless_it_has_a_secret_now(tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    path.write_text("", encoding="utf-8")
    path.chmod(0o644)
    write_value(path, "server.workers", 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    write_value(path, "mongo.uri", "mongodb://ana:s3cret@db/", is_secret=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_there_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("a file", encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be written"):
        write_value(tmp_path / "settings" / "client.toml", "gentle", True)


def test_what_is_no_utf8_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    with pytest.raises(SettingsError, match="UTF-8"):
        write_value(folder / "client.toml", "films", ["/films/\udcff"])
    assert not folder.exists()


def test_a_key_that_is_taken_out_has_its_default_again(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    write_value(path, "tui.motion", "none")
    write_value(path, "tui.motion", None)
    write_value(path, "keys.play-pause", None)
    assert load("client", ClientSettings, folders=[tmp_path]).settings == ClientSettings()


def test_a_file_that_makes_no_sense_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text("[[[", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"client\.toml"):
        write_value(path, "tui.motion", "none")
    assert path.read_text(encoding="utf-8") == "[[["


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [("gentle", "true", True), ("films", "a, b", ["a", "b"]), ("trim_seconds", "0.2", 0.2), ("player", "none", "none")],
)
def test_what_is_typed_becomes_a_value(key: str, text: str, value: Any) -> None:
    assert read_value("client", key, text) == value


@pytest.mark.parametrize(("key", "text"), [("gentle", "perhaps"), ("player", "vlc"), ("trim_seconds", "7"), ("x", "1")])
def test_what_does_not_fit_is_said(key: str, text: str) -> None:
    with pytest.raises(SettingsError, match=key):
        read_value("client", key, text)


def test_every_setting_is_explained() -> None:
    said = explanations("client")
    missing = [key.name for key in keys_of(ClientSettings()) if not said.get(key.name)]
    assert missing in ([], ["keys"])
