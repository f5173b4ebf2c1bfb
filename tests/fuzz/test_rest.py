"""The REST of every service keeps to its documentation, whatever it is called with, by whomever."""

import json
import logging
from collections.abc import Iterator

import httpx2
import pytest

from tests.fuzz.deployment import served
from tests.fuzz.fuzzing import CallerKind, Report, fuzz
from tests.fuzz.stage import Stage

KINDS: dict[str, tuple[CallerKind, ...]] = {
    "system": ("nobody",),
    "session": ("nobody", "user"),
    "timecode": ("nobody", "user", "ticket"),
    "messages": ("nobody", "user", "ticket"),
    "prediction": ("nobody", "user", "ticket"),
}


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("fuzzed")) as found:
        yield found


@pytest.fixture(scope="session")
def stage(url: str) -> Iterator[Stage]:
    stage = Stage(url)
    yield stage
    stage.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("service", KINDS)
def test_a_service_answers_whatever_it_is_called_with_as_documented(
    url: str, stage: Stage, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    report = Report()
    for kind in KINDS[service]:
        fuzz(url, service, kind, stage, report)

    assert not report.faults, "\n\n".join(report.faults[:10])
    assert report.statuses, "the service documents no operation"
    assert not report.never_succeeded(), dict(report.statuses)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_documentation_says_of_every_operation_what_it_does_and_how_it_fails_and_says_it_again(url: str) -> None:
    def read() -> bytes:
        return httpx2.get(f"{url}/docs/openapi.json", trust_env=False).raise_for_status().content

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
