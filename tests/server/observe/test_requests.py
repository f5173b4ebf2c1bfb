"""Request ids, and what is logged of a request on a real server."""

import json
import logging

import httpx2
import pytest

from dateflicks.server.observe.requests import accepted_id
from dateflicks.server.runner import running
from tests.server.web.example import TOKEN, ExampleService


@pytest.mark.parametrize("offered", ["abc", "7f-1.x_Y", "a" * 64])
def test_a_plain_id_is_taken_over(offered: str) -> None:
    assert accepted_id(offered) == offered


@pytest.mark.parametrize("offered", [None, "", "-a", "a" * 65, "a b", "a\nb", "a\x1b[2J", "é", '"', "a/b", "${x}"])
def test_any_other_is_replaced_by_a_new_one(offered: str | None) -> None:
    assert accepted_id(offered).startswith("req_")
    assert accepted_id(offered) != accepted_id(offered)


async def test_every_answer_names_its_request() -> None:
    async with (
        running([ExampleService()]) as server,
        httpx2.AsyncClient(base_url=server.url, verify=False, trust_env=False) as client,
    ):
        for path in ("/health", "/address", "/nothing", "/failures/bug"):
            answer = await client.get(path, headers={"X-Request-Id": "mine-1"})
            assert answer.headers["x-request-id"] == "mine-1"
            first, second = await client.get(path), await client.get(path)
            assert first.headers["x-request-id"] != second.headers["x-request-id"]
        twice = await client.get("/health", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
        assert twice.headers["x-request-id"].startswith("req_")


async def test_a_request_is_logged_by_its_route_and_nothing_that_it_carries(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        running([ExampleService()]) as server,
        httpx2.AsyncClient(base_url=server.url, verify=False, trust_env=False) as client,
    ):
        with caplog.at_level(logging.DEBUG, logger="dateflicks"):
            headers = {"Authorization": f"Bearer {TOKEN}", "User-Agent": "canary", "X-Other": "canary"}
            await client.post("/notes?canary=canary", json={"word": "canary"}, headers=headers)
            await client.get("/things/canary", headers=headers)
            await client.get("/canary", headers=headers)
    lines = [record.__dict__ for record in caplog.records if record.getMessage() == "request"]
    told = [(line["method"], line["route"], line["status"]) for line in lines]
    assert told == [("POST", "/notes", 200), ("GET", "/things/{id}", 200), ("GET", "unmatched", 404)]
    everything = json.dumps(lines, default=repr)
    assert "canary" not in everything
    assert TOKEN not in everything
