"""The way out for sources: HTTP to declared hosts only, at the declared rate, with retries, bounds and no secret told.

The one module of the server that imports httpx2. Every way that an exchange may end leads through the same retries.
"""

import asyncio
import errno
import hashlib
import json
import logging
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx2
import msgspec

from dateflicks import __version__
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.protocol.hosts import is_loopback_host
from dateflicks.protocol.text import clean_line
from dateflicks.server.providers.hosts import Hosts, origin_of
from dateflicks.server.providers.pacing import QUOTA_SECONDS, Breaker, FetchLimits, Pace, retry_after, wait_before
from dateflicks.server.providers.redaction import Redactor, place
from dateflicks.server.providers.source import (
    AuthError,
    NotOffered,
    QuotaError,
    SchemaError,
    SourceError,
    TransientError,
)

VALIDATORS_MAX: Final = 2_000
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_TEMPORARY: Final = frozenset({408, 425, 429})
_ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
_EXPLANATION_MAX: Final = 200
_WORDS_IN: Final = ("status_message", "message", "error_description", "detail", "error", "title")
_CONNECTIONS: Final = 4
_OFFLINE: Final = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTUNREACH})

logging.getLogger("httpx2").setLevel(logging.WARNING)  # below it every address is logged, with its query


class BreakerOpen(TransientError):
    """Too much has failed: the provider is left alone until the next run."""


class NoNetwork(TransientError):
    """This machine reaches nobody, or cannot tell where the provider is: no fault of the provider's."""


class Interrupted(TransientError):
    """The run should come to an end: nothing is waited for any more."""


class Validators:
    """What providers said of the versions of their answers (ETag, Last-Modified), by address; bounded.

    What a run hears counts for later runs only once it is kept: else what was fetched but not written would be
    taken for known.
    """

    def __init__(self, known: Mapping[str, list[str]] | None = None) -> None:
        self._known = dict(known or {})
        self._heard: dict[str, list[str]] = {}

    def headers(self, url: str) -> dict[str, str]:
        """What to send, so that an unchanged answer is a 304."""
        tag, date = self._known.get(_key(url), ["", ""])
        return ({"If-None-Match": tag} if tag else {}) | ({"If-Modified-Since": date} if date else {})

    def heard(self, url: str, headers: Mapping[str, str]) -> None:
        """What an answer said."""
        tag, date = headers.get("etag", ""), headers.get("last-modified", "")
        if (tag or date) and len(tag) + len(date) <= 200:
            self._heard[_key(url)] = [tag, date]

    def kept(self) -> dict[str, list[str]]:
        """All of it, once what came with it is written; the oldest go first."""
        everything = {key: value for key, value in self._known.items() if key not in self._heard} | self._heard
        return dict(list(everything.items())[-VALIDATORS_MAX:])


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:24]  # an address may hold a key


@dataclass(frozen=True, slots=True)
class FetchedAnswer:
    """An answer with its whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    where: str
    json_depth: int

    def text(self) -> str:
        """The body as text, decoded as declared; what does not fit is replaced."""
        _, _, declared = self.headers.get("content-type", "").lower().partition("charset=")
        try:
            return self.content.decode(declared.split(";")[0].strip(" \"'") or "utf-8", "replace")
        except (LookupError, ValueError):  # there is none of this name, or one that is not for text
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises SchemaError."""
        try:
            value = json.loads(self.content, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"{self.where} did not answer with JSON: {clean_line(str(error), 100)}.") from None
        level = [value]
        for _ in range(self.json_depth + 1):
            level = [
                child
                for node in level
                if isinstance(node, dict | list)
                for child in (node.values() if isinstance(node, dict) else node)
            ]
            if not level:
                return value
        raise SchemaError(f"{self.where} answered with JSON that is nested too deep.")


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


class SourceClient:
    """The `HttpClient` of one run; an async context manager. `hosts` are the source's, `redactor` knows its secrets."""

    def __init__(
        self,
        hosts: Hosts,
        *,
        redactor: Redactor | None = None,
        requests_per_second: float = 1.0,
        contact: str = "",
        validators: Validators | None = None,
        limits: FetchLimits | None = None,
        stopping: asyncio.Event | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.redactor = redactor or Redactor()
        self.breaker = Breaker()
        self.requests = 0  # tries that went out, for the run's record
        self.bytes = 0
        self._hosts = hosts
        self._pace = Pace(requests_per_second)
        self._agent = f"dateflicks/{__version__}" + (f" ({contact})" if contact else "")
        self._validators = validators or Validators()
        self._limits = limits or FetchLimits()
        self._stopping = stopping or asyncio.Event()
        self._sleep = sleep
        self._clock = clock
        self._clients: dict[tuple[bool, bool], httpx2.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._clients:
            _, client = self._clients.popitem()
            await client.aclose()

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        conditional: bool = False,
    ) -> FetchedAnswer:
        """One answer. Raises AuthError, QuotaError, TransientError, NotOffered (404), SchemaError."""
        for name, value in [*(params or {}).items(), *(headers or {}).items()]:
            self.redactor.learn_sent(name, str(value))
        try:
            address = str(httpx2.URL(url, params=dict(params)) if params else httpx2.URL(url))
        except (httpx2.InvalidURL, ValueError, TypeError) as error:
            raise SourceError(f"This is no address: {self.redactor.line(str(error))}.") from None
        if not self._hosts.may_reach(address):
            raise SourceError(f"{self._told(address)} is not among the hosts that the source declares.")
        if self.breaker.is_open:
            raise BreakerOpen(f"{self._told(address)} is left alone: too many requests have failed.")
        sent = {**(headers or {}), **(self._validators.headers(address) if conditional else {})}
        try:
            answer = await self._patiently(address, sent)
        except (TransientError, QuotaError) as error:
            self.breaker.count(not isinstance(error, Interrupted))
            raise
        except SourceError:
            self.breaker.count(False)
            raise
        self.breaker.count(False)
        if conditional:
            self._validators.heard(address, answer.headers)
        return answer

    # --- tries --------------------------------------------------------------------------------------------------

    async def _patiently(self, url: str, headers: Mapping[str, str]) -> FetchedAnswer:
        began = self._clock()
        tries = 0
        while True:
            await self._pause(self._pace.wait(self._clock()))
            asked_to_wait: float | None = None
            tries += 1
            try:
                answer = await self._follow(url, headers)
            except TransientError as error:
                problem: SourceError = error
            else:
                if answer.status < 500 and answer.status not in _TEMPORARY:
                    return self._judged(answer)
                asked_to_wait = retry_after(answer.headers.get("retry-after"), datetime.now(UTC))
                problem = self._temporary(answer, asked_to_wait)
            wait = max(wait_before(tries), asked_to_wait or 0.0)
            is_over = self._clock() + wait - began > self._limits.total_seconds
            if tries >= self._limits.tries or is_over or (asked_to_wait or 0.0) > self._limits.patience_seconds:
                raise problem
            if asked_to_wait:
                self._pace.hold(self._clock() + asked_to_wait)
            await self._pause(wait)

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the run should end; then nothing is asked any more."""
        if seconds > 0 and not self._stopping.is_set():
            waits = {asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._stopping.wait())}
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
        if self._stopping.is_set():
            raise Interrupted("The run is coming to its end.")

    def _temporary(self, answer: FetchedAnswer, wait: float | None) -> SourceError:
        said = self._said(answer)
        if answer.status == 429:
            return QuotaError(f"{answer.where} was asked too much (429){said}", QUOTA_SECONDS if wait is None else wait)
        return TransientError(f"{answer.where} failed ({answer.status}){said}")

    def _judged(self, answer: FetchedAnswer) -> FetchedAnswer:
        status = answer.status
        if 200 <= status < 300 or status == 304:
            return answer
        said = self._said(answer)
        if status in (401, 402, 403):
            raise AuthError(f"{answer.where} does not accept the key, or wants one ({status}){said}")
        if status in (404, 410):
            raise NotOffered(f"{answer.where} is not there ({status}){said}")
        raise SchemaError(f"{answer.where} answered with {status}{said}")

    def _said(self, answer: FetchedAnswer) -> str:
        is_page = "html" in answer.headers.get("content-type", "")
        text = "" if is_page else self.redactor.line(_explanation(answer.text()[:4_096]), _EXPLANATION_MAX)
        return f": {text}" if text else "."

    def _told(self, url: str) -> str:
        return self.redactor.line(place(url))

    # --- one try ------------------------------------------------------------------------------------------------

    async def _follow(self, url: str, headers: Mapping[str, str]) -> FetchedAnswer:
        """The answer at the end of all redirections, each of which must lead to an allowed host."""
        first, sent = url, headers
        for _ in range(self._limits.redirects + 1):
            answer = await self._exchange(url, sent)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            try:
                url = str(httpx2.URL(url).join(target))
            except (httpx2.InvalidURL, ValueError):
                raise SchemaError(f"{answer.where} leads to what is no address.") from None
            if not self._hosts.may_reach(url):
                raise SchemaError(f"{answer.where} leads to {self._told(url)}, which the source does not declare.")
            if origin_of(url) != origin_of(first):
                sent = {}  # a key is for whom it was meant
        raise SchemaError(f"{self._told(first)} leads round in circles.")

    async def _exchange(self, url: str, headers: Mapping[str, str]) -> FetchedAnswer:
        where = self._told(url)
        client = self._client(url)
        self.requests += 1
        try:
            async with asyncio.timeout(self._limits.try_seconds):
                request = client.build_request("GET", url, headers=dict(headers))
                request.headers.setdefault("Accept", "application/json")
                request.headers["User-Agent"] = self._agent
                request.headers["Accept-Encoding"] = "gzip, deflate"
                response = await client.send(request, stream=True)
                try:
                    content = await self._read(response, where)
                finally:
                    await response.aclose()
                    client.cookies.clear()
        except (TimeoutError, httpx2.TimeoutException):
            raise TransientError(f"{where} gave no answer within {self._limits.try_seconds:g} s.") from None
        except httpx2.TransportError as error:
            kind = NoNetwork if _is_offline(error) else TransientError
            raise kind(f"{where} cannot be reached: {self.redactor.line(_reason(error), 200)}.") from None
        except (httpx2.HTTPError, ValueError, TypeError) as error:
            raise SchemaError(f"{where} does not speak HTTP as it should: {self.redactor.line(str(error))}.") from None
        return FetchedAnswer(response.status_code, dict(response.headers), content, where, self._limits.json_depth)

    async def _read(self, response: httpx2.Response, where: str) -> bytes:
        if response.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
            raise SchemaError(f"{where} answered in an encoding that was not asked for.")
        content = bytearray()
        async for chunk in response.aiter_bytes():
            content += chunk
            self.bytes += len(chunk)
            if len(content) > self._limits.body_bytes:
                raise SchemaError(f"{where} answered with more than {self._limits.body_bytes // 1024} KiB.")
        return bytes(content)

    def _client(self, url: str) -> httpx2.AsyncClient:
        """The connections for this kind of address: one without TLS needs no context, one of this machine no proxy."""
        kind = is_encrypted, is_local = (url.startswith("https:"), is_loopback_host(urlsplit(url).hostname or ""))
        if kind not in self._clients:
            self._clients[kind] = httpx2.AsyncClient(
                verify=ssl.create_default_context() if is_encrypted else False,
                trust_env=not is_local,
                timeout=self._limits.try_seconds,
                follow_redirects=False,
                limits=httpx2.Limits(max_connections=_CONNECTIONS),
            )
        return self._clients[kind]


def _cause(error: BaseException) -> BaseException:
    while (deeper := error.__cause__ or error.__context__) is not None:
        error = deeper
    return error


def _is_offline(error: Exception) -> bool:
    cause = _cause(error)
    return isinstance(cause, socket.gaierror) or (isinstance(cause, OSError) and cause.errno in _OFFLINE)


def _reason(error: Exception) -> str:
    """The innermost cause in few words."""
    cause = _cause(error)
    if isinstance(cause, OSError) and cause.errno and cause.errno > 0:
        return os.strerror(cause.errno).lower()
    return (str(cause) or type(error).__name__).rstrip(".")


def _explanation(text: str) -> str:
    """What an answer that says no says to people, where it is JSON with words for them; else all of it."""
    try:
        value = msgspec.json.decode(text)
    except UNREADABLE:
        return text
    if isinstance(value, dict):
        for name in _WORDS_IN:
            if isinstance(found := value.get(name), str) and found.strip():
                return found
    return text
