"""A session service on a real server with a real database, and the people who use it over HTTP."""

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from argon2 import Parameters
from argon2.profiles import CHEAPEST

from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.runner import running
from dateflicks.server.services.session import records
from dateflicks.server.services.session.app import SessionService
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.settings.services import SessionSettings
from tests.server.services.engine import OnEngine

KEY = b"the key of a deployment in a test"
PASSWORD = "correct horse"
FILM = {"url": "film.mkv", "title": "A film", "length": 5_400.0}
_numbers = itertools.count(1)


class Clock:
    """Unix time that goes on with each look at it, or stands, and is moved."""

    def __init__(self) -> None:
        self.now = 1_764_000_000.25
        self.step = 0.001  # two things never happen in one instant

    def __call__(self) -> float:
        self.now += self.step
        return self.now

    @contextlib.contextmanager
    def standing(self) -> Iterator[None]:
        """All that happens in the block happens in one instant."""
        self.now, self.step = round(self.now, 3), 0.0
        try:
            yield
        finally:
            self.step = 0.001


@dataclass
class Person:
    """Somebody who is signed in."""

    client: httpx2.AsyncClient
    id: str
    name: str
    token: str

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """One request with their token; header names are given with underscores."""
        sent = {"Authorization": f"Bearer {self.token}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if body is None:
            return await self.client.request(method, path, headers=sent)
        return await self.client.request(method, path, json=body, headers=sent)

    async def get(self, path: str) -> Any:
        """The answer to a GET that succeeds."""
        response = await self.call("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    async def ask(self, guest: "Person", **session: Any) -> dict[str, Any]:
        """A pending session with this guest."""
        response = await self.call(
            "POST", "/sessions", {"session": {"guestUserId": guest.id, "video": FILM, **session}}
        )
        assert response.status_code == 201, response.text
        return answered(response)

    async def link(self) -> dict[str, Any]:
        """A pending session with a code."""
        response = await self.call("POST", "/sessions", {"session": {"video": FILM}, "link": True})
        assert response.status_code == 201, response.text
        return answered(response)

    async def act(self, session: dict[str, Any], verb: str) -> dict[str, Any]:
        """The session after an action that succeeds."""
        response = await self.call("POST", f"/sessions/{session['id']}/{verb}")
        assert response.status_code == 200, response.text
        return answered(response)


def refusal(response: httpx2.Response) -> tuple[int, str]:
    """The status of an error and what is said to people; fails on anything that is no problem document."""
    assert response.headers["Content-Type"] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    return response.status_code, body["detail"]


def fields(response: httpx2.Response) -> list[str]:
    """The fields that do not fit, as the answer names them."""
    assert response.status_code == 422, response.text
    return [problem["field"] for problem in response.json()["errors"]]


def answered(response: httpx2.Response) -> dict[str, Any]:
    """The session in an answer."""
    session: dict[str, Any] = response.json()["session"]
    return session


@dataclass
class Deployment(OnEngine):
    """What runs."""

    url: str
    client: httpx2.AsyncClient
    service: SessionService
    database: Database
    signer: Signer
    bus: LocalBus
    clock: Clock
    people: dict[str, Person] = field(default_factory=dict)

    async def person(self, name: str | None = None, password: str = PASSWORD) -> Person:
        """Somebody new."""
        body = {"name": name or f"person-{next(_numbers)}-{secrets.token_hex(3)}", "password": password}
        response = await self.client.post("/users", json=body)
        assert response.status_code == 201, response.text
        return self.of(response.json())

    async def pair(self) -> tuple[Person, Person]:
        """Two people."""
        return await self.person(), await self.person()

    def of(self, signed_in: dict[str, Any]) -> Person:
        """The person of a sign-in's answer."""
        return Person(self.client, signed_in["user"]["id"], signed_in["user"]["name"], signed_in["token"])


@contextlib.asynccontextmanager
async def deployed(
    folder: Path, settings: SessionSettings | None = None, cost: Parameters = CHEAPEST
) -> AsyncIterator[Deployment]:
    """A deployment for as long as the block runs; no command may have left the fence by its end."""
    clock, bus = Clock(), LocalBus()
    signer = Signer(KEY, clock)
    async with Database.open(DatabaseSettings(), folder, records.COLLECTIONS) as database:
        service = SessionService(database, signer, bus, settings, passwords=Passwords(cost), now=clock)
        async with (
            running([service]) as server,
            httpx2.AsyncClient(base_url=server.url, verify=False, trust_env=False, timeout=10.0) as client,
        ):
            yield Deployment(server.url, client, service, database, signer, bus, clock)
        assert not database.fence.breaches
