"""The steps with the talk and a prediction: lines that both have in one order, calls that are sealed, the film that
locks them, and an outcome that counts because both say so.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from dateflicks.cli.demo.people import Person, StepFailed
from dateflicks.cli.demo.playing import HEAR_SECONDS, ensure_playing
from dateflicks.cli.demo.story import Scene
from dateflicks.client.chat import Conversation
from dateflicks.client.chat_sentences import spoken
from dateflicks.client.predicting import call_of
from dateflicks.client.predictions import Predictions
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.chat import Message
from dateflicks.protocol.predictions import PredictionBody

AHEAD_SECONDS: Final = 4.0  # of film, for two calls: the film locks what is predicted then
LINES: Final = ("Saw that?", "To the frame.")
REACTION: Final = "joy"
PLACE_SECONDS: Final = 1.0  # how far from where it was said a line may lie in the film
EARLY_SECONDS: Final = 0.3  # before its place a lock may seem to come, as the follower sees it
LATE_SECONDS: Final = 1.0

Test = Callable[[PredictionBody], bool]


async def chat(scene: Scene) -> str:
    """Both have the same lines in the same order, each at the place in the film where it was said."""
    await ensure_playing(scene)
    host, guest = scene.host, scene.guest
    first = _talk(host).transcript.last
    took, where = [], []
    for person, content, kind in ((host, LINES[0], "text"), (guest, LINES[1], "text"), (guest, REACTION, "reaction")):
        began, here = time.monotonic(), _evening_position(person)
        where.append(here)
        if kind == "text":
            _talk(person).say(content, position=here)
        else:
            _talk(person).react(content, position=here)
        for each in scene.people:
            await _hears(each, content, first)
        took.append(time.monotonic() - began)
    heard = [lines_of(_talk(person), first) for person in scene.people]
    if [one.id for one in heard[0]] != [one.id for one in heard[1]] or len(heard[0]) != len(where):
        raise StepFailed("the two do not have the same lines in the same order")
    for message, here in zip(heard[0], where, strict=True):
        if message.position is None or abs(message.position - here) > PLACE_SECONDS:
            raise StepFailed(f"“{message.content}” was said at {here:.1f} s and stands at {message.position}")
    for person in scene.people:
        if _talk(person).drafts:
            raise StepFailed(f"{person.name} does not know that all is kept")
    said = " ".join(spoken(message) for message in heard[0])
    return f"{clock_text(where[0])} {said} ({1000 * max(took):.0f} ms)"


async def predict(scene: Scene) -> str:
    """The host predicts, both call; what the other called is not on one's own machine."""
    await ensure_playing(scene)
    host, guest = scene.host, scene.guest
    here = _evening_position(host)
    closes = round(here + AHEAD_SECONDS, 1)
    made = await _bets(host).make("We are in step when it locks", locks_at=closes)
    await _sees(guest, made.id, lambda one: not one.waits, f"what {host.name} predicts")
    await asyncio.gather(_bets(host).call(made.id, "no", 0.6), _bets(guest).call(made.id, "yes", 0.8))
    for person in scene.people:
        await _sees(person, made.id, lambda one: len(one.calls) == len(scene.people), "that both have called")
    for person, other in ((host, guest), (guest, host)):
        known = _known(person, made.id)
        if known.status != "open":
            raise StepFailed(f"it was {known.status} before the film got to {closes:.1f} s")
        if (seen := seen_of(known, other)) is not None:
            raise StepFailed(f"{person.name}'s client knows what {other.name} called: {seen}")
    scene.prediction = made.id
    return f"calls close at {clock_text(closes)}; sealed: neither client has the other's"


async def settle(scene: Scene) -> str:
    """The film locks it, the seals fit, one says what came true and the other agrees, and both know the score."""
    host, guest, id_ = scene.host, scene.guest, scene.prediction
    closes = _known(host, id_).locks_at_position
    assert closes is not None
    for person in scene.people:
        await _sees(person, id_, lambda one: one.status != "open", f"that the film locks at {closes:.1f} s")
        at = person.position(time.monotonic())
        if at is None or not closes - EARLY_SECONDS <= at <= closes + LATE_SECONDS + HEAR_SECONDS:
            raise StepFailed(f"to lock at {closes:.1f} s, and {person.name} hears it at {at}")
        if _bets(person).is_proven(id_) is not True:
            raise StepFailed(f"{person.name} cannot prove that the calls are those that were sealed")
    outcome = "yes" if scene.eyes.in_step_since(time.monotonic() - LATE_SECONDS * 2) is not None else "no"
    await _bets(guest).propose(id_, outcome)
    await _sees(host, id_, lambda one: one.proposed_outcome == outcome, f"what {guest.name} says came true")
    if _known(host, id_).status != "locked":
        raise StepFailed("one alone has settled it")
    await _bets(host).confirm(id_)
    for person in scene.people:
        await _sees(person, id_, lambda one: one.status == "settled" and one.outcome == outcome, "that it is settled")
    scores = [[(one.name, round(one.points, 2)) for one in _bets(person).scores] for person in scene.people]
    right = guest.name if outcome == "yes" else host.name
    if scores[0] != scores[1] or len(scores[0]) != len(scene.people) or scores[0][0][0] != right:
        raise StepFailed(f"the scores are {scores[0]} and {scores[1]}")
    told = ", ".join(f"{name} {points:+.0f}" for name, points in scores[0])
    return f"film locked it at {clock_text(closes)}, both say {outcome}: score {told}"


def seen_of(prediction: PredictionBody, other: Person) -> str | None:
    """What a client knows of the call of somebody else, beyond that there is one."""
    call = call_of(prediction, other.id)
    if call is None:
        return None
    found = [str(each) for each in (call.option, call.confidence, call.salt) if each is not None]
    return " ".join(found) or None


async def _hears(person: Person, content: str, first: int) -> None:
    def so() -> bool:
        return any(message.content == content for message in lines_of(_talk(person), first))

    await person.sees(f"“{content}”", so, seconds=HEAR_SECONDS)


async def _sees(person: Person, id_: str, is_it: Test, what: str) -> None:
    def so() -> bool:
        known = _bets(person).get(id_)
        return known is not None and is_it(known)

    await person.sees(what, so, seconds=HEAR_SECONDS + AHEAD_SECONDS)


def _known(person: Person, id_: str) -> PredictionBody:
    found = _bets(person).get(id_)
    if found is None:
        raise StepFailed(f"{person.name} does not know of the prediction")
    return found


def _talk(person: Person) -> Conversation:
    if person.evening is None or person.evening.conversation is None:
        raise StepFailed(f"{person.name} takes part in no talk")
    return person.evening.conversation


def _bets(person: Person) -> Predictions:
    if person.evening is None or person.evening.predictions is None:
        raise StepFailed(f"{person.name} has no predictions")
    return person.evening.predictions


def lines_of(talk: Conversation, first: int) -> list[Message]:
    """What people have said after that message, in order."""
    return [message for message in talk.transcript if message.seq > first and message.type != "system"]


def _evening_position(person: Person) -> float:
    here = person.evening.here() if person.evening is not None else None
    if here is None:
        raise StepFailed(f"{person.name} does not know where the film is")
    return here
