"""All that a deployment keeps: its databases and their collections, as the services and the jobs declare them.

Whatever refers to something stands before it, so that what is read in this order refers to nothing that was only made
after it was looked for.
"""

from typing import Final

from dateflicks.server.catalogue import records as catalogue
from dateflicks.server.jobs import records as jobs
from dateflicks.server.providers import ledger
from dateflicks.server.recommendation import records as recommendation
from dateflicks.server.services.messages import records as messages
from dateflicks.server.services.prediction import records as prediction
from dateflicks.server.services.session import records as session
from dateflicks.server.services.timecode import records as timecode
from dateflicks.server.storage.records import Collection

DATABASES: Final = (
    messages.DATABASE,
    prediction.DATABASE,
    recommendation.DATABASE,
    timecode.DATABASE,
    session.DATABASE,
    catalogue.DATABASE,
)
_SCHEMA_NAME: Final = "schema"
_LAST: Final = ("users", "works")  # what most others refer to


def schema_of(database: str) -> Collection:
    """The collection in which a database says how far it has been migrated."""
    return Collection(database, _SCHEMA_NAME)


COLLECTIONS: Final[tuple[Collection, ...]] = tuple(
    dict.fromkeys(
        [
            *messages.COLLECTIONS,
            *prediction.COLLECTIONS,
            *recommendation.COLLECTIONS,
            *timecode.COLLECTIONS,
            *session.COLLECTIONS,
            *catalogue.COLLECTIONS,
            *jobs.COLLECTIONS,
            *ledger.COLLECTIONS,
            *(schema_of(database) for database in DATABASES),
        ]
    )
)


def declared(database: str, name: str) -> Collection | None:
    """A collection as it is declared; None for one that is somebody else's."""
    return next((one for one in COLLECTIONS if (one.database, one.name) == (database, name)), None)


def in_order(names: list[str]) -> list[str]:
    """The collections of one database, those last that others refer to."""
    return sorted(names, key=lambda name: (name in _LAST, name))
