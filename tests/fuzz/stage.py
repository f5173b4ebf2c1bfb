"""Real things to call about: people, sessions, codes and bets, made when they are needed, through the calls themselves.

A fuzzer that only makes ids up is told 404 for ever. Most of its calls are therefore given what they need to get
beyond that: `PROPS` says for each operation what makes one call of it succeed.
"""

import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from tests.server.services.videos.collection import vid

PASSWORD: Final = "seven small foxes"
FILM: Final = {"url": "https://films.example.org/the-third-man.mkv", "title": "The Third Man", "length": 600.0}
VIDEO: Final = vid("The Third Man", 1949)  # in the collection from the start
BETS_PER_SESSION: Final = 50  # half of what a session may have


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    id: str
    name: str
    token: str


@dataclass(frozen=True)
class Evening:
    """An accepted session, and the tickets of its two participants."""

    id: str
    ticket: str
    others_ticket: str


@dataclass(frozen=True)
class Prop:
    """What makes a call succeed: the parameters of its path, its body, and the token or ticket to come with.

    `query` is for calls that answer nothing without one. With an `evening`, its ticket does as well as the token.
    """

    path: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] | None = None
    token: str | None = None
    evening: Evening | None = None


class Stage:
    """Two people, the caller and the other one, and what is between them."""

    def __init__(self, url: str, client: httpx2.Client | None = None) -> None:
        """`client` is one that knows the way to services which run alone."""
        self._client = client or httpx2.Client(base_url=url, verify=False, trust_env=False, timeout=30.0)
        self._numbers = itertools.count()
        self.caller = self.person()
        self.other = self.person()
        self.evening = self.accepted()
        self.make_timecode(self.evening)
        self._bets = itertools.count()
        self._table = self.evening

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def call(self, method: str, path: str, token: str | None, body: Any = None) -> Any:
        """The body of an answer that is a success."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        response = self._client.request(method, path, json=body, headers=headers)
        assert response.is_success, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def person(self) -> Person:
        """Somebody new."""
        name = f"person-{secrets.token_hex(8)}"
        body = self.call("POST", "/users", None, {"name": name, "password": PASSWORD})
        return Person(body["user"]["id"], name, body["token"])

    def sign_in(self) -> str:
        """One more token of the caller."""
        body = self.call("POST", "/tokens", None, {"name": self.caller.name, "password": PASSWORD})
        token = body["token"]
        assert isinstance(token, str)
        return token

    def friend(self) -> Prop:
        """The other one, on the caller's list."""
        self.call("PUT", f"/users/me/friends/{self.other.name}", self.caller.token)
        return Prop(path={"name": self.other.name})

    def asked(self, host: Person, guest: Person) -> str:
        """A session that waits for the guest's answer."""
        body = {"session": {"guestUserId": guest.id, "video": FILM}}
        return str(self.call("POST", "/sessions", host.token, body)["session"]["id"])

    def code(self) -> str:
        """A code of the other's that nobody has used."""
        body = {"session": {"video": FILM}, "link": True}
        return str(self.call("POST", "/sessions", self.other.token, body)["session"]["invitation"])

    def accepted(self) -> Evening:
        """A session both belong to; the timecode, messages and prediction services have been shown the tickets."""
        session_id = self.asked(self.caller, self.other)
        others = self.call("POST", f"/sessions/{session_id}/accept", self.other.token)["session"]["ticket"]
        own = self.call("GET", f"/sessions/{session_id}", self.caller.token)["session"]["ticket"]
        for path in (f"/timecodes/{session_id}", f"/messages/{session_id}", f"/predictions/{session_id}"):
            self._client.get(path, headers={"Authorization": f"Bearer {own}"})
        return Evening(session_id, own, others)

    def make_timecode(self, evening: Evening) -> Evening:
        """The evening, with a timecode."""
        self.call("POST", "/timecodes", evening.ticket, {"timecode": {"sessionId": evening.id, "length": 600.0}})
        return evening

    def bet(self, *steps: str, by_other: bool = False) -> Prop:
        """A prediction that has been through these steps: `call`, `lock`, `propose`."""
        if next(self._bets) % BETS_PER_SESSION == BETS_PER_SESSION - 1:
            self._table = self.accepted()
        evening = self._table
        ticket = evening.others_ticket if by_other else evening.ticket
        where = f"/predictions/{evening.id}"
        made = self.call("POST", where, ticket, {"prediction": {"details": "Harry Lime is alive"}})["prediction"]
        bodies = {"call": {"option": "yes", "confidence": 0.75}, "propose": {"outcome": "yes"}}
        for step in steps:
            self.call("POST", f"{where}/{made['id']}/{step}", ticket, bodies.get(step, {}))
        return Prop(path={"sessionId": evening.id, "id": made["id"]}, evening=evening)


def _with_body(prop: Prop, body: Mapping[str, Any]) -> Prop:
    return Prop(path=prop.path, body=body, evening=prop.evening)


def _of_evening(evening: Evening, body: Mapping[str, Any] | None = None) -> Prop:
    return Prop(path={"sessionId": evening.id}, body=body, evening=evening)


def _timecode(evening: Evening) -> Prop:
    return Prop(body={"timecode": {"sessionId": evening.id, "length": 600.0}}, evening=evening)


PROPS: Final[Mapping[str, Callable[[Stage], Prop]]] = {
    "POST /users": lambda _: Prop(body={"name": f"p{secrets.token_hex(8)}", "password": PASSWORD}),
    "POST /tokens": lambda stage: Prop(body={"name": stage.caller.name, "password": PASSWORD}),
    "PUT /users/me/password": lambda stage: Prop(
        body={"old": PASSWORD, "new": "eight small foxes"}, token=stage.person().token
    ),
    "GET /users/me/friends": lambda _: Prop(query={"limit": 10}),
    "PUT /users/me/friends/{name}": lambda stage: Prop(path={"name": stage.other.name}),
    "DELETE /users/me/friends/{name}": lambda stage: stage.friend(),
    "DELETE /tokens/current": lambda stage: Prop(token=stage.sign_in()),
    "POST /sessions": lambda stage: Prop(body={"session": {"guestUserId": stage.other.id, "video": FILM}}),
    "GET /sessions": lambda _: Prop(query={"state": "accepted,ended"}),
    "GET /sessions/{id}": lambda stage: Prop(path={"id": stage.evening.id}),
    "POST /sessions/{id}/accept": lambda stage: Prop(path={"id": stage.asked(stage.other, stage.caller)}),
    "POST /sessions/{id}/reject": lambda stage: Prop(path={"id": stage.asked(stage.other, stage.caller)}),
    "POST /sessions/{id}/cancel": lambda stage: Prop(path={"id": stage.asked(stage.caller, stage.other)}),
    "POST /sessions/{id}/end": lambda stage: Prop(path={"id": stage.accepted().id}, body={"position": 90.0}),
    "POST /invitations/{code}/redeem": lambda stage: Prop(path={"code": stage.code()}, body={}),
    "POST /timecodes": lambda stage: _timecode(stage.accepted()),
    "GET /timecodes/{sessionId}": lambda stage: _of_evening(stage.evening),
    "PATCH /timecodes/{sessionId}": lambda stage: _of_evening(stage.evening, {"length": 601.5}),
    "DELETE /timecodes/{sessionId}": lambda stage: _of_evening(stage.make_timecode(stage.accepted())),
    "GET /messages/{sessionId}": lambda stage: _of_evening(stage.evening),
    "POST /messages/{sessionId}": lambda stage: _of_evening(stage.evening, {"message": {"content": "Zither!"}}),
    "GET /predictions/{sessionId}": lambda stage: _of_evening(stage.evening),
    "POST /predictions/{sessionId}": lambda stage: _of_evening(
        stage.bet().evening or stage.evening, {"prediction": {"details": "Holly stays"}}
    ),
    "GET /predictions/{sessionId}/scores": lambda stage: _of_evening(stage.evening),
    "GET /predictions/scores": lambda stage: Prop(query={"with": stage.other.id}, evening=stage.evening),
    "GET /predictions/{sessionId}/{id}": lambda stage: stage.bet(),
    "POST /predictions/{sessionId}/{id}/call": lambda stage: _with_body(
        stage.bet(), {"option": "no", "confidence": 0.625}
    ),
    "POST /predictions/{sessionId}/{id}/lock": lambda stage: _with_body(stage.bet("call"), {}),
    "POST /predictions/{sessionId}/{id}/propose": lambda stage: _with_body(
        stage.bet("call", "lock"), {"outcome": "yes"}
    ),
    "POST /predictions/{sessionId}/{id}/confirm": lambda stage: _with_body(
        stage.bet("call", "lock", "propose", by_other=True), {}
    ),
    "POST /predictions/{sessionId}/{id}/object": lambda stage: _with_body(
        stage.bet("call", "lock", "propose", by_other=True), {}
    ),
    "POST /predictions/{sessionId}/{id}/void": lambda stage: _with_body(stage.bet(), {}),
    "GET /videos": lambda _: Prop(query={"q": "nigth"}),
    "GET /videos/{id}": lambda _: Prop(path={"id": VIDEO}),
    "GET /recommendations": lambda stage: Prop(query={"with": stage.other.id}),
    "GET /recommendations/{videoId}/why": lambda stage: Prop(path={"videoId": VIDEO}, query={"with": stage.other.id}),
    "POST /recommendations/events": lambda _: Prop(body={"videoId": VIDEO, "event": "shown", "position": 0}),
    "GET /recommendations/ratings/{videoId}": lambda _: Prop(path={"videoId": VIDEO}),
    "PUT /recommendations/ratings/{videoId}": lambda _: Prop(path={"videoId": VIDEO}, body={"rating": "up"}),
}
