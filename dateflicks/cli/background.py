"""What the commands on jobs and sources share: the settings, the database that they use or run, and what is known."""

import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

if TYPE_CHECKING:
    from dateflicks.server.jobs.declared import Job
    from dateflicks.server.jobs.records import JobRun
    from dateflicks.server.jobs.supervising import Supervisor
    from dateflicks.server.plugins import Found
    from dateflicks.server.storage.database import Database, DatabaseSettings
    from dateflicks.server.storage.records import Collection
    from dateflicks.settings.providers import ProvidersSettings
    from dateflicks.settings.recommenders import RecommendersSettings


@dataclass(frozen=True)
class Background:
    """All that is declared, and where the collection is; `found` are the sources."""

    settings: "ProvidersSettings"
    found: "list[Found]"
    recommenders: "RecommendersSettings"
    found_recommenders: "list[Found]"
    jobs: "list[Job]"
    database: "DatabaseSettings"
    folder: Path

    def job(self, name: str) -> "Job":
        """One of the jobs. Raises CliError."""
        for job in self.jobs:
            if job.name == name:
                return job
        for one in self.found:
            if one.name == name.partition(":")[0] and one.problem:
                raise CliError(Exit.REFUSED, f"The source '{one.name}' is not used: {one.problem}.")
        for one in self.found_recommenders:
            if f"recommend-{one.name}" == name and one.problem:
                raise CliError(Exit.REFUSED, f"The recommender '{one.name}' is not used: {one.problem}.")
        known = [job.name for job in self.jobs]
        raise CliError(Exit.NOT_FOUND, f"There is no job '{name}'.", hint=nearest(name, known))


def background_of(environment: CliEnvironment) -> Background:
    """By the settings. Raises SettingsError."""
    import msgspec

    from dateflicks.server.jobs.declared import declared, recommending
    from dateflicks.server.providers.discovery import discover
    from dateflicks.server.recommenders import discovery
    from dateflicks.server.storage.database import DatabaseSettings

    loaded, services = environment.load("providers"), environment.load("all").settings
    folder = environment.data_folder(loaded.settings.data or services.server.data)
    settings: ProvidersSettings = msgspec.structs.replace(loaded.settings, data=str(folder))
    found = discover(settings.allow, settings.deny)
    recommenders: RecommendersSettings = environment.load("recommenders").settings
    found_recommenders = discovery.discover(recommenders.allow, recommenders.deny)
    uri = services.mongo.uri if loaded.sources["mongo.uri"].kind == "default" else settings.mongo.uri
    return Background(
        settings=settings,
        found=found,
        recommenders=recommenders,
        found_recommenders=found_recommenders,
        jobs=[*declared(settings, found), *recommending(recommenders, found_recommenders)],
        database=DatabaseSettings(uri, settings.mongo.timeout_seconds),
        folder=folder,
    )


@contextlib.asynccontextmanager
async def opened(background: Background, also: "Sequence[Collection]" = ()) -> "AsyncIterator[Database]":
    """The database of the services: the one that they run, or run by ourselves for as long as nobody else does.

    `also` are collections to use besides those of jobs and sources.
    """
    from dateflicks.server.jobs.records import COLLECTIONS
    from dateflicks.server.providers.ledger import COLLECTIONS as LEDGER
    from dateflicks.server.storage.database import Database

    collections = list(dict.fromkeys([*COLLECTIONS, *LEDGER, *also]))
    try:
        async with Database.open(background.database, background.folder, collections, role="worker") as database:
            yield database
    except OSError as error:
        what = f"The data folder {background.folder} cannot be used: {error.strerror or error}."
        raise CliError(Exit.FAILED, what) from error


def supervisor_of(environment: CliEnvironment, background: Background, database: "Database") -> "Supervisor":
    """What runs jobs as processes with our settings."""
    import os

    from dateflicks.server.jobs.supervising import Bounds, Supervisor

    command = [sys.executable, "-P", "-m", "dateflicks"]
    run, learning = background.settings.run, background.recommenders.run
    threads = {f"{library}_NUM_THREADS": str(learning.threads) for library in ("OPENBLAS", "OMP", "MKL")}
    return Supervisor(
        database,
        [*command, "jobs", "exec"],
        {**os.environ, **environment.for_children()},
        timeout_seconds=run.timeout_seconds,
        memory_mib=run.memory_mib,
        others={
            "recommender": Bounds(
                timeout_seconds=learning.timeout_seconds, memory_mib=learning.memory_mib, environ=threads
            )
        },
    )


@contextlib.contextmanager
def on_stop(stop: Callable[[], None]) -> Iterator[list[int]]:
    """What to do on the first SIGINT or SIGTERM, whose number is in the list then; the second ends the process."""
    import asyncio
    import os

    loop, received = asyncio.get_running_loop(), list[int]()

    def received_one(number: int) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
        stop()

    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, received_one, number)
    try:
        yield received
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def time_of(seconds: float | None) -> str | None:
    """Unix seconds as they are shown."""
    from dateflicks.protocol.times import rfc3339_if_known

    return rfc3339_if_known(seconds)


def shown(run: "JobRun") -> dict[str, Any]:
    """A run as it is shown: times as text, cursors as what they are."""
    import msgspec

    from dateflicks.cli.output import record_of

    record: dict[str, Any] = record_of(run)
    ended = run.ended_at
    return record | {
        "started_at": time_of(run.started_at),
        "ended_at": time_of(ended),
        "seconds": None if ended is None else round(ended - run.started_at, 3),
        "status": run.status or "running",
        "resume_at": time_of(run.resume_at),
        "cursor_before": msgspec.json.decode(run.cursor_before),
        "cursor_after": msgspec.json.decode(run.cursor_after),
    }


def exit_of(runs: "Sequence[JobRun]") -> Exit:
    """How a command ends that ran these: all, some or none of them came to their end."""
    good = sum(run.is_good or (run.status == "partial" and run.error is None) for run in runs)
    if good == len(runs):
        return Exit.OK
    return Exit.PARTLY if good or any(run.status == "partial" for run in runs) else Exit.FAILED
