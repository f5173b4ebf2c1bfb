"""One's own list of films: written film by film, with everything else in the file as it was."""

from pathlib import Path

import pytest

from dateflicks.settings.errors import SettingsError
from dateflicks.settings.own_list import OwnVideo, add_to_list, list_path, read_list

GENERAL = OwnVideo(url="https://films.example.org/general.mp4", title="The General", year=1926, genres=["comedy"])


def test_a_list_that_is_not_there_is_empty_and_is_made_by_its_first_film(tmp_path: Path) -> None:
    path = tmp_path / "data" / "videos.toml"
    assert read_list(path) == []
    assert add_to_list(path, GENERAL)
    assert read_list(path) == [GENERAL]
    assert path.stat().st_mode & 0o777 == 0o600


def test_films_come_at_its_end_and_an_address_comes_once(tmp_path: Path) -> None:
    path = tmp_path / "videos.toml"
    second = OwnVideo(url='file:///films/a"b.mkv', title='"Quoted" \\ title\n', duration_seconds=90.5)
    assert [add_to_list(path, GENERAL), add_to_list(path, second), add_to_list(path, GENERAL)] == [True, True, False]
    assert read_list(path) == [GENERAL, second]


def test_comments_and_what_was_written_by_hand_stay(tmp_path: Path) -> None:
    path = tmp_path / "videos.toml"
    by_hand = '# Mine.\n\n[[video]]\nurl = "https://films.example.org/m.mp4" # the best\n'
    path.write_text(by_hand, encoding="utf-8")
    add_to_list(path, GENERAL)
    assert path.read_text(encoding="utf-8").startswith(by_hand)
    assert [video.title for video in read_list(path)] == ["", "The General"]


@pytest.mark.parametrize(
    "text",
    ["video = 1", "[video]\nurl = 'x'", "[[video]]\ntitle = 'x'", "[[video]]\nurl = 'x'\nyaer = 1926", "[[", "\xff"],
)
def test_a_list_that_does_not_fit_is_refused_with_its_place_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "videos.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError, match=r"videos\.toml"):
        read_list(path)
    with pytest.raises(SettingsError):
        add_to_list(path, GENERAL)
    assert path.read_text(encoding="latin-1") == text


def test_the_list_is_where_the_settings_say_or_in_the_data_folder(tmp_path: Path) -> None:
    assert list_path("", tmp_path) == tmp_path / "videos.toml"
    assert list_path("/srv/list.toml", tmp_path) == Path("/srv/list.toml")
