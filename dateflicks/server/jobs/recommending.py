"""A recommender's run as a job: loaded, run on the database that others run, and told as any other run."""

import asyncio
import contextlib
import logging
import resource
import time
from typing import Final

import msgspec
from msgspec.structs import replace

from dateflicks.server.catalogue.records import VIDEOS, WORKS
from dateflicks.server.catalogue.sources import SOURCES
from dateflicks.server.jobs.declared import RECOMMEND
from dateflicks.server.jobs.executing import Tell, Work, blank, failed
from dateflicks.server.jobs.records import JobRun
from dateflicks.server.plugins import Broken
from dateflicks.server.providers.records import Counters
from dateflicks.server.providers.redaction import RedactedLog, Redactor, secrets_of
from dateflicks.server.recommendation import history, records
from dateflicks.server.recommendation.retention import forget_exposures
from dateflicks.server.recommenders.discovery import config_of, find, load
from dateflicks.server.recommenders.running import Outcome, Plan, Stopped, run_recommender
from dateflicks.server.storage.database import Database
from dateflicks.settings.errors import SettingsError

log = logging.getLogger(__name__)

COLLECTIONS: Final = tuple(dict.fromkeys((VIDEOS, WORKS, SOURCES, *history.COLLECTIONS, *records.COLLECTIONS)))


async def execute(work: Work, stopping: asyncio.Event, tell: Tell) -> None:
    """Do it, and tell how it went."""
    began, cpu = time.time(), time.process_time()
    redact = Redactor()
    try:
        async with Database.open(work.database, work.folder, COLLECTIONS, role="guest") as database:
            record = await _run(work, database, stopping, tell, redact)
    except Exception as error:  # noqa: BLE001 - whatever a recommender does is what became of its run
        RedactedLog(log, redact).error("%s failed", work.job.name, exc_info=error)
        record = failed(work, error)
        if isinstance(error, Broken | SettingsError):
            record = replace(record, error_kind="broken", error_class=type(error.__cause__ or error).__name__)
        record = replace(record, error=redact.line(record.error or ""))
    record = replace(
        record,
        started_at=began,
        ended_at=time.time(),
        cpu_seconds=round(time.process_time() - cpu, 3),
        peak_memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
    tell({"record": msgspec.to_builtins(record)})


async def _run(work: Work, database: Database, stopping: asyncio.Event, tell: Tell, redact: Redactor) -> JobRun:
    settings = work.recommenders
    recommender = load(find(work.job.subject.removeprefix(RECOMMEND), settings.allow, settings.deny))
    config = config_of(recommender, settings)
    for secret in secrets_of(config):
        redact.learn(secret)
    plan = Plan(
        run_id=work.run_id,
        config=config,
        settings=settings,
        folder=work.folder,
        is_dry=work.wish.is_dry,
        user=work.wish.user,
        stopping=stopping,
        tell=lambda outcome: tell({"counters": msgspec.to_builtins(counters_of(outcome))}),
    )
    with contextlib.suppress(Stopped):
        outcome = await run_recommender(recommender, plan, database)
        if not plan.is_dry:
            await forget_exposures(database, time.time())
        status = "unchanged" if outcome.is_unchanged else "ok"
        return replace(blank(work), status=status, counters=counters_of(outcome))
    return replace(blank(work), status="partial")


def counters_of(outcome: Outcome) -> Counters:
    """A recommender's run in the words of all runs: what it learned from, and the lists that it made."""
    return Counters(seen=outcome.learned_from, new=outcome.people + outcome.pairs)
