"""Two people at two command lines and one real server: a prediction from the first word to the score."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.journeys.deployment import running_server
from tests.scripted_server import ScriptedServer, scripted_server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cli, Cli]]:
    """Ana and Bea, who have an account on a server."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "data").mkdir()
    with running_server(folder / "data") as server, scripted_server() as nowhere:
        yield person("ana", folder, nowhere, server.url), person("bea", folder, nowhere, server.url)


def person(name: str, home: Path, server: ScriptedServer, url: str) -> Cli:
    cli = Cli(home / name, server, {"DATEFLICKS_CLIENT_SERVER": url, "DATEFLICKS_CLIENT_CREDENTIALS": "file"})
    result = cli("register", name, "--password-stdin", keys="long enough\n")
    assert result.exit_code == 0, result.stderr
    return cli


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Films are not looked for where the tests are started."""
    monkeypatch.chdir(tmp_path)


def test_two_people_predict_call_lock_settle_and_see_who_is_ahead(two: tuple[Cli, Cli]) -> None:
    ana, bea = two
    session = ana.json("session", "create", "film.mkv", "--guest", "bea", "--length", "3600")["id"]
    assert bea("session", "accept", session).exit_code == 0

    made = ana.json("predict", "new", session[4:12], "The butler did it", "--locks-at", "50:00")
    assert (made["options"], made["locks_at_position"], made["status"]) == (["yes", "no"], 3000.0, "open")
    short = made["id"][4:12]
    assert ana.json("predict", "call", session, short, "yes", "--sure", "90%")["my_confidence"] == 0.9
    seen = bea.json("predict")
    assert [(one["id"], one["called"], one["is_proven"]) for one in seen] == [(made["id"], "ana: sealed", None)]
    assert bea.json("predict", "call", session, short, "NO")["my_confidence"] == 0.75

    early = ana("predict", "propose", session, short, "yes")
    assert (early.exit_code, early.stdout) == (5, "")
    assert f"dateflicks predict lock {session[:12]} {made['id'][:12]}" in early.stderr

    locked = ana("predict", "lock", session, short)
    assert locked.exit_code == 0
    assert "you yes (90%), bea no (75%)" in locked.stderr
    assert bea.json("predict", "list", session)[0]["is_proven"] is True
    late = bea("predict", "call", session, short, "yes")
    assert (late.exit_code, late.stdout) == (5, "")

    assert ana.json("predict", "propose", session, short, "yes")["proposed_outcome"] == "yes"
    own = ana("predict", "confirm", session, short)
    assert own.exit_code == 4
    assert "The other types" in own.stderr
    assert bea.json("predict", "confirm", session, short)["status"] == "settled"
    assert bea.json("predict", "confirm", session, short)["status"] == "settled"

    score = ana.json("predict", "score", session)
    assert [(one["name"], one["right"], one["calls"]) for one in score] == [("ana", 1, 1), ("bea", 0, 1)]
    assert ana.json("predict", "score", "--with", "BEA") == score
    assert bea.json("predict", "score") == score


def test_a_prediction_is_settled_after_the_evening_with_the_ticket_that_was_kept(two: tuple[Cli, Cli]) -> None:
    ana, bea = two
    session = ana.json("session", "create", "film.mkv", "--guest", "bea")["id"]
    assert bea("session", "accept", session).exit_code == 0
    made = ana.json("predict", "new", session, "Rain")["id"]
    assert bea("predict", "lock", session, made).exit_code == 0
    assert ana("session", "end", session).exit_code == 0
    assert ana.json("predict", "propose", session, made, "no")["proposed_outcome"] == "no"
    assert bea.json("predict", "object", session, made)["void_reason"] == "objection"
    assert ana("predict", "void", session, made).exit_code == 5
