"""What is demanded of every source, one function each. Each raises `FallsShort`, an AssertionError, with a sentence."""

from dataclasses import replace
from typing import Final

import msgspec

from dateflicks.server.providers.discovery import problems_of
from dateflicks.server.providers.fetching import FetchedAnswer
from dateflicks.server.providers.redaction import Redactor, secrets_of
from dateflicks.server.providers.source import (
    AuthError,
    QuotaError,
    SchemaError,
    SourceError,
    TransientError,
    VideoSource,
)
from dateflicks.testing.answers import Answers, Fault, answer_of
from dateflicks.testing.demands import demand
from dateflicks.testing.trial import AFTER_STOP_MAX, Trial, try_source

PLACES_TRIED: Final = 5
REQUESTS_SPOILT: Final = 5


async def check_source(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """All of the below. `answers` are to be a whole catalogue: of several pages, if the provider has pages."""
    check_declares_well(source)
    await check_yields_well(source, answers, config)
    await check_keeps_to_hosts(source, answers, config)
    await check_tells_no_secret(source, answers, config)
    await check_stops_when_asked(source, answers, config)
    await check_resumes(source, answers, config)
    await check_bears_faults(source, answers, config)


def check_declares_well(source: VideoSource) -> None:
    """Its name, version, settings, hosts, rate and attribution are what they should be."""
    problems = [*problems_of(source, getattr(source, "name", ""))]
    demand(not problems, f"It declares itself wrongly: {'; '.join(problems)}.")
    demand(bool(source.name), "It has no name.")
    if "needs-key" in source.capabilities:
        demand(_has_secret(source.config), "It needs a key, but none of its settings is declared secret.")


def _has_secret(config: type[msgspec.Struct]) -> bool:
    marked = {field.name: "a-secret" for field in msgspec.structs.fields(config) if isinstance(field.default, str)}
    return any(secrets_of(msgspec.structs.replace(config(), **marked)))


async def _clean(source: VideoSource, answers: Answers, config: msgspec.Struct | None) -> Trial:
    trial = await try_source(source, answers, config=config)
    demand(trial.error is None, f"It fails where nothing is wrong: {trial.error!r}.")
    return trial


async def check_yields_well(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """A full run yields items that may be written, says at its end that it was everything, and yields it again."""
    trial = await _clean(source, answers, config)
    demand(bool(trial.items), "It yields no item.")
    demand(not trial.problems, f"It yields what cannot be written: {'; '.join(trial.problems[:5])}.")
    demand(trial.is_complete, "A full run does not end with Complete(full=True), so that nothing is ever removed.")
    again = await _clean(source, answers, config)
    demand(again.items == trial.items, "A second run on the same answers yields something else.")


async def check_keeps_to_hosts(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """It asks nobody but the hosts that it declares, and addresses from its settings."""
    trial = await _clean(source, answers, config)
    demand(not trial.foreign, f"It asks {', '.join(trial.foreign[:3])}, which it does not declare.")


async def check_tells_no_secret(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """None of the secrets in its settings is in what it yields, keeps or says. Give it a `config` that has some."""
    redactor = Redactor(*secrets_of(source.config() if config is None else config))
    trial = await _clean(source, answers, config)
    told = [repr(item) for item in trial.items] + [repr(place) for place in trial.places] + trial.put_aside
    told += [repr(trial.end), *trial.logged]
    broken = await try_source(source, answers, config=config, faults=dict.fromkeys(range(REQUESTS_SPOILT), _emptied))
    told += [repr(broken.error), *broken.logged, *broken.put_aside]
    for text in told:
        demand(not redactor.holds_secret(text), f"It tells a secret: {redactor(text)[:300]}.")


async def check_stops_when_asked(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """Asked to stop it ends soon, and does not claim to have yielded everything."""
    whole = await _clean(source, answers, config)
    trial = await try_source(source, answers, config=config, stop_after=1)
    demand(trial.error is None, f"It fails when it is asked to stop: {trial.error!r}.")
    demand(trial.after_stop <= AFTER_STOP_MAX, "It goes on when it is asked to stop.")
    demand(trial.names == whole.names or not trial.is_complete, "It was stopped, and says that it was complete.")
    pages = len(whole.places)
    if pages > 1:
        demand(len(trial.asked) < len(whole.asked), "It asks for all pages even when it is asked to stop.")


async def check_resumes(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """From each of its checkpoints on, a later run comes to the same set."""
    whole = await _clean(source, answers, config)
    for count, place in whole.places[:PLACES_TRIED]:
        trial = await try_source(source, answers, config=config, state=place)
        demand(trial.error is None, f"It fails when it goes on from {place!r}: {trial.error!r}.")
        before = {(item.source_id, item.region) for item in whole.items[:count]}
        missing = whole.names - before - trial.names
        demand(not missing, f"Going on from {place!r} it misses {sorted(missing)[:3]}.")
        demand(not trial.names - whole.names, f"Going on from {place!r} it yields what is not there.")
    if whole.end is not None and whole.end.state is not None and "incremental" in source.capabilities:
        trial = await try_source(source, answers, config=config, state=whole.end.state, mode="incremental")
        demand(trial.error is None, f"It fails when it is asked for changes only: {trial.error!r}.")
        demand(not trial.problems, f"Asked for changes it yields what cannot be written: {trial.problems[:5]}.")


async def check_bears_faults(source: VideoSource, answers: Answers, config: msgspec.Struct | None = None) -> None:
    """Whatever becomes of a request, it raises a SourceError or goes on; and what failed is never taken for empty."""
    whole = await _clean(source, answers, config)
    for number in range(min(len(whole.asked), REQUESTS_SPOILT)):
        for name, fault in FAULTS.items():
            trial = await try_source(source, answers, config=config, faults={number: fault})
            case = f"When request {number + 1} of a run {name}"
            error = trial.error
            is_told = error is None or isinstance(error, SourceError | msgspec.ValidationError)
            demand(is_told, f"{case}, it raises {error!r} instead of a SourceError.")
            has_lost = bool(whole.names - trial.names) and not trial.put_aside
            is_silent = trial.is_complete and has_lost and error is None
            demand(not is_silent, f"{case}, it misses titles and says that it was complete: they would be removed.")
            demand(not trial.problems, f"{case}, it yields what cannot be written: {trial.problems[:3]}.")


def _raising(error: SourceError) -> Fault:
    def fault(_: FetchedAnswer) -> FetchedAnswer:
        raise error

    return fault


def _emptied(answer: FetchedAnswer) -> FetchedAnswer:
    return replace(answer, content=b"{}")


def _listed(answer: FetchedAnswer) -> FetchedAnswer:
    return answer_of(answer.where, [None, 1, "one", {}])


def _renamed(answer: FetchedAnswer) -> FetchedAnswer:
    """Every key of the outermost object has another name."""
    try:
        value = answer.json()
    except SchemaError:
        return replace(answer, content=b"")
    if not isinstance(value, dict):
        return _emptied(answer)
    return answer_of(answer.where, {f"new_{key}": item for key, item in value.items()})


def _halved(answer: FetchedAnswer) -> FetchedAnswer:
    return replace(answer, content=answer.content[: len(answer.content) // 2])


FAULTS: Final[dict[str, Fault]] = {
    "has no connection": _raising(TransientError("No connection.")),
    "is one too many": _raising(QuotaError("Too many requests.", 60.0)),
    "is denied": _raising(AuthError("The key is wrong.")),
    "is answered with an empty object": _emptied,
    "is answered with a list of anything": _listed,
    "is answered under other names": _renamed,
    "is answered with half of it": _halved,
}
