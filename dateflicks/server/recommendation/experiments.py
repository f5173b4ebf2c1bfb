"""Experiments as documents, and which algorithm is for everybody else: read by the service, changed by operators.

An experiment has its name as its id. The version of an arm's algorithm is frozen in it, as soon as there is one. What
a person said of the whole (`choice:default`) wins over the settings of the service.
"""

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from dateflicks.core.experiments.assignment import Experiment, Mode, State, Unit, Variant
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.recommendation.records import DEFAULT_ID, EXPERIMENT_KIND, EXPERIMENTS
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, Duplicate, StorageFault, opaque, revealed

DEFAULT_KIND: Final = "choice"


class Experiments:
    """The experiments of a deployment. All raise Unavailable when the database is away."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._table = database.table(EXPERIMENTS)
        self._now = now

    async def all(self) -> list[Experiment]:
        """Every experiment that can be read, whatever its state, the one that started first before others."""
        found = await self._table.find("kind", EXPERIMENT_KIND, limit=PAGE_MAX)
        known = [one for one in map(experiment_or_none, found) if one is not None]
        return sorted(known, key=lambda one: (one.started_at, one.name))

    async def get(self, name: str) -> tuple[Experiment, int] | None:
        """An experiment by its name, with the version of its document. Raises StorageFault when it cannot be read."""
        document = await self._table.get(name)
        if document is None or document.get("kind") != EXPERIMENT_KIND:
            return None
        return experiment_of(document), document["rev"]

    async def add(self, experiments: Iterable[Experiment]) -> list[str]:
        """Put down those whose names are new, and leave the others as they are; the names of those that were new."""
        new: list[str] = []
        for experiment in experiments:
            if await self._table.get(experiment.name) is not None:
                continue
            try:
                await self._table.insert(document_of(experiment))
            except Duplicate:
                continue  # another process was first
            new.append(experiment.name)
        return new

    async def replace(self, experiment: Experiment, rev: int) -> bool:
        """Write an experiment over the version that was read; False when somebody else has changed it meanwhile."""
        return await self._table.replace({**document_of(experiment), "rev": rev + 1}, rev)

    async def default_algorithm(self) -> str | None:
        """The algorithm that a person has chosen for everybody who is in no experiment; None: as in the settings."""
        document = await self._table.get(DEFAULT_ID)
        chosen = None if document is None else document.get("algorithm")
        return chosen if isinstance(chosen, str) and chosen else None

    async def choose_default(self, algorithm: str) -> None:
        """Make this algorithm the one for everybody who is in no experiment."""
        document = {"_id": DEFAULT_ID, "rev": 1, "kind": DEFAULT_KIND, "algorithm": algorithm, "at": self._now()}
        await self._table.upsert(document)


def document_of(experiment: Experiment) -> Document:
    """An experiment as it is stored."""
    return {
        "_id": experiment.name,
        "rev": 1,
        "kind": EXPERIMENT_KIND,
        "variants": [
            {
                "name": one.name,
                "algorithm": one.algorithm,
                "version": one.version,
                "weight": float(one.weight),
                "options": opaque(dict(one.options)),
            }
            for one in experiment.variants
        ],
        "salt": experiment.salt,
        "unit": experiment.unit.value,
        "mode": experiment.mode.value,
        "coverage": float(experiment.coverage),
        "namespace": experiment.namespace,
        "low": float(experiment.low),
        "state": experiment.state.value,
        "startedAt": experiment.started_at,
        "plannedUnits": experiment.planned_units,
    }


def experiment_of(document: Document) -> Experiment:
    """A stored experiment. Raises StorageFault when it cannot be read."""
    try:
        return Experiment(
            name=document["_id"],
            variants=tuple(_variant(one) for one in document["variants"]),
            salt=str(document.get("salt") or ""),
            unit=Unit(document.get("unit") or Unit.USER),
            mode=Mode(document.get("mode") or Mode.AB),
            coverage=float(document.get("coverage", 1.0)),
            namespace=str(document.get("namespace") or ""),
            low=float(document.get("low") or 0.0),
            state=State(document.get("state") or State.RUNNING),
            started_at=float(document.get("startedAt") or 0.0),
            planned_units=int(document.get("plannedUnits") or 2_000),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageFault(f"the experiment {document.get('_id')} cannot be read: {error!r}") from error


def experiment_or_none(document: Document) -> Experiment | None:
    """A stored experiment; None for what is none: one that somebody has spoilt must not spoil the others."""
    try:
        return experiment_of(document)
    except StorageFault:
        return None


def _variant(fields: Any) -> Variant:
    options = revealed(fields["options"]) if fields.get("options") else {}
    return Variant(
        name=str(fields["name"]),
        algorithm=str(fields["algorithm"]),
        version=str(fields.get("version") or ""),
        weight=max(float(fields.get("weight", 1.0)), 0.0),
        options={str(name): float(value) for name, value in options.items()},
    )
