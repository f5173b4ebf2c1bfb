"""The player, by a real mpv and by programs that only look like one."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.doctor.looking import look, one
from tests.conftest import require


def stand_in(folder: Path, version: str) -> str:
    """A PATH with an mpv that says its version, and ends at once when it is to play."""
    folder.mkdir()
    (folder / "mpv").write_text(
        f'#!/bin/sh\n[ "$2" = --version ] && echo "mpv {version} Copyright" && exit 0\nexit 3\n'
    )
    (folder / "mpv").chmod(0o755)
    return str(folder)


@pytest.mark.mpv
def test_a_player_that_answers_is_told_with_its_version(doctor: Cli) -> None:
    require("mpv")
    rows = look(doctor, "player")
    assert [row["state"] for row in rows] == ["ok", "ok"]
    assert "answers, in" in rows[1]["found"]


def test_a_player_that_is_missing_broken_or_old_is_told(doctor: Cli, tmp_path: Path) -> None:
    assert "mpv is not found" in one(look(doctor, "player", PATH=str(tmp_path)), "wrong")
    assert "older than" in one(look(doctor, "player", PATH=stand_in(tmp_path / "old", "0.29.1")), "wrong")
    broken = look(doctor, "player", PATH=stand_in(tmp_path / "broken", "v0.38.0"))
    assert "version 0.38.0" in one(broken, "ok")
    assert "it ended with 3" in one(broken, "wrong")
    told = look(doctor, "player", PATH=str(tmp_path / "broken"), DATEFLICKS_CLIENT_MPV_ARGUMENTS="--nonsense")
    assert "config unset client.mpv_arguments" in one(told, "wrong")
    assert look(doctor, "player", PATH=str(tmp_path), DATEFLICKS_CLIENT_PLAYER="manual")[0]["state"] == "ok"
