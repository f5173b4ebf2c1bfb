"""All services for real, in one process or one each, with two people who watch a film, and everybody who must not.

The calls and feeds are those that the services declare themselves, so that a new one is tried without anybody's doing.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import pytest
from argon2.profiles import CHEAPEST

from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.passwords import Passwords
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.deployment import ALL, Deployment
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.runner import running
from dateflicks.server.services.recommendation.app import RecommendationService
from dateflicks.server.services.session import app as session_app
from dateflicks.server.services.videos.app import VideosService
from dateflicks.server.web.route import Route
from dateflicks.server.web.service import Feed, Service
from tests.fuzz.deployment import HOSTING, SETTINGS
from tests.fuzz.stage import PROPS, Evening, Person, Prop, Stage
from tests.server.services.videos.collection import work

CANARY: Final = "0nly-f0r-tw0"  # stands in all that is said, predicted and written between the two


@dataclass(frozen=True)
class Declared:
    """One call of a service."""

    service: str
    route: Route

    @property
    def label(self) -> str:
        return f"{self.route.method} {self.route.path}"

    @property
    def is_of_a_session(self) -> bool:
        """Whether it names a session, in its path or in its body."""
        return "/{sessionId}" in self.route.path or self.route.path.startswith(("/sessions/{id}", "/timecodes"))


@dataclass
class Bearers:
    """What people show who are not who they should be; each by the name of what is wrong with it."""

    token: dict[str, str] = field(default_factory=dict)  # where a person's token is asked for
    ticket: dict[str, str] = field(default_factory=dict)  # where a ticket is


class Routed(httpx2.BaseTransport):
    """The way to services that each have a port."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports
        self._inner = httpx2.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(port=self._ports[service_of(request.url.path)])
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


_PREFIXES: Final = {
    "/timecodes": "timecode",
    "/messages": "messages",
    "/predictions": "prediction",
    "/videos": "videos",
    "/sources": "videos",
    "/recommendations": "recommendation",
}


def service_of(path: str) -> str:
    """Which service answers to this path."""
    return next((name for prefix, name in _PREFIXES.items() if path.startswith(prefix)), "session")


class Scene:
    """What runs, the two of an evening, and the key that only the deployment should have."""

    def __init__(
        self, services: Mapping[str, Service], urls: Mapping[str, str], signer: Signer, folder: Path, *, is_alone: bool
    ) -> None:
        self.services = services
        self.urls = urls
        self.signer = signer
        self.folder = folder
        self.is_alone = is_alone
        transport = Routed({name: urlsplit(url).port or 80 for name, url in urls.items()}) if is_alone else None
        self.client = httpx2.Client(
            base_url=urls["session"], verify=False, trust_env=False, timeout=30.0, transport=transport
        )
        self.stage: Stage

    async def set(self) -> None:
        self.stage = await self.run(Stage, self.urls["session"], self.client)

    async def run(self, work: Any, *arguments: Any) -> Any:
        """Calls that wait are made in a thread: the services are in this one."""
        return await asyncio.to_thread(work, *arguments)

    @property
    def calls(self) -> list[Declared]:
        """Every call of every service."""
        return [Declared(name, route) for name, service in self.services.items() for route in service.routes]

    @property
    def feeds(self) -> list[tuple[str, Feed]]:
        """Every feed of every service."""
        return [(name, feed) for name, service in self.services.items() for feed in service.feeds]

    def prop(self, call: Declared) -> Prop:
        """What makes this call succeed for the two of the evening, new for each call."""
        made = PROPS.get(call.label)
        return Prop() if made is None else made(self.stage)

    def send(self, call: Declared, prop: Prop, bearer: str | None, *, query: str = "") -> httpx2.Response:
        """The call, with a bearer of the test's choice."""
        path = call.route.path
        for name, value in prop.path.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, f"{call.label}: nobody has said in tests/fuzz/stage.py what it needs"
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        body = None if prop.body is None else dict(prop.body)
        return self.client.request(
            call.route.method, path + query, json=body, headers=headers, params=dict(prop.query or {}) or None
        )

    def bearer(self, call: Declared, prop: Prop) -> str:
        """That of the member who may make this call."""
        if call.route.auth == "user-or-ticket":
            return prop.evening.ticket if prop.evening is not None else self.stage.evening.ticket
        return prop.token or self.stage.caller.token

    def words(self) -> list[str]:
        """What nobody else may read."""
        stage = self.stage
        return [stage.evening.id, stage.caller.name, stage.other.name, stage.caller.id, stage.other.id, CANARY]

    # --- everybody else -----------------------------------------------------------------------------------------

    def impostors(self, evening: Evening) -> Bearers:
        """Nobody of these is who they say they are: all are refused as unknown."""
        stage, found = self.stage, Bearers()
        member = self.signer.verify_user_token(stage.caller.token)
        ticket = self.signer.verify_ticket(evening.ticket)
        forger = Signer(b"another key than the deployment's, as long")
        past = Signer(self.signer._key, lambda: 1_700_000_000.0)
        claims = (ticket.session_id, ticket.user_id, ticket.name, ticket.role)
        tokens = {
            "forged": forger.issue_user_token(member),
            "expired": past.issue_user_token(UserToken(member.token_id, member.user_id, member.name, 1_700_000_060.0)),
            "changed": _changed(stage.caller.token),
            "unsigned": _unsigned(stage.caller.token),
            "nonsense": "nonsense",
        }
        tickets = {
            "forged": forger.issue_ticket(*claims),
            "expired": past.issue_ticket(*claims),
            "changed": _changed(evening.ticket),
            "unsigned": _unsigned(evening.ticket),
            "nonsense": "nonsense",
        }
        found.token = tokens | {"a ticket": evening.ticket}
        found.ticket = tickets | {f"{name} token": token for name, token in tokens.items()}
        return found

    def revoked(self) -> str:
        """A token of the member's that was signed out; all their services had been shown it, and a ticket with it."""
        token = self.stage.sign_in()
        for path in (f"/timecodes/{self.stage.evening.id}", f"/messages/{self.stage.evening.id}", "/recommendations"):
            response = self.client.get(path, headers={"Authorization": f"Bearer {token}"})
            assert response.status_code == 200, response.text
        self.stage.call("DELETE", "/tokens/current", token)
        return token

    def strangers(self) -> dict[str, tuple[Person, str]]:
        """People who are who they say, and no members: each with a token and a ticket of another session."""
        stage = self.stage
        stranger, other_guest, refuser = stage.person(), stage.person(), stage.person()

        def place(host: Person, guest: Person) -> str:
            session_id = stage.asked(host, guest)
            return str(stage.call("POST", f"/sessions/{session_id}/accept", guest.token)["session"]["ticket"])

        found = {
            "a stranger": (stranger, place(stranger, stage.person())),
            "another session's guest": (other_guest, place(stage.caller, other_guest)),
            "who has said no": (refuser, place(stage.person(), refuser)),
        }
        stage.call("POST", f"/sessions/{stage.asked(stage.caller, refuser)}/reject", refuser.token)
        for _, ticket in found.values():
            for service in ("timecodes", "messages", "predictions"):  # which know them from now on
                self.client.get(f"/{service}/nothing", headers={"Authorization": f"Bearer {ticket}"})
        return found


def _changed(token: str) -> str:
    middle = token.index(".") + 10
    return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]


def _unsigned(token: str) -> str:
    """The same words under the algorithm `none`."""
    return "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + token.split(".")[1] + "."


@contextlib.contextmanager
def _cheap() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session_app, "Passwords", partial(Passwords, CHEAPEST))
        yield


@contextlib.asynccontextmanager
async def staged(folder: Path, *, is_alone: bool = False) -> AsyncIterator[Scene]:
    """A deployment for as long as the block runs, with its evening."""
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(_cheap())
        services: dict[str, Service] = {}
        urls: dict[str, str] = {}
        for names in [[name] for name in SETTINGS] if is_alone else [list(SETTINGS)]:
            plan = Deployment(names[0] if is_alone else ALL, HOSTING, {name: SETTINGS[name] for name in names}, folder)
            found = await stack.enter_async_context(plan.deploy(Metrics()))
            server = await stack.enter_async_context(running(found))
            services |= {service.name: service for service in found}
            urls |= dict.fromkeys((service.name for service in found), server.url)
        for knows_films in (services["videos"], services["recommendation"]):
            assert isinstance(knows_films, VideosService | RecommendationService)
            await knows_films._database.table(WORKS).upsert_many([work("The Third Man", 1949)])
        scene = Scene(services, urls, Signer((folder / "auth.key").read_bytes().strip()), folder, is_alone=is_alone)
        stack.callback(scene.client.close)
        await scene.set()
        yield scene
