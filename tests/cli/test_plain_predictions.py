"""Predictions line by line: what becomes of each, which one is meant, and what makes no sense."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from dateflicks.cli import plain_predictions
from dateflicks.cli.telling import JsonLines
from dateflicks.client.errors import AtOdds
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused, PredictionsUpdate
from dateflicks.protocol.predictions import PredictionBody, PredictionReason, ScoreBody, commitment
from dateflicks.settings.client import ClientSettings
from tests.cli.desk import BEA, Desk, at_desk, told
from tests.client import prediction_scenes as scenes
from tests.waiting import until

ID = scenes.ID[:-1]


def prediction(number: int = 1, revision: int = 1, *calls: Any, **changes: Any) -> PredictionBody:
    """The session's prediction of that number, by ana."""
    return scenes.prediction(
        revision, *calls,
        **{
            "id": f"{ID}{number}", "author_name": "ana", "details": f"Guess {number}",
            "created_at": f"2026-11-24T01:43:{number:02d}.000Z", **changes,
        },
    )  # fmt: skip


class Better:
    """Bea at her terminal, with the service of the predictions in our hands."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.predictions = desk.predicts()
        self.asked: list[tuple[Any, ...]] = []
        desk.hear(told(1))
        desk.watch._predictions._known_by = 0.0
        requests: Any = self.predictions._requests
        for name in ("make", "call", "lock", "propose", "confirm", "object", "void"):
            setattr(requests, name, self._act(name))

    def _act(self, name: str) -> Callable[..., Awaitable[PredictionBody]]:
        async def act(known: Any, *more: Any, at: float | None = None, **named: Any) -> PredictionBody:
            which = known.details if isinstance(known, PredictionBody) else known
            self.asked.append((name, which, *more, *named.values()))
            return known if isinstance(known, PredictionBody) else prediction(9, details=str(known))

        return act

    def hears(self, body: PredictionBody, reason: PredictionReason) -> str:
        before = len(self.desk.stdout.getvalue())
        self.predictions._told(body, reason)
        return self.desk.stdout.getvalue()[before:].rstrip("\n")

    async def types(self, line: str) -> str:
        """What is said to this, once it is carried out."""
        before = len(self.desk.stdout.getvalue())
        running = asyncio.create_task(self.desk.watch._predictions.run())
        self.desk.watch._command(line)
        await self.desk.watch._predictions.is_done(30.0)
        running.cancel()
        return self.desk.stdout.getvalue()[before:].rstrip("\n")


@pytest.fixture
async def bea() -> AsyncIterator[Better]:
    async with at_desk(ClientSettings(player="simulated")) as desk:
        yield Better(desk)


SEALED = scenes.sealed(scenes.call())
OWN = msgspec.structs.replace(
    scenes.call(), author=BEA, author_name="bea", commitment=commitment("5a17", f"{ID}1", BEA, "yes", 0.8)
)


async def test_each_turn_is_a_sentence_with_a_number_and_what_to_type(bea: Better) -> None:
    assert bea.hears(prediction(locks_at_position=4800.0), "made") == (
        "#1 ana predicts: Guess 1 (yes / no). Calls close at 1:20:00. Type call #1 yes 80%."
    )
    assert bea.hears(prediction(1, 2, SEALED), "called") == "#1 bea has called: “Guess 1”; sealed until the lock."
    locked = bea.hears(prediction(1, 3, status="locked"), "locked")
    assert locked.startswith("#1 Locked: “Guess 1”")
    assert "type propose #1" in locked
    proposed = prediction(1, 4, status="locked", proposed_by="usr_ana", proposed_outcome="yes")
    assert bea.hears(proposed, "proposed").endswith("Type confirm #1 or object #1.")
    assert bea.hears(prediction(1, 5, status="void", void_reason="objection"), "void") == (
        "#1 Void: “Guess 1”: they did not agree on the outcome."
    )


async def test_the_settlement_is_told_with_the_score(bea: Better) -> None:
    scored = msgspec.structs.replace(OWN, points=112.4, brier=0.08)
    one = prediction(1, 6, scored, status="settled", outcome="yes", settled_at="2026-11-24T03:00:00.000Z")
    assert bea.hears(one, "settled").splitlines()[-2:] == [
        "#1 Settled: “Guess 1”: yes. Points: you +112.",
        "Score: you +112 (1 of 1 right).",
    ]
    assert await bea.types("score") == "Score: you +112 (1 of 1 right)."


async def test_on_coming_what_is_in_play_is_told_and_what_is_over_is_not(bea: Better) -> None:
    said = bea.desk.stdout
    before = len(said.getvalue())
    for one in (prediction(3), prediction(1), prediction(2, status="void", void_reason="called-off")):
        assert bea.hears(one, "present") == ""  # the service tells them in an order of its own
    await until(lambda: "Guess 1" in said.getvalue())
    assert said.getvalue()[before:].splitlines() == [
        "#1 open: “Guess 1” (yes / no); you have not called it.",
        "#3 open: “Guess 3” (yes / no); you have not called it.",
    ]


async def test_what_happens_next_is_told_after_what_there_was(bea: Better) -> None:
    bea.hears(prediction(2), "present")
    bea.hears(prediction(1), "present")
    told = bea.hears(prediction(3), "made").splitlines()
    assert [line.split()[0] for line in told] == ["#1", "#2", "#3"]


async def test_one_that_waits_says_no_more_than_that(bea: Better) -> None:
    hidden = prediction(1, waits=True, details="", options=[])
    assert bea.hears(hidden, "made") == "A prediction waits: you see it when your film gets to it."
    assert await bea.types("predictions") == "#1 waits until your film gets to it."
    assert "waits" in await bea.types("call #1 yes")
    assert await bea.types("call yes") == "No prediction is open for calls. Type predictions to see them."
    assert bea.hears(prediction(), "shown").startswith("#1 ana predicts: Guess 1")


async def test_a_call_that_is_not_what_was_sealed_is_said_loudly_and_confirmed_only_when_asked_twice(
    bea: Better,
) -> None:
    other = msgspec.structs.replace(scenes.call(), option="no")
    one = prediction(1, 3, other, status="locked", proposed_by="usr_ana", proposed_outcome="no")
    assert any(line.startswith("WARNING, #1: Not proven") for line in bea.hears(one, "proposed").splitlines())
    assert "is not what was sealed" in await bea.types("confirm")
    assert bea.asked == []
    await bea.types("confirm #1")
    assert bea.asked == [("confirm", "Guess 1")]


async def test_an_outage_is_told_once_and_its_end(bea: Better) -> None:
    def hears(update: PredictionsUpdate) -> str:
        return bea.desk.hear(update)

    assert hears(PredictionsLine(True)) == ""
    assert "No predictions for the moment" in hears(PredictionsLine(False, "gone", 2.0))
    assert hears(PredictionsLine(False, "gone", 4.0)) == ""
    assert hears(PredictionsLine(True)) == "The predictions are back."


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("predict It rains", ("make", "It rains", (), None)),
        ("predict Who; Ana; Bea @ 1:20:00", ("make", "Who", ("Ana", "Bea"), 4800.0)),
        ("predict Soon @ +1:00", ("make", "Soon", (), 120.0)),
        ("/predict It rains", ("make", "It rains", (), None)),
        ("call YES 80%", ("call", "Guess 2", "yes", 0.8)),
        ("call yes", ("call", "Guess 2", "yes", 0.75)),
        ("call #1 no .6", ("call", "Guess 1", "no", 0.6)),
        ("lock", ("lock", "Guess 2")),
        ("lock #1", ("lock", "Guess 1")),
        ("propose No", ("propose", "Guess 3", "no")),
        ("propose #3 yes", ("propose", "Guess 3", "yes")),
        ("confirm", ("confirm", "Guess 4")),
        ("object", ("object", "Guess 4")),
        ("object #4", ("object", "Guess 4")),
        ("void #3", ("void", "Guess 3")),
    ],
)
async def test_without_a_number_the_newest_is_meant_that_fits(line: str, asked: tuple[Any, ...], bea: Better) -> None:
    bea.hears(prediction(1), "made")
    bea.hears(prediction(2), "made")
    if asked[1] in ("Guess 3", "Guess 4"):
        bea.hears(prediction(3, status="locked"), "locked")
    if asked[1] == "Guess 4":
        bea.hears(prediction(4, status="locked", proposed_by="usr_ana", proposed_outcome="yes"), "proposed")
    await bea.types(line)
    assert bea.asked == [asked]


@pytest.mark.parametrize(
    "line",
    [
        "predict", "predict a; b", "predict a; b; B", "predict x @ 99:99:99", "call", "call maybe", "call yes 30%",
        "call yes 0%", "call #9 yes", "lock #9", "lock now", "propose", "propose perhaps", "confirm", "confirm yes",
        "object", "void all", "call #1",
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_answered_in_one_sentence_and_does_nothing(line: str, bea: Better) -> None:
    bea.hears(prediction(1), "made")
    answer = await bea.types(line)
    assert answer
    assert answer.count("\n") == 0
    assert " /" not in answer.replace(" / ", "")
    assert bea.asked == []


async def test_a_refusal_of_the_service_is_told(bea: Better) -> None:
    async def refuse(*_: Any, **__: Any) -> PredictionBody:
        raise AtOdds("Nobody can call it any more.")

    bea.hears(prediction(1), "made")
    requests: Any = bea.predictions._requests
    requests.call = refuse
    assert await bea.types("call yes") == "Nobody can call it any more."


async def test_what_changes_nothing_says_how_it_is(bea: Better) -> None:
    bea.hears(prediction(1, 2, OWN), "called")
    assert await bea.types("call yes 80%") == "That is so already: #1 open: “Guess 1” (yes / no); you yes (80%)."


async def test_what_is_typed_before_anything_is_known_waits_for_it(bea: Better) -> None:
    bea.desk.watch._predictions._known_by = asyncio.get_running_loop().time() + 1_000.0
    bea.desk.hear(PredictionsLine(True))
    bea.desk.watch._predictions._known_by = asyncio.get_running_loop().time() + 1_000.0
    typing = asyncio.create_task(bea.types("call yes"))
    await asyncio.sleep(0)
    bea.hears(prediction(1), "present")
    await typing
    assert bea.asked == [("call", "Guess 1", "yes", 0.75)]


async def test_more_than_can_wait_is_not_taken_and_told(bea: Better, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(plain_predictions.QUEUE_MAX):
        assert bea.desk.type("lock") == ""
    assert bea.desk.type("void") == "Too much at once: 'void' was not taken."


async def test_without_predictions_on_the_server_it_is_said_that_there_are_none() -> None:
    async with at_desk(ClientSettings(player="simulated")) as desk:
        desk.hear(told(1))
        assert desk.type("predict rain") == "There are no predictions on this server."
        assert "predict" not in desk.type("help")


async def test_hostile_predictions_stay_on_their_line(bea: Better) -> None:
    heard = bea.hears(prediction(1, author_name="\x1b[2J", details="a\n\u202eb\x07", options=["\u2028y", "n"]), "made")
    assert heard.isprintable()


@pytest.mark.parametrize(
    ("update", "event", "some"),
    [
        (Changed(prediction(1), "made", None), "prediction", {"reason": "made"}),
        (Unproven(prediction(1), "usr_x", "ana", "gone"), "unproven", {"author_name": "ana", "why": "gone"}),
        (
            ScoresChanged((ScoreBody(user_id="usr_x", name="ana", points=1.0, calls=1, right=1, brier=0.1),)),
            "scores",
            {"items": [{"user_id": "usr_x", "name": "ana", "points": 1.0, "calls": 1, "right": 1, "brier": 0.1}]},
        ),
        (PredictionsLine(True), "prediction-line", {"is_open": True}),
        (PredictionsRefused("invalid", "No."), "prediction-trouble", {"code": "invalid", "text": "No."}),
    ],
)  # fmt: skip
def test_a_program_reads_an_object_of_each(update: PredictionsUpdate, event: str, some: dict[str, Any]) -> None:
    stdout = io.StringIO()
    JsonLines(stdout).update(update, "a sentence")
    found = msgspec.json.decode(stdout.getvalue())
    assert found["event"] == event
    assert {name: found[name] for name in some} == some


async def test_a_listed_prediction_has_its_number_for_programs_too(bea: Better) -> None:
    stdout = io.StringIO()
    bea.desk.watch._predictions._teller = JsonLines(stdout)
    bea.predictions._told(prediction(1), "made")
    await bea.types("predictions")
    await until(lambda: '"listed"' in stdout.getvalue())
    listed = msgspec.json.decode(stdout.getvalue().splitlines()[-1])
    assert (listed["event"], listed["number"], listed["id"]) == ("listed", 1, prediction(1).id)
