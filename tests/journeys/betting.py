"""People who predict in one session of the prediction service: what each does, and what each is shown."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.journeys.deployment import Deployment
from tests.journeys.people import Person
from tests.journeys.room import is_number
from tests.journeys.talk import Talk
from tests.journeys.wire import RECORD_TIME, WITHIN, Answer, Feed, Json, Rest, is_id, open_feed

STATUSES = {"open", "locked", "settled", "void"}


def check_prediction(prediction: Json) -> None:
    """What holds for every prediction, wherever it is shown."""
    assert is_id(prediction["id"], "prd")
    assert is_id(prediction["author"], "usr")
    assert prediction["status"] in STATUSES
    assert isinstance(prediction["details"], str)
    assert RECORD_TIME.fullmatch(prediction["createdAt"])
    assert (prediction["outcome"] is not None) == (prediction["status"] == "settled")
    assert prediction["lockedAt"] is None or RECORD_TIME.fullmatch(prediction["lockedAt"])
    assert prediction["status"] != "open" or prediction["lockedAt"] is None
    assert (prediction["voidReason"] is not None) == (prediction["status"] == "void")
    assert type(prediction["revision"]) is int
    for name in ("atPosition", "locksAtPosition"):
        assert prediction[name] is None or is_number(prediction[name])
    if prediction["waits"]:
        assert (prediction["details"], prediction["options"], prediction["calls"]) == ("", [], [])
        return
    assert 2 <= len(prediction["options"]) <= 6
    for call in prediction["calls"]:
        assert is_id(call["author"], "usr")
        assert len(bytes.fromhex(call["commitment"])) == 32
        if prediction["status"] == "locked" or prediction["status"] == "settled":
            assert call["commitment"] == commitment(prediction, call)


def commitment(prediction: Json, call: Json) -> str:
    """What must have been shown of a call before the lock, as the service documents it."""
    parts = (call["salt"], prediction["id"], call["author"], call["option"], f"{call['confidence']:.4f}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_frame(frame: Json) -> None:
    """What holds for every frame of this service."""
    if frame["type"] == "prediction":
        check_prediction(frame["prediction"])
        assert isinstance(frame["reason"], str)


def call_of(prediction: Json, person: Person) -> Json:
    """Somebody's call, as far as it is shown."""
    found = [call for call in prediction["calls"] if call["author"] == person.id]
    assert len(found) == 1, prediction["calls"]
    one: Json = found[0]
    return one


class Watcher:
    """One connection of one participant."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed

    async def sees(self, prediction: Json, *, since: int = 0, within: float = WITHIN, **expected: Any) -> Json:
        """The first frame about this prediction with these values."""

        def matches(frame: Json) -> bool:
            shown = frame.get("prediction") or {}
            fits = all(shown.get(name) == value for name, value in expected.items())
            return frame["type"] == "prediction" and shown["id"] == prediction["id"] and fits

        told = await self.feed.expect(matches, f"prediction with {expected}", since=since, within=within)
        seen: Json = told["prediction"]
        return seen

    def shown(self, prediction: Json) -> list[Json]:
        """Everything that was told of this prediction so far."""
        frames = (frame["prediction"] for frame in self.feed.frames if frame["type"] == "prediction")
        return [one for one in frames if one["id"] == prediction["id"]]

    async def is_at(self, position: float, rate: float = 0.0) -> None:
        """Say where one's player is."""
        await self.feed.send(type="position", position=position, rate=rate)


@dataclass
class Bets:
    """An accepted session and its two people, to bet in."""

    deployment: Deployment
    rest: Rest
    session_id: str
    host: Person
    guest: Person
    tickets: dict[str, str]

    @classmethod
    def among(cls, talk: Talk) -> "Bets":
        return cls(talk.deployment, talk.rest, talk.session_id, talk.host, talk.guest, talk.tickets)

    @property
    def path(self) -> str:
        return f"/predictions/{self.session_id}"

    @asynccontextmanager
    async def watcher(self, person: Person) -> AsyncIterator[Watcher]:
        path = f"{self.path}/events"
        ticket = self.tickets[person.id]
        async with open_feed(self.deployment, path, ticket, address=person.address, check=check_frame) as feed:
            one = Watcher(feed)
            yield one
            revisions: dict[str, int] = {}
            for frame in one.feed.frames:
                if frame["type"] == "prediction":
                    told = frame["prediction"]
                    assert told["revision"] >= revisions.get(told["id"], 0), "an older state after a newer one"
                    revisions[told["id"]] = told["revision"]

    async def ask(self, person: Person, path: str, body: Any, expect: Any) -> Answer:
        ticket = self.tickets[person.id]
        answer = await self.rest.call("POST", f"{self.path}{path}", body, token=ticket, expect=expect)
        if answer.status < 300:
            check_prediction(answer.body["prediction"])
        return answer

    async def make(self, person: Person, details: str = "He did it", **more: Any) -> Json:
        """A new prediction, as its author sees it."""
        made = await self.ask(person, "", {"prediction": {"details": details, **more}}, 201)
        prediction: Json = made.body["prediction"]
        return prediction

    async def do(self, person: Person, prediction: Json, action: str, *, expect: Any = 200, **body: Any) -> Json:
        """One of the actions; the prediction as it is then, or the problem."""
        answer = await self.ask(person, f"/{prediction['id']}/{action}", body, expect)
        found: Json = answer.body
        return found["prediction"] if answer.status < 300 else found

    async def call(self, person: Person, prediction: Json, option: str, confidence: float, **more: Any) -> Json:
        return await self.do(person, prediction, "call", option=option, confidence=confidence, **more)

    async def settle(self, prediction: Json, outcome: str) -> Json:
        """Locked by one, proposed by the other, confirmed by the first."""
        await self.do(self.host, prediction, "lock")
        await self.do(self.guest, prediction, "propose", outcome=outcome)
        return await self.do(self.host, prediction, "confirm")

    async def list(self, person: Person, query: str = "") -> Json:
        page: Json = (await self.rest.call("GET", self.path + query, token=self.tickets[person.id])).body
        for prediction in page["items"]:
            check_prediction(prediction)
        return page

    async def read(self, person: Person, prediction: Json) -> Json:
        """A prediction as this person finds it in the list."""
        page = await self.list(person)
        found = [one for one in page["items"] if one["id"] == prediction["id"]]
        assert len(found) == 1
        one: Json = found[0]
        return one

    async def scores(self, person: Person) -> Json:
        scores: Json = (await self.rest.call("GET", f"{self.path}/scores", token=self.tickets[person.id])).body
        return scores

    async def standing(self, person: Person, of: Person) -> Json:
        """How one stands in the session, as the other sees it."""
        found = [one for one in (await self.scores(person))["items"] if one["userId"] == of.id]
        assert len(found) == 1, found
        one: Json = found[0]
        return one
