"""One trial of a source: it is run against recorded answers, and what it did is looked at afterwards."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from dateflicks.server.providers.checking import fault_of_end, faults_of
from dateflicks.server.providers.hosts import Hosts, addresses_of
from dateflicks.server.providers.redaction import Redactor, secrets_of
from dateflicks.server.providers.source import Checkpoint, Complete, Item, Mode, Removed, VideoSource
from dateflicks.testing.answers import Answers, Fault, RecordedClient, Request

DEADLINE_SECONDS: Final = 60.0
AFTER_STOP_MAX: Final = 1_000  # records that may still come: the rest of a page

Name = tuple[str, str]


@dataclass(slots=True)
class Trial:
    """What a source did. `places` are its checkpoints, each with how many items came before it."""

    items: list[Item] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    places: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    end: Complete | None = None
    error: BaseException | None = None
    problems: list[str] = field(default_factory=list)  # what was yielded and should not have been
    put_aside: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    after_stop: int = 0

    @property
    def names(self) -> set[Name]:
        """The offers by name."""
        return {(item.source_id, item.region) for item in self.items}

    @property
    def is_complete(self) -> bool:
        """Whether it claims to have yielded everything, so that the rest is gone."""
        return self.end is not None and self.end.full


class _Context:
    """The `Context` of a trial."""

    def __init__(self, http: RecordedClient, config: msgspec.Struct, trial: Trial) -> None:
        self.http = http
        self.config = config
        self.stopping = asyncio.Event()
        self.log = logging.Logger("trial")
        self.log.addHandler(_Kept(trial.logged))
        self._trial = trial

    def now(self) -> datetime:
        return datetime.now(UTC)

    def put_aside(self, what: str, problem: str) -> None:
        self._trial.put_aside.append(f"{what}: {problem}")


class _Kept(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


async def try_source(
    source: VideoSource,
    answers: Answers,
    *,
    config: msgspec.Struct | None = None,
    state: Mapping[str, Any] | None = None,
    mode: Mode = "full",
    stop_after: int | None = None,
    faults: Mapping[int, Fault] | None = None,
) -> Trial:
    """Run a source to its end. `stop_after` so many items it is asked to stop; `faults` happen to its requests.

    What it raises is in the trial. Raises TimeoutError when it comes to no end.
    """
    config = source.config() if config is None else config
    trial = Trial()
    http = RecordedClient(answers, Hosts(source.hosts, addresses_of(config)).may_reach, faults)
    context = _Context(http, config, trial)
    redactor = Redactor(*secrets_of(config))
    generator: Any = None
    try:
        async with asyncio.timeout(DEADLINE_SECONDS) as deadline:
            generator = source.fetch(context, state, mode)
            async for what in generator:
                if context.stopping.is_set():
                    trial.after_stop += 1
                _take(trial, what, redactor)
                if stop_after is not None and len(trial.items) >= stop_after:
                    context.stopping.set()
                if trial.end is not None or trial.after_stop > AFTER_STOP_MAX:
                    break
    except (Exception, SystemExit) as error:
        if deadline.expired():
            raise
        trial.error = error
    finally:
        if isinstance(generator, AsyncGenerator):
            with suppress(Exception):
                await generator.aclose()
    trial.asked, trial.foreign = http.asked, http.foreign
    return trial


def _take(trial: Trial, what: Any, redactor: Redactor) -> None:
    match what:
        case Item():
            trial.items.append(what)
            trial.problems += [f"{what.source_id!r}: {fault}" for fault in faults_of(what, redactor)]
            return
        case Removed():
            trial.removed.append(what)
        case Checkpoint():
            if fault_of_end(what) is None:
                trial.places.append((len(trial.items), dict(what.state)))
        case Complete():
            trial.end = what
        case _:
            trial.problems.append(f"{type(what).__name__} is nothing that a source yields")
            return
    if fault := fault_of_end(what):
        trial.problems.append(fault)
