"""People of a deployment and their sessions, made through the calls of the contract."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.journeys.deployment import Deployment
from tests.journeys.wire import Feed, Json, Rest, open_feed, open_rest

PASSWORD = "seven small foxes"


def fresh_name(stem: str) -> str:
    return f"{stem}-{secrets.token_hex(5)}"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, who is signed in and calls from an address of their own."""

    id: str
    name: str
    token: str
    address: str | None


async def register(rest: Rest, name: str, password: str = PASSWORD) -> Json:
    answer = await rest.call("POST", "/users", {"name": name, "password": password}, expect=201)
    body: Json = answer.body
    return body


@dataclass
class Crowd:
    """People by the part they have in a test; made when first asked for, because passwords are slow on purpose."""

    deployment: Deployment
    known: dict[str, Person] = field(default_factory=dict)

    async def person(self, part: str) -> Person:
        if part not in self.known:
            self.known[part] = await self.stranger(part)
        return self.known[part]

    async def stranger(self, stem: str = "stranger") -> Person:
        """Somebody nobody has met: no sessions, no sockets, no history."""
        address = self.deployment.fresh_address()
        async with open_rest(self.deployment, address) as rest:
            body = await register(rest, fresh_name(stem))
        return Person(body["user"]["id"], body["user"]["name"], body["token"], address)


def film(length: float = 600.0, title: str = "The Third Man") -> Json:
    return {"url": "https://films.example.org/the-third-man.mkv", "title": title, "length": length}


async def invite(rest: Rest, host: Person, guest: Person, **more: Any) -> Json:
    """A session that waits for the guest's answer."""
    body = {"session": {"guestUserId": guest.id, "video": film(), **more}}
    session: Json = (await rest.call("POST", "/sessions", body, token=host.token, expect=201)).body["session"]
    return session


# The contract does not say whether an answer to an invitation repeats the session: with it and without are both fine.
DONE = (200, 204)


async def act(rest: Rest, person: Person, session: Json, action: str) -> None:
    await rest.call("POST", f"/sessions/{session['id']}/{action}", token=person.token, expect=DONE)


async def session_of(rest: Rest, person: Person, session_id: str) -> Json:
    session: Json = (await rest.call("GET", f"/sessions/{session_id}", token=person.token)).body["session"]
    return session


async def ticket_of(rest: Rest, person: Person, session_id: str) -> str:
    ticket = (await session_of(rest, person, session_id))["ticket"]
    assert isinstance(ticket, str)
    return ticket


async def items_of(rest: Rest, person: Person, path: str) -> list[Json]:
    """Everything in a list, page after page."""
    items: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"{'&' if '?' in path else '?'}cursor={quote(cursor, safe='')}" if cursor else ""
        page = (await rest.call("GET", path + more, token=person.token)).body
        items += page["items"]
        cursor = page["next"]
        assert cursor != "", "an empty cursor is neither a page nor the end"
    return items


async def ids_in_state(rest: Rest, person: Person, states: str) -> list[str]:
    """The person's sessions in these states: the only way the contract has to tell an ended from an accepted one."""
    return [item["id"] for item in await items_of(rest, person, f"/sessions?state={states}&limit=200")]


async def walk_in(deployment: Deployment, rest: Rest, host: Person, stem: str) -> tuple[Person, str]:
    """Somebody new who takes the guest's place by a link, and the session; quick, because they need no password."""
    body = {"session": {"video": film(), "link": True}, "link": True}
    session = (await rest.call("POST", "/sessions", body, token=host.token, expect=201)).body["session"]
    name = fresh_name(stem)
    taken = (await rest.call("POST", f"/invitations/{session['invitation']}/redeem", {"name": name})).body
    person = Person(taken["session"]["guestUserId"], name, taken["token"], deployment.fresh_address())
    if taken["session"]["isAccepted"] is None:
        await act(rest, person, session, "accept")
    return person, session["id"]


@asynccontextmanager
async def news_of(deployment: Deployment, person: Person) -> AsyncIterator[Feed]:
    """The person's feed of invitations and sessions."""
    async with open_feed(deployment, "/sessions/events", person.token, address=person.address) as feed:
        yield feed


def is_session_news(session: Json, kind: str = "session", **expected: object) -> Any:
    def matches(frame: Json) -> bool:
        about = frame.get("session") or {}
        fits = all(about.get(name) == value for name, value in expected.items())
        return frame["type"] == kind and about.get("id") == session["id"] and fits

    return matches
