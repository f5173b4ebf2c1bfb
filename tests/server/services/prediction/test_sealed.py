"""Calls are sealed: what reaches the other before the lock says nothing of them, and what comes after proves it."""

import hashlib
import json

import httpx2
import pytest

from tests.journeys.wire import Json, bearer
from tests.server.services.prediction.deployment import Deployment, Evening

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPTIONS = ["the butler", "the gardener", "the cook"]
CONFIDENCE = 0.7319


def commitment_of(prediction: Json, call: Json) -> str:
    """As anybody can compute it who has read the documentation and nothing else."""
    parts = [call["salt"], prediction["id"], call["author"], call["option"], f"{call['confidence']:.4f}"]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


async def raw_answers(shared: Deployment, evening: Evening, bearer_of: str, paths: list[str]) -> list[str]:
    """Answers as they came over the wire."""
    async with httpx2.AsyncClient(base_url=shared.address.url, trust_env=False, timeout=30) as client:
        return [(await client.get(path, headers=bearer(bearer_of))).text for path in paths]


async def test_nothing_of_a_call_reaches_the_other_before_the_lock(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ana) as ana, shared.seat(evening, evening.ben) as ben:
        made = await shared.predict(evening, evening.ben, options=OPTIONS, atPosition=1)
        mine = await shared.act(
            evening, evening.ana, made, "call", option="the gardener", confidence=CONFIDENCE, atPosition=4.125
        )
        secret = mine["calls"][0]
        assert (secret["option"], secret["confidence"], len(secret["salt"])) == ("the gardener", CONFIDENCE, 32)
        await ben.hears("called")
        problems = [
            await shared.act(evening, evening.ben, made, "confirm", expect=409),
            await shared.act(evening, evening.ben, made, "propose", outcome="the cook", expect=409),
            await shared.act(evening, evening.ben, made, "call", option="who", confidence=1, expect=422),
        ]
        own = await shared.act(evening, evening.ben, made, "call", option="the cook", confidence=1)
        paths = [evening.path, f"{evening.path}/{made['id']}", f"{evening.path}/scores"]
        answers = await raw_answers(shared, evening, evening.ben.ticket, paths)
        async with shared.seat(evening, evening.ben) as late:
            await late.hears("present")
            heard = [json.dumps(frame) for frame in (*ben.feed.frames, *late.feed.frames, *problems, own)] + answers
        for text in heard:
            sealed = text.replace(json.dumps(OPTIONS), "").replace(json.dumps(OPTIONS, separators=(",", ":")), "")
            sealed = sealed.replace(", ".join(OPTIONS), "")  # what a wrong option could have been
            assert "gardener" not in sealed
            assert str(CONFIDENCE) not in sealed
            assert secret["salt"] not in sealed
            assert "4.125" not in sealed
        others = [call for call in own["calls"] if call["author"] == evening.ana.id]
        shown = {key: secret[key] for key in ("author", "authorName", "commitment", "calledAt")}
        assert others == [shown]

        await shared.act(evening, evening.ben, made, "lock")
        for seat in (ana, ben):
            locked = await seat.hears("locked")
            calls = {call["author"]: call for call in locked["calls"]}
            assert calls[evening.ana.id] == secret
            assert calls[evening.ben.id]["commitment"] == own["calls"][-1]["commitment"]
            assert all(commitment_of(locked, call) == call["commitment"] for call in calls.values())


async def test_a_changed_call_has_another_salt_and_the_same_call_again_the_same(shared: Deployment) -> None:
    evening = shared.evening()
    made = await shared.predict(evening, evening.ana)
    first = (await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.7))["calls"][0]
    again = (await shared.act(evening, evening.ana, made, "call", option="YES", confidence=0.70001))["calls"][0]
    assert again == first
    other = (await shared.act(evening, evening.ana, made, "call", option="no", confidence=0.7))["calls"]
    assert len(other) == 1
    assert other[0]["salt"] != first["salt"]
    assert other[0]["commitment"] != first["commitment"]
    back = (await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.7))["calls"][0]
    assert back["option"] == "yes"
    assert back["salt"] not in (first["salt"], other[0]["salt"])


async def test_what_is_called_off_before_the_lock_stays_sealed(shared: Deployment) -> None:
    evening = shared.evening()
    made = await shared.predict(evening, evening.ana)
    await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.7)
    void = await shared.act(evening, evening.ben, made, "void")
    assert (void["status"], void["voidReason"]) == ("void", "called-off")
    assert set(void["calls"][0]) == {"author", "authorName", "commitment", "calledAt"}
    mine = await shared.read(evening, evening.ana, made)
    assert mine["calls"][0]["option"] == "yes"
