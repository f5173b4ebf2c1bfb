"""The calls: a prediction is made, called, locked, settled or made void by those whose session it is."""

import pytest

from dateflicks.core.limits import PREDICTIONS_PER_SESSION
from tests.journeys.wire import RECORD_TIME, is_id
from tests.server.services.prediction.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_prediction_is_made_open_with_yes_and_no(shared: Deployment) -> None:
    evening = shared.evening()
    made = await shared.predict(evening, evening.ana, "the butler did it")
    assert is_id(made.pop("id"), "prd")
    assert RECORD_TIME.fullmatch(made.pop("createdAt"))
    assert made == {
        "sessionId": evening.id,
        "author": evening.ana.id,
        "authorName": "ana",
        "details": "the butler did it",
        "outcome": None,
        "status": "open",
        "options": ["yes", "no"],
        "calls": [],
        "lockedAt": None,
        "settledAt": None,
        "atPosition": None,
        "locksAtPosition": None,
        "proposedOutcome": None,
        "proposedBy": None,
        "confirmedBy": None,
        "voidReason": None,
        "deadline": None,
        "revision": 1,
        "waits": False,
    }


async def test_it_is_called_locked_proposed_and_confirmed(shared: Deployment) -> None:
    evening = shared.evening()
    made = await shared.predict(evening, evening.ana, options=["the butler", "the cook", "the heir"])
    called = await shared.act(evening, evening.ana, made, "call", option="the cook", confidence=0.5)
    assert called["calls"][0]["option"] == "the cook"
    await shared.act(evening, evening.ben, made, "call", option="THE HEIR", confidence=1)
    locked = await shared.act(evening, evening.ben, made, "lock")
    assert (locked["status"], [call["option"] for call in locked["calls"]]) == ("locked", ["the cook", "the heir"])
    assert RECORD_TIME.fullmatch(locked["lockedAt"])
    proposed = await shared.act(evening, evening.ana, made, "propose", outcome="the cook")
    assert (proposed["status"], proposed["proposedOutcome"], proposed["proposedBy"]) == (
        "locked", "the cook", evening.ana.id,
    )  # fmt: skip
    settled = await shared.act(evening, evening.ben, made, "confirm")
    assert (settled["status"], settled["outcome"], settled["confirmedBy"]) == ("settled", "the cook", evening.ben.id)
    assert RECORD_TIME.fullmatch(settled["settledAt"])
    worth = {call["authorName"]: (call["brier"], call["points"]) for call in settled["calls"]}
    assert worth == {"ana": (0.375, 43.75), "ben": (2.0, -200.0)}
    assert settled["revision"] == 6


async def test_what_is_wrong_with_a_new_one_is_said_field_by_field(shared: Deployment) -> None:
    evening = shared.evening()

    async def fields(details: str = "he did it", **more: object) -> set[str]:
        body = {"prediction": {"details": details, **more}}
        answer = await shared.rest.call("POST", evening.path, body, token=evening.ana.ticket, expect=422)
        return answer.fields

    assert await fields("\u202e\u200b") == {"prediction.details"}
    assert await fields("x" * 501) == {"prediction.details"}
    assert await fields(options=["one"]) == {"prediction.options"}
    assert await fields(options=["Yes", "yes"]) == {"prediction.options"}
    assert await fields(options=["x" * 81, "\x1b[2J"]) == {"prediction.options.0", "prediction.options.1"}
    assert await fields(options=[str(number) for number in range(7)]) == {"prediction.options"}
    assert await fields(locksAtPosition=-1) == {"prediction.locksAtPosition"}
    assert await shared.items(evening, evening.ana) == []


async def test_other_peoples_text_is_cleaned(shared: Deployment) -> None:
    evening = shared.evening()
    made = await shared.predict(evening, evening.ana, "he\x1b[31m did\n\nit\u202e", options=["so\tso", "no\x07"])
    assert (made["details"], made["options"]) == ("he did it", ["so so", "no"])


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"option": "maybe", "confidence": 0.7}, "option"),
        ({"option": "yes", "confidence": 0.49}, "confidence"),
        ({"option": "yes", "confidence": 1.01}, "confidence"),
        ({"option": "yes"}, "confidence"),
        ({"option": "yes", "confidence": 0.7, "revision": 0}, "revision"),
    ],
)
async def test_a_call_is_one_of_the_options_and_a_confidence(
    shared: Deployment, call: dict[str, object], field: str
) -> None:
    evening = shared.evening()
    made = await shared.predict(evening, evening.ana)
    path = f"{evening.path}/{made['id']}/call"
    answer = await shared.rest.call("POST", path, call, token=evening.ana.ticket, expect=422)
    assert answer.fields == {field}


async def test_pages_go_from_the_newest_back(shared: Deployment) -> None:
    evening = shared.evening()
    made = [(await shared.predict(evening, evening.ana, f"number {number}"))["id"] for number in range(5)]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await shared.call("GET", f"{evening.path}?limit=2&cursor={cursor}", evening.ben.ticket)
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert found == made[::-1]
    problem = await shared.call("GET", f"{evening.path}?cursor=nonsense", evening.ben.ticket, expect=422)
    assert problem["errors"][0]["field"] == "cursor"


async def test_nobody_else_may_see_or_do_anything(shared: Deployment) -> None:
    evening, other = shared.evening(), shared.evening()
    made = await shared.predict(evening, evening.ana)
    own = await shared.predict(other, other.ana)
    one = f"{evening.path}/{made['id']}"
    body = {"prediction": {"details": "x"}}
    calls: list[tuple[str, str, object]] = [
        ("GET", evening.path, None), ("GET", f"{evening.path}/scores", None), ("GET", one, None),
        ("POST", evening.path, body), ("POST", f"{one}/call", {"option": "yes", "confidence": 1}),
        ("POST", f"{one}/propose", {"outcome": "yes"}),
        *(("POST", f"{one}/{verb}", None) for verb in ("lock", "confirm", "object", "void")),
    ]  # fmt: skip
    for method, path, sent in calls:
        await shared.call(method, path, None, sent, expect=401)
        await shared.call(method, path, "nonsense", sent, expect=401)
        await shared.call(method, path, evening.person("eve", lifetime_seconds=-1).ticket, sent, expect=401)
        await shared.call(method, path, other.ana.ticket, sent, expect=403)
        await shared.call(method, path, evening.token(other.ana), sent, expect=403)
        if made["id"] in path:  # the session is theirs, the prediction is another's
            elsewhere = path.replace(evening.id, other.id)
            await shared.call(method, elsewhere, other.ana.ticket, sent, expect=404)
            await shared.call(method, path.replace(made["id"], own["id"]), evening.ana.ticket, sent, expect=404)
            await shared.call(method, path.replace(made["id"], "prd_x"), evening.ana.ticket, sent, expect=404)
    assert await shared.read(evening, evening.ana, made) == made
    assert await shared.read(other, other.ana, own) == own


async def test_a_user_token_is_enough_for_who_has_shown_their_ticket(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.predict(evening, evening.ana)
    assert len((await shared.call("GET", evening.path, evening.token(evening.ana)))["items"]) == 1


@pytest.mark.slow
async def test_a_session_has_so_many_predictions_and_no_more(shared: Deployment) -> None:
    evening = shared.evening()
    for number in range(PREDICTIONS_PER_SESSION):
        made = await shared.predict(evening, evening.ana, f"number {number}", clientId=f"n{number}")
    problem = await shared.predict(evening, evening.ben, expect=409)
    assert problem["type"].endswith(":too-many-predictions")
    last = await shared.predict(evening, evening.ana, f"number {number}", clientId=f"n{number}")
    assert last == made
    assert len(await shared.items(evening, evening.ben)) == PREDICTIONS_PER_SESSION
