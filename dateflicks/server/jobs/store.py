"""Jobs and their runs in the database: read by the command line, changed by whoever runs them."""

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

import msgspec

from dateflicks.core.errors import Unavailable
from dateflicks.core.limits import PAGE_DEFAULT, PAGE_MAX
from dateflicks.server.catalogue.sources import RUNS
from dateflicks.server.jobs.records import JOBS, KIND, JobRun, JobState, document_of_run, run_of, state_of
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Duplicate, Missing, Place, Stale

TRIES: Final = 8  # to change a document that others change too


class JobStore:
    """What is known of jobs. All raise Unavailable when the database is away."""

    def __init__(self, database: Database) -> None:
        self._jobs = database.table(JOBS)
        self._runs = database.table(RUNS)

    async def state(self, subject: str) -> JobState:
        """One subject."""
        return state_of(await self._jobs.get(_key(subject)))

    async def states(self, subjects: Iterable[str]) -> dict[str, JobState]:
        """Several subjects (200 at most)."""
        wanted = dict.fromkeys(subjects)
        found = await self._jobs.get_many([_key(one) for one in wanted])
        return {one: state_of(found.get(_key(one))) for one in wanted}

    async def change(
        self, subject: str, change: Callable[[JobState], JobState], *, command: str | None = None
    ) -> JobState:
        """Change what is known of a subject, whoever else does so at the same time.

        What has to be changed once only, and is asked for again when nobody knows whether it was, has a `command` of
        its own. Raises OutcomeUnknown.
        """
        key, command = _key(subject), command or secrets.token_hex(16)
        for _ in range(TRIES):
            stored = await self._jobs.get(key)
            state = state_of(stored)
            if stored is not None and command in stored.get("cmds", ()):
                return state
            state = change(state)
            fields = {"kind": KIND, "name": subject, **msgspec.to_builtins(state)}
            with suppress(Duplicate, Stale, Missing):
                if stored is None:
                    await self._jobs.insert({"_id": key, "cmds": [command], **fields})
                else:
                    await self._jobs.compare_and_set(key, stored["rev"], fields, command=command)
                return state
        raise Unavailable(f"Others keep changing what is known of {subject}. Try again in a moment.")

    async def put(self, run: JobRun) -> None:
        """Keep a run, over what is kept of it."""
        await self._runs.upsert(document_of_run(run))

    async def run(self, id: str) -> JobRun | None:  # noqa: A002 - the word of the domain
        """One run."""
        document = await self._runs.get(id)
        return None if document is None else run_of(document)

    async def runs(self, subject: str | None = None, *, limit: int = 20) -> list[JobRun]:
        """The last runs, of one subject or of all, newest first."""
        limit = min(limit, PAGE_MAX)
        if subject is None:
            found = await self._runs.between("startedAt", at_least=0.0, descending=True, limit=limit)
        else:
            found = await self._runs.page("source", subject, order_by="startedAt", limit=limit)
        return [run_of(document) for document in found]

    async def runs_of(self, subject: str, job: str, *, limit: int = 20) -> list[JobRun]:
        """The last runs of one job, newest first: the other job of its subject may have run often since."""
        found: list[JobRun] = []
        after: Place | None = None
        size = min(max(limit, PAGE_DEFAULT), PAGE_MAX)
        while len(found) < limit:
            page = await self._runs.page("source", subject, order_by="startedAt", after=after, limit=size)
            found += [run for run in map(run_of, page) if run.job == job]
            if len(page) < size:
                break
            after, size = Place.of(page[-1], "startedAt"), PAGE_MAX
        return found[:limit]

    async def lose(self, id: str) -> JobRun | None:  # noqa: A002
        """Mark a run as lost and return it; None when it has come to an end after all."""
        run = await self.run(id)
        if run is None or run.status is not None:
            return None
        error = "Whoever ran it was gone before its end."
        lost = msgspec.structs.replace(run, status="lost", ended_at=time.time(), error=error)
        await self.put(lost)
        return lost


def _key(subject: str) -> str:
    return f"job:{subject}"
