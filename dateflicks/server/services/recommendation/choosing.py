"""Which run makes whose list: the live runs and the experiments, looked at again every few seconds.

A unit in an experiment gets the list of its arm, by the version that the experiment has frozen; everybody else that of
the algorithm that was chosen for all. What has no live run is made up for by the caller: there is always a next best.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dateflicks.core.experiments.assignment import Experiment, State, Unit, assigned
from dateflicks.server.recommendation.experiments import OUTSIDE, Experiments
from dateflicks.server.recommendation.runs import Reader, Run
from dateflicks.settings.recommendation import RecommendationSettings

log = logging.getLogger(__name__)

LOWER_WEIGHT: Final = "lower_weight"  # the option of a variant for two


@dataclass(frozen=True, slots=True)
class Arm:
    """Who makes a list: an algorithm, of one version where that is frozen, and how it is put together."""

    algorithm: str
    version: str = ""
    options: Mapping[str, float] = field(default_factory=dict)
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The arms of a unit's list: one, or several that take turns in it."""

    arms: tuple[Arm, ...]
    experiment: Experiment | None = None

    @property
    def is_drafted(self) -> bool:
        """Whether the list is drafted from those of several arms."""
        return len(self.arms) > 1

    @property
    def experiment_name(self) -> str:
        """The experiment that exposures belong to."""
        return self.experiment.name if self.experiment is not None else OUTSIDE


@dataclass(frozen=True, slots=True)
class _Known:
    runs: Mapping[str, Run]  # the newest live run of each algorithm, the newest first
    frozen: Mapping[tuple[str, str], Run]
    experiments: tuple[Experiment, ...]
    default: Arm


class Choosing:
    """One process's knowledge of runs and experiments."""

    def __init__(
        self,
        reader: Reader,
        experiments: Experiments,
        settings: RecommendationSettings,
    ) -> None:
        self._reader = reader
        self._experiments = experiments
        self._settings = settings
        self._known: _Known | None = None
        self._has_declared = False

    async def refresh(self) -> None:
        """Look again. Raises Unavailable: then what was known stays."""
        runs = {run.algorithm: run for run in await self._reader.all_live()}
        versions = {algorithm: run.version for algorithm, run in runs.items()}
        if not self._has_declared:
            for problem in await self._experiments.declare(self._settings.experiments, versions):
                log.warning("an experiment of the settings is not run: %s", problem)
            self._has_declared = True
        experiments = await self._experiments.all()
        running = [one for one in experiments if one.state is State.RUNNING]
        if any(not arm.version and arm.algorithm in versions for one in running for arm in one.variants):
            await self._experiments.freeze(versions)
            running = [one for one in await self._experiments.all() if one.state is State.RUNNING]
        choice = await self._experiments.choice()
        default = Arm(self._settings.algorithm)
        if choice is not None:
            default = Arm(choice.algorithm, choice.version, choice.options)
        frozen: dict[tuple[str, str], Run] = {}
        for arm in [default, *(Arm(arm.algorithm, arm.version) for one in running for arm in one.variants)]:
            newest = runs.get(arm.algorithm)
            if arm.version and (newest is None or newest.version != arm.version):
                run = await self._reader.live(arm.algorithm, arm.version)
                if run is not None:
                    frozen[arm.algorithm, arm.version] = run
        self._known = _Known(runs, frozen, tuple(running), default)

    async def ready(self) -> None:
        """Know something. Raises Unavailable."""
        if self._known is None:
            await self.refresh()

    @property
    def condition(self) -> str:
        """Which lists are told, and how many experiments run."""
        if self._known is None:
            return "nothing is known of the lists yet"
        run = self.run_of(self._known.default)
        lists = (
            f"{run.algorithm} {run.version}" if run is not None else f"no run of {self._known.default.algorithm} yet"
        )
        return f"{lists}; experiments: {len(self._known.experiments)}"

    def plan(self, kind: Unit, unit: str) -> Plan:
        """Whose list this unit gets."""
        known = self._now()
        found = assigned(known.experiments, kind, unit)
        if found is None:
            return Plan((known.default,))
        chosen = (
            [found.variant]
            if found.variant is not None
            else [one for one in found.experiment.variants if one.weight > 0]
        )
        arms = tuple(Arm(one.algorithm, one.version, one.options, one.name) for one in chosen)
        return Plan(arms, found.experiment)

    def experiments_of(self, kind: Unit) -> list[str]:
        """The names under which this kind of unit may have been shown something."""
        return [OUTSIDE, *(one.name for one in self._now().experiments if one.unit is kind)]

    @property
    def default(self) -> Arm:
        """The arm of everybody who is in no experiment."""
        return self._now().default

    def run_of(self, arm: Arm) -> Run | None:
        """The newest live run of an arm's algorithm, of its version where one is frozen."""
        known = self._now()
        run = known.runs.get(arm.algorithm)
        if arm.version and (run is None or run.version != arm.version):
            return known.frozen.get((arm.algorithm, arm.version))
        return run

    def runs(self) -> list[Run]:
        """The newest live run of each algorithm, the newest first."""
        return list(self._now().runs.values())

    def lower_weight(self, arm: Arm) -> float:
        """How much the one whom a film suits less counts in a list for two."""
        return float(arm.options.get(LOWER_WEIGHT, self._settings.lower_weight))

    def _now(self) -> _Known:
        assert self._known is not None, "ready() comes first"
        return self._known
