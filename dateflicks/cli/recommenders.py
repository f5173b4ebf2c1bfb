"""What `recommenders` shows of recommenders and runs of them: how they are, who has lists, and when they run next."""

import re
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.background import Background, background_of, exit_of, opened, shown, supervisor_of, time_of
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Format, cell

if TYPE_CHECKING:
    from dateflicks.server.jobs.declared import Job
    from dateflicks.server.plugins import Found
    from dateflicks.server.recommendation.experiments import Experiments

COLUMNS = ("name", "state", "version", "seen_by", "users", "pairs", "last_status", "last_run", "next_run", "attention")
DETAILS = (
    *COLUMNS, "live_run", "live_since", "videos", "interactions", "data_cut", "parameters", "figures", "offline",
    "schedule", "package", "package_version", "summary",
)  # fmt: skip
_HUMP: Final = re.compile(r"(?<=[a-z0-9])[A-Z]")
RUNS = ("name", "status", "seconds", "counters.seen", "counters.new", "peak_memory_bytes", "error")


def show_all(environment: CliEnvironment) -> None:
    """All recommenders that are found, used or not."""
    background = background_of(environment)
    found = environment.run(_all(environment, background, background.found_recommenders))
    environment.show_all(found, COLUMNS, empty="There are no recommenders.")


def show_one(environment: CliEnvironment, name: str) -> None:
    """One in full; its package is loaded for it. Raises CliError."""
    background = background_of(environment)
    one = _the_recommender(background, name)
    (found,) = environment.run(_all(environment, background, [one]))
    record = found | _loaded(one)
    if environment.printer.form is Format.TABLE and not environment.fields:
        record |= {name: _in_words(record.get(name)) for name in ("parameters", "figures", "offline")}
    environment.show(record, DETAILS)


def _in_words(value: Any) -> Any:
    """What a run was made with and what came of it, for people: `rows 12, peak memory 96 MiB` of an object."""
    if not isinstance(value, dict):
        return value
    return ", ".join(_pair(name, one) for name, one in value.items())


def _pair(name: str, value: Any) -> str:
    words = _HUMP.sub(lambda found: f" {found[0].lower()}", name)
    if isinstance(value, dict):
        return f"{words} ({_in_words(value)})"
    if words.endswith(" bytes") and isinstance(value, int):
        return f"{words.removesuffix(' bytes')} {value / 2**20:.0f} MiB"
    return f"{words} {cell(value) or '-'}"


def run(environment: CliEnvironment, name: str, *, is_dry: bool, user: str | None = None) -> Exit:
    """Run one, or all that are switched on, and show what became of it; for one person, if named. Raises CliError."""
    from dateflicks.cli.running import run_all
    from dateflicks.server.jobs.supervising import Wish

    background = background_of(environment)
    jobs = _wanted(background, name)
    if not jobs:
        environment.say(
            "No recommender is switched on.",
            "Switch one on in recommenders.toml, or name one: recommenders run NAME.",
        )
        return Exit.OK
    user_id = environment.run(_id_of(background, user)) if user is not None else None
    runs = environment.run(run_all(environment, background, jobs, Wish(is_dry=is_dry, user=user_id)))
    rows = [shown(one) | {"name": _name(one.source)} for one in runs]
    if name == "all":
        environment.show_all(rows, RUNS, empty="Nothing was run.")
    else:
        environment.show(rows[0], RUNS)
    return exit_of(runs)


async def _id_of(background: Background, name: str) -> str:
    """The account of this name, or of this id. Raises CliError."""
    from dateflicks.server.services.session.records import COLLECTIONS, DATABASE
    from dateflicks.server.upkeep.people import Accounts, Everywhere, NoSuchAccount

    async with opened(background, COLLECTIONS) as database:
        try:
            found = await Accounts(Everywhere({DATABASE: database})).find(name)
        except NoSuchAccount as error:
            raise CliError(Exit.NOT_FOUND, str(error), hint="See them with 'dateflicks users list'.") from error
        return str(found["_id"])


def _name(subject: str) -> str:
    from dateflicks.server.jobs.declared import RECOMMEND

    return subject.removeprefix(RECOMMEND)


def _the_recommender(background: Background, name: str) -> "Found":
    for one in background.found_recommenders:
        if one.name == name:
            return one
    known = [one.name for one in background.found_recommenders]
    raise CliError(Exit.NOT_FOUND, f"There is no recommender '{name}'.", hint=nearest(name, known))


def _wanted(background: Background, name: str) -> "list[Job]":
    from dateflicks.server.jobs.declared import RECOMMEND

    if name != "all":
        _the_recommender(background, name)
        return [background.job(RECOMMEND + name)]
    return [job for job in background.jobs if job.kind == "recommender" and job.schedule]


async def _all(environment: CliEnvironment, background: Background, those: "list[Found]") -> list[dict[str, Any]]:
    from dateflicks.server.jobs.declared import RECOMMEND
    from dateflicks.server.jobs.outlook import condition, next_run
    from dateflicks.server.recommendation.experiments import Experiments
    from dateflicks.server.recommendation.records import COLLECTIONS
    from dateflicks.server.recommendation.runs import Reader

    default: str = environment.load("recommendation").settings.algorithm
    now = environment.now().timestamp()
    jobs = {job.subject: job for job in background.jobs if job.kind == "recommender"}
    found = []
    async with opened(background, COLLECTIONS) as database:
        supervisor, reader = supervisor_of(environment, background, database), Reader(database)
        seen_by = await _seen_by(Experiments(database), default)
        states = await supervisor.store.states(RECOMMEND + one.name for one in those)
        for one in those:
            subject = RECOMMEND + one.name
            record: dict[str, Any] = {
                "name": one.name,
                "package": one.package,
                "package_version": one.version,
                "seen_by": "; ".join(seen_by.get(one.name, ())) or None,
            }
            job = jobs.get(subject)
            if one.problem or job is None:
                found.append(record | {"state": "not used", "attention": one.problem})
                continue
            state, live = states[subject], await reader.live(one.name)
            runs = await supervisor.store.runs(subject, limit=1)
            is_running = await supervisor.leases.is_held(subject)
            record |= {
                "state": condition(state, job, is_running=is_running, now=now),
                "last_status": (runs[0].status or "running") if runs else None,
                "last_run": time_of(runs[0].started_at) if runs else None,
                "next_run": time_of(next_run(job, state, now)),
                "attention": state.attention,
                "schedule": job.schedule or None,
            }
            found.append(record | (_live(live) if live is not None else {}))
    return found


async def _seen_by(experiments: "Experiments", default: str) -> dict[str, list[str]]:
    """By recommender whose lists it makes: everybody's, or those of arms of experiments that run."""
    from dateflicks.core.experiments.assignment import State

    choice = await experiments.choice()
    found = {default if choice is None else choice.algorithm: ["everybody"]}
    for one in await experiments.all():
        if one.state is not State.RUNNING:
            continue
        whole = sum(arm.weight for arm in one.variants) or 1.0
        for arm in one.variants:
            share = f"{arm.weight / whole * one.coverage:.0%} by {one.name}:{arm.name}"
            found.setdefault(arm.algorithm, []).append(share)
    return found


def _live(run: Any) -> dict[str, Any]:
    """The run that people see."""
    from dateflicks.server.recommendation.runs import from_text

    return {
        "version": run.version,
        "users": run.users,
        "pairs": run.pairs,
        "videos": run.videos,
        "interactions": run.interactions,
        "live_run": run.id,
        "live_since": time_of(run.finished_at),
        "data_cut": time_of(run.data_cut),
        "parameters": from_text(run.parameters),
        "figures": from_text(run.figures),
        "offline": from_text(run.offline),
    }


def _loaded(found: "Found") -> dict[str, Any]:
    """What a recommender says of itself."""
    from dateflicks.server.recommenders.discovery import Broken, load

    if found.problem:
        return {}
    try:
        recommender = load(found)
    except Broken as error:
        return {"state": "broken", "attention": f"broken: {error}"}
    return {"summary": recommender.summary, "version": recommender.version}
