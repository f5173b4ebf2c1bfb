"""One run of one recommender: read, learn, make everybody's lists, write them aside, switch to them.

Whatever goes wrong on the way, the lists of the run before stay as they are. What takes long happens on a thread beside
the loop, so that a run that is asked to end does so at once, in the middle of whatever a recommender does.
"""

import asyncio
import contextlib
import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from dateflicks.core.errors import Unavailable
from dateflicks.server.providers.redaction import HIDDEN, Redactor, secrets_of
from dateflicks.server.recommendation.runs import Listing, Reader, Row, Run, Writer, as_text
from dateflicks.server.recommenders.making import Making, has_arrived
from dateflicks.server.recommenders.prior import About, kept, load_all
from dateflicks.server.recommenders.reading import Reading, read, with_priors
from dateflicks.server.recommenders.recommender import Context, Model, Recommender, RecommenderError
from dateflicks.server.recommenders.scoring import batches
from dateflicks.server.storage.database import Database
from dateflicks.settings.recommenders import SCHEDULE_KEYS, RecommendersSettings

T = TypeVar("T")
PAIRS_AT_ONCE: Final = 64
SEED: Final = 42


class Stopped(Exception):
    """The run was asked to end."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a run, as far as it came. `learned_from` is how many entries people and films have in common."""

    is_unchanged: bool = False
    learned_from: int = 0
    people: int = 0
    pairs: int = 0
    rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """How long a part of it takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[part] = round(time.monotonic() - began, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a recommender is to be run; priors are looked for in the data folder. `tell` hears of each batch.

    With `user` lists are made for this person alone, and put among those that are live.
    """

    run_id: str
    config: msgspec.Struct
    settings: RecommendersSettings
    folder: Path
    stopping: asyncio.Event
    is_dry: bool = False
    user: str | None = None
    tell: Callable[[Outcome], None] = lambda _: None
    now: Callable[[], float] = time.time


async def run_recommender(recommender: Recommender, plan: Plan, database: Database) -> Outcome:
    """Run it. Raises whatever the recommender does, RecommenderError, Stopped, Unavailable."""
    outcome = Outcome()
    with outcome.timed("read"):
        reading = await read(database, now=plan.now)
    await run_on(recommender, plan, reading, database, outcome)
    return outcome


async def run_on(recommender: Recommender, plan: Plan, reading: Reading, database: Database, outcome: Outcome) -> None:
    """Run it on what was read. Raises as `run_recommender` does."""
    outcome.learned_from = int(reading.data.weights.nnz)
    if plan.user is not None:
        await _run_for_one(recommender, plan, plan.user, reading, database, outcome)
        return
    priors = kept(plan.folder)
    run = _run_of(recommender, plan, reading, priors)
    writer = None if plan.is_dry else Writer(database, now=plan.now)
    if (reading.has_nothing and not priors) or (writer is not None and await _is_live(database, run)):
        outcome.is_unchanged = True
    elif writer is None:
        await _make(recommender, plan, reading, run, outcome, None)
    else:
        await writer.begin(run)
        try:
            await _make(recommender, plan, reading, run, outcome, writer)
        except (Exception, asyncio.CancelledError) as error:
            redact = Redactor(*secrets_of(plan.config))
            with contextlib.suppress(Unavailable):  # then the next run tells that this one was left behind
                await writer.fail(run, redact.line(f"{type(error).__name__}: {error}"))
            raise
    if writer is not None:
        await writer.retire(recommender.name)
        await writer.clear(recommender.name, kept=max(plan.settings.run.runs_kept - 1, 0))


async def _run_for_one(
    recommender: Recommender, plan: Plan, user: str, reading: Reading, database: Database, outcome: Outcome
) -> None:
    """Learn from everybody, and replace one person's lists, own and with others, in the run that is live.

    That run has to be of the same version and settings, for scores of other ones would stand beside those of its rows.
    Raises RecommenderError.
    """
    live = await Reader(database).live(recommender.name)
    if live is None or (live.version, live.parameters) != (recommender.version, as_text(_parameters(plan.config))):
        raise RecommenderError("There are no lists of this version and these settings yet: run it for everybody first.")
    own = reading.data.user_ids[: reading.people]
    if user not in own:
        raise RecommenderError("This person has done nothing yet that could be learned from.")
    row = own.index(user)
    run = msgspec.structs.replace(live, data_cut=reading.data.now)
    reading, making = await _learn(recommender, plan, reading, run, outcome)
    with outcome.timed("people"):
        found = await aside(plan.stopping, making.for_people, slice(row, row + 1))
        outcome.people = len(found)
    with outcome.timed("pairs"):
        for at, pair in enumerate(reading.pairs):
            if row in pair:
                found += await aside(plan.stopping, making.for_pairs, slice(at, at + 1))
        outcome.pairs = len(found) - outcome.people
    if not plan.is_dry:
        await Writer(database, now=plan.now).amend(live, found)


def _run_of(recommender: Recommender, plan: Plan, reading: Reading, priors: list[About]) -> Run:
    settings = plan.settings
    arrived = np.flatnonzero(has_arrived(reading, settings)).tolist()
    made_of = (settings.half_life_films, settings.arrivals_share, settings.run.list_length, arrived, priors)
    return Run(
        id=plan.run_id,
        algorithm=recommender.name,
        version=recommender.version,
        parameters=as_text(_parameters(plan.config)),
        data_cut=reading.data.now,
        data_hash=reading.digest(*made_of),
        interactions=int(reading.data.weights.nnz),
        videos=int(reading.is_there.sum()),
        started_at=plan.now(),
    )


def _parameters(config: msgspec.Struct) -> dict[str, Any]:
    """What the lists depend on: the settings, but for when it runs, and without secrets."""
    found: dict[str, Any] = _without_secrets(msgspec.to_builtins(config), {*secrets_of(config)})
    return {name: value for name, value in found.items() if name not in SCHEDULE_KEYS}


def _without_secrets(value: Any, secrets: set[str]) -> Any:
    """Settings as they may be kept: what is declared secret, or named so, is hidden."""
    if isinstance(value, dict):
        return {str(name): _without_secrets(one, secrets) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_secrets(one, secrets) for one in value]
    return HIDDEN if isinstance(value, str) and value in secrets else value


async def _is_live(database: Database, run: Run) -> bool:
    """Whether what is live was made of the same by the same."""
    live = await Reader(database).live(run.algorithm)
    made_of = (run.version, run.parameters, run.data_hash)
    return live is not None and (live.version, live.parameters, live.data_hash) == made_of


async def _make(
    recommender: Recommender, plan: Plan, reading: Reading, run: Run, outcome: Outcome, writer: Writer | None
) -> None:
    """Learn, make it all, and go live. Without a writer nothing is kept."""

    async def put(listings: list[Listing]) -> int:
        if writer is not None:
            await writer.put_lists(listings)
        plan.tell(outcome)
        return len(listings)

    async def put_rows(rows: list[Row]) -> int:
        if writer is not None:
            await writer.put_neighbours(rows)
        return len(rows)

    reading, making = await _learn(recommender, plan, reading, run, outcome)
    films = len(reading.data.film_ids)
    with outcome.timed("people"):
        await put(await aside(plan.stopping, making.for_everybody))
        for rows in batches(reading.people, films):
            outcome.people += await put(await aside(plan.stopping, making.for_people, rows))
    with outcome.timed("pairs"):
        for at in range(0, len(reading.pairs), PAIRS_AT_ONCE):
            which = slice(at, min(at + PAIRS_AT_ONCE, len(reading.pairs)))
            outcome.pairs += await put(await aside(plan.stopping, making.for_pairs, which))
    with outcome.timed("rows"):
        for rows in batches(films, films):
            outcome.rows += await put_rows(await aside(plan.stopping, making.rows, rows))
    if writer is not None:
        await writer.go_live(_finished(run, making, outcome))


async def _learn(
    recommender: Recommender, plan: Plan, reading: Reading, run: Run, outcome: Outcome
) -> tuple[Reading, Making]:
    """Learn from everybody, and from those of priors; what was learned from, and what makes lists of it."""
    with outcome.timed("priors"):
        reading = await aside(plan.stopping, _with_priors, reading, plan.folder)
    with outcome.timed("fit"):
        model = await aside(plan.stopping, _fit, recommender, plan, reading)
    making = Making(reading, model, run, plan.settings, plan.now)
    with outcome.timed("weigh"):
        await aside(plan.stopping, making.weigh)
    return reading, making


def _with_priors(reading: Reading, folder: Path) -> Reading:
    return with_priors(reading, load_all(folder))


def _fit(recommender: Recommender, plan: Plan, reading: Reading) -> Model:
    context = Context(config=plan.config, seed=SEED, threads=plan.settings.run.threads)
    return recommender.fit(reading.data, context)


def _finished(run: Run, making: Making, outcome: Outcome) -> Run:
    figures = {
        "seconds": outcome.seconds,
        "coverage": making.coverage,
        "rows": outcome.rows,
        "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    return msgspec.structs.replace(run, users=outcome.people, pairs=outcome.pairs, figures=as_text(figures))


async def aside(stopping: asyncio.Event, work: Callable[..., T], *given: Any) -> T:
    """Do it on a thread of its own that nobody waits for once the run is asked to end. Raises Stopped."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(outcome: Callable[[], None]) -> None:
        if not done.done():
            outcome()

    def whole() -> None:
        try:
            outcome = partial(done.set_result, work(*given))
        except Exception as error:  # noqa: BLE001 - for whoever waits for it
            outcome = partial(done.set_exception, error)
        except BaseException as error:  # noqa: BLE001 - a recommender may even try to exit
            ended = RecommenderError(f"It wanted to end the process: {type(error).__name__}: {error}")
            outcome = partial(done.set_exception, ended)
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=whole, daemon=True, name="recommender").start()
    asked = asyncio.create_task(stopping.wait(), name="stop")
    either: set[asyncio.Future[Any]] = {done, asked}
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
    if not done.done():
        done.cancel()
        raise Stopped
    return done.result()
