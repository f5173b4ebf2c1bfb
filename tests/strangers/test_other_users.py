"""Another user of the same machine opens no file and no socket of a deployment, whatever the umask it is started with.

What a client keeps is looked at where it is kept: tests/client/test_credentials.py, tests/client/players/test_mpv.py.
"""

import os
import stat
from pathlib import Path

import pytest

from tests.strangers.scene import staged

pytestmark = pytest.mark.slow


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


async def test_nothing_in_the_data_folder_is_open_to_others_while_it_is_in_use(tmp_path: Path) -> None:
    before = os.umask(0o000)
    try:
        async with staged(tmp_path / "data") as scene:
            kinds = {stat.S_IFMT(path.lstat().st_mode) for path in scene.folder.rglob("*")}
            assert kinds >= {stat.S_IFREG, stat.S_IFDIR, stat.S_IFSOCK}, "there is something to look at"
            assert open_to_others(scene.folder) == []
    finally:
        os.umask(before)
