"""Films in folders of this machine: which files are films by their names, what ffprobe says of them, what is kept of
that, and folders and files that are not as they should be.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.server.catalogue.records import COLLECTIONS, VIDEOS
from dateflicks.server.catalogue.writing import Writer
from dateflicks.server.providers import local_names
from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.local import LocalVideoSource
from dateflicks.server.providers.local_files import FilmFile, KnownFiles, Probed, Seen, Track, probed_of, walk
from dateflicks.server.providers.local_names import Name, name_of
from dateflicks.server.providers.source import SourceError
from dateflicks.settings.providers import LocalSettings, ProvidersSettings
from dateflicks.testing import Answers, check_source
from tests.conftest import require
from tests.providers.server import RECORDED
from tests.server.providers.library import asking, run
from tests.server.providers.sources import Kept
from tests.server.storage.engines import embedded

LOCAL = LocalVideoSource()
OLD = 1_700_000_000
GUESSES = json.loads((RECORDED / "local" / "guessit.json").read_text())
NIGHT = "Night of the Living Dead (1968).mkv"
FRIDAY = "His Girl Friday (1940) [imdbid-tt0032599]/His Girl Friday (1940) [imdbid-tt0032599] - 720p.mp4"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    put(folder / NIGHT)
    put(folder / FRIDAY)
    put(folder / "holiday-clip-0042.mp4")
    put(folder / "notes (1999).txt")
    return folder


@pytest.fixture
def without_guessit(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "guessit", None)
    local_names._guess.cache_clear()
    yield
    local_names._guess.cache_clear()


def put(path: Path, content: bytes = b"film", modified: float = OLD) -> Path:
    """A file that has been so for long."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (modified, modified))
    return path


def settings(*folders: Path | str, **changes: Any) -> LocalSettings:
    """Without ffprobe, unless a test wants one."""
    config = LocalSettings(folders=[str(folder) for folder in folders], ffprobe="no-such-program")
    return msgspec.structs.replace(config, **changes)


def program(path: Path, script: str) -> str:
    """A program in place of ffprobe, which notes that it ran."""
    path.write_text(f'#!/bin/sh\necho "$@" >> "{path}.ran"\n{script}\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def times_run(path: Path) -> int:
    ran = Path(f"{path}.ran")
    return len(ran.read_text().splitlines()) if ran.exists() else 0


def titles(kept: Kept) -> list[str]:
    return sorted(item.title for item in kept.there.values())


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", GUESSES, ids=[case["path"] for case in GUESSES])
def test_with_guessit_films_are_known_by_all_the_ways_of_naming(case: dict[str, Any]) -> None:
    pytest.importorskip("guessit")
    guess = case["guess"]
    number = guess.get("tmdb_id")
    expected = None
    if guess["type"] == "movie":
        expected = Name(guess["title"], guess["year"], guess.get("imdb_id"), str(number) if number else None)
    assert name_of(case["path"]) == expected


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (NIGHT, Name("Night of the Living Dead", 1968)),
        (FRIDAY, Name("His Girl Friday", 1940, imdb="tt0032599")),
        ("Sintel (2010) {tmdb-45745}.mkv", Name("Sintel", 2010, tmdb="45745")),
        ("Comedy/His_Girl_Friday_(1940).mkv", Name("His Girl Friday", 1940)),
        ("The General (1926)/movie.mkv", Name("The General", 1926)),
        ("The General (1926)/disc.mkv", Name("The General", 1926)),
        ("2001 A Space Odyssey (1968)/2001.mkv", Name("2001 A Space Odyssey", 1968)),
        ("1917 (2019).mkv", Name("1917", 2019)),
        ("(500) Days of Summer (2009).mkv", Name("(500) Days of Summer", 2009)),
        ("Blade Runner (1982) [imdbid-tt0083658] - Final Cut.mkv", Name("Blade Runner", 1982, imdb="tt0083658")),
        ("Metropolis [tmdbid-19].mkv", Name("Metropolis", tmdb="19")),
        ("Metropolis (1927)/Metropolis {imdb-tt0017136}.mkv", Name("Metropolis", 1927, imdb="tt0017136")),
        ("Amélie (2001).mkv", Name("Amélie", 2001)),
        ("The Other (1972)/The Other.mkv", Name("The Other", 1972)),
        ("Alien.mkv", None),
        ("Alien (director's cut).mkv", None),
        ("(1968).mkv", None),
        ("Cosmos S01E03 (1980).mkv", None),
        ("Cosmos (1980)/Cosmos.1x03.mkv", None),
        ("Amélie (2001) cd1.avi", None),
        ("Amélie (2001)-trailer.mkv", None),
        ("Amélie (2001)/sample.mkv", None),
        ("", None),
        ("\ufffd\ufffd.mkv", None),
    ],
)
@pytest.mark.usefixtures("without_guessit")
def test_without_guessit_films_are_known_by_title_and_year_or_an_id(path: str, name: Name | None) -> None:
    assert name_of(path) == name


def test_both_ways_agree_on_names_with_a_year_in_brackets() -> None:
    pytest.importorskip("guessit")
    assert name_of("2001 A Space Odyssey (1968)/2001.mkv") == Name("2001 A Space Odyssey", 1968)
    assert name_of("Blade Runner (1982) - Final Cut.mkv") == Name("Blade Runner", 1982)
    assert name_of("Film.1990.1080p-trailer.mp4") is None
    assert name_of("Alien.mkv") is None


# --- runs -------------------------------------------------------------------------------------------------------------


async def test_films_are_told_as_files_that_play(films: Path) -> None:
    kept = Kept()
    record = await run(LOCAL, settings(films), kept)
    assert (record.status, record.error) == ("ok", None)
    assert titles(kept) == ["His Girl Friday", "Night of the Living Dead"]
    assert kept.sweeps == [False]
    friday, night = sorted(kept.there.values(), key=lambda item: item.title)
    assert friday.url == (films / FRIDAY).as_uri()
    assert (friday.external_ids, friday.year, friday.duration_seconds) == ({"imdb": "tt0032599"}, 1940, None)
    assert (night.offer_type, night.playable, night.year) == ("owned", True, 1968)


async def test_in_the_collection_a_second_run_writes_nothing(films: Path, tmp_path: Path) -> None:
    async with embedded(tmp_path, *COLLECTIONS, timeout_seconds=10.0) as database:
        for number, status in enumerate(("ok", "unchanged")):
            writer = Writer(database, "local", f"run{number}")
            assert (await run(LOCAL, settings(films), writer)).status == status
        stored = await database.table(VIDEOS).find("source", "local")
    assert {one["status"] for one in stored} == {"active"}
    assert {one["url"] for one in stored} == {(films / NIGHT).as_uri(), (films / FRIDAY).as_uri()}


async def test_a_film_that_was_taken_away_is_gone(films: Path) -> None:
    kept = Kept()
    await run(LOCAL, settings(films), kept)
    (films / NIGHT).unlink()
    later = Kept()
    later.there = kept.there
    record = await run(LOCAL, settings(films), later)
    assert record.counters.removed == 1
    assert titles(later) == ["His Girl Friday"]


async def test_a_file_that_still_grows_is_left_for_later_unless_it_is_known(films: Path, tmp_path: Path) -> None:
    config = settings(films, known_files=str(tmp_path / "known.db"), settle_seconds=3_600.0)
    kept = Kept()
    await run(LOCAL, config, kept)
    now = asking(LOCAL, config).now().timestamp()
    put(films / "The General (1926).mkv", modified=now)
    put(films / NIGHT, b"film, longer", modified=now)
    kept = Kept()
    await run(LOCAL, config, kept)
    assert titles(kept) == ["His Girl Friday", "Night of the Living Dead"]
    assert kept.sweeps == [False]
    put(films / "The General (1926).mkv", modified=now - 7_200)
    kept = Kept()
    await run(LOCAL, config, kept)
    assert titles(kept) == ["His Girl Friday", "Night of the Living Dead", "The General"]


async def test_where_nothing_is_remembered_a_file_that_grows_takes_nothing_away(films: Path) -> None:
    config = settings(films, settle_seconds=3_600.0)
    put(films / NIGHT, modified=asking(LOCAL, config).now().timestamp())
    kept = Kept()
    await run(LOCAL, config, kept)
    assert titles(kept) == ["His Girl Friday"]
    assert kept.sweeps == []


async def test_a_folder_that_is_not_there_or_empty_takes_nothing_away(films: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for other in ("missing", "empty", "no\0folder"):
        kept = Kept()
        record = await run(LOCAL, settings(films, tmp_path / other), kept)
        assert record.status == "ok"
        assert len(kept.there) == 2
        assert kept.sweeps == []


async def test_without_folders_there_is_nothing() -> None:
    kept = Kept()
    assert (await run(LOCAL, settings(), kept)).status == "unchanged"
    assert kept.there == {}


async def test_a_run_that_should_end_takes_nothing_away(films: Path) -> None:
    stopping, kept = asyncio.Event(), Kept()
    stopping.set()
    record = await run(LOCAL, settings(films), kept, stopping=stopping)
    assert (record.status, record.error) == ("partial", None)
    assert kept.sweeps == []


async def test_odd_names_are_no_trouble(films: Path) -> None:
    def with_odd_names() -> None:
        for name in ("New\nline (1990).mkv", "-v (1991).mkv", "100% #1 ? (1992).mkv", "\u202eevil (1993).mkv"):
            put(films / name)
        put(films / os.fsdecode(b"\xff\xfe (1994).mkv"))
        put(films / ("x" * 200) / ("\u20ac" * 80) / ("\u20ac" * 80) / ("\u20ac" * 80) / "Deep (1995).mkv")

    await asyncio.to_thread(with_odd_names)
    kept = Kept()
    record = await run(LOCAL, settings(films), kept)
    assert (record.status, record.error, record.counters.quarantined) == ("ok", None, 0)
    years = {item.year for item in kept.there.values()}
    assert years == {1940, 1968, 1990, 1991, 1992, 1993}
    assert kept.sweeps == [False]


# --- folders ----------------------------------------------------------------------------------------------------------


def names(*folders: Path) -> list[str]:
    return [file.name for file in walk([str(folder) for folder in folders]).files]


def test_links_in_circles_and_to_nowhere_end(films: Path) -> None:
    (films / "again").symlink_to(films)
    (films / "itself.mkv").symlink_to(films / "itself.mkv")
    (films / "nowhere.mkv").symlink_to(films / "missing.mkv")
    (films / "one").mkdir()
    (films / "one" / "up").symlink_to(films / "two")
    (films / "two").symlink_to(films / "one")
    assert sorted(names(films)) == sorted([NIGHT, FRIDAY, "holiday-clip-0042.mp4"])


def test_each_file_is_found_once_however_many_ways_lead_to_it(films: Path, tmp_path: Path) -> None:
    (films / "The same (1968).mkv").hardlink_to(films / NIGHT)
    (tmp_path / "other").symlink_to(films)
    assert len(names(films, films, films / Path(FRIDAY).parent, tmp_path / "other")) == 3


def test_what_is_hidden_or_beside_the_film_is_none(films: Path) -> None:
    for name in (".hidden (1990).mkv", ".trash/A (1990).mkv", "A/Extras/B (1990).mkv", "Trailers/C (1990).mkv"):
        put(films / name)
    put(films / "Empty (1990).mkv", b"")
    (films / "Folder (1990).mkv").mkdir()
    os.mkfifo(films / "Pipe (1990).mkv")
    put(films / "Shorts" / "One Week (1920).mkv")
    assert sorted(names(films)) == sorted([NIGHT, FRIDAY, "holiday-clip-0042.mp4", "Shorts/One Week (1920).mkv"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_told(films: Path) -> None:
    closed = films / "closed"
    closed.mkdir(mode=0o000)
    try:
        found = walk([str(films)])
    finally:
        closed.chmod(0o700)
    assert len(found.files) == 3
    assert "closed" in found.troubles[0]


# --- ffprobe ----------------------------------------------------------------------------------------------------------


def test_what_ffprobe_says_is_a_length_and_tracks() -> None:
    answer = json.loads((RECORDED / "local" / "ffprobe.json").read_text())
    assert probed_of(answer) == Probed(2.023, (Track("video"), Track("audio")))
    del answer["format"]["duration"]
    assert probed_of(answer).seconds == 2.023
    cover = {"codec_type": "video", "codec_name": "mjpeg", "disposition": {"attached_pic": 1}}
    assert not probed_of({"streams": [cover, {"codec_type": "audio"}]}).is_film


@pytest.mark.parametrize("answer", [None, [], {}, {"streams": None, "format": 7}, {"streams": [None, 1, {}]}])
def test_what_ffprobe_does_not_say_is_not_known(answer: Any) -> None:
    assert probed_of(answer) == Probed()


async def test_a_file_is_looked_into_once_as_long_as_it_stays_as_it_is(films: Path, tmp_path: Path) -> None:
    script = tmp_path / "probe"
    ffprobe = program(script, f'cat "{RECORDED}/local/ffprobe.json"')
    config = settings(films, ffprobe=ffprobe, known_files=str(tmp_path / "folder" / "known.db"))
    kept = Kept()
    assert (await run(LOCAL, config, kept)).status == "ok"
    assert {item.duration_seconds for item in kept.there.values()} == {2.023}
    assert times_run(script) == 2  # what is no film by its name is not looked into
    assert (await run(LOCAL, config, kept)).status == "unchanged"
    assert times_run(script) == 2
    put(films / NIGHT, b"another cut")
    await run(LOCAL, config, kept)
    assert times_run(script) == 3


async def test_once_there_is_an_ffprobe_all_is_looked_at_anew(films: Path, tmp_path: Path) -> None:
    known = str(tmp_path / "known.db")
    await run(LOCAL, settings(films, known_files=known))
    script = tmp_path / "probe"
    ffprobe = program(script, f'cat "{RECORDED}/local/ffprobe.json"')
    await run(LOCAL, settings(films, known_files=known, ffprobe=ffprobe))
    assert times_run(script) == 2


@pytest.mark.parametrize(
    ("script", "is_playable"),
    [("exit 1", False), ("echo '{}'", False), ("echo nonsense", True), ("kill -9 $$", True)],
)
async def test_an_ffprobe_that_fails_takes_no_film_away(
    films: Path, tmp_path: Path, script: str, is_playable: bool
) -> None:
    kept = Kept()
    config = settings(films, ffprobe=program(tmp_path / "probe", script))
    record = await run(LOCAL, config, kept)
    assert (record.status, record.error) == ("ok", None)
    assert {(item.playable, item.duration_seconds) for item in kept.there.values()} == {(is_playable, None)}


async def test_a_real_ffprobe_tells_the_length_of_a_real_film(tmp_path: Path) -> None:
    require("ffmpeg", "ffprobe")
    film = tmp_path / "films" / "The General (1926).mkv"
    film.parent.mkdir()
    made = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x36:rate=10", "-t", "2", str(film)]
    await asyncio.to_thread(subprocess.run, made, check=True, stdin=subprocess.DEVNULL)
    put(tmp_path / "films" / "No film at all (1990).mkv", b"nothing of the kind " * 100)
    os.utime(film, (OLD, OLD))
    kept = Kept()
    await run(LOCAL, settings(film.parent, ffprobe="ffprobe"), kept)
    found = {item.title: item for item in kept.there.values()}
    assert found["The General"].duration_seconds == pytest.approx(2.0, abs=0.2)
    assert found["The General"].playable
    assert not found["No film at all"].playable


async def test_a_list_that_calls_itself_a_film_leads_nowhere(tmp_path: Path) -> None:
    require("ffprobe")
    listed = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n"
    put(tmp_path / "films" / "A list (1990).mkv", listed)
    kept = Kept()
    await run(LOCAL, settings(tmp_path / "films", ffprobe="ffprobe"), kept)
    (item,) = kept.there.values()
    assert not item.playable


# --- what is remembered -----------------------------------------------------------------------------------------------


def test_what_is_remembered_is_of_a_file_as_it_is(tmp_path: Path) -> None:
    file = FilmFile("/films/a.mkv", "a.mkv", 7, 17)
    known = KnownFiles(str(tmp_path / "known.db"), "in one way")
    known.put([(file, Seen("A", 1990, probed=Probed(2.0, (Track("video"),))))])
    known.close()
    for how, size, is_known in (("in one way", 7, True), ("in one way", 8, False), ("in another way", 7, False)):
        known = KnownFiles(str(tmp_path / "known.db"), how)
        asked = FilmFile(file.path, file.name, size, 17)
        assert (known.get(asked) is not None) == is_known
        last = known.last(asked)
        assert last is not None
        assert last.probed == Probed(2.0, (Track("video"),))
        known.close()


def test_files_that_are_no_more_are_forgotten(tmp_path: Path) -> None:
    files = [FilmFile(f"/films/{number}.mkv", "", 7, 17) for number in range(3)]
    known = KnownFiles(str(tmp_path / "known.db"), "")
    known.put([(file, Seen()) for file in files])
    known.keep_only(files[:1])
    assert [known.get(file) is not None for file in files] == [True, False, False]
    known.close()


async def test_a_memory_that_is_damaged_or_cannot_be_kept_is_done_without(films: Path, tmp_path: Path) -> None:
    damaged = put(tmp_path / "damaged.db", b"no database at all" * 100)
    (tmp_path / "file").touch()
    for place in (damaged, tmp_path / "file" / "below", films):
        kept = Kept()
        record = await run(LOCAL, settings(films, known_files=str(place)), kept)
        assert (record.status, record.error) == ("ok", None)
        assert len(kept.there) == 2
    connection = sqlite3.connect(damaged)
    assert connection.execute("SELECT count(*) FROM files").fetchone() == (3,)
    connection.close()


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_says_what_there_is(films: Path, tmp_path: Path) -> None:
    async def said(config: LocalSettings) -> str:
        context = asking(LOCAL, config)
        async with context.http:
            return await LOCAL.check(context)

    assert await said(settings()) == "No folders are set: see `folders` in [local]."
    assert await said(settings(films, ffprobe="sh")) == "There are 3 files that may be films."
    assert "there is no 'no-such-program'" in await said(settings(films))
    with pytest.raises(SourceError, match="missing"):
        await said(settings(films, tmp_path / "missing"))


def test_it_is_built_in_and_remembers_in_the_folder_of_the_data(tmp_path: Path) -> None:
    def config(**changes: Any) -> Any:
        return config_of(load(find("local")), ProvidersSettings(**changes))

    assert config().known_files == ""
    assert config(data=str(tmp_path)).known_files == str(tmp_path / "local-files.db")
    assert config(data=str(tmp_path), local=LocalSettings(known_files="/known.db")).known_files == "/known.db"


async def test_it_is_what_a_source_should_be(films: Path) -> None:
    await check_source(LOCAL, Answers(), settings(films))
    await asyncio.to_thread(shutil.rmtree, films)
