"""Plain helpers that speak the wire and nothing else: calls with their answers checked, feeds that record frames."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.journeys.deployment import Deployment

Json = dict[str, Any]
Matches = Callable[[Json], Any]

WITHIN = 8.0  # seconds for what must happen "at once"; long, because a busy machine is not a fault
RECORD_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
INTERNALS = re.compile(r"Traceback|site-packages|\.py\b|pymongo|sqlite|msgspec", re.IGNORECASE)


def is_id(text: object, prefix: str) -> bool:
    """A type prefix and 128 random bits in lower-case base 32, of whichever alphabet."""
    return isinstance(text, str) and re.fullmatch(prefix + r"_[0-9a-z]{26}", text) is not None


def strict_json(text: str | bytes) -> Any:
    """JSON as the contract has it: what is no number is nothing that travels."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON: {text[:200]!r}")

    return json.loads(text, parse_constant=refuse)


@dataclass(frozen=True)
class Answer:
    """What a call was answered with."""

    status: int
    headers: httpx2.Headers
    text: str

    @property
    def body(self) -> Any:
        return strict_json(self.text)

    @property
    def fields(self) -> set[str]:
        """The names of the fields that a problem complains about."""
        return {error["field"] for error in self.body.get("errors", [])}


def check_problem(answer: Answer) -> None:
    """Every refusal is a problem document that names itself and gives nothing internal away."""
    assert answer.headers["content-type"].startswith("application/problem+json"), answer
    problem = answer.body
    assert isinstance(problem["type"], str)
    assert problem["title"]
    assert isinstance(problem["title"], str)
    assert problem["status"] == answer.status
    assert isinstance(problem["detail"], str)
    assert not INTERNALS.search(answer.text), answer.text
    for error in problem.get("errors", []):
        assert isinstance(error["field"], str)
        assert isinstance(error["message"], str)
    if answer.status == 429:
        assert int(answer.headers["retry-after"]) > 0


class Rest:
    """Calls of one client, from one address."""

    def __init__(self, deployment: Deployment, client: httpx2.AsyncClient) -> None:
        self.deployment = deployment
        self._client = client

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        expect: int | Collection[int] = 200,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Make a call, check the form of its answer, and that its status is (one of) what is expected."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        response = await self._client.request(method, path, content=content, headers=sent)
        answer = Answer(response.status_code, response.headers, response.text)
        if answer.status >= 400:
            check_problem(answer)
        elif answer.text and path.split("?")[0] not in {"/metrics", "/docs"}:
            assert answer.headers["content-type"].startswith("application/json"), answer
        allowed = {expect} if isinstance(expect, int) else set(expect)
        assert answer.status in allowed, f"{method} {path}: {answer.status}, not {allowed}: {answer.text[:600]}"
        return answer


@asynccontextmanager
async def open_rest(deployment: Deployment, address: str | None = None) -> AsyncIterator[Rest]:
    is_encrypted = deployment.url.startswith("https:")  # without, reading all authorities would be for nothing
    transport = httpx2.AsyncHTTPTransport(verify=is_encrypted, local_address=address)
    async with httpx2.AsyncClient(base_url=deployment.url, transport=transport, timeout=20, trust_env=False) as client:
        yield Rest(deployment, client)


class Feed:
    """One WebSocket: everything that arrives is recorded, with the instant of its arrival."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Json] = []
        self.arrivals: list[float] = []
        self.is_closed = False
        self.check: Callable[[Json], None] | None = None
        self.faults: list[str] = []
        self._news = asyncio.Event()

    async def read(self) -> None:
        """Record until the connection ends, however it ends."""
        try:
            async for text in self.socket:
                self._record(text)
        except ConnectionClosed:
            pass
        finally:
            self.is_closed = True
            self._news.set()

    def _record(self, text: str | bytes) -> None:
        arrival = time.monotonic()
        frame = strict_json(text)
        if not isinstance(text, str) or len(text.encode()) > 16_384 or not isinstance(frame.get("type"), str):
            self.faults.append(f"not a text frame of at most 16 KiB with a type: {text[:200]!r}")
        if frame.get("type") == "error" and not (frame.get("code") and isinstance(frame.get("detail"), str)):
            self.faults.append(f"an error without a code or a detail: {text[:200]!r}")
        if frame.get("type") == "error" and INTERNALS.search(str(text)):
            self.faults.append(f"an error that gives internals away: {text[:400]!r}")
        if self.check is not None:
            try:
                self.check(frame)
            except (AssertionError, KeyError, TypeError) as fault:
                self.faults.append(f"{type(fault).__name__} {fault} in {text[:900]!r}")
        self.frames.append(frame)
        self.arrivals.append(arrival)
        self._news.set()

    @property
    def mark(self) -> int:
        """How many frames have come so far: what follows is news."""
        return len(self.frames)

    @property
    def code(self) -> int | None:
        return self.socket.close_code

    async def send(self, **frame: object) -> None:
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        async with asyncio.timeout(WITHIN):
            await self.socket.send(text)

    async def expect(self, matches: Matches, what: str, *, since: int = 0, within: float = WITHIN) -> Json:
        """The first frame from `since` on that matches; it may have come already."""
        looked = since
        try:
            async with asyncio.timeout(within):
                while True:
                    self._news.clear()
                    for frame in self.frames[looked:]:
                        looked += 1
                        if matches(frame):
                            return frame
                    assert not self.is_closed, f"closed with {self.code} before {what}; heard {self.tail()}"
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {what} within {within} s; heard {self.tail()}") from None

    async def expect_closed(self, *, within: float = WITHIN) -> int | None:
        """The code with which the service closes this connection."""
        try:
            async with asyncio.timeout(within):
                while not self.is_closed:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"still open after {within} s; heard {self.tail()}") from None
        return self.code

    async def hear(self, *, within: float = WITHIN) -> None:
        """Wait for a first frame or for the end, whichever comes."""
        async with asyncio.timeout(within):
            while not self.frames and not self.is_closed:
                self._news.clear()
                await self._news.wait()

    async def ping(self) -> Json:
        """One exchange with the service's clock. Frames are answered in order: what came before has been looked at."""
        t0 = time.monotonic() * 1000
        await self.send(type="ping", t0=t0)
        return await self.expect(lambda frame: frame["type"] == "pong" and frame["t0"] == t0, "pong")

    def arrival_of(self, frame: Json) -> float:
        return next(arrival for arrival, known in zip(self.arrivals, self.frames, strict=True) if known is frame)

    def tail(self) -> str:
        return json.dumps(self.frames[-6:])[-3000:]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def open_feed(
    deployment: Deployment,
    path: str,
    token: str | None,
    *,
    by_subprotocol: bool = False,
    address: str | None = None,
    check: Callable[[Json], None] | None = None,
) -> AsyncIterator[Feed]:
    """Connect, record until the end of the block, and fail there if a frame did not have its form."""
    protocols = [Subprotocol("dateflicks.v1"), Subprotocol(f"bearer.{token}")] if by_subprotocol else None
    place: dict[str, Any] = {} if address is None else {"local_addr": (address, 0)}
    async with connect(
        deployment.feed_url + path,
        additional_headers=bearer(token) if token is not None and not by_subprotocol else None,
        subprotocols=protocols,
        compression=None,
        ping_interval=None,
        proxy=None,
        max_size=None,
        close_timeout=5,
        **place,
    ) as socket:
        feed = Feed(socket)
        feed.check = check
        reading = asyncio.create_task(feed.read())
        try:
            yield feed
            assert not feed.faults, feed.faults
        finally:
            await socket.close()
            await reading


async def refusal(deployment: Deployment, path: str, token: str | None, *, address: str | None = None) -> int:
    """How a connection is refused: the status of the handshake, or the code with which the service closes.

    A browser sees only close codes and a terminal only needs a status, so the contract leaves room for both.
    """
    try:
        async with open_feed(deployment, path, token, address=address) as feed:
            code = await feed.expect_closed()
            assert all(frame["type"] == "error" for frame in feed.frames), feed.tail()
            assert code is not None
            return code
    except InvalidStatus as refused:
        response = refused.response
        text = bytes(response.body or b"").decode()
        assert response.headers["content-type"].startswith("application/problem+json")
        assert json.loads(text)["status"] == response.status_code
        assert not INTERNALS.search(text)
        return response.status_code
