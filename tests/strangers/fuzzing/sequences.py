"""Evenings out of order on a real server: both members and a stranger do what is legal, whenever it makes no sense.

Nothing is answered with a fault of the server's, no connection ends without a reason of the contract's, the stranger
hears nothing, and in the end the two and the database agree on what was said, called, and where the film is.
"""

import asyncio
import contextlib
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import httpx2
from websockets.exceptions import InvalidStatus

from tests.fuzz.deployment import served
from tests.fuzz.stage import Evening, Person, Stage
from tests.journeys.deployment import Deployment, Server
from tests.journeys.wire import Feed, open_feed, refusal
from tests.strangers.fuzzing.running import Run

STEPS: Final = 150  # of one evening
SETTLE_SECONDS: Final = 10.0
FINE_STATUSES: Final = frozenset({200, 201, 204, 400, 401, 403, 404, 409, 422, 429})
FINE_CLOSES: Final = frozenset({None, 1000, 1005, 1006, 1013, 4403, 4404, 4409, 4429})
STATUSES: Final = ("play", "pause", "stop", "PLAY", "")
CAUSES: Final = ("tick", "stall", "resume", "seek", "user", None)
FEEDS: Final = ("timecodes", "messages", "predictions")


@dataclass
class Actor:
    """One of the three."""

    name: str
    person: Person
    ticket: str
    is_member: bool
    is_host: bool = False
    feeds: dict[str, Feed] = field(default_factory=dict)
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)


class Play:
    """One evening."""

    def __init__(self, server: Server, stage: Stage, client: httpx2.AsyncClient, seed: int) -> None:
        self.deployment = Deployment(server.url, is_ours=True)
        self.stage = stage
        self.client = client
        self.choose = random.Random(seed)
        self.said: list[str] = []
        self.bets: list[str] = []
        self.others: list[str] = []
        self.wrong: list[str] = []
        self.steps = 0
        self.evening: Evening

    async def run(self) -> None:
        stage = self.stage
        self.evening = await asyncio.to_thread(stage.accepted)
        elsewhere = await asyncio.to_thread(stage.accepted)
        stranger = await asyncio.to_thread(stage.person)
        actors = [
            Actor("host", stage.caller, self.evening.ticket, True, True),
            Actor("guest", stage.other, self.evening.others_ticket, True),
            Actor("stranger", stranger, elsewhere.ticket, False),
        ]
        async with contextlib.AsyncExitStack() as stack:
            for actor in actors:
                await stack.enter_async_context(actor.stack)
            for _ in range(STEPS):
                self.steps += 1
                await self.step(self.choose.choice(actors))
            await self.agree(actors[:2])

    async def step(self, actor: Actor) -> None:
        what = self.choose.choices((self.frame, self.call, self.come, self.go), (12, 6, 3, 1))[0]
        await what(actor)

    # --- coming and going ---------------------------------------------------------------------------------------

    async def come(self, actor: Actor) -> None:
        service = self.choose.choice(FEEDS)
        path = f"/{service}/{self.evening.id}/events"
        if not actor.is_member:
            status = await refusal(self.deployment, path, self.choose.choice((actor.ticket, actor.person.token)))
            if status not in (403, 404):
                self.wrong.append(f"the stranger is answered with {status} at {path}")
            return
        if (old := actor.feeds.get(service)) is not None:
            self.look(actor, service, old)
        try:
            actor.feeds[service] = await actor.stack.enter_async_context(open_feed(self.deployment, path, actor.ticket))
        except InvalidStatus as refused:
            status = refused.response.status_code
            if (service, status) != ("timecodes", 404):  # which somebody has deleted
                self.wrong.append(f"the {actor.name} is answered with {status} at {path}")

    async def go(self, actor: Actor) -> None:
        if actor.feeds:
            service = self.choose.choice(list(actor.feeds))
            feed = actor.feeds.pop(service)
            await feed.socket.close()
            self.look(actor, service, feed)

    def look(self, actor: Actor, service: str, feed: Feed) -> None:
        """What a connection has heard, and how it has ended."""
        if feed.is_closed and feed.code not in FINE_CLOSES:
            self.wrong.append(f"{service} of the {actor.name} ended with {feed.code}: {feed.tail()}")
        for frame in feed.frames:
            if frame["type"] == "error" and frame["code"] in ("internal", "malformed"):
                self.wrong.append(f"{service} told the {actor.name} {frame}")

    # --- frames -------------------------------------------------------------------------------------------------

    async def frame(self, actor: Actor) -> None:
        open_ones = {service: feed for service, feed in actor.feeds.items() if not feed.is_closed}
        if not open_ones:
            await self.come(actor)
            return
        service = self.choose.choice(list(open_ones))
        made = {"timecodes": self.of_film, "messages": self.of_talk, "predictions": self.of_bets}[service](actor)
        for _ in range(self.choose.choice((1, 1, 1, 2, 5))):
            with contextlib.suppress(Exception):
                await open_ones[service].send_text(json.dumps(made))

    def number(self) -> Any:
        choose = self.choose
        return choose.choice((0, -1, 0.0, 599.999, 600, 600.001, 172_800, 172_801, 1e308, choose.random() * 600, -0.0))

    def of_film(self, actor: Actor) -> dict[str, Any]:
        choose = self.choose
        made: dict[str, Any] = choose.choice(
            (
                {"type": "ping", "t0": choose.random() * 1e6},
                {"type": "refuse"},
                {"type": "seek", "to": self.number()},
                {
                    "type": "report", "sessionId": choose.choice((self.evening.id, "ses_" + "a" * 26)),
                    "currentPosition": self.number(), "status": choose.choice(STATUSES),
                    "isHost": choose.choice((actor.is_host, actor.is_host, not actor.is_host)),
                    "revision": choose.choice((0, 1, 5, 10**9, -1)), "cause": choose.choice(CAUSES),
                    "sentAt": choose.choice((0, 1e15, -1, time.time() * 1000, time.time() * 1000 + 3.6e6)),
                    "rate": choose.choice((0, 1, -1, 100)), "buffering": choose.choice((True, False)),
                },
            )
        )  # fmt: skip
        return {name: value for name, value in made.items() if value is not None}

    def of_talk(self, actor: Actor) -> dict[str, Any]:
        choose = self.choose
        message = choose.choice(self.said) if self.said else "msg_" + "a" * 26
        return choose.choice(
            (
                {
                    "type": "message", "kind": choose.choice(("text", "reaction", "action")), "content": "Zither",
                    "clientId": f"c-{choose.randrange(30)}", "position": self.number(), "replyTo": message,
                },
                {"type": "message", "kind": "text", "clientId": f"c-{choose.randrange(30)}", "content": "Lime"},
                {"type": "typing"},
                {"type": "read", "seq": choose.choice((0, 1, 10, 10**9, -1))},
                {"type": "edit", "id": message, "content": "Holly"},
                {"type": "delete", "id": message},
                {"type": "resume", "after": choose.choice((0, 1, 10**9, -1)), "changes": choose.choice((0, 1, 99))},
            )
        )  # fmt: skip

    def of_bets(self, _: Actor) -> dict[str, Any]:
        return {"type": "position", "position": self.number()}

    # --- calls --------------------------------------------------------------------------------------------------

    async def call(self, actor: Actor) -> None:
        choose, evening = self.choose, self.evening.id
        bet = choose.choice(self.bets) if self.bets else "prd_" + "a" * 26
        session = choose.choice((evening, *self.others[-3:]))
        verb = choose.choice(("accept", "reject", "cancel", "end" if session != evening else "accept"))
        act = choose.choice(("call", "lock", "propose", "confirm", "object", "void"))
        bodies: dict[str, Any] = {
            "call": {"option": choose.choice(("yes", "no", "x")), "confidence": choose.choice((0.5, 1, 2))},
            "propose": {"outcome": choose.choice(("yes", "no", "x"))},
        }
        film = {"url": "https://x.example/a.mkv", "title": "A", "length": 60}
        method, path, body, by_token = choose.choice(
            (
                ("POST", "/sessions", {"session": {"guestUserId": self.stage.other.id, "video": film}}, True),
                ("POST", f"/sessions/{session}/{verb}", {}, True),
                ("GET", f"/sessions/{session}", None, True),
                ("POST", "/timecodes", {"timecode": {"sessionId": evening, "length": self.number()}}, False),
                ("PATCH", f"/timecodes/{evening}", {"length": self.number()}, False),
                ("DELETE", f"/timecodes/{evening}", None, False),
                ("GET", f"/timecodes/{evening}", None, False),
                ("POST", f"/messages/{evening}", {"message": {"content": "Vienna"}}, False),
                ("GET", f"/messages/{evening}?limit=3", None, False),
                ("POST", f"/predictions/{evening}", {"prediction": {"details": "He did it"}}, False),
                ("POST", f"/predictions/{evening}/{bet}/{act}", bodies.get(act, {}), False),
                ("GET", f"/predictions/{evening}/scores", None, False),
            )
        )
        bearer = actor.person.token if by_token else actor.ticket
        answer = await self.client.request(method, path, json=body, headers={"Authorization": f"Bearer {bearer}"})
        if answer.status_code not in FINE_STATUSES:
            self.wrong.append(f"{method} {path} by the {actor.name}: {answer.status_code} {answer.text[:300]}")
        if not actor.is_member and evening in path and answer.status_code < 400:
            self.wrong.append(f"{method} {path} by the stranger: {answer.status_code} {answer.text[:300]}")
        if answer.status_code == 201:
            made = answer.json()
            self.said += [made["message"]["id"]] if "message" in made else []
            self.bets += [made["prediction"]["id"]] if "prediction" in made else []
            self.others += [made["session"]["id"]] if "session" in made and actor.is_host else []

    # --- the end ------------------------------------------------------------------------------------------------

    async def agree(self, members: list[Actor]) -> None:
        """What each of the two is told now is the same, and is what was told."""
        for actor in members:
            for service, feed in actor.feeds.items():
                self.look(actor, service, feed)
        deadline = time.monotonic() + SETTLE_SECONDS
        while (seen := [await self.told(actor) for actor in members])[0] != seen[1]:
            if time.monotonic() > deadline:  # what was sent last may still be under way before
                differing = [
                    pair for lists in zip(*seen, strict=True) for pair in zip_longest(*lists) if pair[0] != pair[1]
                ]
                self.wrong.append(f"the two are told different things: {str(differing)[:2_000]}")
                break
            await asyncio.sleep(0.1)
        for seqs in ([message["seq"] for message in messages] for messages, _ in seen):
            if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
                self.wrong.append(f"messages are numbered {seqs}")

    async def told(self, actor: Actor) -> tuple[list[Any], list[Any]]:
        """What was said and predicted, as this one is told of it, but for what each is told in their own way."""
        headers = {"Authorization": f"Bearer {actor.ticket}"}
        messages, bets = [
            (await self.client.get(f"/{path}/{self.evening.id}?limit=200", headers=headers)).json()["items"]
            for path in ("messages", "predictions")
        ]
        sealed = ("calls", "commitment", "revision", "details", "options", "waits")  # shown where one's own film is
        return messages, [{name: bet[name] for name in bet if name not in sealed} for bet in bets]


@contextlib.asynccontextmanager
async def _client(url: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=url, verify=False, trust_env=False, timeout=30.0) as client:
        yield client


async def _play(server: Server, stage: Stage, run: Run, *, seconds: float, evenings: int, seed: int) -> None:
    began, number = time.monotonic(), 0
    while number < evenings and time.monotonic() - began < seconds and len(run.failures) < 5:
        async with _client(server.url) as client:
            play = Play(server, stage, client, seed + number)
            await play.run()
        number += 1
        run.inputs += play.steps
        run.failures += [f"evening {seed + number - 1}: {one}" for one in play.wrong[:3]]


def played(*, seconds: float, seed: int, evenings: int = 10**6) -> Run:
    """Evenings for so long, or so many, on one server; what it logs as an error is a failure too."""
    run = Run("sequences", "server")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "data") as server:
        stage = Stage(server.url)
        before = _resident(server)
        try:
            asyncio.run(_play(server, stage, run, seconds=seconds, evenings=evenings, seed=seed))
            run.grew_bytes = max(0, _resident(server) - before)
        finally:
            stage.close()
        run.failures += [f"logged: {line[:600]}" for line in server.said if line.startswith("{")]
    run.seconds = time.monotonic() - began
    return run


def _resident(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096
