"""A job that is run from the command line is shown from its beginning, whatever it has to wait for."""

import asyncio
from typing import Any, cast

import pytest

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.running import _one
from dateflicks.server.jobs.declared import MERGE, Job
from dateflicks.server.jobs.records import JobRun
from dateflicks.server.jobs.supervising import Wish
from dateflicks.server.providers.records import Counters


class Unanswered(Exception):
    """Who runs jobs waits for a place that says nothing."""


class Waiting:
    async def run(self, *_: object) -> JobRun:
        raise Unanswered


def test_it_is_shown_before_there_is_anything_to_count() -> None:
    shown: list[tuple[str, Counters]] = []

    async def run_it() -> None:
        job = Job(name=MERGE, subject=MERGE, kind="merge")
        environment = CliEnvironment(environ={})
        await _one(environment, cast(Any, Waiting()), job, Wish(), lambda *one: shown.append(one), is_alone=True)

    with pytest.raises(Unanswered):
        asyncio.run(run_it())
    assert shown == [(MERGE, Counters())]
