"""Experiments in the database, and which algorithm is everybody's: read by the service, changed by the command line.

The settings say which experiments there are; what is unknown is put into the database when the service starts, and
from then on its weights, coverage and state are what the database says. The version of each arm's algorithm is frozen
with the first live run that there is of it, so that an experiment compares one thing from its beginning to its end.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.experiments.assignment import Experiment, Mode, Phase, State, Unit, Variant, placed
from dateflicks.core.limits import PAGE_MAX
from dateflicks.server.recommendation.records import DEFAULT_ID, EXPERIMENT_KIND, EXPERIMENTS
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, Duplicate, Missing, Stale, opaque, revealed
from dateflicks.settings.recommendation import ExperimentSettings

CHOICE_KIND: Final = "choice"
OUTSIDE: Final = "default"  # what exposures outside of experiments are told to belong to
PHASES_KEPT: Final = 200
_TRIES: Final = 8
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The algorithm of everybody who takes part in no experiment, and with which options; `at` is Unix seconds.

    Without a version it is whichever is live. `experiment` is where it won, where it did.
    """

    algorithm: str
    version: str = ""
    options: Mapping[str, float] = field(default_factory=dict)
    experiment: str = ""
    at: float = 0.0


class Experiments:
    """What is kept of them. All raise Unavailable when the database is away."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._table = database.table(EXPERIMENTS)
        self._now = now

    async def all(self) -> list[Experiment]:
        """Every experiment, running or not, the oldest first."""
        found = await self._table.find("kind", EXPERIMENT_KIND, limit=PAGE_MAX)
        return sorted(map(experiment_of, found), key=lambda one: (one.started_at, one.name))

    async def get(self, name: str) -> Experiment | None:
        """One experiment."""
        document = await self._table.get(name)
        return experiment_of(document) if document is not None and document["kind"] == EXPERIMENT_KIND else None

    async def declare(self, settings: Mapping[str, ExperimentSettings], versions: Mapping[str, str]) -> list[str]:
        """Put in what is unknown, and stop what is switched off; sentences on what could not be put in come back.

        `versions` are those that live runs have, by algorithm.
        """
        known = {one.name: one for one in await self.all()}
        problems = []
        for name, wanted in settings.items():
            before = known.get(name)
            if before is not None:
                if not wanted.enabled and before.state is State.RUNNING:
                    known[name] = await self.change(name, lambda one: replace(one, state=State.STOPPED))
                continue
            if not wanted.enabled:
                continue
            if problem := problem_of(name, wanted):
                problems.append(problem)
                continue
            new = frozen(declared(name, wanted, self._now()), versions)
            if (one := placed(new, known.values())) is None:
                problems.append(f"{name}: there is no room for it in the namespace '{wanted.namespace}'.")
                continue
            with suppress(Duplicate):
                await self._table.insert(document_of(one))
            known[name] = one
        return problems

    async def freeze(self, versions: Mapping[str, str]) -> None:
        """Fix the versions of arms that had no run before, now that there are these live ones, by algorithm."""
        for one in await self.all():
            if frozen(one, versions) != one:
                await self.change(one.name, lambda now: frozen(now, versions))

    async def change(self, name: str, change: Callable[[Experiment], Experiment]) -> Experiment:
        """Change an experiment, whoever else does so at the same time, and note when weights changed. Raises Missing.

        What `change` raises comes through, and nothing is changed then.
        """
        stored, command = await self._table.get(name), secrets.token_hex(8)
        for _ in range(_TRIES):
            if stored is None:
                raise Missing
            before = experiment_of(stored)
            after = change(before)
            if after == before:
                return before
            after = _noted(before, after, self._now())
            fields = {key: value for key, value in document_of(after).items() if key != "_id"}
            try:
                return experiment_of(await self._table.compare_and_set(name, stored["rev"], fields, command=command))
            except Stale as stale:
                stored = stale.current
        raise Unavailable(f"Others keep changing the experiment {name}. Try again in a moment.")

    async def choice(self) -> Choice | None:
        """Which algorithm was made everybody's; None: the one in the settings."""
        document = await self._table.get(DEFAULT_ID)
        if document is None:
            return None
        return Choice(
            algorithm=document["algorithm"],
            version=document.get("version", ""),
            options=revealed(document.get("options", "{}")),
            experiment=document.get("experiment", ""),
            at=document.get("at", 0.0),
        )

    async def choose(self, choice: Choice) -> None:
        """Make an algorithm everybody's."""
        await self._table.upsert(
            {
                "_id": DEFAULT_ID,
                "kind": CHOICE_KIND,
                "algorithm": choice.algorithm,
                "version": choice.version,
                "options": opaque(dict(choice.options)),
                "experiment": choice.experiment,
                "at": choice.at,
            }
        )


def problem_of(name: str, settings: ExperimentSettings) -> str | None:
    """Why an experiment of the settings cannot be run, if it cannot."""
    if not _NAME.fullmatch(name) or name == OUTSIDE:
        return f"{name}: the name of an experiment is a word that starts with a letter, and not '{OUTSIDE}'."
    if len(settings.variants) < 2:
        return f"{name}: an experiment compares two variants at least."
    if not all(_NAME.fullmatch(one) for one in settings.variants):
        return f"{name}: the name of a variant is a word that starts with a letter."
    if not any(one.weight > 0 for one in settings.variants.values()):
        return f"{name}: no variant has a weight."
    return None


def declared(name: str, settings: ExperimentSettings, now: float) -> Experiment:
    """An experiment of the settings that starts now."""
    variants = tuple(
        Variant(name=arm, algorithm=one.algorithm, weight=one.weight, options=one.options)
        for arm, one in settings.variants.items()
    )
    return Experiment(
        name=name,
        variants=variants,
        salt=settings.salt or name,
        unit=Unit(settings.unit),
        mode=Mode(settings.mode),
        coverage=settings.coverage,
        namespace=settings.namespace,
        started_at=now,
        planned_units=settings.planned_units,
        phases=(Phase(now, tuple(one.weight for one in variants)),),
    )


def frozen(experiment: Experiment, versions: Mapping[str, str]) -> Experiment:
    """With the versions that there are for arms that have none yet."""
    variants = tuple(
        replace(one, version=versions.get(one.algorithm, "")) if not one.version else one for one in experiment.variants
    )
    return replace(experiment, variants=variants)


def experiment_of(document: Document) -> Experiment:
    """A stored experiment."""
    return Experiment(
        name=document["_id"],
        variants=tuple(
            Variant(
                name=one["name"],
                algorithm=one["algorithm"],
                version=one.get("version", ""),
                weight=float(one["weight"]),
                options=revealed(one.get("options", "{}")),
            )
            for one in document["variants"]
        ),
        salt=document["salt"],
        unit=Unit(document["unit"]),
        mode=Mode(document["mode"]),
        coverage=float(document["coverage"]),
        namespace=document["namespace"],
        low=float(document["low"]),
        state=State(document["state"]),
        started_at=document["startedAt"],
        planned_units=document["plannedUnits"],
        phases=tuple(Phase(one["at"], tuple(map(float, one["weights"]))) for one in document["phases"]),
    )


def document_of(experiment: Experiment) -> Document:
    """An experiment as it is stored."""
    return {
        "_id": experiment.name,
        "kind": EXPERIMENT_KIND,
        "variants": [_variant(one) for one in experiment.variants],
        "salt": experiment.salt,
        "unit": experiment.unit.value,
        "mode": experiment.mode.value,
        "coverage": experiment.coverage,
        "namespace": experiment.namespace,
        "low": experiment.low,
        "state": experiment.state.value,
        "startedAt": experiment.started_at,
        "plannedUnits": experiment.planned_units,
        "phases": [{"at": one.at, "weights": list(one.weights)} for one in experiment.phases],
    }


def _variant(one: Variant) -> dict[str, Any]:
    return {
        "name": one.name,
        "algorithm": one.algorithm,
        "version": one.version,
        "weight": one.weight,
        "options": opaque(dict(one.options)),
    }


def _noted(before: Experiment, after: Experiment, now: float) -> Experiment:
    """With a new phase where the weights have changed."""
    weights = tuple(one.weight for one in after.variants)
    if weights == tuple(one.weight for one in before.variants):
        return after
    return replace(after, phases=(*after.phases, Phase(now, weights))[-PHASES_KEPT:])
