"""A home with films, people and their evenings, lists that runs have made, and the service's rules over all of it.

One database for a module's tests; each scene begins with empty collections, and with people nobody has met.
"""

import contextlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateflicks.core.handshake import Handshake, State
from dateflicks.protocol.ids import new_id
from dateflicks.protocol.recommendations import Event, EventBody, RecommendationPage, RecommendationsQuery
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.catalogue.records import WORKS
from dateflicks.server.recommendation import records
from dateflicks.server.recommendation.records import list_id, pair_of
from dateflicks.server.recommendation.runs import Entry, Listing, Row, Run, Writer
from dateflicks.server.services.recommendation.app import COLLECTIONS, RecommendationService
from dateflicks.server.services.session.records import PROGRESS, SESSIONS, handshake_fields, order_key
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Collection, Document
from dateflicks.settings.recommendation import RecommendationSettings
from tests.server.services.engine import OnEngine
from tests.server.services.videos.collection import vid, work

KEY = b"k" * 32
NOON = 1_800_000_000.0
BEGUN: dict[str, float] = {"position": 1_000.0, "length": 6_000.0}
OVER: dict[str, float] = {"position": 5_900.0, "length": 6_000.0}


def film_of(title: str) -> str:
    """The id of a film of these tests by its title."""
    return vid(title, 1950)


@dataclass
class Scene(OnEngine):
    """What runs, and when it is."""

    database: Database
    settings: RecommendationSettings = field(default_factory=RecommendationSettings)
    now: float = NOON
    titles: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signer = Signer(KEY, now=lambda: self.now)
        self.service = self.begin()

    def begin(self, settings: RecommendationSettings | None = None) -> RecommendationService:
        """The service anew, which knows nothing of what it was asked before."""
        self.settings = settings or self.settings
        self.service = RecommendationService(self.database, self.signer, self.settings, now=lambda: self.now)
        return self.service

    # --- what there is ------------------------------------------------------------------------------------------

    async def films(self, *titles: str, **facts: Any) -> None:
        """Films of these titles, each newer than the one before."""
        works = []
        for title in titles:
            self.titles[film_of(title)] = title
            works.append({**work(title, 1950, at=NOON - 10_000 + len(self.titles)), **facts})
        await self.database.table(WORKS).upsert_many(works)
        self.forget_films()

    def forget_films(self) -> None:
        """Let the service look at the collection again at once."""
        films = self.service._handler._films
        films._known.clear()
        films._newest = None

    async def run(
        self,
        algorithm: str = "blend",
        lists: Mapping[str, Sequence[str | Entry]] | None = None,
        rows: Mapping[str, Mapping[str, float]] | None = None,
        *,
        version: str = "1",
        is_live: bool = True,
        at: float | None = None,
    ) -> Run:
        """What a run has made: lists of titles (the best first) by unit, and rows of neighbours by title."""
        at = self.now - 100 if at is None else at
        writer = Writer(self.database, now=lambda: self.now)
        run = Run(id=new_id("run"), algorithm=algorithm, version=version, data_cut=at, started_at=at, videos=100)
        await writer.begin(run)
        await writer.put_lists(
            [
                Listing(
                    run=run.id, user_id=unit, algorithm=algorithm, version=version, generated_at=at, data_cut=at,
                    items=tuple(
                        one if isinstance(one, Entry) else Entry(video_id=film_of(one), score=10.0 - place)
                        for place, one in enumerate(items)
                    ),
                )
                for unit, items in (lists or {}).items()
            ]
        )  # fmt: skip
        await writer.put_neighbours(
            [
                Row(run=run.id, video_id=film_of(title), items=tuple((film_of(one), by) for one, by in row.items()))
                for title, row in (rows or {}).items()
            ]
        )
        if is_live:
            run = await writer.go_live(run)
        await self.look()
        return run

    async def look(self) -> None:
        """Let the service see what is live now."""
        await self.service._choosing.refresh()
        self.service._rankings._kept.clear()

    async def evening(
        self,
        host: str,
        guest: str,
        title: str | None = None,
        mark: Mapping[str, float] | None = OVER,
        *,
        state: State = State.ENDED,
        at: float | None = None,
    ) -> Document:
        """A session as the session service writes it, and how far its film came."""
        at = self.now - 50 if at is None else at
        session_id = new_id("ses")
        accepted = state in (State.ACCEPTED, State.ENDED)
        session = {
            "_id": session_id,
            **handshake_fields(Handshake(host, guest, state)),
            "order": order_key(at, session_id),
            "videoId": film_of(title) if title is not None else None,
            "video": None,
            "hostName": f"name-of-{host[-4:]}",
            "guestName": f"name-of-{guest[-4:]}",
            "createdAt": at,
            "answeredAt": at if accepted else None,
            "endedAt": at if state is State.ENDED else None,
        }
        session.setdefault("pair", pair_of(host, guest))
        stored = await self.database.table(SESSIONS).insert(session)
        if mark is not None:
            await self.database.table(PROGRESS).upsert({"_id": session_id, **mark})
        return stored

    async def written(self, user: str, scores: Mapping[str, Any], **more: Any) -> None:
        """Flat records, as another program writes them."""
        table = self.database.table(records.RECOMMENDATIONS)
        for title, score in scores.items():
            document = {"_id": f"w{secrets.token_hex(8)}", "userId": user, "videoId": film_of(title), "score": score}
            await table.insert({**document, **more})

    # --- what is asked ------------------------------------------------------------------------------------------

    async def page(self, user: str, other: str | None = None, **query: Any) -> RecommendationPage:
        """A page of a list, put together anew."""
        self.service._rankings._kept.clear()
        return await self.service._handler.page(user, RecommendationsQuery(other=other, **query))

    async def listed(self, user: str, other: str | None = None, **query: Any) -> list[str]:
        """The titles of a page."""
        return [one.title for one in (await self.page(user, other, **query)).items]

    async def tell(self, user: str, title: str, event: Event, other: str | None = None, position: int = 0) -> None:
        """What became of a film."""
        body = EventBody(video_id=film_of(title), event=event, position=position, other=other)
        await self.service._handler.tell(user, body)

    async def signed_in(self, user: str) -> bool:
        """Whether the door takes a token of theirs that it has never seen."""
        token = UserToken(new_id("tok"), user, "ana", self.now + 3_600)
        return bool(await self.service.authenticate(self.signer.issue_user_token(token)))

    async def exposures(self, unit: str) -> list[Document]:
        """What is kept of what a unit was shown, the first one first."""
        table = self.database.table(records.EXPOSURES)
        return await table.page("unitId", unit, order_by="shownAt", descending=False, limit=200)

    async def empty(self) -> None:
        """Nothing is there any more."""
        for collection, by in ((WORKS, "updatedAt"), (records.RUNS, "startedAt")):
            await self._empty(collection, await self.database.table(collection).between(by, at_least=0.0, limit=200))
        experiments = self.database.table(records.EXPERIMENTS)
        await self._empty(records.EXPERIMENTS, await experiments.find("kind", records.EXPERIMENT_KIND, limit=200))
        await experiments.delete(records.DEFAULT_ID)

    async def _empty(self, collection: Collection, found: list[Document]) -> None:
        if found:
            await self.database.table(collection).delete_many([one["_id"] for one in found])


def somebody() -> str:
    """The id of a person nobody has met."""
    return new_id("usr")


def list_of(run: Run, unit: str) -> str:
    """The id of a list."""
    return list_id(run.id, unit)


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Database]:
    """A database for as long as the block runs; no command may have left the fence by its end."""
    async with Database.open(DatabaseSettings(timeout_seconds=10.0), folder, COLLECTIONS) as database:
        yield database
        assert not database.fence.breaches
