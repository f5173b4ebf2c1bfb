"""One run of the fuzzer over the operations of one service, as one kind of caller: what was called, what was wrong.

What is sent is the same each time; half of the calls are given a stage's props, the others go as they were made up.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.engine import Status, StopReason, events, from_schema

from tests.fuzz.stage import PROPS, Prop, Stage

CallerKind = Literal["nobody", "user", "ticket"]

SEED: Final = 1_949
EXAMPLES: Final = 4  # of each operation and kind of caller, besides those at the edges of every field
SIGN_OUT: Final = "DELETE /tokens/current"  # never with the run's own token
# A schema cannot say all of what makes a body wrong: 422 is a fair answer to one that fits the schema.
UNFAIR_CHECKS: Final = ("positive_data_acceptance",)


@dataclass
class Report:
    """How often each operation was answered with each status, and all that should not have been."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def never_succeeded(self) -> list[str]:
        """The operations that no call got through to."""
        return [label for label, found in self.statuses.items() if not any(200 <= status < 300 for status in found)]


def fuzz(url: str, service: str, kind: CallerKind, stage: Stage, report: Report, *, at_edges: bool = True) -> None:
    """Call every operation of the service with what fits its documentation and with what does not.

    `at_edges` adds what is at the edges of every field, which is most of it.
    """
    schema = schemathesis.openapi.from_url(f"{url}/docs/openapi.json", config=_config(at_edges=at_edges)).include(
        tag=service
    )
    for found in schema.get_all_operations():
        if isinstance(found, Ok):
            report.statuses.setdefault(found.ok().label, Counter())
        else:
            report.faults.append(f"the documentation is no OpenAPI: {found.err()}")
    bearer = {"nobody": None, "user": stage.caller.token, "ticket": stage.evening.ticket}[kind]
    if bearer is not None:
        _sign_in(schema, bearer)
    with _props(stage, kind, bearer):
        for event in from_schema(schema).execute():
            _take_down(event, report)


def _config(*, at_edges: bool) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "cache": {"enabled": False},
            "continue-on-failure": True,
            "request-timeout": 30.0,
            "generation": {
                "max-examples": EXAMPLES,
                "deterministic": True,
                "database": "none",
                "no-shrink": True,
            },
            "phases": {"stateful": {"enabled": False}, "coverage": {"enabled": at_edges}},
            "checks": {name: {"enabled": False} for name in UNFAIR_CHECKS},
        }
    )


def _sign_in(schema: Any, bearer: str) -> None:
    """Let each call come with this token or ticket, but for those that the fuzzer wants to come without."""

    @schema.auth(refresh_interval=None)
    class Bearer:
        def get(self, case: Any, context: Any) -> str:
            return f"Bearer {bearer}"

        def set(self, case: Any, value: str, context: Any) -> None:
            case.headers = {**(case.headers or {}), "Authorization": value}


@contextmanager
def _props(stage: Stage, kind: CallerKind, bearer: str | None) -> Iterator[None]:
    """Give the calls what they need, in turns: all of it; all but the made-up part of the body; the path; nothing."""
    turns: Counter[str] = Counter()
    unused: dict[str, Prop] = {}  # those of calls that were bound to be refused: good for the next one

    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        label = case.operation.label
        wrong = _wrong_places(case)
        is_shut = kind == "nobody" and all(case.operation.definition.raw["security"] or [{}])
        is_refused = bool(wrong) or is_shut or case.method.upper() != case.operation.method.upper()
        turn = turns[label] % 4
        turns[label] += not is_refused  # or few calls would all be what cannot get through
        if label not in PROPS or (turn == 3 and label != SIGN_OUT):
            return
        prop = unused.pop(label, None) or PROPS[label](stage)
        if is_refused:
            unused[label] = prop
        _dress(case, prop, turn, wrong)
        if bearer is not None and (case.headers or {}).get("Authorization") == f"Bearer {bearer}":
            case.headers["Authorization"] = f"Bearer {_bearer(prop, kind) or bearer}"

    schemathesis.hook(before_call)
    try:
        yield
    finally:
        schemathesis.hooks.unregister(before_call)


def _wrong_places(case: Any) -> set[ParameterLocation]:
    return {place for place in ParameterLocation if case.meta is not None and case.meta.is_negative_at(place)}


def _dress(case: Any, prop: Prop, turn: int, wrong: Collection[ParameterLocation]) -> None:
    """Put the prop into the call, but for what is wrong on purpose."""
    if prop.path and ParameterLocation.PATH not in wrong:
        case.path_parameters = {**(case.path_parameters or {}), **prop.path}
    if prop.query is not None and turn < 2 and ParameterLocation.QUERY not in wrong:
        case.query = {**(case.query or {}), **prop.query} if turn else dict(prop.query)
    if prop.body is not None and turn < 2 and ParameterLocation.BODY not in wrong:
        case.body = _merged(case.body, prop.body) if turn else dict(prop.body)
        case.media_type = "application/json"


def _merged(made_up: Any, real: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(made_up) if isinstance(made_up, dict) else {}
    for name, value in real.items():
        found[name] = _merged(found.get(name), value) if isinstance(value, Mapping) else value
    return found


def _bearer(prop: Prop, kind: CallerKind) -> str | None:
    """Another token than the run's own, where this call needs one."""
    if kind == "ticket" and prop.evening is not None:
        return prop.evening.ticket
    return prop.token if kind == "user" else None


def _take_down(event: events.EngineEvent, report: Report) -> None:
    if isinstance(event, events.ScenarioFinished):
        recorder = event.recorder
        for case_id, node in recorder.cases.items():
            interaction = recorder.interactions.get(case_id)
            if interaction is not None and interaction.response is not None:
                report.statuses[node.value.operation.label][interaction.response.status_code] += 1
        for check in (check for checks in recorder.checks.values() for check in checks):
            if check.status is not Status.SUCCESS:
                info = check.failure_info
                said = "" if info is None else f"{info.failure.title}\n{info.failure.message}\n{info.code_sample}"
                report.faults.append(f"{recorder.label}: {check.name}: {said}")
    elif isinstance(event, events.NonFatalError):
        report.faults.append(f"{event.label}: {event.value!r}")
    elif isinstance(event, events.FatalError):
        report.faults.append(f"{event.exception!r}")
    elif isinstance(event, events.EngineFinished) and event.stop_reason is not StopReason.COMPLETED:
        report.faults.append(f"the run ended early: {event.stop_reason}")
