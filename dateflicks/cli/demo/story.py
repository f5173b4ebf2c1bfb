"""The order of things: each step with its check, its deadline and what it needs; what came of them is the report."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from dateflicks.cli.demo.measuring import Drift
from dateflicks.cli.demo.observer import Observer
from dateflicks.cli.demo.people import Person, StepFailed
from dateflicks.cli.demo.stage import Stage
from dateflicks.client.players.base import PlayerError
from dateflicks.core.errors import DateflicksError
from dateflicks.protocol.bodies import SessionBody


class Result(msgspec.Struct, frozen=True):
    """What came of one step."""

    name: str
    ok: bool
    detail: str


class DriftBody(msgspec.Struct, frozen=True):
    """How far apart the players were, in milliseconds; null when nothing could be measured."""

    median: float | None = None
    p95: float | None = None
    max: float | None = None


class Report(msgspec.Struct, frozen=True):
    """The demo as a whole."""

    ok: bool
    player: str
    steps: list[Result]
    drift_ms: DriftBody


@dataclass
class Scene:
    """Everything that a step may touch."""

    stage: Stage
    people: list[Person] = field(default_factory=list)
    observer: Observer | None = None
    watch: asyncio.Task[None] | None = None
    session: SessionBody | None = None
    prediction: str = ""  # the id of what was predicted

    @property
    def host(self) -> Person:
        """Who invites."""
        return self.people[0]

    @property
    def guest(self) -> Person:
        """Who is invited."""
        return self.people[1]

    @property
    def eyes(self) -> Observer:
        """Whoever looks on."""
        if self.observer is None:
            raise StepFailed("there are no players to look at")
        return self.observer


@dataclass(frozen=True)
class Step:
    """One thing that must hold: `work` does and checks it and says with figures what it saw, or raises StepFailed."""

    name: str
    title: str
    work: Callable[[Scene], Awaitable[str]]
    needs: tuple[str, ...] = ()
    seconds: float = 30.0


class View(Protocol):
    """Whoever shows the story."""

    def began(self, step: Step) -> None:
        """A step begins."""

    def ended(self, result: Result, seconds: float) -> None:
        """A step has ended."""


async def tell(steps: Sequence[Step], scene: Scene, view: View) -> list[Result]:
    """Go through the steps; one that fails is reported, and those that do not need it still run."""
    results: dict[str, Result] = {}
    for step in steps:
        began = time.monotonic()
        view.began(step)
        failed = [name for name in step.needs if not results[name].ok]
        result = Result(step.name, False, f"not tried without {failed[0]}") if failed else await _tried(step, scene)
        results[step.name] = result
        view.ended(result, time.monotonic() - began)
    return list(results.values())


async def _tried(step: Step, scene: Scene) -> Result:
    limit = asyncio.timeout(step.seconds)
    try:
        async with limit:
            return Result(step.name, True, await step.work(scene))
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the other steps are to be seen too
        is_late = isinstance(error, TimeoutError) and limit.expired()
        return Result(step.name, False, f"not done within {step.seconds:g} s" if is_late else _words(error))


def _words(error: Exception) -> str:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    why = str(getattr(error, "why", ""))
    if isinstance(error, StepFailed | DateflicksError | PlayerError):
        return f"{error} {why}".strip()
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def report_of(player: str, results: list[Result], drift: Drift | None) -> Report:
    """The whole as one record."""
    figures = DriftBody() if drift is None else DriftBody(drift.median, drift.p95, drift.max)
    return Report(all(result.ok for result in results), player, results, figures)
