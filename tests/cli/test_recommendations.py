"""`recommendations`: lists for one and for two, why a film is on them, and what one says of films."""

import pytest

from tests.cli.conftest import Cli
from tests.client.recommendations import ANA, BEA, film_id, pair_json, pick_json, recommends
from tests.client.videos import NIGHT, OTHER, page_json, video_json
from tests.scripted_server import Answer, ScriptedServer, session_json

CHARADE, DETOUR = film_id(1), film_id(2)


@pytest.fixture
def ana(cli: Cli, server: ScriptedServer) -> Cli:
    """Ana is signed in, and has watched with bea."""
    cli.sign_in()
    server.on("GET", "/users/me", {"id": ANA, "name": "ana"})
    server.on("GET", "/sessions", {"items": [session_json(isAccepted=True, state="ended")], "next": None})
    recommends(server, pick_json(1, "Charade"), pick_json(2, "Detour", year=None, fits=[]))
    server.on("GET", "/videos", page_json(video_json()))
    rated = {"videoId": NIGHT, "rating": "up", "ratedAt": "2026-11-25T19:00:00.000Z"}
    server.on("PUT", f"/recommendations/ratings/{NIGHT}", rated)
    return cli


@pytest.mark.parametrize("words", [("recommendations",), ("recs",), ("recs", "list"), ("recommendations", "list")])
def test_a_list_begins_with_the_ids(ana: Cli, server: ScriptedServer, words: tuple[str, ...]) -> None:
    result = ana(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        f"{CHARADE}\tCharade\t1963\t92 % you\tbecause of Charade",
        f"{DETOUR}\tDetour\t\t\tbecause of Detour",
    ]
    assert server.last.query == {"limit": "20"}


def test_a_list_for_two_says_how_it_fits_each(ana: Cli, server: ScriptedServer) -> None:
    recommends(server, pair_json(1, "Charade", (0.92, 0.78)))
    result = ana("recs", "list", "--with", "BEA", "--explain", "--seen", "--limit", "5")
    assert result.stdout.split("\t")[3] == "92 % you · 78 % bea"
    assert result.stdout.split("\t")[5] == "you: Laura · bea: D.O.A., Detour"
    assert server.last.query == {"with": BEA, "limit": "5", "seen": "true"}


def test_as_a_table_it_is_read_by_people_and_as_json_everything_is_told(ana: Cli, server: ScriptedServer) -> None:
    table = ana("recs", "-o", "table").stdout
    assert table.splitlines()[0].split() == ["id", "title", "year", "fit", "why"]
    assert CHARADE in table
    (first, _) = ana.json("recs")
    assert (first["id"], first["score"], first["basis"], first["variant"]) == (CHARADE, 0.82, "own", "blend 1.0")
    assert "video_id" not in first
    assert first["fits"][0] == {"user_id": ANA, "fit": 0.92, "reasons": [], "has_seen": False}
    assert ana("recs", "--fields", "title,duration_seconds").stdout == "Charade\t6780\nDetour\t6780\n"


def test_what_a_list_was_made_from_is_said_where_it_knows_nobody(ana: Cli, server: ScriptedServer) -> None:
    recommends(server, pick_json(basis="popular"), note="These are what everybody watches: nobody knows you yet.")
    result = ana("recs")
    assert result.stderr == "These are what everybody watches: nobody knows you yet.\n"
    assert ana("recs", "-q").stderr == ""


def test_nothing_yet_says_what_to_do(ana: Cli, server: ScriptedServer) -> None:
    recommends(server)
    result = ana("recs")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "dateflicks providers run all" in result.stderr


def test_nothing_left_says_why(ana: Cli, server: ScriptedServer) -> None:
    recommends(server, note="All that there is here has been hidden.")
    result = ana("recs")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "All that there is here has been hidden.\n")


@pytest.mark.parametrize(("name", "hint"), [("bee", "Did you mean 'bea'?"), ("xyzzy", "")])
def test_only_people_one_has_a_session_with_have_names(ana: Cli, name: str, hint: str) -> None:
    result = ana("recs", "list", "--with", name)
    assert result.exit_code == 3
    assert f"You have had no session with '{name}'." in result.stderr
    assert hint in result.stderr


def test_a_list_with_somebody_who_never_said_yes_is_not_to_be_had(ana: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/recommendations", Answer.problem(404, "There is nobody of this id, or not for you."))
    result = ana("recs", "list", "--with", BEA)
    assert result.exit_code == 3
    assert "both said yes to a session" in result.stderr


def test_a_server_without_recommendations_is_said(cli: Cli, server: ScriptedServer) -> None:
    assert cli("recs").exit_code == 4
    cli.sign_in()
    server.on("GET", "/users/me", {"id": ANA, "name": "ana"})
    for words in (("recs",), ("recs", "list", "--with", BEA)):
        server.on("GET", "/sessions", {"items": [], "next": None})
        result = cli(*words)
        assert result.exit_code == 3
        assert "no recommendation service" in result.stderr
        assert "said yes" not in result.stderr


def test_why_is_told_of_a_film_that_words_find_alone(ana: Cli, server: ScriptedServer) -> None:
    server.on("GET", f"/recommendations/{NIGHT}/why", {"recommendation": pair_json(1, "Night", (0.92, 0.78))})
    result = ana("recs", "why", "night of the living", "--with", "bea", "-o", "table")
    assert result.exit_code == 0
    assert "you: Laura · bea: D.O.A., Detour" in result.stdout
    assert "blend 1.0" in result.stdout
    assert server.last.query == {"with": BEA}


def test_words_that_find_several_films_say_which(ana: Cli, server: ScriptedServer) -> None:
    server.on("GET", "/videos", page_json(video_json(), video_json(OTHER, year=1990)))
    result = ana("recs", "rate", "night of the living dead", "up")
    assert (result.exit_code, result.stdout) == (2, "")
    assert OTHER in result.stderr
    assert not [asked for asked in server.asked if asked.method == "PUT"]


@pytest.mark.parametrize("group", ["recommendations", "recs", "recommend"])
def test_a_film_is_rated_and_how_to_take_it_back_is_said(ana: Cli, server: ScriptedServer, group: str) -> None:
    result = ana(group, "rate", "night", "up")
    assert (result.exit_code, result.stdout) == (0, f"{NIGHT}\tup\t2026-11-25T19:00:00.000Z\n")
    assert result.stderr.splitlines() == [
        "More like Night of the Living Dead (1968).",
        f"Take it back with 'dateflicks recommendations rate {NIGHT} clear'.",
    ]
    assert server.last.body == {"rating": "up"}


@pytest.mark.parametrize(("word", "rating"), [("down", "down"), ("hide", "hide"), ("clear", None)])
def test_each_word_is_a_rating(ana: Cli, server: ScriptedServer, word: str, rating: str | None) -> None:
    assert ana("recs", "rate", "night", word).exit_code == 0
    assert server.last.body == {"rating": rating}
    assert ana("recs", "rate", "night", "sideways").exit_code == 2
