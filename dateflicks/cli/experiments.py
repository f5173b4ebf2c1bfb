"""Experiments from the command line: what they have shown, who gets which arm, and which algorithm is everybody's."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.background import background_of, opened
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.moments import moment_of
from dateflicks.cli.output import Format, cell, record_of

if TYPE_CHECKING:
    from dateflicks.core.experiments.assignment import Experiment, Variant
    from dateflicks.server.recommendation.experiments import Choice
    from dateflicks.server.recommenders.reporting.interleaved import InterleavedReport
    from dateflicks.server.recommenders.reporting.report import Report
    from dateflicks.server.storage.database import Database

BRIEF: Final = ("experiment", "state", "mode", "unit", "units", "have", "needed", "verdict", "sentence")
ARMS: Final = ("name", "algorithm", "version", "weight", "units", "expected", "lists", "films")
DAYS: Final = ("day", "units")
COMPARED: Final = ("outcome", "arm", "units", "happened", "control_rate", "rate", "difference", "low", "high")
FIXED: Final = (*COMPARED, "fixed_low", "fixed_high")
TEAMS: Final = ("name", "algorithm", "version", "films", "first", "credits")
DUELS: Final = ("arm", "control", "won", "votes", "share", "low", "high")
POINTS: Final = ("day", "arm", "difference", "low", "high")
CHOICE: Final = ("algorithm", "version", "options", "experiment", "at")
SHARES: Final = ("name", "algorithm", "version", "weight", "share")
WIDEST: Final = 100  # columns of a plot


# --- the report -----------------------------------------------------------------------------------------------------


def show_reports(environment: CliEnvironment, name: str | None, since: str | None) -> Exit:
    """Tell what one experiment, or each, has shown; how the command ends comes back."""
    reports = environment.run(_reports(environment, name, moment_of("--since", since) or 0.0))
    form = environment.printer.form
    if name is None:
        environment.show_all(list(reports), BRIEF, empty="There are no experiments. Name some in recommendation.toml.")
    elif form in (Format.JSON, Format.JSONL) or environment.fields:
        environment.show(reports[0], BRIEF)
    else:
        _tell(environment, record_of(reports[0]), is_plain=form is Format.PLAIN)
    is_broken = any(one.verdict == "broken split" for one in reports)
    return Exit.PROBLEMS if is_broken else Exit.OK


async def _reports(
    environment: CliEnvironment, name: str | None, since: float
) -> "Sequence[Report | InterleavedReport]":
    from dateflicks.server.recommendation.experiments import Experiments

    now = environment.now().timestamp()
    async with _database(environment) as database:
        store = Experiments(database)
        chosen = await store.all() if name is None else [await _the_experiment(store, name)]
        return [await _reported(database, one, since, now) for one in chosen]


async def _reported(
    database: "Database", experiment: "Experiment", since: float, now: float
) -> "Report | InterleavedReport":
    from dateflicks.server.recommenders.reporting.evidence import evidence_of
    from dateflicks.server.recommenders.reporting.interleaved import interleaved_report
    from dateflicks.server.recommenders.reporting.report import report_of

    evidence = await evidence_of(database, experiment, since=since)
    return (interleaved_report if experiment.mode == "interleave" else report_of)(experiment, evidence, now)


def _tell(environment: CliEnvironment, report: dict[str, Any], *, is_plain: bool) -> None:
    """One report in full: the check, the counts, the intervals, the guard rails, the days, and what follows."""
    is_interleaved = report["mode"] == "interleave"
    fixed = not is_interleaved and any(one["fixed_low"] is not None for one in report["comparisons"])
    columns = FIXED if fixed else COMPARED
    sections: list[tuple[str, list[dict[str, Any]], tuple[str, ...]]] = [
        ("arms", report["arms"], TEAMS if is_interleaved else ARMS)
    ]
    if not is_interleaved:
        if report["split"]["is_broken"]:
            sections.append(("newcomers by day", report["split"]["days"], DAYS))
        sections.append(("outcomes, per list", report["comparisons"], columns))
        sections.append(("guard rails, per list", report["guards"], columns))
    else:
        sections.append(("votes", report["duels"], DUELS))
    split = report if is_interleaved else report["split"]
    checked = f"p = {split['p']:.2g}, {'broken' if split['is_broken'] else 'as it should be'}"
    if is_plain:
        _rows(environment, [("split", checked)])
        for title, records, wanted in sections:
            word = title.partition(" ")[0].rstrip("s,")
            _rows(environment, [(word, *(record[column] for column in wanted)) for record in records])
        _rows(environment, [("day", *(point[column] for column in POINTS)) for point in report["points"]])
        _rows(environment, [("verdict", report["verdict"], report["arm"], report["sentence"])])
        return
    _write(environment, f"{report['experiment']}, {report['state']}; the split: {checked}")
    for title, records, wanted in sections:
        if records:
            _write(environment, "", title.capitalize())
            environment.show_all(records, wanted, empty="")
    for arm in dict.fromkeys(point["arm"] for point in report["points"]):
        lines = _plot(environment, [one for one in report["points"] if one["arm"] == arm])
        if lines:
            title = f"{arm}: share of votes above half" if is_interleaved else f"{arm}: accepted per list, difference"
            _write(environment, "", title, *lines)
    _write(environment, "", report["sentence"])


def _plot(environment: CliEnvironment, points: list[dict[str, Any]]) -> list[str]:
    from dateflicks.cli.intervals import MARKS, PLAIN_MARKS, Bar, plot

    encoding = (environment.stdout.encoding or "").lower().replace("-", "")
    marks = MARKS if encoding.startswith("utf") else PLAIN_MARKS
    bars = [Bar(one["day"], one["difference"], one["low"], one["high"]) for one in points]
    return plot(bars, min(shutil.get_terminal_size().columns, WIDEST), marks)


def _rows(environment: CliEnvironment, rows: Sequence[Sequence[Any]]) -> None:
    for row in rows:
        environment.stdout.write("\t".join(cell(one) for one in row) + "\n")


def _write(environment: CliEnvironment, *lines: str) -> None:
    from dateflicks.protocol.printable import printable

    for line in lines:
        environment.stdout.write(printable(line) + "\n")


# --- who gets what --------------------------------------------------------------------------------------------------


def assign(
    environment: CliEnvironment,
    name: str,
    weights: Sequence[str],
    *,
    coverage: float | None = None,
    state: str | None = None,
) -> None:
    """Change the weights, the coverage or the state of an experiment, after a yes."""
    wanted = dict(_weight(one) for one in weights)
    if not wanted and coverage is None and state is None:
        hint = f"Write: dateflicks recommenders assign {name} ARM=WEIGHT, or --stop, --start, --coverage."
        raise CliError(Exit.USAGE, "There is nothing to change.", hint=hint)
    changed = environment.run(_assign(environment, name, wanted, coverage, state))
    from dateflicks.core.experiments.assignment import shares_of

    shares = shares_of(changed)
    rows = [
        {
            "name": one.name,
            "algorithm": one.algorithm,
            "version": one.version,
            "weight": one.weight,
            "share": shares[one.name],
        }
        for one in changed.variants
    ]
    environment.show_all(rows, SHARES, empty="")
    environment.say(f"{changed.name} is {changed.state}, with {changed.coverage:.0%} of its {changed.unit}s.")


async def _assign(
    environment: CliEnvironment, name: str, weights: dict[str, float], coverage: float | None, state: str | None
) -> "Experiment":
    from dateflicks.core.experiments.assignment import Experiment, State, placed
    from dateflicks.server.recommendation.experiments import Experiments

    async with _database(environment) as database:
        store = Experiments(database)
        others = await store.all()
        before = await _the_experiment(store, name)
        arms = [one.name for one in before.variants]
        for arm in weights:
            if arm not in arms:
                raise CliError(Exit.NOT_FOUND, f"{name} has no arm '{arm}'.", hint=nearest(arm, arms))

        def change(one: Experiment) -> Experiment:
            variants = tuple(replace(arm, weight=weights.get(arm.name, arm.weight)) for arm in one.variants)
            after = replace(
                one,
                variants=variants,
                coverage=one.coverage if coverage is None else coverage,
                state=State(state) if state else one.state,
            )
            if not any(arm.weight > 0 for arm in variants):
                raise CliError(Exit.USAGE, "Some arm needs a weight.", hint="To end it: --stop.")
            if after.state is State.RUNNING:
                found = placed(after, others)
                if found is None or found.low != one.low:  # elsewhere in its namespace it would have other people
                    what = f"There is no room for {after.coverage:.0%} in the namespace '{one.namespace}'."
                    raise CliError(Exit.REFUSED, what, hint="Stop another experiment of it first, or take less.")
            return after

        after = change(before)
        if after == before:
            environment.say("That is how it is already.")
            return before
        environment.agree(_question(before, after))
        return await store.change(name, change)


def _question(before: "Experiment", after: "Experiment") -> str:
    from dateflicks.core.experiments.assignment import shares_of

    old, new = shares_of(before), shares_of(after)
    parts = [f"{arm} from {old[arm]:.0%} to {new[arm]:.0%}" for arm in old if old[arm] != new[arm]]
    if before.coverage != after.coverage:
        parts.append(f"coverage from {before.coverage:.0%} to {after.coverage:.0%}")
    if before.state is not after.state:
        parts.append(f"{before.state} to {after.state}")
    return f"Change {before.name}: {', '.join(parts)}?" if parts else f"Change the weights of {before.name}?"


def _weight(text: str) -> tuple[str, float]:
    import math

    arm, sign, number = text.partition("=")
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not arm or not sign or not 0 <= weight <= 1_000_000:
        raise CliError(Exit.USAGE, f"'{text}' is no weight of an arm.", hint="Write it as ARM=WEIGHT: edlae=3.")
    return arm, weight


# --- everybody's ----------------------------------------------------------------------------------------------------


def promote(environment: CliEnvironment, name: str) -> None:
    """Make an arm, or an algorithm, what everybody gets who takes part in no experiment, after a yes."""
    choice = environment.run(_promote(environment, name))
    from dateflicks.cli.background import time_of

    environment.show(
        {
            "algorithm": choice.algorithm,
            "version": choice.version,
            "options": dict(choice.options),
            "experiment": choice.experiment,
            "at": time_of(choice.at),
        },
        CHOICE,
    )
    environment.say(f"Everybody who takes part in no experiment gets {choice.algorithm} from here on.")
    if choice.experiment:
        environment.say(f"End the experiment with: dateflicks recommenders assign {choice.experiment} --stop")


async def _promote(environment: CliEnvironment, name: str) -> "Choice":
    from dateflicks.server.recommendation.experiments import Choice, Experiments
    from dateflicks.server.recommendation.runs import Reader

    now = environment.now().timestamp()
    async with _database(environment) as database:
        store, reader = Experiments(database), Reader(database)
        arms = _arms_called(await store.all(), name)
        live = [one.algorithm for one in await reader.all_live()]
        if len(arms) > 1:
            known = ", ".join(f"{one.name}:{arm.name}" for one, arm in arms)
            raise CliError(Exit.USAGE, f"Several experiments have an arm '{name}'.", hint=f"Name one: {known}.")
        if arms:
            ((experiment, arm),) = arms
            report = await _reported(database, experiment, 0.0, now)
            choice = Choice(
                algorithm=arm.algorithm, version="", options=arm.options, experiment=experiment.name, at=now
            )
            reason = f"{report.sentence} Make {arm.algorithm} everybody's?"
        else:
            if name not in live:
                what = f"Neither an arm nor an algorithm with a live run is called '{name}'."
                raise CliError(Exit.NOT_FOUND, what, hint=nearest(name, live))
            choice, reason = Choice(algorithm=name, at=now), f"Make {name} everybody's?"
        if choice.algorithm not in live:
            hint = f"Run it first: dateflicks recommenders run {choice.algorithm}"
            raise CliError(Exit.REFUSED, f"{choice.algorithm} has no live run.", hint=hint)
        environment.agree(reason)
        await store.choose(choice)
        return choice


def _arms_called(experiments: "Sequence[Experiment]", name: str) -> "list[tuple[Experiment, Variant]]":
    """The arms that are called so; those of running experiments alone, where there are such."""
    experiment, sign, arm = name.rpartition(":")
    found = [
        (one, variant)
        for one in experiments
        if not sign or one.name == experiment
        if (variant := one.variant(arm)) is not None
    ]
    return [row for row in found if row[0].state == "running"] or found


# --- inside ---------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _database(environment: CliEnvironment) -> "AsyncIterator[Database]":
    import dateflicks.server.recommenders.reporting.interleaved  # noqa: F401 - takes its time: not while it is open
    from dateflicks.server.recommendation.records import COLLECTIONS
    from dateflicks.server.recommenders.reporting.evidence import COLLECTIONS as READ

    async with opened(background_of(environment), [*COLLECTIONS, *READ]) as database:
        yield database


async def _the_experiment(store: Any, name: str) -> "Experiment":
    found: Experiment | None = await store.get(name)
    if found is None:
        known = [one.name for one in await store.all()]
        raise CliError(Exit.NOT_FOUND, f"There is no experiment '{name}'.", hint=nearest(name, known))
    return found
