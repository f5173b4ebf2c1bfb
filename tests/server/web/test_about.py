"""What every app says of itself: health, services, metrics."""

import httpx2
import pytest

from dateflicks import __version__
from dateflicks.server.runner import Server, running
from dateflicks.server.web.app import build_app, state_of
from dateflicks.server.web.route import Call, Route
from dateflicks.server.web.state import WebSettings
from tests.server.web.example import ExampleService, Note


def client_of(server: Server) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=server.url, verify=False, trust_env=False)


async def test_a_service_that_works_is_healthy(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "service": "example", "database": "ok"}


async def test_a_service_without_its_database_is_degraded(client: httpx2.AsyncClient, service: ExampleService) -> None:
    service.is_up = False
    answer = await client.get("/health")
    assert answer.status_code == 503
    assert answer.json() == {"status": "degraded", "service": "example", "database": "down"}
    assert int(answer.headers["retry-after"]) >= 1
    assert 'dateflicks_database_up{service="example"} 0.0' in (await client.get("/metrics")).text
    service.is_up = True
    assert (await client.get("/health")).status_code == 200
    assert 'dateflicks_database_up{service="example"} 1.0' in (await client.get("/metrics")).text


async def test_a_service_that_stops_says_so_and_takes_no_more_calls(client: httpx2.AsyncClient, server: Server) -> None:
    state_of(server.app).is_stopping = True
    health = await client.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "stopping")
    for path in ("/address", "/things/1/events"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:dateflicks:problem:stopping")
        assert int(answer.headers["retry-after"]) >= 1


async def test_several_services_behind_one_port_are_one_app() -> None:
    one, two = ExampleService("session"), ExampleService("timecode", "/other")
    elsewhere = {"messages": "https://messages.example/"}
    async with (
        running([one, two], settings=WebSettings(services=elsewhere)) as server,
        client_of(server) as client,
    ):
        assert (await client.get("/things/1")).json() == (await client.get("/other/things/1")).json()
        assert (await client.get("/services")).json()["services"] == {
            "session": server.url,
            "timecode": server.url,
            "messages": "https://messages.example",
        }
        assert (await client.get("/health")).json()["service"] == "all"
        two.is_up = False
        health = await client.get("/health")
        assert health.status_code == 503
        assert health.json() == {
            "status": "degraded",
            "service": "all",
            "database": "down",
            "services": {
                "session": {"status": "ok", "database": "ok"},
                "timecode": {"status": "degraded", "database": "down"},
            },
        }


async def test_two_apps_in_one_process_do_not_mix() -> None:
    async with (
        running([ExampleService()]) as one,
        running([ExampleService()]) as two,
        client_of(one) as first,
        client_of(two) as second,
    ):
        for _ in range(3):
            await first.get("/address")
        counted = 'dateflicks_requests_total{method="GET",route="/address",status="200"}'
        assert f"{counted} 3.0" in (await first.get("/metrics")).text
        assert counted not in (await second.get("/metrics")).text


async def test_metrics_count_by_declared_route_and_never_by_what_was_asked(client: httpx2.AsyncClient) -> None:
    await client.get("/things/canary-one")
    await client.get("/canary-two?canary-three")
    await client.request("CANARY", "/address")
    await client.get("/failures/bug")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "canary" not in answer.text.lower()
    for line in (
        'dateflicks_requests_total{method="GET",route="/things/{id}",status="200"} 1.0',
        'dateflicks_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'dateflicks_requests_total{method="other",route="unmatched",status="405"} 1.0',
        'dateflicks_requests_total{method="GET",route="/failures/{kind}",status="500"} 1.0',
        'dateflicks_request_seconds_count{method="GET",route="/things/{id}"} 1.0',
    ):
        assert line in answer.text
    for name in ("dateflicks_loop_lag_seconds", "dateflicks_requests_in_flight", "process_resident_memory_bytes"):
        assert name in answer.text


async def test_two_services_with_the_same_call_are_refused_when_the_app_is_built() -> None:
    with pytest.raises(ValueError, match=r"/things.* is declared twice"):
        build_app([ExampleService("a"), ExampleService("b")])


async def test_an_app_without_services_is_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        build_app([])


async def _nothing(call: Call) -> Note | None:
    return None


@pytest.mark.parametrize(
    ("declare", "why"),
    [
        (lambda: Route("GET", "things", _nothing, "", answer=Note), "no path"),
        (lambda: Route("GET", "/things/<id>", _nothing, "", answer=Note), "no path"),
        (lambda: Route("GET", "/things", _nothing, "", body=Note, answer=Note), "cannot have a body"),
        (lambda: Route("GET", "/things", _nothing, ""), "204"),
        (lambda: Route("GET", "/things", _nothing, "", answer=Note, status=204), "204"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(declare: object, why: str) -> None:
    assert callable(declare)
    with pytest.raises(ValueError, match=why):
        declare()


async def test_alive_is_told_by_the_lag_of_the_event_loop(client: httpx2.AsyncClient, server: Server) -> None:
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    state_of(server.app).metrics.lag = 1.5
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (503, {"status": "stuck", "lag": 1.5})


async def test_ready_is_who_has_a_database_and_does_not_stop(
    client: httpx2.AsyncClient, server: Server, service: ExampleService
) -> None:
    assert (await client.get("/readyz")).json() == {"status": "ready", "database": "ok", "bus": "up"}
    state_of(server.app).metrics.is_bus_up = lambda: False
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["bus"]) == (200, "away")
    service.is_up = False
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["database"]) == (503, "not-ready", "down")
    assert int(answer.headers["retry-after"]) >= 1
    assert (await client.get("/livez")).status_code == 200
    service.is_up = True
    state_of(server.app).is_stopping = True
    assert (await client.get("/readyz")).json()["status"] == "stopping"
    assert (await client.get("/livez")).status_code == 200


async def test_which_version_runs_and_how_many_tasks_is_in_the_metrics(client: httpx2.AsyncClient) -> None:
    text = (await client.get("/metrics")).text
    assert f'dateflicks_build_info{{version="{__version__}"}} 1.0' in text
    assert "dateflicks_tasks " in text
    assert "_created" not in text
