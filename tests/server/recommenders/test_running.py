"""A run of a recommender from what people did to lists that are live, and that nothing that goes wrong touches."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pytest
import pytest_asyncio
from scipy.sparse import csr_array

from dateflicks.core.errors import DateflicksError, Unavailable
from dateflicks.core.experiments.assignment import Experiment, Variant
from dateflicks.protocol.ids import new_id
from dateflicks.server.catalogue.records import VIDEOS
from dateflicks.server.catalogue.sources import KIND, SOURCES
from dateflicks.server.recommendation.experiments import document_of
from dateflicks.server.recommendation.records import EVERYBODY, EXPERIMENTS, pair_of
from dateflicks.server.recommendation.runs import GRACE_SECONDS, Listing, Reader, Run, Writer, from_text
from dateflicks.server.recommenders.edlae import Edlae
from dateflicks.server.recommenders.popularity import Popularity
from dateflicks.server.recommenders.prior import About, Prior, keep
from dateflicks.server.recommenders.prior_films import PriorFilm
from dateflicks.server.recommenders.reading import read
from dateflicks.server.recommenders.recommender import (
    BaseRecommender,
    Context,
    Interactions,
    Model,
    Recommender,
    RecommenderError,
)
from dateflicks.server.recommenders.running import Outcome, Plan, Stopped, run_recommender
from dateflicks.server.services.session.records import USERS, name_key
from dateflicks.server.storage.database import Database
from dateflicks.settings.recommenders import RecommendersSettings
from tests.server.services.recommendation.scene import BEGUN, NOON, OVER, Scene, film_of, opened, somebody

pytestmark = pytest.mark.asyncio(loop_scope="module")

OLD = ("Charade", "M", "Ordet", "Vampyr", "Nosferatu", "Playtime", "Sunrise", "Greed")
DAY = 86_400.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    async with opened(tmp_path_factory.mktemp("data")) as database:
        await database.ensure([VIDEOS, SOURCES, USERS])
        yield database


@dataclass
class Home:
    """Two who watched together, a third who is of their mind, and what is run for them."""

    scene: Scene
    folder: Path
    ana: str = field(default_factory=somebody)
    bea: str = field(default_factory=somebody)
    cleo: str = field(default_factory=somebody)

    @property
    def reader(self) -> Reader:
        return Reader(self.scene.database)

    async def move_in(self) -> None:
        database = self.scene.database
        await self.scene.films(*OLD, addedAt=NOON - 400 * DAY)
        for user in (self.ana, self.bea, self.cleo):
            await database.table(USERS).insert({"_id": user, "name": user, "nameKey": name_key(user)})
        for at, title in enumerate(("Charade", "M")):
            await self.scene.evening(self.ana, self.bea, title, at=NOON - 1_000 + at)
        for title in ("Charade", "M", "Ordet", "Vampyr"):
            await self.scene.evening(self.cleo, somebody(), title)
        await self.scene.evening(self.cleo, somebody(), "Sunrise", BEGUN)

    async def run(self, recommender: Recommender, **how: Any) -> Outcome:
        return await run_recommender(recommender, self.plan(recommender, **how), self.scene.database)

    def plan(self, recommender: Recommender, **how: Any) -> Plan:
        wanted: dict[str, Any] = {
            "run_id": new_id("run"),
            "config": recommender.config(),
            "settings": RecommendersSettings(),
            "folder": self.folder,
            "stopping": asyncio.Event(),
            "now": lambda: self.scene.now,
        }
        return Plan(**{**wanted, **how})

    async def listing(self, algorithm: str, unit: str) -> Listing | None:
        live = await self.reader.live(algorithm)
        return None if live is None else await self.reader.listing(live.id, unit)

    async def titles(self, algorithm: str, unit: str) -> list[str]:
        listing = await self.listing(algorithm, unit)
        return [self.scene.titles[one.video_id] for one in listing.items] if listing else []


@pytest_asyncio.fixture(loop_scope="module")
async def home(database: Database, tmp_path: Path) -> AsyncIterator[Home]:
    found = Home(Scene(database), tmp_path)
    await found.move_in()
    yield found
    await found.scene.empty()
    people = await database.table(USERS).between("nameKey", at_least="name:", limit=200)
    await database.table(USERS).delete_many([one["_id"] for one in people])


class Scripted(BaseRecommender):
    """Behaves as it is told to."""

    name: ClassVar[str] = "scripted"

    def __init__(self, score: Callable[[csr_array], Any] = lambda given: given.toarray(), version: str = "1") -> None:
        self._score = score
        self.version = version  # type: ignore[misc]  # one class for all the versions of these tests

    def fit(self, data: Interactions, context: Context) -> Model:
        outer = self

        class Told:
            def score(self, histories: csr_array) -> Any:
                return outer._score(histories)

        return Told()


def evenly(histories: csr_array) -> Any:
    """The first films of the alphabet of ids first, whoever asks."""
    films = histories.shape[1]
    return np.tile(np.arange(films, 0, -1, dtype=np.float32), (histories.shape[0], 1))


async def test_everybody_gets_a_list_of_what_is_there_and_what_they_have_not_seen(home: Home) -> None:
    await home.scene.films("Gone", addedAt=NOON - 400 * DAY, status="gone")
    outcome = await home.run(Edlae())
    for user in (home.ana, home.bea):
        titles = await home.titles("edlae", user)
        assert titles[:2] == ["Ordet", "Vampyr"] or titles[:2] == ["Vampyr", "Ordet"]
        assert not {"Charade", "M", "Gone"} & set(titles)
    listing = await home.listing("edlae", home.ana)
    assert listing is not None
    assert set(listing.items[0].why) == {film_of("Charade"), film_of("M")}
    assert sum(listing.items[0].shares) == pytest.approx(1.0, abs=0.01)
    assert [one.score for one in listing.items] == sorted((one.score for one in listing.items), reverse=True)
    live = await home.reader.live("edlae")
    assert live is not None
    assert (live.version, live.users, live.videos, live.interactions) == (Edlae.version, outcome.people, 8, 14)
    assert set(from_text(live.figures)["seconds"]) >= {"read", "fit", "people", "pairs", "rows"}
    assert from_text(live.parameters)["regularization"] == 300.0
    assert live.data_cut == home.scene.now


async def test_a_pair_gets_one_list_with_what_suits_each_and_why(home: Home) -> None:
    await home.scene.evening(home.ana, home.cleo, None, None)  # who asked once, and never watched together
    await home.run(Edlae())
    both = await home.listing("edlae", pair_of(home.ana, home.bea))
    assert both is not None
    assert {home.scene.titles[one.video_id] for one in both.items[:2]} == {"Ordet", "Vampyr"}
    assert all(fit is not None and 0 <= fit <= 1 for fit in both.items[0].fits)
    assert [set(why) for why in both.items[0].whys] == [{film_of("Charade"), film_of("M")}] * 2
    titles = await home.titles("edlae", pair_of(home.ana, home.cleo))
    assert titles
    assert not {"Charade", "M", "Ordet", "Vampyr"} & set(titles)


async def test_rows_say_what_a_film_adds_and_everybodys_list_is_of_what_is_popular(home: Home) -> None:
    await home.run(Edlae())
    await home.run(Popularity())
    live = await home.reader.live("edlae")
    assert live is not None
    rows = await home.reader.neighbours(live.id, [film_of("Charade"), film_of("Greed")])
    assert {video for video, _ in rows[film_of("Charade")].items} == {
        film_of(one) for one in ("M", "Ordet", "Vampyr", "Sunrise")
    }
    assert film_of("Greed") not in rows
    assert (await home.titles("popularity", EVERYBODY))[:2] == sorted(["Charade", "M"], key=film_of)
    assert await home.listing("edlae", EVERYBODY) is None
    assert {run.algorithm for run in await home.reader.all_live()} == {"edlae", "popularity"}


async def test_a_row_is_what_the_list_would_gain_by_that_film(home: Home) -> None:
    await home.run(Edlae())
    before, live = await home.listing("edlae", home.ana), await home.reader.live("edlae")
    assert before is not None
    assert live is not None
    (row,) = (await home.reader.neighbours(live.id, [film_of("Ordet")])).values()
    data = (await read(home.scene.database)).data
    model = Edlae().fit(data, Context(config=Edlae.config()))
    histories = data.weights.toarray()[[data.user_ids.index(home.ana)]]
    with_ordet = histories.copy()
    with_ordet[0, data.film_ids.index(film_of("Ordet"))] = 1.0
    gained = (model.score(csr_array(with_ordet)) - model.score(csr_array(histories)))[0]
    expected = float(gained[data.film_ids.index(film_of("Vampyr"))])
    assert dict(row.items)[film_of("Vampyr")] == pytest.approx(expected, abs=1e-5)


async def test_one_place_in_ten_is_kept_for_what_has_arrived(home: Home) -> None:
    await home.scene.films("New", addedAt=NOON - DAY)
    await home.run(Edlae())
    listing = await home.listing("edlae", home.ana)
    assert listing is not None
    assert [(place, one.video_id) for place, one in enumerate(listing.items) if one.is_new] == [(5, film_of("New"))]


async def test_people_of_a_prior_are_learned_from_and_films_of_which_only_they_know_are_in_no_list(home: Home) -> None:
    await home.scene.films("Safe", addedAt=NOON - 400 * DAY, externalIds={"imdb": "tt0000001"})
    await home.scene.films("Sorcerer", addedAt=NOON - 400 * DAY, externalIds={"imdb": "tt0000002"})
    await home.run(Edlae())
    films = (
        PriorFilm(ids={"imdb": "tt1"}),
        PriorFilm(ids={"imdb": "tt2"}),
        PriorFilm(titles=("Elsewhere",), year=1970),
    )
    people = csr_array(np.ones((900, 3), np.float32))
    elsewhere = Prior(
        name="far", film_ids=("1", "2", "3"), films=films, weights=people, times=np.full(people.nnz, NOON)
    )
    about = About(
        name="far", came_from="far", kind="ratings.csv", people=900, films=3, interactions=2_700, with_ids=2,
        licence_files=[], licence="", accepted_at=NOON,
    )  # fmt: skip
    keep(elsewhere, about, home.folder)
    await home.scene.evening(home.ana, home.bea, "Safe")
    await home.run(Edlae())
    assert (await home.titles("edlae", home.ana))[0] == "Sorcerer"
    live = await home.reader.live("edlae")
    assert live is not None
    (row,) = (await home.reader.neighbours(live.id, [film_of("Safe")])).values()
    assert {video for video, _ in row.items} <= set(home.scene.titles)
    assert (await home.run(Edlae())).is_unchanged


async def test_a_second_run_on_the_same_writes_nothing_and_what_is_new_does(home: Home) -> None:
    assert not (await home.run(Edlae())).is_unchanged
    first = await home.reader.live("edlae")
    home.scene.now += 3_600.0
    assert (await home.run(Edlae())).is_unchanged
    assert await home.reader.live("edlae") == first
    assert (await home.run(Edlae(), config=Edlae.config(schedule="1 1 * * *"))).is_unchanged
    changed = msgspec.structs.replace(Edlae.config(), regularization=5.0)
    assert not (await home.run(Edlae(), config=changed)).is_unchanged
    await home.scene.evening(home.ana, home.bea, "Greed", OVER)
    assert not (await home.run(Edlae(), config=changed)).is_unchanged
    assert "Greed" not in await home.titles("edlae", home.bea)
    assert (await home.run(Edlae(), config=changed, is_dry=True)).people > 0


async def test_a_dry_run_counts_and_writes_nothing(home: Home) -> None:
    outcome = await home.run(Edlae(), is_dry=True)
    assert (outcome.people > 0, outcome.pairs > 0) == (True, True)
    assert await home.reader.runs("edlae") == []


async def test_for_one_person_it_learns_from_all_and_replaces_their_lists_alone(home: Home) -> None:
    await home.run(Edlae())
    before = await home.reader.live("edlae")
    assert before is not None
    theirs = {unit: await home.reader.listing(before.id, unit) for unit in (home.bea, home.cleo)}
    home.scene.now += 60.0
    await home.scene.evening(home.ana, home.bea, "Ordet", OVER)
    dry = await home.run(Edlae(), user=home.ana, is_dry=True)
    assert await home.reader.live("edlae") == before
    done = await home.run(Edlae(), user=home.ana)
    assert (done.people, done.pairs) == (dry.people, dry.pairs) == (1, 1)
    after = await home.reader.live("edlae")
    assert after == msgspec.structs.replace(before, rev=before.rev + 1)
    for unit in (home.ana, pair_of(home.ana, home.bea)):
        listing = await home.reader.listing(after.id, unit)
        assert listing is not None
        assert listing.data_cut == listing.generated_at == home.scene.now
        assert film_of("Ordet") not in {one.video_id for one in listing.items}
    assert theirs == {unit: await home.reader.listing(before.id, unit) for unit in theirs}


async def test_for_one_person_there_have_to_be_lists_of_the_same_kind_and_something_to_learn_from(home: Home) -> None:
    with pytest.raises(RecommenderError, match="run it for everybody first"):
        await home.run(Edlae(), user=home.ana)
    await home.run(Edlae())
    with pytest.raises(RecommenderError, match="run it for everybody first"):
        await home.run(Edlae(), user=home.ana, config=msgspec.structs.replace(Edlae.config(), regularization=5.0))
    with pytest.raises(RecommenderError, match="nothing yet"):
        await home.run(Edlae(), user=somebody())
    assert [run.state for run in await home.reader.runs("edlae")] == ["live"]


async def test_where_nothing_is_known_there_is_nothing_to_do(database: Database, tmp_path: Path) -> None:
    nobody = Home(Scene(database), tmp_path)
    assert (await nobody.run(Edlae())).is_unchanged
    assert await nobody.reader.live("edlae") is None


def wrong_shape(given: csr_array) -> Any:
    return np.zeros((given.shape[0], given.shape[1] + 1))


def not_finite(given: csr_array) -> Any:
    return np.full(given.shape, np.nan)


def raising(given: csr_array) -> Any:
    raise ValueError("a mistake")


def exiting(given: csr_array) -> Any:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("score", "error"),
    [
        (wrong_shape, "gave scores of the shape"),
        (not_finite, "are no finite numbers"),
        (lambda _: [[0.0]], "gave no array of numbers as scores, but list"),
        (lambda given: np.full(given.shape, "a"), "gave no array of numbers"),
        (raising, "a mistake"),
        (exiting, "wanted to end the process: SystemExit: 3"),
    ],
)
async def test_whatever_a_recommender_does_the_last_live_run_stays(
    home: Home, score: Callable[[csr_array], Any], error: str
) -> None:
    await home.run(Scripted(evenly))
    live, before = await home.reader.live("scripted"), await home.titles("scripted", home.ana)
    with pytest.raises((RecommenderError, ValueError), match=error):
        await home.run(Scripted(score, "2"))
    assert await home.reader.live("scripted") == live
    assert await home.titles("scripted", home.ana) == before
    newest = (await home.reader.runs("scripted"))[0]
    assert newest.state == "failed"
    assert error in (newest.error or "")


async def test_what_went_wrong_is_told_even_where_it_cannot_be_kept(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unavailable("The database is out of reach.")

    monkeypatch.setattr(Writer, "fail", away)
    with pytest.raises(ValueError, match="a mistake"):
        await home.run(Scripted(raising))


async def test_a_run_that_is_asked_to_end_does_so_in_the_middle_of_whatever_it_does(home: Home) -> None:
    await home.run(Scripted(evenly))
    live = await home.reader.live("scripted")
    begun, release, stopping = threading.Event(), threading.Event(), asyncio.Event()

    def hanging(given: csr_array) -> Any:
        begun.set()
        release.wait(30)
        return evenly(given)

    running = asyncio.create_task(home.run(Scripted(hanging, "2"), stopping=stopping))
    assert await asyncio.to_thread(begun.wait, 30)
    stopping.set()
    with pytest.raises(Stopped):
        await running
    release.set()
    assert await home.reader.live("scripted") == live


async def test_what_was_left_half_way_is_told_as_failed_by_the_next_run_and_deleted(home: Home) -> None:
    writer = Writer(home.scene.database, now=lambda: home.scene.now)
    left = Run(id=new_id("run"), algorithm="scripted", version="1", started_at=home.scene.now - 10)
    await writer.begin(left)
    await writer.put_lists(
        [
            Listing(
                run=left.id, user_id=home.ana, algorithm="scripted", version="1", generated_at=0, data_cut=0, items=()
            )
        ]
    )
    assert await home.reader.live("scripted") is None
    await home.run(Scripted(evenly))
    found = await home.reader.run(left.id)
    assert found is not None
    assert (found.state, found.error) == ("failed", "Whoever built it was gone before its end.")
    home.scene.now += GRACE_SECONDS + 1
    await home.run(Scripted(evenly))
    assert await home.reader.listing(left.id, home.ana) is None


async def test_older_runs_stay_for_a_while_and_as_many_as_are_wanted(home: Home) -> None:
    runs = []
    for version in "1234":
        await home.run(Scripted(evenly, version))
        runs.append(await home.reader.live("scripted"))
        home.scene.now += 10
    known = [run for run in runs if run is not None]
    assert [await home.reader.listing(run.id, home.ana) is not None for run in known] == [True] * 4
    home.scene.now += GRACE_SECONDS + 1
    await home.run(Scripted(evenly, "4"))
    assert [await home.reader.listing(run.id, home.ana) is not None for run in known] == [False, False, True, True]
    assert [run.id for run in await home.reader.runs("scripted")] == [known[3].id, known[2].id]


async def test_a_version_that_an_experiment_has_frozen_stays_live(home: Home) -> None:
    arm = Variant(name="old", algorithm="scripted", version="1")
    await home.scene.database.table(EXPERIMENTS).upsert(document_of(Experiment(name="lists", variants=(arm,))))
    await home.run(Scripted(evenly, "1"))
    frozen = await home.reader.live("scripted")
    for version in "234":
        home.scene.now += GRACE_SECONDS + 1
        await home.run(Scripted(evenly, version))
    assert frozen is not None
    newest = await home.reader.live("scripted")
    assert newest is not None
    assert newest.version == "4"
    assert await home.reader.live("scripted", "1") == frozen
    assert await home.reader.listing(frozen.id, home.ana) is not None
    assert await home.reader.live("scripted", "3") is None


async def test_features_are_of_sources_that_may_be_learned_from(home: Home) -> None:
    database = home.scene.database
    for source, may in (("local", True), ("netflix", False), ("older", None)):
        told = {} if may is None else {"mayBeLearnedFrom": may}
        await database.table(SOURCES).upsert({"_id": f"src:{source}", "rev": 1, "kind": KIND, "name": source, **told})
        for number, title in enumerate(("Ordet", "Vampyr")):
            offer = {
                "_id": f"off:{source}{number}", "rev": 1, "source": source, "offerId": f"off:{source}{number}",
                "workId": film_of(title), "genres": [f"of {source}"], "people": [], "year": None, "title": None,
                "changedAt": 1.0, "overview": None,
            }  # fmt: skip
            await database.table(VIDEOS).upsert(offer)
    features = (await read(database)).data.features
    assert features is not None
    assert features.shape[1] == 1
    assert features.nnz == 2


async def test_a_film_that_turned_out_to_be_another_counts_as_that_one(home: Home) -> None:
    await home.scene.films("Merged", status="merged", mergedInto=film_of("Greed"), addedAt=NOON - 400 * DAY)
    await home.scene.evening(home.ana, home.bea, "Merged", OVER)
    reading = await read(home.scene.database)
    row = reading.data.weights.toarray()[reading.data.user_ids.index(home.ana)]
    assert row[reading.data.film_ids.index(film_of("Greed"))] == 1.0
    assert film_of("Merged") not in reading.data.film_ids


async def test_a_database_that_is_away_is_an_error_and_not_a_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    await home.run(Scripted(evenly))
    live = await home.reader.live("scripted")

    async def away(*_: object) -> None:
        raise DateflicksError("away")

    monkeypatch.setattr(Writer, "put_neighbours", away)
    with pytest.raises(DateflicksError):
        await home.run(Scripted(lambda given: given.toarray() + evenly(given), "2"))
    assert await home.reader.live("scripted") == live
