"""The REST of every service keeps to its documentation, whatever it is called with, by whomever."""

import json
from collections.abc import Iterator

import httpx2
import pytest

from tests.fuzz.deployment import served
from tests.fuzz.fuzzing import CallerKind, Report, fuzz
from tests.fuzz.stage import Stage
from tests.journeys.deployment import Server

KINDS: dict[str, tuple[CallerKind, ...]] = {
    "system": ("nobody",),
    "session": ("nobody", "user"),
    "timecode": ("nobody", "user", "ticket"),
    "messages": ("nobody", "user", "ticket"),
    "prediction": ("nobody", "ticket"),
    "videos": ("nobody",),
    "recommendation": ("nobody", "user"),
}
# In every run come those who get furthest, with a few calls each; the fuzzer leaves out their token, too. All the
# others come in long runs, and so does what is at the edges of every field.
FURTHEST: dict[str, tuple[CallerKind, ...]] = {
    service: kinds if service == "session" else kinds[-1:] for service, kinds in KINDS.items()
}
CALLERS = [pytest.param(service, kinds, False, id=service) for service, kinds in FURTHEST.items()] + [
    pytest.param(service, kinds, True, id=f"{service}, all callers, at all edges", marks=pytest.mark.long)
    for service, kinds in KINDS.items()
]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("fuzzed")) as found:
        yield found


@pytest.fixture(scope="session")
def stage(server: Server) -> Iterator[Stage]:
    stage = Stage(server.url)
    yield stage
    stage.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("service", "kinds", "at_edges"), CALLERS)
def test_a_service_answers_whatever_it_is_called_with_as_documented(
    server: Server, stage: Stage, service: str, kinds: tuple[CallerKind, ...], at_edges: bool
) -> None:
    report = Report()
    for kind in kinds:
        fuzz(server.url, service, kind, stage, report, at_edges=at_edges)

    assert not report.faults, "\n\n".join(report.faults[:10])
    assert report.statuses, "the service documents no operation"
    assert not report.never_succeeded(), dict(report.statuses)
    assert not [line for line in server.said if line.startswith("{")], "an error was logged"


def test_the_documentation_says_of_every_operation_what_it_does_and_how_it_fails_and_says_it_again(
    server: Server,
) -> None:
    def read() -> bytes:
        return httpx2.get(f"{server.url}/docs/openapi.json", trust_env=False).raise_for_status().content

    text = read()
    document = json.loads(text)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], f"{method} {path}"
            assert operation["operationId"], f"{method} {path}"
            if operation["tags"] == ["system"]:
                continue
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], f"{method} {path}: {status}"
    assert read() == text
