"""Another user of the same machine opens no file and no socket of a deployment, whatever the umask it is started with.

What a client keeps is looked at where it is kept: tests/client/test_credentials.py, tests/client/players/test_mpv.py.
"""

import os
import stat
from pathlib import Path

import pytest

from dateflicks.client.private_file import replace_private
from dateflicks.protocol.playback_log import Advance
from dateflicks.server.services.timecode.recording import PlaybackLog
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.writing import replace_file
from tests.strangers.scene import staged


def open_to_others(folder: Path) -> list[str]:
    """What in this folder somebody else of this machine could read, write, enter or connect to."""
    found = []
    for path in [folder, *folder.rglob("*")]:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue  # a file of the moment
        if not stat.S_ISLNK(mode) and mode & 0o077:
            found.append(f"{path.relative_to(folder)}: {stat.filemode(mode)}")
    return found


@pytest.mark.slow
async def test_nothing_in_the_data_folder_is_open_to_others_while_it_is_in_use(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        async with staged(tmp_path / "data") as scene:
            kinds = {stat.S_IFMT(path.lstat().st_mode) for path in scene.folder.rglob("*")}
            assert kinds >= {stat.S_IFREG, stat.S_IFDIR, stat.S_IFSOCK}, "there is something to look at"
            assert open_to_others(scene.folder) == []
    finally:
        os.umask(before)


def planted(folder: Path) -> Path:
    """A file that another user can read, under every name that a file of this process might have for a moment."""
    trap = folder / "planted"
    trap.write_bytes(b"theirs")
    trap.chmod(0o666)
    for name in ("client", "credentials"):
        (folder / f"{name}.{os.getpid()}.new").hardlink_to(trap)
    return trap


def test_a_file_that_somebody_has_put_where_settings_are_written_gets_none_of_them(tmp_path: Path) -> None:
    trap = planted(tmp_path)

    replace_file(tmp_path / "client.toml", 'server = "https://films.example.org"\n', is_secret=True)

    assert trap.read_bytes() == b"theirs"
    assert (tmp_path / "client.toml").stat().st_mode & 0o077 == 0
    assert (tmp_path / "client.toml").stat().st_nlink == 1


def test_a_file_that_somebody_has_put_where_a_sign_in_is_kept_gets_none_of_it(tmp_path: Path) -> None:
    trap = planted(tmp_path)

    replace_private(tmp_path / "credentials.json", b"a secret", is_synced=True)

    assert trap.read_bytes() == b"theirs"
    assert (tmp_path / "credentials.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "credentials.json").stat().st_nlink == 1


def test_what_cannot_be_written_whole_leaves_nothing_beside(tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    (folder / "client.toml").mkdir(parents=True)
    (folder / "client.toml" / "x").touch()

    with pytest.raises(SettingsError):
        replace_file(folder / "client.toml", "")
    with pytest.raises(OSError, match="directory"):
        replace_private(folder / "client.toml", b"")

    assert [path.name for path in folder.iterdir()] == ["client.toml"]


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "somebody else's"])
def test_a_playback_goes_on_whatever_somebody_has_put_where_its_log_is_to_be(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = tmp_path / "ses_a.jsonl", tmp_path / "target"
    target.touch()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(target)
    else:
        path.hardlink_to(target)
        monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)

    PlaybackLog(tmp_path).note("ses_a", Advance(at=1.0))

    assert target.read_bytes() == b""
