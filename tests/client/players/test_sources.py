"""What may be opened as a film, and what is refused."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.process import MpvOptions, command_line
from dateflicks.client.players.sources import checked_source


def test_a_files_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "-").write_bytes(b"film")
    monkeypatch.chdir(tmp_path)
    assert checked_source("-") == str(tmp_path / "-")


def test_a_home_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "film.mkv").write_bytes(b"film")
    assert checked_source("~/film.mkv") == str(tmp_path / "film.mkv")


@pytest.mark.parametrize("source", ["http://films.example/a.mkv", "HTTPS://films.example:8443/a%20b.m3u8?x=1"])
def test_web_addresses_are_let_through(source: str) -> None:
    assert checked_source(source) == source


@pytest.mark.parametrize(
    "source",
    [
        "memory://#EXTM3U",
        "edl:///etc/passwd",
        "lavfi://testsrc",
        "av://lavfi:testsrc",
        "fd://3",
        "fdclose://3",
        "appending:///tmp/x",
        "ytdl://abc",
        "FILE:///etc/passwd",
        "slice://1-2@/etc/passwd",
        "smb://host/share",
        "dvd://",
        "-://x",
        "://x",
        "http://",
        "http:///path",
        "http://host:99999/",
        "http://[::1/",
        "http://films.example/a b",
        "http://films.example/\x1b[2J",
        "http://films.example/" + "a" * 3000,
        "https://films.example/é",
        "/nowhere/to/be/found.mkv",
        "film\0.mkv",
        "",
        "/",
        "~nobody-here/film.mkv",
        "x" * 5000,
        "/dev/null",
    ],
)
def test_everything_else_is_refused_in_one_clean_line(source: str) -> None:
    with pytest.raises(PlayerError) as refused:
        checked_source(source)
    text = str(refused.value)
    assert text.isprintable()
    assert len(text) < 300


def test_a_scheme_can_be_added_by_the_users_own_settings() -> None:
    assert checked_source("smb://host/film.mkv", schemes={"http", "smb"}) == "smb://host/film.mkv"
    with pytest.raises(PlayerError, match="http, smb"):
        checked_source("https://host/film.mkv", schemes={"http", "smb"})


def test_a_pipe_is_no_film(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PlayerError, match="not a plain file"):
        checked_source(str(tmp_path / "pipe"))


@given(st.text(max_size=60), st.sampled_from(["", "memory://", "edl://", "http://", "/"]))
def test_whatever_is_let_through_is_a_file_or_the_web(text: str, prefix: str) -> None:
    try:
        checked = checked_source(prefix + text)
    except PlayerError:
        return
    assert Path(checked).is_file() or checked.lower().startswith(("http://", "https://"))


def test_mpv_reads_no_scripts_unless_asked_and_gets_no_film_on_its_command_line() -> None:
    plain = command_line(MpvOptions(), fd=7, socket_path=None, has_display=True)
    assert {"--no-config", "--load-scripts=no", "--ytdl=no", "--force-window=yes"} <= set(plain)
    assert all(argument.startswith("--") for argument in plain)
    own = command_line(MpvOptions(user_config=True), fd=7, socket_path=None, has_display=False)
    assert not {"--no-config", "--load-scripts=no", "--force-window=yes"} & set(own)
