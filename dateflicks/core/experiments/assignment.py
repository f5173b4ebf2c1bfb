"""Which arm of which experiment a unit belongs to: a hash of its name, and nothing that would have to be kept.

The first 64 bits of SHA-256("salt:unit") are a point on a line. The arms share the line as contiguous ranges, in their
order and by their weights; coverage shrinks each range from its top. So a change of weights moves only the units
around the borders, and a change of coverage moves units in and out, never from one arm to another.

Experiments of one namespace exclude each other: a second hash, by the name of the namespace, lays the units on another
line, of which each experiment holds a stretch as long as its coverage, from its `low` on; there coverage shrinks that
stretch instead of the ranges. A unit is a person (their id) or a pair (both ids, sorted, `usrA:usrB`).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

_LINE: Final = 1 << 64
_CLOSE: Final = 1e-9  # shares that fill a namespace add up to one but for this


class Unit(StrEnum):
    """Who is assigned as one: a person to lists of their own, a pair to lists for two."""

    USER = "user"
    PAIR = "pair"


class Mode(StrEnum):
    """Whether each unit gets one arm, or all arms take turns within each list."""

    AB = "ab"
    INTERLEAVE = "interleave"


class State(StrEnum):
    """Only what is running takes units."""

    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One arm. `version` is the algorithm's, frozen with the experiment; "" until the algorithm has had a run."""

    name: str
    algorithm: str
    version: str = ""
    weight: float = 1.0
    options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """From when on (Unix seconds) the arms, in their order, have had these weights."""

    at: float
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """Arms, and who takes part. `started_at` is Unix seconds, `low` where its stretch of the namespace begins.

    `phases` tell what the weights have been, the last ones being those of the arms.
    """

    name: str
    variants: tuple[Variant, ...]
    salt: str = ""
    unit: Unit = Unit.USER
    mode: Mode = Mode.AB
    coverage: float = 1.0
    namespace: str = ""
    low: float = 0.0
    state: State = State.RUNNING
    started_at: float = 0.0
    planned_units: int = 2_000
    phases: tuple[Phase, ...] = ()

    @property
    def effective_salt(self) -> str:
        """What units are hashed with: the name, unless a salt was set."""
        return self.salt or self.name

    def variant(self, name: str) -> Variant | None:
        """An arm by its name."""
        return next((one for one in self.variants if one.name == name), None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A unit's part in an experiment; without a variant its lists are interleaved from all arms."""

    experiment: Experiment
    variant: Variant | None


def point_of(salt: str, unit: str) -> int:
    """Where a unit lies on the line of a salt: 0 to 2^64 - 1."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{unit}".encode()).digest()[:8], "big")


def assigned(experiments: Iterable[Experiment], kind: Unit, unit: str) -> Assignment | None:
    """The experiment that decides this unit's list: of those that take it, the one that started first."""
    for experiment in sorted(experiments, key=lambda one: (one.started_at, one.name)):
        if experiment.unit is kind and (found := assignment_of(experiment, unit)) is not None:
            return found
    return None


def assignment_of(experiment: Experiment, unit: str) -> Assignment | None:
    """A unit's part in this experiment; None when it takes no part, or nothing runs."""
    if experiment.state is not State.RUNNING or not any(one.weight > 0 for one in experiment.variants):
        return None
    coverage = experiment.coverage
    if experiment.namespace:
        begin = int(experiment.low * _LINE)
        end = min(_LINE, int((experiment.low + coverage) * _LINE))
        if not begin <= point_of(f"namespace {experiment.namespace}", unit) < end:
            return None
        coverage = 1.0
    point = point_of(experiment.effective_salt, unit)
    if experiment.mode is Mode.INTERLEAVE:
        return Assignment(experiment, None) if point < int(coverage * _LINE) else None
    variant = _variant_at(experiment.variants, point, coverage)
    return Assignment(experiment, variant) if variant is not None else None


def _variant_at(variants: tuple[Variant, ...], point: int, coverage: float) -> Variant | None:
    total = sum(one.weight for one in variants)
    low, weight = 0, 0.0
    for variant in variants:
        weight += variant.weight
        high = _LINE if weight >= total else int(weight / total * _LINE)
        if low <= point < high:
            return variant if coverage >= 1 or point < low + int((high - low) * coverage) else None
        low = high
    return None


def shares_of(experiment: Experiment, at: float | None = None) -> dict[str, float]:
    """The share of the units taking part that each arm is meant to have by the weights: of now, or of an instant."""
    weights = tuple(one.weight for one in experiment.variants)
    if at is not None:
        earlier = [phase.weights for phase in experiment.phases if phase.at <= at]
        weights = (earlier or [phase.weights for phase in experiment.phases[:1]] or [weights])[-1]
    total = sum(weights)
    return {
        one.name: weight / total if total else 0.0 for one, weight in zip(experiment.variants, weights, strict=True)
    }


def placed(experiment: Experiment, others: Iterable[Experiment]) -> Experiment | None:
    """The experiment with a stretch of its namespace that no other running one holds: its own where that is free.

    None when there is no room for its coverage. Without a namespace it is returned as it is.
    """
    if not experiment.namespace:
        return experiment
    held = sorted(
        (one.low, one.low + one.coverage)
        for one in others
        if one.namespace == experiment.namespace
        and one.unit is experiment.unit
        and one.name != experiment.name
        and one.state is State.RUNNING
    )
    for low in (experiment.low, 0.0, *(end for _, end in held)):
        high = low + experiment.coverage
        if high <= 1 + _CLOSE and all(high <= begin or end <= low for begin, end in held):
            return replace(experiment, low=low)
    return None
