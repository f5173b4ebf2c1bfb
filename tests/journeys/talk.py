"""People who talk in one session of the messages service: what each says, hears, and finds in the history."""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.journeys.deployment import Deployment
from tests.journeys.people import Person
from tests.journeys.room import is_number
from tests.journeys.wire import RECORD_TIME, WITHIN, Answer, Feed, Json, Matches, Rest, is_id, open_feed

KINDS = {"text", "reaction", "action", "system"}


def check_message(message: Json) -> None:
    """What holds for every message, wherever it is shown."""
    assert is_id(message["id"], "msg")
    assert isinstance(message["sessionId"], str)
    assert type(message["seq"]) is int
    assert message["seq"] >= 1
    assert RECORD_TIME.fullmatch(message["time"])
    assert message["type"] in KINDS
    assert isinstance(message["content"], str)
    assert message["author"] is None or is_id(message["author"], "usr")
    assert message["author"] or message["type"] == "system"
    assert message["position"] is None or is_number(message["position"])


def check_talk(frame: Json) -> None:
    """What holds for every frame of this service."""
    match frame["type"]:
        case "message":
            check_message(frame["message"])
        case "ack":
            assert isinstance(frame["clientId"], str)
            assert is_id(frame["id"], "msg")
            assert type(frame["seq"]) is int
        case "read":
            assert type(frame["seq"]) is int
        case "edited":
            assert is_id(frame["id"], "msg")
            assert isinstance(frame["content"], str)
        case "deleted":
            assert is_id(frame["id"], "msg")
            assert "content" not in frame


class Talker:
    """One connection of one participant."""

    def __init__(self, feed: Feed, person: Person, session_id: str) -> None:
        self.feed = feed
        self.id = person.id
        self.session_id = session_id

    # --- what they heard ----------------------------------------------------------------------------------------

    @property
    def heard(self) -> list[Json]:
        """Every message that came, in the order of its coming."""
        return [frame["message"] for frame in self.feed.frames if frame["type"] == "message"]

    @property
    def contents(self) -> list[str]:
        return [message["content"] for message in self.heard]

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.heard]

    def check_order(self) -> None:
        """Every message once, in order, none left out."""
        assert all(later == earlier + 1 for earlier, later in itertools.pairwise(self.seqs)), self.seqs
        assert {message["sessionId"] for message in self.heard} <= {self.session_id}

    async def frame(self, kind: str, matches: Matches = lambda _: True, *, since: int = 0) -> Json:
        return await self.feed.expect(lambda one: one["type"] == kind and matches(one), kind, since=since)

    async def hears_all(self, count: int) -> None:
        """Wait until so many messages have come."""
        await self.feed.expect(lambda _: len(self.heard) >= count, f"{count} messages")

    def reached_from(self, seq: int) -> int:
        """How far somebody has come who knew everything up to `seq`, and only ever takes the message that is next.

        What is said between connecting and asking to resume may come first, and again when its turn has come.
        """
        for message in self.heard:
            if message["seq"] == seq + 1:
                seq += 1
        return seq

    async def reaches(self, seq: int, known: int) -> int:
        """Wait until one who knew everything up to `known` knows everything up to `seq`; how far they have come."""
        await self.feed.expect(lambda _: self.reached_from(known) >= seq, f"everything up to {seq}")
        return self.reached_from(known)

    async def hears(self, content: str, *, since: int = 0, within: float = WITHIN) -> Json:
        """The first message that says this."""
        told = await self.feed.expect(
            lambda one: one["type"] == "message" and one["message"]["content"] == content,
            f"message {content[:40]!r}",
            since=since,
            within=within,
        )
        message: Json = told["message"]
        return message

    async def hears_line(self, event: str, *, since: int = 0, within: float = WITHIN) -> Json:
        """The first line of the service itself about this."""
        told = await self.feed.expect(
            lambda one: one["type"] == "message" and one["message"].get("event") == event,
            f"line {event}",
            since=since,
            within=within,
        )
        message: Json = told["message"]
        return message

    # --- what they say ------------------------------------------------------------------------------------------

    async def send(self, content: str, client_id: str | None = None, **more: Any) -> str:
        """Send a message and go on; the client's own name for it."""
        client_id = client_id or fresh_client_id()
        kind = more.pop("kind", "text")
        await self.feed.send(type="message", clientId=client_id, kind=kind, content=content, **more)
        return client_id

    async def acknowledged(self, client_id: str, *, since: int = 0, within: float = WITHIN) -> Json:
        """The acknowledgement; a refusal fails the test."""
        answer = await self.answered(client_id, since=since, within=within)
        assert answer["type"] == "ack", answer
        return answer

    async def answered(self, client_id: str, *, since: int = 0, within: float = WITHIN) -> Json:
        """The acknowledgement or the refusal of a message."""
        return await self.feed.expect(
            lambda one: (
                (one["type"] == "ack" and one["clientId"] == client_id)
                or (one["type"] == "error" and one.get("replyTo") == client_id)
            ),
            f"answer to {client_id}",
            since=since,
            within=within,
        )

    async def say(self, content: str, client_id: str | None = None, **more: Any) -> Json:
        """Send a message and wait until it is on disk."""
        since = self.feed.mark
        return await self.acknowledged(await self.send(content, client_id, **more), since=since)

    async def refused(self, *, since: int = 0, **frame: Any) -> Json:
        """Send what the service answers with an error; the connection stays."""
        since = since or self.feed.mark
        await self.feed.send(**frame)
        return await self.frame("error", since=since)

    async def resume(self, after: int, **more: Any) -> None:
        await self.feed.send(type="resume", after=after, **more)

    async def caught_up(self, after: int) -> Json:
        """Ask for everything after a number, and wait until all of it has come."""
        since = self.feed.mark
        await self.resume(after)
        return await self.frame("resumed", since=since)


def fresh_client_id() -> str:
    return f"c-{secrets.token_hex(8)}"


def feed_path(session_id: str) -> str:
    return f"/messages/{session_id}/events"


@asynccontextmanager
async def talker(
    deployment: Deployment, person: Person, session_id: str, bearer: str, *, in_order: bool = True
) -> AsyncIterator[Talker]:
    """Connect; at the end every message must have come once and in order."""
    path = feed_path(session_id)
    async with open_feed(deployment, path, bearer, address=person.address, check=check_talk) as feed:
        one = Talker(feed, person, session_id)
        yield one
        if in_order:
            one.check_order()


@dataclass
class Talk:
    """An accepted session and its two people, to talk in."""

    deployment: Deployment
    rest: Rest
    session_id: str
    host: Person
    guest: Person
    tickets: dict[str, str]

    @property
    def path(self) -> str:
        return f"/messages/{self.session_id}"

    def talker(self, person: Person, *, in_order: bool = True) -> Any:
        return talker(self.deployment, person, self.session_id, self.tickets[person.id], in_order=in_order)

    @asynccontextmanager
    async def both(self) -> AsyncIterator[tuple[Talker, Talker]]:
        async with AsyncExitStack() as stack:
            yield (
                await stack.enter_async_context(self.talker(self.host)),
                await stack.enter_async_context(self.talker(self.guest)),
            )

    async def post(self, person: Person, content: str, *, expect: Any = 201, **more: Any) -> Answer:
        body = {"message": {"content": content, **more}}
        return await self.rest.call("POST", self.path, body, token=self.tickets[person.id], expect=expect)

    async def page(self, person: Person | None = None, **query: Any) -> Json:
        """One page of the history; every message of it has its form."""
        ticket = self.tickets[(person or self.host).id]
        text = f"?{urlencode(query)}" if query else ""
        page: Json = (await self.rest.call("GET", self.path + text, token=ticket)).body
        for message in page["items"]:
            check_message(message)
            assert message["sessionId"] == self.session_id
        seqs = [message["seq"] for message in page["items"]]
        assert seqs == sorted(set(seqs))
        return page

    async def history(self, person: Person | None = None, *, limit: int = 200) -> list[Json]:
        """Everything from the beginning, page after page."""
        items: list[Json] = []
        query: Json = {"after": 0, "limit": limit}
        while True:
            page = await self.page(person, **query)
            items += page["items"]
            if page["next"] is None:
                assert [message["seq"] for message in items] == list(range(1, len(items) + 1))
                return items
            assert page["items"]
            query = {"cursor": page["next"], "limit": limit}
