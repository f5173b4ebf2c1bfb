"""What a video source is: it yields records and never touches the database. All that a plug-in needs is in this module.

A source is found through the entry point group `dateflicks.video_sources`; its entry point names a class that is made
without arguments, or a function that makes one. `fetch` yields, in any order and number, `Item` and `Removed`, with a
`Checkpoint` wherever it could go on later, and `Complete` at its end. Whoever runs it writes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, Protocol, runtime_checkable

import msgspec

API_VERSION: Final = 1
ENTRY_POINTS: Final = "dateflicks.video_sources"

Mode = Literal["full", "incremental"]
OfferType = Literal["subscription", "rent", "buy", "free", "owned"]
Capability = Literal["incremental", "resolve", "playable", "needs-key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One film as one source offers it in one region; `source_id` and `region` name the offer within the source.

    `url` opens it: a page, a file, or a reference that `resolve` turns into what a player opens; never with a secret.
    `external_ids` may have `imdb`, `tmdb`, `wikidata`. Lengths are seconds. Other people's text: cleaned when written.
    """

    source_id: str
    url: str
    title: str
    region: str = ""
    kind: Literal["film", "other"] = "film"
    original_title: str | None = None
    alt_titles: tuple[str, ...] = ()
    year: int | None = None
    duration_seconds: float | None = None
    genres: tuple[str, ...] = ()
    overview: str | None = None
    poster: str | None = None
    people: tuple[str, ...] = ()
    external_ids: Mapping[str, str] = field(default_factory=dict)
    offer_type: OfferType = "free"
    playable: bool = False
    licence: str | None = None
    keep_days: int | None = None  # after which the facts must be fetched anew or blanked, by the source's terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The source offers this no more."""

    source_id: str
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """From here on a later run may go on: `state` is JSON, kept only once everything yielded before is written."""

    state: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """The end: with `full`, everything that the source offers was yielded, so that what was not is gone."""

    full: bool
    state: Mapping[str, Any] | None = None


Yield = Item | Removed | Checkpoint | Complete


class Answer(Protocol):
    """What a request was answered: JSON and text are decoded as declared; never larger than the limit."""

    @property
    def status(self) -> int:
        """The HTTP status: 2xx, or 304 when nothing has changed since the last time."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case name."""

    def json(self) -> Any:
        """The body as JSON. Raises SchemaError."""

    def text(self) -> str:
        """The body as text."""


class HttpClient(Protocol):
    """The only way out: declared hosts, at the declared rate, with retries; errors are `SourceError`s."""

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        conditional: bool = False,
    ) -> Answer:
        """One answer. Raises AuthError, QuotaError, TransientError, NotOffered (404), SchemaError."""


class Context(Protocol):
    """What a source is given for one run."""

    @property
    def http(self) -> HttpClient:
        """The way out."""

    @property
    def config(self) -> Any:
        """The source's own settings, as its `config` struct."""

    @property
    def log(self) -> logging.Logger:
        """For what an operator may want to know; secrets are taken out."""

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the run should come to an end: yield a `Checkpoint` and return."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def put_aside(self, what: str, problem: str) -> None:
        """One record is not as documented, and is left out; too many in one page end the run as a `SchemaError`."""


@runtime_checkable
class VideoSource(Protocol):
    """One source. Everything but `fetch` has a sensible default in `BaseSource`.

    `may_be_learned_from` says that the terms of what it yields let a program learn from titles, genres and people.
    """

    name: ClassVar[str]
    api_version: ClassVar[int]
    config: ClassVar[type[msgspec.Struct]]
    hosts: ClassVar[tuple[str, ...]]
    requests_per_second: ClassVar[float]
    capabilities: ClassVar[frozenset[Capability]]
    attribution: ClassVar[str]
    may_be_learned_from: ClassVar[bool]

    def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """Everything (`full`), or what has changed since `state` (`incremental`)."""

    async def resolve(self, context: Context, url: str) -> str:
        """What a player opens, for the person who asks, now; may hold a secret and is never stored."""

    async def check(self, context: Context) -> str:
        """Whether it could run: a sentence about what was found. Raises SourceError."""


class NoSettings(msgspec.Struct, frozen=True):
    """A source without any."""


class BaseSource:
    """What most sources share."""

    name: ClassVar[str] = ""
    api_version: ClassVar[int] = API_VERSION
    config: ClassVar[type[msgspec.Struct]] = NoSettings
    hosts: ClassVar[tuple[str, ...]] = ()
    requests_per_second: ClassVar[float] = 1.0
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    attribution: ClassVar[str] = ""
    may_be_learned_from: ClassVar[bool] = False

    async def resolve(self, context: Context, url: str) -> str:
        """The address as it is."""
        del context
        return url

    async def check(self, context: Context) -> str:
        """Nothing to check."""
        del context
        return "Nothing needs checking."


class SourceError(Exception):
    """What can go wrong in a source, by what to do about it; the text is for operators and holds no secret."""

    kind: ClassVar[Literal["auth", "quota", "transient", "schema", "missing", "bug"]] = "bug"


class AuthError(SourceError):
    """A key is missing, wrong or no longer good (401, 403): nobody tries again before a person has looked."""

    kind = "auth"


class QuotaError(SourceError):
    """Too much was asked (429 beyond patience): no request before `reset_seconds` have passed."""

    kind = "quota"

    def __init__(self, text: str, reset_seconds: float) -> None:
        super().__init__(text)
        self.reset_seconds = reset_seconds


class TransientError(SourceError):
    """No connection, a time-out, a 5xx: it will pass."""

    kind = "transient"


class SchemaError(SourceError):
    """The answer is not what is documented: one record is put aside, or the run fails when there are many."""

    kind = "schema"


class NotOffered(SourceError):
    """404: it is not there."""

    kind = "missing"
