"""Requests that take too long: each side gets its answer, and the connection ends."""

import asyncio

from dateflicks.server.runner import Server
from tests.server.web.example import ExampleService
from tests.server.web.raw import exchange


async def test_a_request_that_does_not_arrive_is_answered_with_408(server: Server) -> None:
    server.app.config.REQUEST_TIMEOUT = 0.2
    answer = await exchange(server, b"GET /address HTTP/1.1\r\nHost: x\r\n")
    assert answer.status == 408
    assert answer.headers["connection"] == "close"
    assert answer.json()["type"] == "urn:dateflicks:problem:timeout"


async def test_a_body_that_does_not_arrive_is_answered_with_503_or_408(server: Server) -> None:
    server.app.config.RESPONSE_TIMEOUT = 0.2
    answer = await exchange(server, b"POST /notes HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
    assert answer.status in (408, 503)
    assert answer.headers["connection"] == "close"


async def test_an_answer_that_takes_too_long_is_a_503(server: Server, service: ExampleService) -> None:
    server.app.config.RESPONSE_TIMEOUT = 0.2
    answer = await exchange(server, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.status == 503
    assert answer.json()["type"] == "urn:dateflicks:problem:unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    again = await exchange(server, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"dateflicks_requests_in_flight 0.0" in again.body


async def test_a_client_that_goes_away_leaves_nothing_behind(server: Server, service: ExampleService) -> None:
    _, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
    await service.entered.wait()
    writer.close()
    async with asyncio.timeout(5):
        while True:
            metrics = await exchange(server, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            if b"dateflicks_requests_in_flight 0.0" in metrics.body:
                break
