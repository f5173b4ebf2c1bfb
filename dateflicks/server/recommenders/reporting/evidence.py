"""What an experiment has to go by: the lists that were shown, and what the people did afterwards; read, never written.

An exposed list is what one unit was shown by one arm on one day (UTC), from the moment at which it was shown first. Of
an exposure `experiment`, `variant`, `unitId`, `videoId` and `shownAt` are needed; `madeBy` (algorithm and version) and
`tookMs`, where they are kept, feed the guard rails. In an interleaved list `variant` is the team of the film.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from dateflicks.core.experiments.assignment import Experiment, Mode, Unit
from dateflicks.core.ranking.interactions import FINISHED_SHARE
from dateflicks.server.catalogue.paging import those
from dateflicks.server.recommendation.records import EXPOSURES, RATINGS
from dateflicks.server.services.session.records import PROGRESS, SESSIONS
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, Place
from dateflicks.server.storage.table import Table

COLLECTIONS: Final = (EXPOSURES, RATINGS, SESSIONS, PROGRESS)
OPINIONS: Final = {"up": 1.0, "down": -1.0, "hide": -1.0}


@dataclass(frozen=True, slots=True)
class Shown:
    """One exposed list. `films` are those shown, each with its arm, or team; `first` is that of the first place.

    A fallback is a list of which the arm has made nothing; `milliseconds` is how long it took.
    """

    unit: str
    arm: str
    at: float
    films: dict[str, str]
    first: str = ""
    is_fallback: bool = False
    milliseconds: float | None = None


@dataclass(frozen=True, slots=True)
class Evening:
    """An accepted invitation of a unit: when it was sent and accepted, to which film, and whether that was watched."""

    video_id: str
    invited_at: float
    accepted_at: float
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody of a unit said of a film: 1 for it, -1 against it."""

    video_id: str
    at: float
    value: float


@dataclass(slots=True)
class Evidence:
    """All of it; lists in the order in which they were shown, what people did by unit."""

    shown: list[Shown]
    evenings: dict[str, list[Evening]] = field(default_factory=dict)
    opinions: dict[str, list[Opinion]] = field(default_factory=dict)


async def evidence_of(database: Database, experiment: Experiment, *, since: float = 0.0) -> Evidence:
    """All that was shown since then, and what became of it. Raises Unavailable."""
    exposures = await _exposures(database.table(EXPOSURES), experiment.name, since)
    found = Evidence(lists_of(exposures, experiment))
    first: dict[str, float] = {}
    for one in found.shown:
        first.setdefault(one.unit, one.at)
    sessions, progress, ratings = (database.table(one) for one in (SESSIONS, PROGRESS, RATINGS))
    for unit, at in first.items():
        by = "pair" if experiment.unit is Unit.PAIR else "hostUserId"
        accepted = await _accepted(sessions, by, unit, at)
        marks = await those(progress, [one["_id"] for one in accepted])
        found.evenings[unit] = sorted(
            (_evening(one, marks.get(one["_id"])) for one in accepted), key=lambda one: one.invited_at
        )
        for person in people_of(unit):
            found.opinions.setdefault(unit, []).extend(await _opinions(ratings, person, at))
    return found


def people_of(unit: str) -> tuple[str, ...]:
    """Who is in a unit."""
    return tuple(unit.split(":"))


def day_of(at: float) -> str:
    """The day (UTC) of an instant in Unix seconds, as `2026-11-25`."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def lists_of(exposures: Iterable[Document], experiment: Experiment) -> list[Shown]:
    """Exposures put together to lists: by unit, day and arm; an interleaved list is of all arms at once."""
    found: dict[tuple[str, str, str], list[Document]] = {}
    for one in exposures:
        arm = "" if experiment.mode is Mode.INTERLEAVE else str(one.get("variant") or "")
        found.setdefault((one["unitId"], day_of(one["shownAt"]), arm), []).append(one)
    algorithms = {one.name: one.algorithm for one in experiment.variants}
    lists = [_shown(unit, arm, films, algorithms) for (unit, _, arm), films in found.items()]
    return sorted(lists, key=lambda one: (one.at, one.unit))


def _shown(unit: str, arm: str, exposures: list[Document], algorithms: dict[str, str]) -> Shown:
    took = [float(one["tookMs"]) for one in exposures if isinstance(one.get("tookMs"), int | float)]
    placed = [one for one in exposures if isinstance(one.get("position"), int)]
    first = min(placed, key=lambda one: int(one["position"]), default={})
    return Shown(
        unit=unit,
        arm=arm,
        at=min(float(one["shownAt"]) for one in exposures),
        films={one["videoId"]: str(one.get("variant") or "") for one in exposures},
        first=str(first.get("variant") or ""),
        is_fallback=all(_is_foreign(one, algorithms) for one in exposures),
        milliseconds=max(took, default=None),
    )


def _is_foreign(exposure: Document, algorithms: dict[str, str]) -> bool:
    """Whether something else than the arm's algorithm has found this film."""
    maker = str(exposure.get("madeBy") or "").partition(" ")[0]
    return bool(maker) and maker != algorithms.get(str(exposure.get("variant")), maker)


async def _exposures(table: Table, experiment: str, since: float) -> list[Document]:
    after = Place(since, "")
    pages = table.pages("experiment", experiment, order_by="shownAt", after=after, descending=False)
    return [one async for page in pages for one in page]


async def _accepted(table: Table, by: str, unit: str, since: float) -> list[Document]:
    """A unit's accepted sessions that were made since then."""
    found: list[Document] = []
    async for page in table.pages(by, unit, order_by="order"):
        recent = [one for one in page if one["createdAt"] >= since]
        found += [one for one in recent if one.get("isAccepted") is True and isinstance(one.get("videoId"), str)]
        if len(recent) < len(page):
            break
    return found


def _evening(session: Document, mark: Mapping[str, Any] | None) -> Evening:
    invited = float(session["createdAt"])
    position, length = (float(mark.get(key) or 0.0) if mark else 0.0 for key in ("position", "length"))
    is_finished = length > 0 and position / length >= FINISHED_SHARE
    return Evening(session["videoId"], invited, float(session.get("answeredAt") or invited), is_finished)


async def _opinions(table: Table, person: str, since: float) -> list[Opinion]:
    found: list[Opinion] = []
    async for page in table.pages("userId", person, order_by="at"):
        recent = [one for one in page if float(one.get("at") or 0.0) >= since]
        found += [
            Opinion(one["videoId"], float(one["at"]), OPINIONS[one["rating"]])
            for one in recent
            if one.get("rating") in OPINIONS
        ]
        if len(recent) < len(page):
            break
    return found
