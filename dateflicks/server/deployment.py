"""A deployment in one process: settings become services that share a database, a signing key, a bus and metrics.

Services that run alone keep embedded databases of their own below the data folder, so that they can be started side by
side; the signing key is the folder's, so that they know each other's tickets.
"""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dateflicks.core.errors import DateflicksError
from dateflicks.server.auth.key import FILE_NAME, signing_key
from dateflicks.server.auth.tokens import KEY_MIN_BYTES, Signer
from dateflicks.server.bus.clock import keep_parent_s
from dateflicks.server.bus.local import Bus, LocalBus
from dateflicks.server.bus.opening import follow_deployment, open_bus
from dateflicks.server.clock import ServerClock
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.observe.watching import watch_bus, watch_database
from dateflicks.server.services.messages import records as messages_records
from dateflicks.server.services.messages.app import MessagesService
from dateflicks.server.services.prediction import records as prediction_records
from dateflicks.server.services.prediction.app import PredictionService
from dateflicks.server.services.recommendation import app as recommendation_app
from dateflicks.server.services.recommendation.app import RecommendationService
from dateflicks.server.services.session import records as session_records
from dateflicks.server.services.session.app import SessionService
from dateflicks.server.services.timecode import records as timecode_records
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.services.videos import app as videos_app
from dateflicks.server.services.videos.app import VideosService
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Collection
from dateflicks.server.web.service import Service
from dateflicks.server.workers import Place
from dateflicks.settings.loader import SERVICES
from dateflicks.settings.services import HostingSettings

ALL: Final = "all"


class FolderUnusable(DateflicksError):
    """The data folder cannot be written to; the text is for people."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the services of one process have in common."""

    database: Database
    signer: Signer
    bus: Bus
    metrics: Metrics
    clock: ServerClock
    own_folder: Path  # of this process alone


@dataclass(frozen=True, slots=True)
class _Kind:
    collections: Sequence[Collection]
    make: Callable[[Shared, Any], Service]


_KINDS: Final[Mapping[str, _Kind]] = {
    "session": _Kind(
        session_records.COLLECTIONS,
        lambda shared, settings: SessionService(
            shared.database, shared.signer, shared.bus, settings, metrics=shared.metrics
        ),
    ),
    "timecode": _Kind(
        timecode_records.COLLECTIONS,
        lambda shared, settings: TimecodeService(
            shared.database, shared.signer, shared.bus, settings, metrics=shared.metrics, clock=shared.clock
        ),
    ),
    "messages": _Kind(
        messages_records.COLLECTIONS,
        lambda shared, settings: MessagesService(
            shared.database, shared.signer, shared.bus, settings, metrics=shared.metrics
        ),
    ),
    "prediction": _Kind(
        prediction_records.COLLECTIONS,
        lambda shared, settings: PredictionService(
            shared.database, shared.signer, shared.bus, settings, metrics=shared.metrics
        ),
    ),
    "videos": _Kind(
        videos_app.COLLECTIONS,
        lambda shared, settings: VideosService(shared.database, settings, folder=shared.own_folder),
    ),
    "recommendation": _Kind(
        recommendation_app.COLLECTIONS,
        lambda shared, settings: RecommendationService(shared.database, shared.signer, settings, bus=shared.bus),
    ),
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is to run: `name` is a service's or `all`, `services` maps each one's name to its settings.

    `place` is that of a worker among others of one parent, which runs the embedded database for all of them.
    """

    name: str
    hosting: HostingSettings
    services: Mapping[str, Any]
    folder: Path
    place: Place | None = None

    @property
    def own(self) -> Path:
        """The folder of the database and of what goes with it: services that run alone have one each."""
        return self.folder if self.name == ALL else self.folder / self.name

    @contextlib.asynccontextmanager
    async def deploy(self, metrics: Metrics) -> AsyncIterator[Sequence[Service]]:
        """The services, not started yet, on a database that is open for as long as the block runs.

        Raises KeyUnusable, FolderUnusable, FolderInUse, DatabaseAddressWrong, BusUnusable, BusAddressWrong,
        StorageFault, Unavailable.
        """
        auth, mongo = self.hosting.auth, self.hosting.mongo
        key_file = Path(auth.key_file) if auth.key_file else self.folder / FILE_NAME
        signer = Signer(signing_key(auth.key, key_file))
        kinds = {name: _KINDS[name] for name in self.services}
        collections = [collection for kind in kinds.values() for collection in kind.collections]
        own, place = self.own, self.place
        settings = DatabaseSettings(mongo.uri, mongo.timeout_seconds)
        async with contextlib.AsyncExitStack() as stack:
            try:
                database = await stack.enter_async_context(
                    Database.open(settings, own, collections, role="worker" if place else "service")
                )
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise FolderUnusable(
                    f"The data folder {own} cannot be used: {why}.\nMake it writable, or name another with --data."
                ) from error
            bus = await stack.enter_async_context(open_bus(self.hosting.bus, place.worker_id if place else None))
            clock = ServerClock(base=place.clock if place else None)
            if place:
                stack.callback(keep_parent_s(bus, place.parent, clock))
            else:
                await stack.enter_async_context(follow_deployment(self.hosting.bus, clock))
            watch_database(metrics, database)
            watch_bus(metrics, bus)
            shared = Shared(
                database=database,
                signer=signer,
                bus=bus,
                metrics=metrics,
                clock=clock,
                own_folder=own / f"worker-{place.number}" if place else own,
            )
            yield [kind.make(shared, self.services[name]) for name, kind in kinds.items()]


@contextlib.asynccontextmanager
async def declared(names: Sequence[str]) -> AsyncIterator[Sequence[Service]]:
    """These services, to be asked what they offer and never to be started: nothing is opened for them."""
    kinds = {name: _KINDS[name] for name in names}
    collections = [collection for kind in kinds.values() for collection in kind.collections]
    async with Database.unasked(collections) as database:
        shared = Shared(
            database=database,
            signer=Signer(bytes(KEY_MIN_BYTES)),
            bus=LocalBus(),
            metrics=Metrics(),
            clock=ServerClock(),
            own_folder=Path(os.devnull),
        )
        yield [kind.make(shared, SERVICES[name]()) for name, kind in kinds.items()]
