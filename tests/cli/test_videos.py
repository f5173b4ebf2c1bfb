"""`videos`, and `host` by an id or by words: what is asked of the collection, shown of it, and played from it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dateflicks.cli import patience
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.resolving import film_of_library
from dateflicks.client.films import Film
from dateflicks.protocol.bodies import SessionBody
from dateflicks.server import plugins
from dateflicks.server.providers.source import AuthError, BaseSource, Complete, Context, Yield
from dateflicks.settings.providers import PlexSettings
from tests.cli.conftest import Cli
from tests.client.videos import CHARADE, NIGHT, OTHER, netflix_json, offer_json, page_json, video_json
from tests.scripted_server import Answer, ScriptedServer, session_json

SIMULATED = ("--player", "simulated")
MANUAL = ("--player", "manual", "--plain")


@pytest.fixture
def collection(server: ScriptedServer) -> ScriptedServer:
    """A server whose collection has what a test says."""
    server.on("GET", "/services", {"services": dict.fromkeys(("session", "timecode", "videos"), server.url)})
    server.on("GET", "/sources", {"items": [], "next": None, "index": {"count": 1, "isComplete": True, "asOf": None}})
    return server


def invites(server: ScriptedServer, cli: Cli) -> None:
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    made = session_json(guestUserId=None, guestName=None, invitation="k3v9x-tzq41")
    server.on("POST", "/sessions", {"session": made}, 201)


def invited(server: ScriptedServer) -> dict[str, Any]:
    asked: dict[str, Any] = next(asked for asked in server.asked if asked.path == "/sessions").body["session"]
    return asked


# --- looking ----------------------------------------------------------------------------------------------------


def test_words_are_searched_without_quotes_and_without_signing_in(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json()))
    result = cli("videos", "search", "nigth", "of", "the", "livng", "dead", "--year", "1960-1969", "--playable")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{NIGHT}\tNight of the Living Dead\t1968\tarchive\tyes\n"
    assert collection.last.query == {
        "q": "nigth of the livng dead", "year": "1960-1969", "playable": "true", "sort": "best", "limit": "20",
    }  # fmt: skip


def test_as_json_everything_is_told(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json()))
    (found,) = cli.json("videos", "search", "night")
    assert (found["duration_seconds"], found["offers"][1]["source"]) == (5760, "netflix")


def test_without_a_verb_videos_are_listed(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json(), video_json(CHARADE, "Charade")))
    assert [line.split("\t")[1] for line in cli("videos").stdout.splitlines()] == [
        "Night of the Living Dead",
        "Charade",
    ]
    cli(
        "videos",
        "list",
        "--sort",
        "added",
        "--source",
        "archive,url",
        "--genre",
        "noir",
        "--region",
        "DE",
        "--elsewhere",
    )
    assert collection.last.query == {
        "source": "archive,url", "genre": "noir", "region": "DE", "playable": "false", "sort": "added", "limit": "50",
    }  # fmt: skip


def test_nothing_found_is_said(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json())
    result = cli("videos", "search", "xyzzy")
    none = (
        "No film is found for 'xyzzy'. There are none at all. Fill the collection with 'dateflicks providers run all'."
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{none}\n")
    others = page_json(video_json())
    collection.on("GET", "/videos", Answer(200, page_json(), before=lambda: collection.on("GET", "/videos", others)))
    assert cli("videos", "search", "xyzzy").stderr == "No film is found for 'xyzzy'.\n"


def test_a_collection_that_is_still_being_read_is_said(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json()) | {"isComplete": False})
    result = cli("videos", "search", "night")
    assert result.exit_code == 0
    assert "still being read" in result.stderr


def sources_json(as_of: str | None, ended_at: str | None = None, *, is_complete: bool = True) -> dict[str, Any]:
    """One source, whose last run ended then."""
    run = {"startedAt": "2026-11-24T01:43:00Z", "endedAt": ended_at, "status": "ok" if ended_at else "running"}
    source = {
        "name": "archive", "count": 0, "lastRun": run, "lastSuccessAt": ended_at, "ageSeconds": None,
        "attribution": None,
    }  # fmt: skip
    return {"items": [source], "next": None, "index": {"count": 0, "isComplete": is_complete, "asOf": as_of}}


BEFORE, RUN, AFTER = (f"2026-11-24T02:00:0{second}Z" for second in (0, 3, 5))


def filled_when_asked_again(server: ScriptedServer, first: dict[str, Any], *films: dict[str, Any]) -> None:
    """The collection is read once the sources have been asked for twice."""

    def again() -> None:
        server.on("GET", "/sources", sources_json(AFTER, RUN))
        server.on("GET", "/videos", page_json(*films))

    def once() -> None:
        server.on("GET", "/sources", Answer(200, first, before=again))

    server.on("GET", "/sources", Answer(200, first, before=once))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK_SECONDS", 0.01)


@pytest.mark.usefixtures("quick")
def test_what_a_run_has_just_brought_is_waited_for(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json())
    filled_when_asked_again(collection, sources_json(BEFORE, RUN), video_json())
    result = cli("videos", "search", "night")
    assert result.stdout.startswith(f"{NIGHT}\t")
    assert result.stderr == "Waiting for the collection to be read…\n"


@pytest.mark.usefixtures("quick")
def test_what_a_run_has_not_brought_is_not_there_once_all_is_read(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json())
    filled_when_asked_again(collection, sources_json(BEFORE, RUN))
    result = cli("videos", "list")
    assert result.stderr.splitlines()[1:] == ["No films. Fill the collection with 'dateflicks providers run all'."]


@pytest.mark.usefixtures("quick")
def test_while_a_collection_is_read_for_the_first_time_nobody_says_that_there_is_nothing(
    cli: Cli, collection: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "WAIT_SECONDS", 0.05)
    collection.on("GET", "/videos", page_json() | {"isComplete": False})
    collection.on("GET", "/sources", sources_json(None, RUN, is_complete=False))
    for words, empty in ((("search", "night"), "No film is found for 'night' yet."), (("list",), "No films yet.")):
        result = cli("videos", *words)
        assert result.stderr.splitlines() == [
            "Waiting for the collection to be read…",
            "The collection is still being read: there may be more in a moment.",
            empty,
        ]
    hosted = cli("host", "night", "--player", "mpv")
    assert hosted.exit_code == 3
    assert "No film is found for 'night' yet." in hosted.stderr


def test_long_after_the_last_run_nothing_is_waited_for(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json())
    collection.on("GET", "/sources", sources_json("2026-11-25T02:00:00Z", RUN))
    assert cli("videos", "search", "night").stderr.startswith("No film is found for 'night'. ")


def test_text_of_others_cannot_move_the_cursor(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json(title="Night\x1b[2J of\n the\u202e Dead")))
    result = cli("videos", "search", "night")
    assert "\x1b" not in result.stdout
    assert "\u202e" not in result.stdout
    assert result.stdout.count("\n") == 1


def test_a_filter_that_does_not_fit_is_exit_code_2_and_says_which(cli: Cli, collection: ScriptedServer) -> None:
    problem = [{"field": "year", "message": "must be a year or a range such as 1960-1969"}]
    collection.on("GET", "/videos", Answer.problem(422, "The query does not fit.", errors=problem))
    result = cli("videos", "list", "--year", "soon")
    assert result.exit_code == 2
    assert "year: must be a year" in result.stderr


def test_a_server_without_a_collection_is_said(cli: Cli, server: ScriptedServer) -> None:
    result = cli("videos", "search", "night")
    assert result.exit_code == 3
    assert "no videos service" in result.stderr


def test_a_film_is_shown_with_all_its_offers_and_what_its_sources_ask_for(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", f"/videos/{NIGHT}", {"video": video_json()})
    source = {
        "count": 1, "lastRun": None, "lastSuccessAt": None, "ageSeconds": None,
    }  # fmt: skip
    items = [
        {**source, "name": "netflix", "attribution": "Data by TMDB."},
        {**source, "name": "plex", "attribution": "Not this one."},
    ]
    collection.on(
        "GET", "/sources", {"items": items, "next": None, "index": {"count": 1, "isComplete": True, "asOf": None}}
    )
    result = cli("videos", "show", NIGHT, "-o", "table")
    assert result.exit_code == 0
    assert "George A. Romero, Duane Jones" in result.stdout
    assert "1:36:00" in result.stdout
    assert "https://www.netflix.com/title/1" in result.stdout
    assert result.stderr == "Data by TMDB.\n"
    assert cli.json("videos", "show", NIGHT)["people"] == ["George A. Romero", "Duane Jones"]


def test_a_film_is_shown_by_words_that_find_it_alone(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json()))
    assert cli("videos", "show", "night of the living").exit_code == 0
    collection.on("GET", "/videos", page_json(video_json(), video_json(OTHER, year=1990)))
    result = cli("videos", "show", "night of the living dead")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{OTHER}  Night of the Living Dead (1990), archive" in result.stderr
    assert cli("videos", "show", CHARADE).exit_code == 3


# --- one's own list ---------------------------------------------------------------------------------------------


def test_an_address_and_a_file_come_onto_the_own_list(cli: Cli, tmp_path: Path) -> None:
    film = tmp_path / "The_General.mkv"
    film.write_bytes(b"film")
    added = cli(
        "videos", "add", "https://films.example.org/m.mp4", "--title", "M", "--year", "1931", "--length", "1:30"
    )
    assert added.exit_code == 0
    assert added.stdout == "https://films.example.org/m.mp4\tM\n"
    assert cli("videos", "add", str(film)).exit_code == 0
    text = (cli.home / "server" / "videos.toml").read_text(encoding="utf-8")
    assert 'title = "M"' in text
    assert "duration_seconds = 90.0" in text
    assert f'url = "{film.as_uri()}"' in text
    assert 'title = "The General"' in text
    again = cli("videos", "add", str(film))
    assert again.exit_code == 5
    assert "already" in again.stderr


def test_the_list_may_be_elsewhere(cli: Cli, tmp_path: Path) -> None:
    chosen = tmp_path / "mine.toml"
    result = cli("videos", "add", "https://films.example.org/m.mp4", DATEFLICKS_PROVIDERS_URL_FILE=str(chosen))
    assert result.exit_code == 0
    assert "https://films.example.org/m.mp4" in chosen.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("film", "code"), [("nothing.mkv", 3), ("edl://x", 2), ("https://", 2), ("--length", 2)]
)  # fmt: skip
def test_what_is_no_film_does_not_come_onto_it(cli: Cli, film: str, code: int) -> None:
    assert cli("videos", "add", film).exit_code == code
    assert not (cli.home / "server").exists()


# --- hosting ----------------------------------------------------------------------------------------------------


def test_a_video_is_hosted_by_its_id_with_all_that_is_known_of_it(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", f"/videos/{NIGHT}", {"video": video_json()})
    invites(collection, cli)
    result = cli("host", NIGHT, *SIMULATED)
    assert result.stdout.splitlines()[0].startswith("dateflicks join k3v9x-tzq41")
    assert invited(collection) == {
        "link": True,
        "videoId": NIGHT,
        "video": {"url": "https://archive.example/film.mp4", "title": "Night of the Living Dead", "length": 5760.0},
    }


def test_a_video_is_hosted_by_words_that_find_it_alone(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json(video_json()))
    invites(collection, cli)
    result = cli("host", "night of the living", *SIMULATED)
    assert invited(collection)["videoId"] == NIGHT
    assert f"Night of the Living Dead (1968) of the collection is taken, {NIGHT}." in result.stderr


def test_what_opens_elsewhere_is_steered_by_hand_and_only_its_link_is_told(
    cli: Cli, collection: ScriptedServer
) -> None:
    collection.on("GET", f"/videos/{NIGHT}", {"video": video_json(offers=[netflix_json()])})
    invites(collection, cli)
    result = cli("host", NIGHT, "--player", "mpv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "Error: Night of the Living Dead (1968) cannot be played from here.",
        "It opens at netflix: https://www.netflix.com/title/1",
        f"Watch it there and steer it by hand: dateflicks host {NIGHT} --player manual",
    ]
    cli("host", NIGHT, *MANUAL)
    assert invited(collection)["video"] == {
        "url": "https://www.netflix.com/title/1", "title": "Night of the Living Dead", "length": 5760.0,
    }  # fmt: skip


class Library(BaseSource):
    name = "plex"
    hosts = ("films.example.org",)
    capabilities = frozenset({"resolve"})
    config = PlexSettings

    async def fetch(self, *_: object) -> AsyncIterator[Yield]:
        yield Complete(full=False)

    async def resolve(self, context: Context, url: str) -> str:
        if not context.config.token:
            raise AuthError("no token is set")
        return f"https://films.example.org/1.mkv?X-Plex-Token={context.config.token}"


def test_an_offer_that_only_its_source_understands_is_asked_for_there_and_its_key_stays_here(
    cli: Cli, collection: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_made", lambda _: Library())
    owned = offer_json("plex", "plex://home/1", type="owned")
    collection.on("GET", f"/videos/{NIGHT}", {"video": video_json(offers=[owned, offer_json()])})
    invites(collection, cli)
    result = cli("host", NIGHT, *SIMULATED, DATEFLICKS_PROVIDERS_PLEX_TOKEN="s3cret")
    assert "does not say" not in result.stderr
    assert invited(collection)["video"]["url"] == "plex://home/1"
    assert "s3cret" not in str(collection.asked)
    collection.asked.clear()
    result = cli("host", NIGHT, *SIMULATED)  # the next best offer will do
    assert "plex does not say where the film is: no token is set" in result.stderr
    assert invited(collection)["video"]["url"] == "https://archive.example/film.mp4"


def test_a_guest_with_a_key_of_the_same_library_opens_the_film_there(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_made", lambda _: Library())
    environ = {"DATEFLICKS_HOME": str(cli.home), "DATEFLICKS_PROVIDERS_PLEX_TOKEN": "s3cret"}
    environment = CliEnvironment(environ=environ, is_interactive=False)

    def film_for(url: str, player: str = "mpv") -> Film | None:
        video = {"url": url, "title": "", "length": 0.0}
        session = msgspec.convert(session_json(state="accepted", video=video), SessionBody)
        return asyncio.run(film_of_library(environment, session, player))

    address = "https://films.example.org/1.mkv?X-Plex-Token=s3cret"
    assert film_for("plex://home/1") == Film(address, "plex://home/1")
    for url in ("general.mkv", "https://films.example.org/1.mkv", "archive://home/1", "file:///etc/passwd"):
        assert film_for(url) is None
    assert film_for("plex://home/1", "manual") is None


@pytest.mark.usefixtures("silent_mpv")
def test_a_guest_without_a_key_is_told_why_and_names_their_own_copy(
    cli: Cli, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_made", lambda _: Library())
    session = "ses_" + "a" * 26
    video = {"url": "plex://home/1", "title": "The General", "length": 0.0}
    body = session_json(id=session, state="accepted", ticket="t1cket", guestName="bea", video=video)
    cli.sign_in()
    server.on("GET", "/users/me", {"id": "usr_a", "name": "ana"})
    server.on("GET", f"/sessions/{session}", {"session": body})
    result = cli("watch", session, "--plain")
    assert result.exit_code == 3
    assert "plex does not say where the film is: no token is set" in result.stderr
    assert "Name your copy: dateflicks watch" in result.stderr


def test_words_that_several_films_answer_to_are_exit_code_2_with_the_films_to_choose_from(
    cli: Cli, collection: ScriptedServer
) -> None:
    both = (video_json(CHARADE, "Charade", year=1963), video_json(OTHER, "Charade", year=1953, offers=[netflix_json()]))
    collection.on("GET", "/videos", page_json(*both))
    for player in ("mpv", "simulated", "manual"):
        result = cli("host", "charade", "--player", player)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.splitlines() == [
            f"{CHARADE}  Charade (1963), archive",
            f"{OTHER}  Charade (1953), netflix (elsewhere)",
            "Error: 'charade' may be any of these.",
            "Name one by its id, or type more of its title.",
        ]


def test_words_that_no_film_answers_to_are_exit_code_3(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", "/videos", page_json())
    result = cli("host", "xyzzy", "--player", "mpv")
    assert result.exit_code == 3
    assert "No film is found for 'xyzzy'." in result.stderr
    assert "dateflicks videos search" in result.stderr


def test_an_id_that_nobody_knows_is_exit_code_3(cli: Cli, collection: ScriptedServer) -> None:
    for player in ("mpv", "simulated", "manual", "none"):
        assert cli("host", NIGHT, "--player", player).exit_code == 3


def test_what_names_a_file_asks_no_server(cli: Cli, collection: ScriptedServer, tmp_path: Path) -> None:
    (tmp_path / "charade").write_bytes(b"film")
    cli.sign_in()
    for film in ("charade", "nothing.mkv", "./nothing", "https://films.example.org/x"):
        cli("host", film, *SIMULATED)
    assert not [asked for asked in collection.asked if asked.path.startswith("/videos")]


def test_a_film_on_a_television_with_its_length_needs_no_collection(cli: Cli, collection: ScriptedServer) -> None:
    invites(collection, cli)
    cli("host", "Charade", *MANUAL, "--length", "1:53:00")
    assert invited(collection)["video"] == {"url": "Charade", "title": "Charade", "length": 6780.0}


@pytest.mark.parametrize("text", ["charade", "CHARADE 1963"])
def test_with_its_length_a_title_is_the_film_of_the_collection_that_alone_has_it(
    cli: Cli, collection: ScriptedServer, text: str
) -> None:
    collection.on("GET", "/videos", page_json(video_json(), video_json(CHARADE, "Charade", year=1963)))
    invites(collection, cli)
    result = cli("host", text, *MANUAL, "--length", "1:53:00")
    assert f"Charade (1963) of the collection is taken, {CHARADE}." in result.stderr
    assert (invited(collection)["videoId"], invited(collection)["video"]["length"]) == (CHARADE, 6780.0)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((video_json(),), "No film of the collection is called so: 'Charade' is taken as it is."),
        (
            (video_json(CHARADE, "Charade", year=1963), video_json(OTHER, "Charade", year=1953)),
            "The collection has 2 films of this title: 'Charade' is taken as it is.",
        ),
    ],
)
def test_with_its_length_a_title_that_names_no_film_or_several_is_taken_as_it_is(
    cli: Cli, collection: ScriptedServer, found: tuple[dict[str, Any], ...], words: str
) -> None:
    collection.on("GET", "/videos", page_json(*found))
    invites(collection, cli)
    result = cli("host", "Charade", *MANUAL, "--length", "1:53:00")
    assert words in result.stderr
    assert invited(collection)["video"] == {"url": "Charade", "title": "Charade", "length": 6780.0}
    assert "videoId" not in invited(collection)


def test_an_own_title_and_length_win_over_those_of_the_collection(cli: Cli, collection: ScriptedServer) -> None:
    collection.on("GET", f"/videos/{NIGHT}", {"video": video_json(offers=[offer_json()])})
    invites(collection, cli)
    cli("host", NIGHT, *SIMULATED, "--title", "Ours", "--length", "10:00")
    assert invited(collection)["video"]["title"] == "Ours"
    assert invited(collection)["video"]["length"] == 600.0
