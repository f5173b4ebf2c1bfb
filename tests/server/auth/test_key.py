"""The signing key: made once, private, and never a weak one."""

import threading
from pathlib import Path

import pytest

from dateflicks.server.auth.key import KeyUnusable, signing_key


def test_the_first_start_makes_a_key_for_its_owner_only_and_later_ones_find_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "auth.key"

    key = signing_key("", path)

    assert len(key) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert signing_key("", path) == key
    assert [found.name for found in path.parent.iterdir()] == ["auth.key"]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(signing_key("", tmp_path / "auth.key"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_key_that_is_set_counts_and_no_file_is_made(tmp_path: Path) -> None:
    assert signing_key("s" * 32, tmp_path / "auth.key") == b"s" * 32
    assert not (tmp_path / "auth.key").exists()


def test_a_short_key_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="too short: it has 31"):
        signing_key("s" * 31, tmp_path / "auth.key")

    path = tmp_path / "auth.key"
    path.write_text("short\n")
    path.chmod(0o600)
    with pytest.raises(KeyUnusable, match="too short: it has 5"):
        signing_key("", path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_touch_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "auth.key"
    signing_key("", path)
    path.chmod(mode)

    with pytest.raises(KeyUnusable, match="chmod 600"):
        signing_key("", path)


def test_a_key_that_cannot_be_read_or_made_is_said_in_words(tmp_path: Path) -> None:
    folder = tmp_path / "auth.key"
    folder.mkdir()
    with pytest.raises(KeyUnusable, match=r"auth\.key"):
        signing_key("", folder)

    (tmp_path / "file").write_text("")
    with pytest.raises(KeyUnusable, match=r"auth\.key cannot be"):
        signing_key("", tmp_path / "file" / "auth.key")
