"""Which film is opened: what its person names first, then what the session names, which may come from anybody."""

from pathlib import Path

import pytest

from dateflicks.client.errors import DoesNotFit, FilmMissing
from dateflicks.client.films import Film, film_of, own_film
from dateflicks.protocol.bodies import VideoRef


def named(url: str) -> VideoRef:
    """A film as a session names it."""
    return VideoRef(url=url, title="", length=0.0)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "films" / "The_General.mkv"
    path.parent.mkdir()
    path.write_bytes(b"film")
    return path


def test_an_own_file_travels_by_its_bare_name(film: Path) -> None:
    found = own_film(str(film))
    assert (found.source, found.url, found.title) == (str(film), "The_General.mkv", "The General")


def test_an_own_address_travels_whole_and_has_a_title() -> None:
    found = own_film("https://films.example.org/The%20General.mp4?x=1")
    assert (found.url, found.title) == (found.source, "The General")


def test_a_file_that_is_not_there_is_missing_and_a_scheme_that_is_no_film_is_refused(tmp_path: Path) -> None:
    for name in (str(tmp_path / "nothing.mkv"), str(tmp_path), ""):
        with pytest.raises(FilmMissing):
            own_film(name)
    with pytest.raises(DoesNotFit):
        own_film("edl://x")


def test_a_film_that_plays_elsewhere_needs_no_file() -> None:
    assert own_film("/media/dvd/The_General.mkv", is_elsewhere=True).url == "The_General.mkv"


def test_a_session_s_address_is_opened_as_it_is() -> None:
    video = named("https://films.example.org/general.mp4")
    assert film_of(video, []) == Film(video.url, video.url)


@pytest.mark.parametrize(
    "url", ["The_General.mkv", "/home/ana/films/The_General.mkv", "C:\\films\\The_General.mkv", "../The_General.mkv"]
)
def test_of_a_session_s_file_only_the_name_counts(url: str, film: Path) -> None:
    assert film_of(named(url), [film.parent]).source == str(film)


def test_the_first_folder_wins(film: Path, tmp_path: Path) -> None:
    other = tmp_path / film.name
    other.write_bytes(b"another")
    assert film_of(named(film.name), [tmp_path, film.parent]).source == str(other)


def test_a_missing_film_tells_what_was_looked_for_and_where(tmp_path: Path) -> None:
    with pytest.raises(FilmMissing, match=r"general\.mkv") as caught:
        film_of(named("general.mkv"), [tmp_path, tmp_path / "films", tmp_path])
    assert caught.value.looked_in == (str(tmp_path), str(tmp_path / "films"))


@pytest.mark.parametrize(
    "url", ["/dev/", "..", ".", "/", "\\", "edl://", "memory://", "a\0b", "n" * 2000, "ftp://x/", "~", "lavfi://"]
)
def test_a_hostile_name_opens_nothing(url: str, tmp_path: Path) -> None:
    with pytest.raises((FilmMissing, DoesNotFit)):
        film_of(named(url), [tmp_path])


def test_a_name_cannot_lead_out_of_the_folders(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("x", encoding="utf-8")
    inside = tmp_path / "films"
    inside.mkdir()
    with pytest.raises(FilmMissing):
        film_of(named("../secret.txt"), [inside])


def test_a_film_known_by_id_only_cannot_be_looked_up() -> None:
    with pytest.raises(FilmMissing):
        film_of(None, [])
