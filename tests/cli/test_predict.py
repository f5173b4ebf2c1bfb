"""Predictions on the command line: what is asked of the service, what is shown of its answer, what to type next."""

import json
from typing import Any

import msgspec
import pytest

from dateflicks.core.limits import OPTIONS_MAX
from dateflicks.protocol.predictions import CallBody, PredictionBody, commitment
from tests.cli.conftest import Cli
from tests.client.prediction_scenes import prediction, sealed, waiting
from tests.scripted_server import Answer, ScriptedServer, session_json

A = "ses_" + "a" * 26
ENDED = "ses_" + "e" * 26
X = "prd_" + "x" * 26
XY = "prd_xy" + "x" * 24
OTHER = "usr_other"
ME = "usr_a"
SALT = "5a17"


def mine(option: str = "yes", confidence: float = 0.8, of: str = X) -> CallBody:
    return of_author(ME, "ana", option, confidence, of)


def theirs(option: str = "no", confidence: float = 0.6, of: str = X) -> CallBody:
    return of_author(OTHER, "bea", option, confidence, of)


def of_author(author: str, name: str, option: str, confidence: float, of: str) -> CallBody:
    return CallBody(
        author=author,
        author_name=name,
        commitment=commitment(SALT, of, author, option, confidence),
        called_at="2026-11-24T01:44:00.000Z",
        option=option,
        confidence=confidence,
        salt=SALT,
    )


def one(revision: int = 1, *calls: CallBody, **changes: Any) -> PredictionBody:
    return prediction(revision, *calls, **{"id": X, "session_id": A, **changes})


def plain(body: PredictionBody) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body))


class Service:
    """The prediction service of the session, as far as a test says."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server

    def has(self, *bodies: PredictionBody, session: str = A) -> None:
        self.server.on("GET", f"/predictions/{session}", {"items": [plain(body) for body in bodies], "next": None})

    def answers(self, verb: str, told: PredictionBody | Answer, *, then: PredictionBody | None = None) -> None:
        path = f"/predictions/{A}" + (f"/{X}/{verb}" if verb else "")
        answer = told if isinstance(told, Answer) else Answer(200, {"prediction": plain(told)})
        before = (lambda: self.has(then)) if then is not None else (lambda: None)
        self.server.on("POST", path, Answer(answer.status, answer.body, answer.headers, before))

    @property
    def posted(self) -> list[tuple[str, Any]]:
        return [(asked.path, asked.body) for asked in self.server.asked if asked.method == "POST"]


@pytest.fixture(autouse=True)
def service(cli: Cli, server: ScriptedServer) -> Service:
    cli.sign_in()
    server.on("GET", "/services", {"services": {"session": server.url, "prediction": server.url}})
    session = session_json(id=A, state="accepted", ticket="t1cket", hostUserId=ME, guestUserId=OTHER)
    ended = session_json(id=ENDED, state="ended", hostUserId=ME, guestUserId="usr_cleo", guestName="cleo")
    server.on("GET", "/sessions", {"items": [session, ended], "next": None})
    server.on("GET", f"/sessions/{A}", {"session": session})
    server.on("GET", f"/sessions/{ENDED}", {"session": ended})
    server.on("GET", "/users/me", {"id": ME, "name": "ana"})
    found = Service(server)
    found.has(one(2, sealed(theirs())), one(1, id=XY, details="Rain", status="void"))
    return found


# --- looking --------------------------------------------------------------------------------------------------------


def test_a_list_into_a_pipe_is_tab_separated_with_the_id_first(cli: Cli) -> None:
    rows = [line.split("\t") for line in cli("predict", "list", "a").stdout.splitlines()]
    assert rows[0] == [X, "open", "The butler did it", '["yes","no"]', "bea: sealed", "", "", ""]
    assert rows[1][:3] == [XY, "void", "Rain"]


def test_the_ticket_of_the_session_opens_its_predictions_and_is_kept(cli: Cli, server: ScriptedServer) -> None:
    assert cli("predict", "list", A).exit_code == 0
    assert server.last.headers["Authorization"] == "Bearer t1cket"
    assert cli.store.ticket(server.url, A) == "t1cket"


def test_list_is_what_predict_does_without_a_verb_in_the_only_session_there_is(
    cli: Cli, server: ScriptedServer
) -> None:
    accepted = [session_json(id=A, state="accepted", ticket="t1cket")]
    server.on("GET", "/sessions", {"items": accepted, "next": None})
    assert cli("predict").stdout == cli("predict", "list", A).stdout
    assert X in cli("predict").stdout


@pytest.mark.parametrize(("count", "code", "hint"), [(0, 3, "session list"), (2, 2, "predict list ses_aaaa")])
def test_without_one_session_to_mean_it_has_to_be_named(
    count: int, code: int, hint: str, cli: Cli, server: ScriptedServer
) -> None:
    sessions = [session_json(id=A, state="accepted"), session_json(id="ses_" + "b" * 26, state="accepted")]
    server.on("GET", "/sessions", {"items": sessions[:count], "next": None})
    result = cli("predict", "list")
    assert (result.exit_code, result.stdout) == (code, "")
    assert hint in result.stderr


def test_json_has_what_came_and_what_is_mine_in_it(cli: Cli, service: Service) -> None:
    service.has(one(3, mine(), theirs(), status="locked"))
    found = cli.json("predict", "list", A)[0]
    assert (found["session_id"], found["revision"], found["waits"]) == (A, 3, False)
    assert (found["my_option"], found["my_confidence"], found["is_proven"]) == ("yes", 0.8, True)
    assert [called["option"] for called in found["calls"]] == ["yes", "no"]
    assert found["called"] == "ana: yes (80%), bea: no (60%)"


def test_json_lines_fields_and_tables_work_as_everywhere(cli: Cli) -> None:
    lines = cli("predict", "list", A, "-o", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [X, XY]
    assert cli("predict", "list", A, "--fields", "status,details").stdout.splitlines()[1] == "void\tRain"
    assert cli("predict", "list", A, "-o", "table").stdout.splitlines()[0].split()[:2] == ["id", "status"]


def test_an_empty_list_says_how_to_make_one(cli: Cli, service: Service) -> None:
    service.has()
    result = cli("predict", "list", A)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "dateflicks predict new ses_aaaaaaaa TEXT" in result.stderr


def test_what_waits_is_counted_and_nothing_more(cli: Cli, service: Service) -> None:
    service.has(waiting(3, id=X, session_id=A))
    result = cli("predict", "list", A)
    assert result.stdout.startswith(f"{X}\topen\t\t")
    assert "1 of them wait" in result.stderr


def test_a_call_that_is_not_what_was_sealed_is_told_loudly_with_exit_code_9(cli: Cli, service: Service) -> None:
    service.has(one(3, msgspec.structs.replace(theirs(), option="yes"), status="locked"))
    result = cli("predict", "list", A, "--quiet", "--json")
    assert result.exit_code == 9
    assert json.loads(result.stdout)[0]["is_proven"] is False
    assert result.stderr.startswith("Not proven: the call of bea on “The butler did it”: it does not fit")


def test_what_was_sealed_in_one_run_is_held_against_what_is_unsealed_in_another(cli: Cli, service: Service) -> None:
    assert cli("predict", "list", A).exit_code == 0
    service.has(one(3, theirs("yes"), status="locked", proposed_outcome="yes", proposed_by=OTHER))
    for _ in range(2):
        result = cli("predict", "list", A)
        assert result.exit_code == 9
        assert "it is another than the one that was sealed" in result.stderr
    assert (cli("predict", "confirm", A, X).exit_code, service.posted) == (2, [])


def test_hostile_text_reaches_neither_terminal_nor_pipe(cli: Cli, service: Service) -> None:
    hostile = "\x1b[2J\x1b]0;gotcha\x07[bold]a\tb\r\n\x9b31m\u202egnp.exe"
    liar = msgspec.structs.replace(theirs(), author_name=hostile, option=hostile)
    service.has(one(3, liar, status="locked", details=hostile, options=[hostile, "no"]))
    for form in ("table", "plain", "json", "jsonl"):
        result = cli("predict", "list", A, "-o", form)
        assert not any(character in result.output for character in "\x1b\x07\r\x9b\u202e")
    assert not any(character in result.stderr for character in "\x1b\x07\r\x9b\u202e")


# --- naming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [X, "prd_xx", "xxx"])
def test_the_beginning_of_an_id_is_enough(typed: str, cli: Cli, service: Service) -> None:
    service.answers("lock", one(3, theirs(), status="locked"))
    assert cli.json("predict", "lock", "aa", typed)["id"] == X


def test_a_beginning_of_several_is_exit_code_2_and_names_them(cli: Cli) -> None:
    result = cli("predict", "lock", "a", "x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert X in result.stderr
    assert XY in result.stderr


def test_a_beginning_of_none_is_exit_code_3_and_says_where_to_look(cli: Cli) -> None:
    result = cli("predict", "lock", "a", "zz")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "dateflicks predict list ses_aaaaaaaa" in result.stderr


@pytest.mark.parametrize(("typed", "hint"), [("yess", "Did you mean 'yes'?"), ("maybe", "There are: yes, no.")])
def test_an_option_that_is_none_is_exit_code_2_with_the_nearest(
    typed: str, hint: str, cli: Cli, service: Service
) -> None:
    result = cli("predict", "call", "a", "xxx", typed)
    assert (result.exit_code, service.posted) == (2, [])
    assert hint in result.stderr


# --- acting ---------------------------------------------------------------------------------------------------------


def test_a_new_one_travels_with_its_options_and_says_how_to_call_it(cli: Cli, service: Service) -> None:
    service.answers("", one(1, author=ME, author_name="ana"))
    result = cli(
        "predict", "new", "a", "Who did it?", "--option", "butler", "--option", "cook", "--locks-at", "1:20:00"
    )
    assert result.exit_code == 0, result.stderr
    body = service.posted[0][1]["prediction"]
    assert (body["details"], body["options"], body["locksAtPosition"]) == ("Who did it?", ["butler", "cook"], 4800.0)
    assert body["clientId"]
    assert "dateflicks predict call ses_aaaaaaaa prd_xxxxxxxx OPTION --sure 80%" in result.stderr


def test_as_many_options_can_be_named_as_the_service_takes(cli: Cli, server: ScriptedServer) -> None:
    many = [word for number in range(OPTIONS_MAX + 1) for word in ("--option", str(number))]
    refused = cli("predict", "new", "a", "Who?", *many)
    assert (refused.exit_code, f"2 to {OPTIONS_MAX} options" in refused.stderr) == (2, True)
    assert server.asked == []


@pytest.mark.parametrize("words", [("--option", "alone"), ("--locks-at", "soon"), ("--locks-at", "1:99")])
def test_what_can_be_no_prediction_is_not_asked_of_the_service(
    words: tuple[str, ...], cli: Cli, server: ScriptedServer
) -> None:
    assert cli("predict", "new", "a", "Rain", *words).exit_code == 2
    assert server.asked == []


@pytest.mark.parametrize(
    ("words", "confidence"), [("--sure 80%", 0.8), ("--sure 0.8", 0.8), ("--sure 66.666%", 0.6667), ("", 0.75)]
)
def test_a_call_says_how_sure(words: str, confidence: float, cli: Cli, service: Service) -> None:
    service.answers("call", one(3, sealed(theirs()), mine(confidence=confidence)))
    result = cli("predict", "call", "a", "xxx", "YES", *words.split())
    assert result.exit_code == 0, result.stderr
    assert service.posted[0][1] == {"option": "yes", "confidence": confidence, "atPosition": None, "revision": 2}
    assert "You call yes (" in result.stderr
    assert "dateflicks predict lock ses_aaaaaaaa prd_xxxxxxxx" in result.stderr


def test_three_options_are_half_way_to_certain_at_two_thirds(cli: Cli, service: Service) -> None:
    service.has(one(1, options=["a", "b", "c"]))
    service.answers("call", one(2))
    cli("predict", "call", "a", "xxx", "b")
    assert service.posted[0][1]["confidence"] == 0.6667


@pytest.mark.parametrize(
    ("sure", "told"),
    [("80", "Did you mean 80%?"), ("very", "Write 80% or 0.8."), ("40%", "50%"), ("120%", "100%"), ("nan", "50%")],
)
def test_a_confidence_that_is_none_is_exit_code_2_in_three_lines(
    sure: str, told: str, cli: Cli, service: Service
) -> None:
    result = cli("predict", "call", "a", "xxx", "yes", "--sure", sure)
    assert (result.exit_code, service.posted) == (2, [])
    assert told in result.stderr
    assert len(result.stderr.splitlines()) <= 3


def test_the_lock_shows_what_everybody_called_and_holds_it_against_what_was_sealed(cli: Cli, service: Service) -> None:
    service.answers("lock", one(3, theirs(), status="locked"))
    result = cli("predict", "lock", "a", "xxx")
    assert result.exit_code == 0
    assert "Locked: “The butler did it”: bea no (60%)." in result.stderr
    assert "dateflicks predict propose ses_aaaaaaaa prd_xxxxxxxx OUTCOME" in result.stderr
    service.answers("lock", one(3, theirs("yes"), status="locked"))
    lied = cli("predict", "lock", "a", "xxx")
    assert lied.exit_code == 9
    assert "it is another than the one that was sealed" in lied.stderr


def test_an_outcome_is_proposed_and_confirmed(cli: Cli, service: Service) -> None:
    locked = one(3, theirs(), mine(), status="locked")
    proposed = msgspec.structs.replace(locked, revision=4, proposed_outcome="yes", proposed_by=ME)
    service.has(locked)
    service.answers("propose", proposed)
    told = cli("predict", "propose", "a", "xxx", "yes").stderr
    assert service.posted[-1][1] == {"outcome": "yes", "revision": 3}
    assert "another has to confirm" in told
    assert "away" not in told
    service.answers("propose", msgspec.structs.replace(proposed, deadline="2026-11-24T01:45:00.000Z"))
    told = cli("predict", "propose", "a", "xxx", "yes").stderr
    assert "They are away: after 2026-11-24T01:45:00.000Z it is void." in told
    by_other = msgspec.structs.replace(proposed, proposed_by=OTHER)
    service.has(by_other)
    service.answers("confirm", msgspec.structs.replace(by_other, revision=5, status="settled", outcome="yes"))
    told = cli("predict", "confirm", "a", "xxx").stderr
    assert service.posted[-1][1] == {"revision": 4}
    assert "Settled: “The butler did it”: yes." in told
    assert "dateflicks predict score ses_aaaaaaaa" in told


@pytest.mark.parametrize(("verb", "reason"), [("object", "objection"), ("void", "called-off")])
def test_it_can_be_objected_to_and_called_off(verb: str, reason: str, cli: Cli, service: Service) -> None:
    service.has(one(4, theirs(), status="locked", proposed_outcome="no", proposed_by=OTHER))
    service.answers(verb, one(5, theirs(), status="void", void_reason=reason))
    found = cli.json("predict", verb, "a", "xxx")
    assert (found["status"], found["void_reason"]) == ("void", reason)


def test_nothing_is_settled_on_a_call_that_is_not_proven_without_a_yes(cli: Cli, service: Service) -> None:
    liar = msgspec.structs.replace(theirs(), option="yes")
    proposed = one(4, liar, status="locked", proposed_outcome="yes", proposed_by=OTHER)
    service.has(proposed)
    service.answers("confirm", msgspec.structs.replace(proposed, revision=5, status="settled", outcome="yes"))
    assert (cli("predict", "confirm", "a", "xxx").exit_code, service.posted) == (2, [])
    assert cli("predict", "confirm", "a", "xxx", "--yes").exit_code == 9
    assert len(service.posted) == 1


def test_a_refusal_says_what_can_be_done_instead_as_it_is_now(cli: Cli, service: Service) -> None:
    service.answers("call", Answer.problem(409, "It is locked."), then=one(3, theirs(), status="locked"))
    result = cli("predict", "call", "a", "xxx", "yes")
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.splitlines() == [
        "Error: It is locked.",
        "Say what came true with 'dateflicks predict propose ses_aaaaaaaa prd_xxxxxxxx OUTCOME'.",
    ]


@pytest.mark.parametrize(("status", "code"), [(403, 4), (404, 3), (409, 5), (422, 2), (429, 1), (500, 1)])
def test_each_refusal_has_its_exit_code(status: int, code: int, cli: Cli, service: Service) -> None:
    service.answers("lock", Answer.problem(status, "Because of this."))
    result = cli("predict", "lock", "a", "xxx")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("Error: Because of this.\n")


def test_one_that_waits_cannot_be_called(cli: Cli, service: Service) -> None:
    service.has(waiting(3, id=X, session_id=A))
    result = cli("predict", "call", "a", "xxx", "yes")
    assert (result.exit_code, service.posted) == (5, [])
    assert "waits" in result.stderr


# --- without the session service ------------------------------------------------------------------------------------


def test_a_kept_ticket_is_enough_while_the_session_service_is_away(cli: Cli, server: ScriptedServer) -> None:
    cli("predict", "list", A)
    for path in ("/sessions", f"/sessions/{A}"):
        server.on("GET", path, Answer.problem(503, "Not now."))
    assert X in cli("predict", "list", "aa").stdout
    assert X in cli("predict", "list", A).stdout
    assert cli("predict", "list", "bb").exit_code == 6


def test_a_kept_ticket_is_enough_when_the_session_is_over(cli: Cli, server: ScriptedServer, service: Service) -> None:
    assert cli("predict", "list", "e").exit_code == 5
    cli.store.put_ticket(server.url, ENDED, "0ld")
    service.has(one(), session=ENDED)
    assert X in cli("predict", "list", "e").stdout
    assert server.last.headers["Authorization"] == "Bearer 0ld"


def test_a_kept_ticket_is_not_used_beside_a_token_of_the_settings(
    cli: Cli, server: ScriptedServer, service: Service
) -> None:
    cli.store.put_ticket(server.url, ENDED, "0ld")
    service.has(one(), session=ENDED)
    assert cli("predict", "list", "e", DATEFLICKS_CLIENT_TOKEN="an0ther").exit_code == 5
    assert cli("predict", "list", A, DATEFLICKS_CLIENT_TOKEN="an0ther").exit_code == 0
    assert cli.store.ticket(server.url, A) is None


# --- scores ---------------------------------------------------------------------------------------------------------

SCORES = {
    "items": [{"userId": ME, "name": "ana", "points": 96.5, "calls": 2, "right": 1, "brier": 0.125}],
    "predictions": 2,
}


def test_the_score_of_a_session_is_one_line_for_each(cli: Cli, server: ScriptedServer) -> None:
    server.on("GET", f"/predictions/{A}/scores", SCORES)
    assert cli("predict", "score", "a").stdout == f"{ME}\tana\t96.5\t2\t1\t0.125\n"


@pytest.mark.parametrize(
    ("name", "user_id"), [("CLEO", "usr_cleo"), ("bea", OTHER), ("usr_" + "k" * 26, "usr_" + "k" * 26)]
)
def test_the_score_with_a_person_is_over_all_sessions(
    name: str, user_id: str, cli: Cli, server: ScriptedServer
) -> None:
    server.on("GET", "/predictions/scores", SCORES)
    assert cli.json("predict", "score", "--with", name)[0]["points"] == 96.5
    assert (server.last.query, server.last.headers["Authorization"]) == ({"with": user_id}, "Bearer t0ken")


def test_somebody_unknown_is_exit_code_3_with_the_nearest_name(cli: Cli) -> None:
    result = cli("predict", "score", "--with", "claeo")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Did you mean 'cleo'?" in result.stderr


def test_without_a_name_the_only_person_there_is_is_meant(cli: Cli, server: ScriptedServer) -> None:
    several = cli("predict", "score")
    assert several.exit_code == 2
    assert "--with NAME" in several.stderr
    only = [session_json(id=A, state="ended", hostUserId=ME, guestUserId=OTHER)]
    server.on("GET", "/sessions", {"items": only, "next": None})
    server.on("GET", "/predictions/scores", {"items": [], "predictions": 0})
    result = cli("predict", "score")
    assert (result.exit_code, result.stdout, server.last.query) == (0, "", {"with": OTHER})
    assert "Nothing is settled yet." in result.stderr


def test_a_session_and_a_person_together_are_exit_code_2(cli: Cli) -> None:
    assert cli("predict", "score", "a", "--with", "bea").exit_code == 2


@pytest.mark.parametrize(("other", "own"), [("vote", "call"), ("settle", "propose"), ("dispute", "object")])
def test_words_that_others_use_are_understood_and_stand_in_no_help(other: str, own: str, cli: Cli) -> None:
    assert f"predict {other} " in cli("predict", other, "--help").stdout
    commands = cli("predict", "--help").stdout
    assert f" {own} " in commands
    assert f" {other} " not in commands
