"""Acting on predictions over HTTP: each act happens once, whatever is lost on the way and whoever is quicker."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import msgspec
import pytest

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.predicting import MOVED_TRIES, PAUSES_SECONDS, Predicting, pair_scores
from dateflicks.client.tickets import Tickets
from dateflicks.protocol.predictions import PredictionBody
from tests.client.prediction_scenes import ID, ME, OTHER, SESSION, call, prediction, sealed, waiting
from tests.scripted_server import Answer, Asked, ScriptedServer, scripted_server, session_json

PATH = f"/predictions/{SESSION}"
MOVED = Answer.problem(409, "The prediction has moved on.")
DOWN = Answer.problem(503, "The database is out of reach.")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as found:
        found.on("GET", "/services", {"services": {"session": found.url, "prediction": found.url}})
        yield found


@pytest.fixture
def paused() -> list[float]:
    return []


@pytest.fixture
def predicting(client: ServiceClient, paused: list[float]) -> Predicting:
    async def pause(seconds: float) -> None:
        paused.append(seconds)

    return Predicting(SESSION, Tickets(client, SESSION, "t1cket"), ME, pause=pause)


def json(body: PredictionBody) -> Any:
    return msgspec.json.decode(msgspec.json.encode(body))


def answers(server: ScriptedServer, verb: str, *told: Answer | PredictionBody) -> None:
    """Each of these in turn to what is sent there."""
    path = f"{PATH}/{ID}/{verb}" if verb else PATH
    queue = [one if isinstance(one, Answer) else Answer(200, {"prediction": json(one)}) for one in told]

    def next_one() -> None:
        if len(queue) > 1:
            server.answers["POST", path] = with_next(queue.pop(1))

    def with_next(answer: Answer) -> Answer:
        return Answer(answer.status, answer.body, answer.headers, next_one)

    server.answers["POST", path] = with_next(queue[0])


def present(server: ScriptedServer, *bodies: PredictionBody) -> None:
    server.on("GET", PATH, {"items": [json(body) for body in bodies], "next": None})


def sent(server: ScriptedServer) -> list[Asked]:
    return [asked for asked in server.asked if asked.method == "POST"]


def revisions(server: ScriptedServer) -> list[int]:
    return [asked.body["revision"] for asked in sent(server)]


# --- looking --------------------------------------------------------------------------------------------------------


async def test_all_predictions_are_asked_for_with_the_ticket_page_after_page(
    server: ScriptedServer, predicting: Predicting
) -> None:
    second = Answer(200, {"items": [json(prediction(id="prd_2"))], "next": None})
    first = Answer(200, {"items": [json(prediction(id="prd_1"))], "next": "more"})
    server.on("GET", PATH, Answer(200, first.body, before=lambda: server.on("GET", PATH, second)))
    assert [one.id for one in await predicting.all()] == ["prd_1", "prd_2"]
    assert server.last.headers["Authorization"] == "Bearer t1cket"
    assert server.last.query["cursor"] == "more"


async def test_one_that_is_not_there_is_said_to_be_not_there(server: ScriptedServer, predicting: Predicting) -> None:
    present(server, prediction(id="prd_1"))
    with pytest.raises(errors.NotThere):
        await predicting.one(ID)


async def test_a_ticket_that_is_no_longer_taken_is_replaced(server: ScriptedServer, predicting: Predicting) -> None:
    server.on("GET", f"/sessions/{SESSION}", {"session": session_json(id=SESSION, state="accepted", ticket="newer")})
    found = Answer(200, {"items": [], "next": None})
    no = Answer.problem(401, "This ticket is no longer good.")
    server.on("GET", PATH, Answer(no.status, no.body, no.headers, lambda: server.on("GET", PATH, found)))
    assert await predicting.all() == []
    assert server.last.headers["Authorization"] == "Bearer newer"


async def test_without_a_newer_ticket_the_sign_in_is_no_longer_good(
    server: ScriptedServer, predicting: Predicting
) -> None:
    server.on("GET", PATH, Answer.problem(401, "This ticket is no longer good."))
    with pytest.raises(errors.NotSignedIn):
        await predicting.all()


async def test_when_the_session_is_over_that_is_said(server: ScriptedServer, predicting: Predicting) -> None:
    server.on("GET", PATH, Answer.problem(401, "This ticket is no longer good."))
    server.on("GET", f"/sessions/{SESSION}", {"session": session_json(id=SESSION, state="ended")})
    with pytest.raises(errors.AtOdds, match="The session is ended"):
        await predicting.all()


async def test_the_scores_of_two_people_are_asked_for_with_the_token(
    server: ScriptedServer, client: ServiceClient
) -> None:
    score = {"userId": ME, "name": "ana", "points": 12.5, "calls": 3, "right": 2, "brier": 0.1}
    server.on("GET", "/predictions/scores", {"items": [score], "predictions": 3})
    assert (await pair_scores(client, OTHER)).items[0].points == 12.5
    assert (server.last.query, server.last.headers["Authorization"]) == ({"with": OTHER}, "Bearer t0ken")


# --- acting once ----------------------------------------------------------------------------------------------------


async def test_a_call_says_the_revision_that_was_seen_and_is_rounded_as_it_is_sealed(
    server: ScriptedServer, predicting: Predicting
) -> None:
    answers(server, "call", prediction(2, call(ME, "no", 0.6667)))
    assert (await predicting.call(prediction(1), "no", 2 / 3, at=61.5)).revision == 2
    assert server.last.body == {"option": "no", "confidence": 0.6667, "atPosition": 61.5, "revision": 1}


async def test_a_new_one_whose_answer_is_lost_is_sent_again_under_the_same_name(
    server: ScriptedServer, predicting: Predicting, paused: list[float]
) -> None:
    answers(server, "", DOWN, DOWN, prediction(1, author=ME))
    await predicting.make("The butler did it", ["yes", "no", "both"], locks_at=4_800.0)
    bodies = [asked.body for asked in sent(server)]
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0]["prediction"]["clientId"]
    assert bodies[0]["prediction"]["options"] == ["yes", "no", "both"]
    assert bodies[0]["prediction"]["locksAtPosition"] == 4_800.0
    assert paused == list(PAUSES_SECONDS[:2])


async def test_two_new_ones_have_different_names(server: ScriptedServer, predicting: Predicting) -> None:
    answers(server, "", prediction(1, author=ME))
    for _ in range(2):
        await predicting.make("The butler did it")
    first, second = sent(server)
    assert first.body["prediction"]["clientId"] != second.body["prediction"]["clientId"]
    assert first.body["prediction"]["options"] is None


async def test_a_service_that_stays_away_is_told_after_the_last_try(
    server: ScriptedServer, predicting: Predicting
) -> None:
    answers(server, "call", DOWN)
    with pytest.raises(errors.ServiceDown):
        await predicting.call(prediction(1), "yes", 0.8)
    assert revisions(server) == [1] * (1 + len(PAUSES_SECONDS))


Act = Callable[[Predicting, PredictionBody], Awaitable[PredictionBody]]
LOCKED = prediction(3, call(ME), call(OTHER), status="locked")
PROPOSED = msgspec.structs.replace(LOCKED, revision=4, proposed_outcome="yes", proposed_by=OTHER)
VOID = msgspec.structs.replace(PROPOSED, revision=5, status="void", void_reason="objection")
SETTLED = msgspec.structs.replace(PROPOSED, revision=5, status="settled", outcome="yes", confirmed_by=ME)
ACTS: dict[str, tuple[Act, PredictionBody, PredictionBody]] = {
    "call": (lambda by, known: by.call(known, "yes", 0.8), prediction(1), prediction(2, call(ME))),
    "lock": (lambda by, known: by.lock(known), prediction(2), LOCKED),
    "propose": (
        lambda by, known: by.propose(known, "yes"),
        LOCKED,
        msgspec.structs.replace(PROPOSED, proposed_by=ME),
    ),
    "confirm": (lambda by, known: by.confirm(known), PROPOSED, SETTLED),
    "object": (lambda by, known: by.object(known), PROPOSED, VOID),
    "void": (lambda by, known: by.void(known), LOCKED, msgspec.structs.replace(VOID, revision=4)),
}


@pytest.mark.parametrize("verb", ACTS)
async def test_an_act_whose_answer_was_lost_is_found_done_and_not_done_again(
    verb: str, server: ScriptedServer, predicting: Predicting
) -> None:
    act, known, done = ACTS[verb]
    answers(server, verb, DOWN, MOVED)
    present(server, done)
    assert await act(predicting, known) == done
    assert revisions(server) == [known.revision] * 2


@pytest.mark.parametrize("verb", ACTS)
async def test_an_act_is_asked_anew_when_something_else_has_changed_meanwhile(
    verb: str, server: ScriptedServer, predicting: Predicting
) -> None:
    act, known, done = ACTS[verb]
    later = msgspec.structs.replace(known, revision=known.revision + 1, deadline="2026-11-24T01:45:00.000Z")
    answers(server, verb, MOVED, msgspec.structs.replace(done, revision=known.revision + 2))
    present(server, later)
    assert (await act(predicting, known)).revision == known.revision + 2
    assert revisions(server) == [known.revision, known.revision + 1]


@pytest.mark.parametrize("verb", ACTS)
async def test_an_act_at_odds_with_how_things_stand_is_not_repeated(
    verb: str, server: ScriptedServer, predicting: Predicting
) -> None:
    act, known, _ = ACTS[verb]
    answers(server, verb, Answer.problem(409, "Not now."))
    present(server, known)
    with pytest.raises(errors.AtOdds, match="Not now"):
        await act(predicting, known)
    assert len(sent(server)) == 1


async def test_what_was_done_before_is_not_taken_for_the_own_doing(
    server: ScriptedServer, predicting: Predicting
) -> None:
    answers(server, "void", Answer.problem(409, "This prediction is void."))
    present(server, VOID)
    with pytest.raises(errors.AtOdds, match="is void"):
        await predicting.void(VOID)


@pytest.mark.parametrize(
    ("verb", "now"),
    [
        ("call", prediction(3, call(OTHER), status="locked")),
        ("call", prediction(2, call(ME, "no", 0.9))),
        ("lock", VOID),
        ("propose", msgspec.structs.replace(PROPOSED, proposed_outcome="no")),
        ("confirm", msgspec.structs.replace(PROPOSED, revision=6, proposed_outcome="no")),
        ("confirm", msgspec.structs.replace(LOCKED, revision=6)),
        ("object", SETTLED),
        ("void", PROPOSED),
    ],
)
async def test_what_was_decided_on_something_else_is_left_to_its_person(
    verb: str, now: PredictionBody, server: ScriptedServer, predicting: Predicting
) -> None:
    act, known, _ = ACTS[verb]
    answers(server, verb, MOVED)
    present(server, now)
    with pytest.raises(errors.AtOdds):
        await act(predicting, known)
    assert revisions(server) == [known.revision]


async def test_a_call_of_the_others_meanwhile_does_not_keep_me_from_mine(
    server: ScriptedServer, predicting: Predicting
) -> None:
    answers(server, "call", MOVED, prediction(3, sealed(call(OTHER)), call(ME)))
    present(server, prediction(2, sealed(call(OTHER))))
    assert (await predicting.call(prediction(1), "yes", 0.8)).revision == 3
    assert revisions(server) == [1, 2]


async def test_a_prediction_that_never_rests_is_given_up(server: ScriptedServer, predicting: Predicting) -> None:
    newest = [1]

    def moves() -> None:
        newest[0] += 1
        present(server, prediction(newest[0]))

    server.on("POST", f"{PATH}/{ID}/call", Answer(MOVED.status, MOVED.body, MOVED.headers, moves))
    with pytest.raises(errors.AtOdds, match="all the time"):
        await predicting.call(prediction(1), "yes", 0.8)
    assert revisions(server) == list(range(1, MOVED_TRIES + 1))


async def test_the_same_outcome_proposed_by_the_other_meanwhile_is_agreed_to(
    server: ScriptedServer, predicting: Predicting
) -> None:
    answers(server, "propose", MOVED, SETTLED)
    present(server, PROPOSED)
    assert await predicting.propose(LOCKED, "yes") == SETTLED


@pytest.mark.parametrize("status", [403, 404, 422, 429])
async def test_any_other_refusal_is_told_at_once(status: int, server: ScriptedServer, predicting: Predicting) -> None:
    answers(server, "call", Answer.problem(status, "No."))
    with pytest.raises(errors.ClientError, match="No"):
        await predicting.call(waiting(1), "yes", 0.8)
    assert len(sent(server)) == 1
