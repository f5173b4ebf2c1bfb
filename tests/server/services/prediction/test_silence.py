"""A proposal whose other side is away has its time, and then there is no outcome; silence never settles anything."""

import pytest

from tests.journeys.wire import RECORD_TIME
from tests.server.services.prediction.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_proposal_that_nobody_is_there_to_answer_is_void_in_the_end(impatient: Deployment) -> None:
    evening = impatient.evening()
    locked = await impatient.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
    async with impatient.seat(evening, evening.ana) as ana:
        proposed = await impatient.act(evening, evening.ana, locked, "propose", outcome="yes")
        assert RECORD_TIME.fullmatch(proposed["deadline"])
        void = await ana.hears("void")
        assert (void["status"], void["voidReason"], void["outcome"]) == ("void", "silence", None)
        assert void["deadline"] is None
    await impatient.act(evening, evening.ben, locked, "confirm", expect=409)
    scores = await impatient.call("GET", f"{evening.path}/scores", evening.ana.ticket)
    assert scores == {"items": [], "predictions": 0}


async def test_whoever_answers_in_time_is_heard_whether_connected_or_not(shared: Deployment) -> None:
    evening = shared.evening()
    locked = await shared.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
    async with shared.seat(evening, evening.ana) as ana:
        await shared.act(evening, evening.ana, locked, "propose", outcome="yes")
        assert (await ana.hears("proposed"))["deadline"] is not None
        await shared.act(evening, evening.ben, locked, "confirm")
        assert (await ana.hears("settled"))["deadline"] is None


async def test_while_the_other_is_here_there_is_no_deadline_and_their_going_and_coming_begins_and_ends_one(
    shared: Deployment,
) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ana) as ana:
        locked = await shared.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
        async with shared.seat(evening, evening.ben) as ben:
            await shared.act(evening, evening.ana, locked, "propose", outcome="yes")
            assert (await ana.hears("proposed"))["deadline"] is None
            assert (await ben.hears("proposed"))["deadline"] is None
            async with shared.seat(evening, evening.ben):  # a second connection that goes is no leaving
                pass
        first = (await ana.hears("away"))["deadline"]
        assert RECORD_TIME.fullmatch(first)
        assert (await shared.read(evening, evening.ben, locked))["deadline"] == first
        since = ana.feed.mark
        async with shared.seat(evening, evening.ben) as ben:
            assert (await ben.hears("present"))["deadline"] is None
            assert (await ana.hears("back", since))["deadline"] is None
        again = (await ana.hears("away", since))["deadline"]
        assert again > first
        assert ana.reasons.count("away") == 2
        revisions = [frame["prediction"]["revision"] for frame in ana.told if frame["reason"] in ("away", "back")]
        assert len(set(revisions)) == 1


async def test_nothing_happens_to_what_waits_while_the_other_is_here_however_long_they_think(
    impatient: Deployment,
) -> None:
    evening, other = impatient.evening(), impatient.evening()
    locked = await impatient.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
    async with impatient.seat(evening, evening.ben), impatient.seat(evening, evening.ana) as ana:
        await impatient.act(evening, evening.ana, locked, "propose", outcome="yes")
        alone = await impatient.locked(other, ana=("yes", 0.9))
        async with impatient.seat(other, other.ana) as lonely:  # as long as it takes another to be void
            await impatient.act(other, other.ana, alone, "propose", outcome="yes")
            await lonely.hears("void")
        assert ana.reasons[-1] == "proposed"
        assert (await impatient.act(evening, evening.ben, locked, "confirm"))["status"] == "settled"


async def test_in_a_party_one_who_has_called_and_is_away_is_waited_for_though_others_are_here(
    shared: Deployment,
) -> None:
    evening = shared.evening()
    cat = evening.person("cat")
    prediction = await shared.predict(evening, evening.ana)
    for person in (evening.ana, evening.ben, cat):
        await shared.act(evening, person, prediction, "call", option="yes", confidence=0.9)
    await shared.act(evening, cat, prediction, "lock")
    async with shared.seat(evening, evening.ana) as ana, shared.seat(evening, evening.ben):
        proposed = await shared.act(evening, evening.ana, prediction, "propose", outcome="yes")
        assert proposed["deadline"] is not None
        said = await shared.act(evening, evening.ben, prediction, "confirm")
        assert (said["status"], said["confirmedBy"]) == ("locked", evening.ben.id)
        assert (await ana.hears("confirmed"))["deadline"] == proposed["deadline"]
        settled = await shared.act(evening, cat, prediction, "confirm")
        assert (settled["status"], settled["deadline"]) == ("settled", None)


async def test_an_objection_makes_it_void_for_both_at_once(shared: Deployment) -> None:
    evening = shared.evening()
    locked = await shared.locked(evening, ana=("yes", 0.9), ben=("no", 0.8))
    async with shared.seat(evening, evening.ana) as ana:
        await shared.act(evening, evening.ana, locked, "propose", outcome="yes")
        await shared.act(evening, evening.ana, locked, "object", expect=403)
        await shared.act(evening, evening.ana, locked, "confirm", expect=403)
        await shared.act(evening, evening.ben, locked, "object")
        void = await ana.hears("void")
        assert (void["voidReason"], void["outcome"]) == ("objection", None)
