"""A service that exists to be called: every kind of declaration, and handlers that do what they are told."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from sanic import HTTPResponse

from dateflicks.core import errors
from dateflicks.server.web.route import Call, PageQuery, Route
from dateflicks.server.web.service import Feed, FeedCall

TOKEN = "the-token"
SECRET = "/srv/private/cellar.db"


class ThingRequest(msgspec.Struct, rename="camel", kw_only=True):
    """What to make."""

    long_name: Annotated[str, msgspec.Meta(min_length=2, max_length=8, pattern="^[a-z]+$")]
    position: Annotated[float, msgspec.Meta(ge=0, le=172_800)] = 0.0
    count: int = 0
    tags: list[str] = []
    kind: Literal["play", "stop"] = "play"
    is_it: bool = False
    details: Any = None


class MakeThing(msgspec.Struct, rename="camel"):
    """`POST /things`."""

    thing: ThingRequest


class Note(msgspec.Struct):
    """A word, or none."""

    word: str = "none"


class Page(msgspec.Struct):
    """What was asked for."""

    limit: int
    cursor: str | None


class Rung(msgspec.Struct, tag_field="type", tag="rung"):
    """A frame."""

    by: str


FAILURES: dict[str, Exception] = {
    "malformed": errors.Malformed("Not so."),
    "unauthenticated": errors.Unauthenticated("Who are you?"),
    "forbidden": errors.Forbidden("Not yours."),
    "not-found": errors.NotFound("No such thing."),
    "conflict": errors.Conflict("It has gone already.", code="gone-already"),
    "too-large": errors.TooLarge("Too much."),
    "invalid": errors.Invalid("Does not fit.", (errors.FieldProblem("session.guestName", "is yourself"),)),
    "too-many": errors.TooMany("Slowly.", retry_after=1.2),
    "unavailable": errors.Unavailable("The database is out of reach."),
    "bug": RuntimeError(f"cannot open {SECRET}"),
}


class ExampleService:
    """The service `example`, or one by another name."""

    def __init__(self, name: str = "example", prefix: str = "") -> None:
        self.name = name
        self.summary = "Things, to <b>try</b> `calls` on."
        self.is_up = True
        self.was: list[str] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.start_error: Exception | None = None
        self.routes: Sequence[Route] = (
            Route(
                "POST", f"{prefix}/things", self.make, "Make a thing", body=MakeThing, answer=ThingRequest, status=201,
                errors=(409,),
            ),
            Route("GET", f"{prefix}/things", self.page, "List things", query=PageQuery, answer=Page),
            Route("GET", f"{prefix}/things/{{id}}", self.read, "One thing", answer=Note),
            Route("DELETE", f"{prefix}/things/{{id}}", self.drop, "Drop a thing", auth="user", status=204),
            Route(
                "POST", f"{prefix}/notes", self.note, "Say a word", body=Note, answer=Note, body_required=False,
                auth="optional",
            ),
            Route("GET", f"{prefix}/me", self.me, "Who is it?", auth="user-or-ticket", answer=Note),
            Route("GET", f"{prefix}/address", self.address, "From where?", answer=Note),
            Route("GET", f"{prefix}/key", self.key, "With which key?", answer=Note),
            Route("GET", f"{prefix}/failures/{{kind}}", self.fail, "Fail", answer=Note, errors=(403, 409)),
            Route("GET", f"{prefix}/slow", self.slow, "Take your time", answer=Note),
        )  # fmt: skip
        self.feeds: Sequence[Feed] = (
            Feed(
                f"{prefix}/things/{{id}}/events", self.listen, "Hear of a thing", description="Rings a bell.",
                server=(Rung,),
            ),
        )  # fmt: skip

    async def authenticate(self, token: str) -> object:
        if token != TOKEN:
            raise errors.Unauthenticated("This token is not valid. Sign in again.")
        return "ada"

    async def start(self) -> None:
        self.was.append("started")
        if self.start_error is not None:
            raise self.start_error

    async def stop(self) -> None:
        self.was.append("stopped")

    def close_feeds(self, code: int, reason: str) -> None:
        self.was.append(f"feeds closed {code}")

    def database_up(self) -> bool:
        return self.is_up

    async def make(self, call: Call) -> ThingRequest:
        body: MakeThing = call.body
        return body.thing

    async def page(self, call: Call) -> Page:
        return Page(call.query.limit, call.query.cursor)

    async def read(self, call: Call) -> Note:
        return Note(call.path["id"])

    async def drop(self, call: Call) -> None:
        return None

    async def note(self, call: Call) -> Note:
        return Note(f"{call.caller}: {call.body.word}")

    async def me(self, call: Call) -> Note:
        return Note(call.caller)

    async def address(self, call: Call) -> Note:
        return Note(call.address)

    async def key(self, call: Call) -> Note:
        return Note(f"{call.header('idempotency-key')} {call.header('authorization')}")

    async def fail(self, call: Call) -> Note:
        raise FAILURES[call.path["kind"]]

    async def slow(self, call: Call) -> Note:
        self.entered.set()
        await self.release.wait()
        return Note("done")

    async def listen(self, call: FeedCall) -> HTTPResponse | None:
        if call.path["id"] == "unknown":
            raise errors.NotFound("No such thing.")
        if call.path["id"] == "token":
            return HTTPResponse(f"{call.token} {call.subprotocol}", status=426)
        return HTTPResponse(f"{call.path['id']} from {call.address}", status=426)
