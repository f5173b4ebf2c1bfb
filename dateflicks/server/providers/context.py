"""What a source is given to work with: the way out, its settings, a log, and where to put aside what makes no sense."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from dateflicks.server.providers.fetching import SourceClient, Validators
from dateflicks.server.providers.hosts import Hosts, addresses_of
from dateflicks.server.providers.pacing import FetchLimits
from dateflicks.server.providers.redaction import RedactedLog, Redactor, secrets_of
from dateflicks.server.providers.source import SchemaError, VideoSource

BATCH_MAX: Final = 500  # records that are written together, or put aside between two writes


class RunContext:
    """The `Context` of one run."""

    def __init__(
        self, http: SourceClient, config: msgspec.Struct, log: RedactedLog, stopping: asyncio.Event, faults: list[str]
    ) -> None:
        self.http = http
        self.config: Any = config
        self.log: Any = log
        self.stopping = stopping
        self.faults = faults

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    def put_aside(self, what: str, problem: str) -> None:
        """One record is left out; see `Context`."""
        if len(self.faults) > BATCH_MAX:
            raise SchemaError("Hardly anything is as documented.")
        self.faults.append(f"{what}: {problem}")


def context_for(
    source: VideoSource,
    config: msgspec.Struct,
    *,
    stopping: asyncio.Event | None = None,
    validators: Validators | None = None,
    contact: str = "",
    limits: FetchLimits | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> RunContext:
    """What a source needs to be asked anything; close its `http` afterwards."""
    stopping = stopping or asyncio.Event()
    redactor = Redactor(*secrets_of(config))
    client = SourceClient(
        Hosts(source.hosts, addresses_of(config)),
        redactor=redactor,
        requests_per_second=source.requests_per_second,
        contact=contact,
        validators=validators,
        limits=limits,
        stopping=stopping,
        sleep=sleep,
    )
    log = RedactedLog(logging.getLogger(f"dateflicks.sources.{source.name}"), redactor)
    return RunContext(client, config, log, stopping, [])
