"""The services over HTTP: typed calls in, structs out, every failure a `ClientError`.

The one module that imports httpx2. One address is enough: the server tells where each service is. What a service has
beyond sessions and timecodes is asked for by `call`. A TLS context costs 50 ms, so it is made only when an address asks
for it.
"""

import asyncio
import errno
import os
import re
import ssl
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from dateflicks.client import errors
from dateflicks.client.address import is_loopback, server_address
from dateflicks.client.paging import everything
from dateflicks.client.trust import trust
from dateflicks.core.errors import FieldProblem
from dateflicks.core.limits import PAGE_DEFAULT
from dateflicks.protocol import bodies
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.protocol.problem import Problem

T = TypeVar("T")

ANSWER_MAX_BYTES: Final = 8 * 1024 * 1024  # two hundred sessions with all their details are below 1 MiB
_DETAIL_MAX: Final = 500
_OF_TLS: Final = {"WRONG_VERSION_NUMBER": "it does not speak TLS, as https would have it"}
_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")
_KINDS: Final[dict[int, type[errors.ClientError]]] = {
    HTTPStatus.BAD_REQUEST: errors.DoesNotFit,
    HTTPStatus.UNAUTHORIZED: errors.NotSignedIn,
    HTTPStatus.FORBIDDEN: errors.NotAllowed,
    HTTPStatus.NOT_FOUND: errors.NotThere,
    HTTPStatus.CONFLICT: errors.AtOdds,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.DoesNotFit,
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.DoesNotFit,
    HTTPStatus.TOO_MANY_REQUESTS: errors.AskedTooOften,
    HTTPStatus.BAD_GATEWAY: errors.ServiceDown,
    HTTPStatus.SERVICE_UNAVAILABLE: errors.ServiceDown,
    HTTPStatus.GATEWAY_TIMEOUT: errors.ServiceDown,
}


class ServicesAnswer(msgspec.Struct, frozen=True):
    """`GET /services`: the base address of each service of the deployment."""

    services: dict[str, str]


class ServiceClient:
    """One person's way to a deployment; an async context manager. `token` may be set once it is known."""

    def __init__(self, server: str, *, token: str | None = None, timeout: float = 10.0, ca_file: str = "") -> None:
        """`ca_file` has certificates that are trusted beside the system's."""
        self.server = server_address(server)
        self.token = token
        self._timeout = timeout
        self._ca_file = ca_file
        self._trust: ssl.SSLContext | None = None
        self._clients: dict[tuple[bool, bool], httpx2.AsyncClient] = {}
        self._services: dict[str, str] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.aclose()

    @property
    def trust(self) -> ssl.SSLContext:
        """For connections by TLS, made once it is needed. Raises DoesNotFit when the own `ca_file` cannot be used."""
        if self._trust is None:
            self._trust = trust(self._ca_file)
        return self._trust

    # --- where the services are ---------------------------------------------------------------------------------

    async def services(self) -> dict[str, str]:
        """The base address of each service, asked once."""
        if self._services is None:
            told = (await self._call("GET", self.server, "/services", ServicesAnswer, bearer=None)).services
            found = {name: server_address(address) for name, address in told.items()}
            for name, address in found.items():
                if self.server.startswith("https:") and not address.startswith("https:"):
                    raise errors.ServiceFailed(
                        f"{self.server} names an address for {name} that is not encrypted: {address}."
                    )
            self._services = found
        return self._services

    async def address_of(self, service: str) -> str:
        """The base address of one service."""
        services = await self.services()
        if service not in services:
            raise errors.NotThere(f"{self.server} has no {service} service.", url=self.server)
        return services[service]

    # --- people -------------------------------------------------------------------------------------------------

    async def register(self, name: str, password: str) -> bodies.SignedIn:
        """Make an account; its token is used from here on."""
        return await self._sign_in("/users", name, password)

    async def sign_in(self, name: str, password: str) -> bodies.SignedIn:
        """A new token for an account; it is used from here on."""
        return await self._sign_in("/tokens", name, password)

    async def _sign_in(self, path: str, name: str, password: str) -> bodies.SignedIn:
        body = {"name": name, "password": password}
        answer = await self._session("POST", path, bodies.SignedIn, body)
        self.token = answer.token
        return answer

    async def me(self) -> bodies.UserBody:
        """The person whose token this is."""
        return await self._session("GET", "/users/me", bodies.UserBody)

    async def sign_out(self) -> None:
        """Make the token worthless."""
        await self._session("DELETE", "/tokens/current", None)
        self.token = None

    # --- sessions -----------------------------------------------------------------------------------------------

    async def create_session(self, request: bodies.SessionRequest) -> bodies.SessionBody:
        """Ask a guest, or make a link that takes the guest's place."""
        fields = {name: value for name, value in msgspec.to_builtins(request).items() if value not in (None, False)}
        return (await self._session("POST", "/sessions", bodies.SessionAnswer, {"session": fields})).session

    async def session(self, session_id: str) -> bodies.SessionBody:
        """One session of one's own."""
        return (await self._session("GET", f"/sessions/{quote(session_id, safe='')}", bodies.SessionAnswer)).session

    async def sessions(
        self, states: Iterable[str] = (), *, limit: int = PAGE_DEFAULT, cursor: str | None = None
    ) -> bodies.SessionPage:
        """A page of one's own sessions, newest first."""
        query = {"state": ",".join(states), "limit": str(limit), "cursor": cursor}
        return await self._session("GET", "/sessions", bodies.SessionPage, query=query)

    def all_sessions(self, states: Iterable[str] = (), *, limit: int = 1_000) -> AsyncIterator[bodies.SessionBody]:
        """One's own sessions, page after page, up to `limit`."""
        chosen = tuple(states)
        return everything(lambda size, cursor: self.sessions(chosen, limit=size, cursor=cursor), limit)

    async def accept(self, session_id: str) -> bodies.SessionBody:
        """The guest's yes."""
        return await self._act(session_id, "accept")

    async def reject(self, session_id: str) -> bodies.SessionBody:
        """The guest's no."""
        return await self._act(session_id, "reject")

    async def cancel(self, session_id: str) -> bodies.SessionBody:
        """Withdraw an invitation that has no answer yet."""
        return await self._act(session_id, "cancel")

    async def end(self, session_id: str) -> bodies.SessionBody:
        """End it for everybody."""
        return await self._act(session_id, "end")

    async def _act(self, session_id: str, verb: str) -> bodies.SessionBody:
        path = f"/sessions/{quote(session_id, safe='')}/{verb}"
        return (await self._session("POST", path, bodies.SessionAnswer)).session

    async def redeem(self, code: str, name: str | None = None) -> bodies.Redeemed:
        """Take the guest's place by an invitation link's code; without an account one is made for `name`."""
        path = f"/invitations/{quote(code, safe='')}/redeem"
        answer = await self._session("POST", path, bodies.Redeemed, {"name": name} if name else {})
        if isinstance(answer.token, str):
            self.token = answer.token
        return answer

    async def history(self, *, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> bodies.HistoryPage:
        """A page of what was watched, newest first."""
        return await self._session("GET", "/history", bodies.HistoryPage, query={"limit": str(limit), "cursor": cursor})

    def all_history(self, *, limit: int = 1_000) -> AsyncIterator[bodies.HistoryEntry]:
        """What was watched, page after page, up to `limit`."""
        return everything(lambda size, cursor: self.history(limit=size, cursor=cursor), limit)

    # --- timecodes ----------------------------------------------------------------------------------------------

    async def create_timecode(self, session_id: str, length: float, *, ticket: str) -> bodies.TimecodeBody:
        """Start the record of a session's playback; `ticket` is the session's, as its participant sees it."""
        body = {"timecode": {"sessionId": session_id, "length": length}}
        return (await self._timecode("POST", "", bodies.TimecodeAnswer, ticket, body)).timecode

    async def timecode(self, session_id: str, *, ticket: str) -> bodies.TimecodeBody:
        """The record of a session's playback."""
        path = f"/{quote(session_id, safe='')}"
        return (await self._timecode("GET", path, bodies.TimecodeAnswer, ticket)).timecode

    async def set_length(self, session_id: str, length: float, *, ticket: str) -> bodies.TimecodeBody:
        """Correct the length of the film."""
        path, body = f"/{quote(session_id, safe='')}", {"timecode": {"length": length}}
        return (await self._timecode("PATCH", path, bodies.TimecodeAnswer, ticket, body)).timecode

    # --- one call -----------------------------------------------------------------------------------------------

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        answer: type[T] | None,
        *,
        ticket: str | None = None,
        body: Any = None,
        query: dict[str, str | None] | None = None,
    ) -> T:
        """One call of any service: `body` is what msgspec can encode, what comes back is an `answer`.

        With a session's ticket it is shown in place of the own token. Parts of a path that others may have made up are
        quoted by the caller; a query's empty values are left out. Raises ClientError.
        """
        base = await self.address_of(service)
        bearer = self.token if ticket is None else ticket
        return await self._call(method, base, path, answer, bearer=bearer, body=body, query=query)

    async def plain(self, address: str, path: str) -> bytes:
        """What one process says of itself, whether it is well or not (503), unread. Raises ClientError."""
        request = self._client(address).build_request("GET", address + path)
        status, retry_after, content = await self._exchange(address, request)
        if not (200 <= status < 300 or status == HTTPStatus.SERVICE_UNAVAILABLE):
            raise _error(address, status, retry_after, content)
        return content

    async def _session(
        self,
        method: str,
        path: str,
        answer: type[T] | None,
        body: Any = None,
        query: dict[str, str | None] | None = None,
    ) -> T:
        return await self.call("session", method, path, answer, body=body, query=query)

    async def _timecode(self, method: str, path: str, answer: type[T] | None, ticket: str, body: Any = None) -> T:
        return await self.call("timecode", method, f"/timecodes{path}", answer, ticket=ticket, body=body)

    async def _call(
        self,
        method: str,
        base: str,
        path: str,
        answer: type[T] | None,
        *,
        bearer: str | None,
        body: Any = None,
        query: dict[str, str | None] | None = None,
    ) -> T:
        headers = {"Accept": "application/json"}
        if bearer is not None:
            headers["Authorization"] = f"Bearer {bearer}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = self._client(base).build_request(
            method,
            base + path,
            headers=headers,
            content=msgspec.json.encode(body) if body is not None else None,
            params={name: value for name, value in (query or {}).items() if value},
        )
        status, retry_after, content = await self._exchange(base, request)
        if not 200 <= status < 300:
            raise _error(base, status, retry_after, content)
        try:
            return msgspec.json.decode(content, type=answer) if answer is not None else None  # type: ignore[return-value]  # None was asked for
        except UNREADABLE as error:
            raise errors.ServiceFailed(f"{base} gave an answer that makes no sense: {error}.", url=base) from error

    async def _exchange(self, base: str, request: httpx2.Request) -> tuple[int, str | None, bytes]:
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client(base).send(request, stream=True)
                try:
                    content = bytearray()
                    async for chunk in response.aiter_bytes():
                        content += chunk
                        if len(content) > ANSWER_MAX_BYTES:
                            raise errors.ServiceFailed(f"{base} gave an answer without end.", url=base)
                finally:
                    await response.aclose()
                return response.status_code, response.headers.get("Retry-After"), bytes(content)
        except (TimeoutError, httpx2.TimeoutException) as error:
            detail = f"No answer from {base} within {self._timeout:g} s."
            raise errors.TimedOut(detail, url=base) from error
        except httpx2.TransportError as error:
            cause = _innermost(error)
            kind = errors.Untrusted if isinstance(cause, ssl.SSLCertVerificationError) else errors.Unreachable
            raise kind(f"{base} cannot be reached: {_reason(cause)}.", url=base) from error
        except httpx2.HTTPError as error:
            raise errors.ServiceFailed(f"{base} does not speak HTTP as it should: {error}.", url=base) from error

    def _client(self, base: str) -> httpx2.AsyncClient:
        """The connection pool for this kind of address; one without TLS never makes a context for it."""
        kind = (base.startswith("https:"), is_loopback(base))
        if kind not in self._clients:
            is_encrypted, is_local = kind
            self._clients[kind] = httpx2.AsyncClient(
                verify=self.trust if is_encrypted else False,
                trust_env=not is_local,
                timeout=self._timeout,
                follow_redirects=False,
            )
        return self._clients[kind]


def _innermost(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def _reason(cause: BaseException) -> str:
    """An innermost cause in few words, such as `connection refused`."""
    text = str(cause) or type(cause).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        text = f"its certificate is not trusted: {cause.verify_message}"
    elif isinstance(cause, ssl.SSLError):
        text = _OF_TLS.get(cause.reason, cause.reason.replace("_", " ").lower()) if cause.reason else text
    elif isinstance(cause, OSError):
        found = _ERRNO.search(text)  # the first of several, where more than one address was tried
        number = cause.errno or (int(found[1]) if found else 0)
        text = os.strerror(number) if number in errno.errorcode else cause.strerror or text
    return text[:1].lower() + text[1:].rstrip(".")


def _error(base: str, status: int, retry_after: str | None, content: bytes) -> errors.ClientError:
    try:
        problem = msgspec.json.decode(content, type=Problem)
    except UNREADABLE:
        problem = Problem("about:blank", "", status, f"{base} answered with {status} and no explanation.")
    detail = (problem.detail or problem.title)[:_DETAIL_MAX]
    kind = _KINDS.get(status, errors.ServiceFailed)
    if kind is errors.DoesNotFit:
        problems = tuple(FieldProblem(item.field, item.message) for item in problem.errors)
        return errors.DoesNotFit(detail, url=base, problems=problems)
    if kind is errors.AskedTooOften:
        seconds = float(retry_after) if retry_after and retry_after.isdecimal() else None
        return errors.AskedTooOften(detail, url=base, retry_after=seconds)
    return kind(detail, url=base)
