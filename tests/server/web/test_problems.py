"""Errors: each is a problem document with the right status and headers, and says nothing of our insides."""

import logging
from collections.abc import Mapping

import httpx2
import pytest

from dateflicks.server.web.problems import retry_after
from tests.server.web.example import SECRET, TOKEN


def assert_problem(answer: httpx2.Response, status: int, kind: str) -> Mapping[str, object]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Mapping[str, object] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:dateflicks:problem:{kind}"
    assert problem["title"]
    assert problem["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    return problem


@pytest.mark.parametrize(
    ("name", "status", "kind", "detail"),
    [
        ("malformed", 400, "malformed", "Not so."),
        ("unauthenticated", 401, "unauthenticated", "Who are you?"),
        ("forbidden", 403, "forbidden", "Not yours."),
        ("not-found", 404, "not-found", "No such thing."),
        ("conflict", 409, "gone-already", "It has gone already."),
        ("too-large", 413, "too-large", "Too much."),
        ("invalid", 422, "invalid", "Does not fit."),
        ("too-many", 429, "too-many", "Slowly."),
        ("unavailable", 503, "unavailable", "The database is out of reach."),
    ],
)
async def test_what_the_rules_do_not_allow_has_its_own_status(
    client: httpx2.AsyncClient, name: str, status: int, kind: str, detail: str
) -> None:
    problem = assert_problem(await client.get(f"/failures/{name}"), status, kind)
    assert problem["detail"] == detail


async def test_a_problem_with_a_body_names_the_fields(client: httpx2.AsyncClient) -> None:
    problem = (await client.get("/failures/invalid")).json()
    assert problem["errors"] == [{"field": "session.guestName", "message": "is yourself"}]


async def test_too_many_says_when_to_come_back_in_whole_seconds_rounded_up(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/failures/too-many")).headers["retry-after"] == "2"
    assert [retry_after(seconds) for seconds in (0.0, 0.2, 3.0, 59.1, float("inf"))] == [1, 1, 3, 60, 3600]


async def test_without_a_database_it_says_to_try_again(client: httpx2.AsyncClient) -> None:
    assert int((await client.get("/failures/unavailable")).headers["retry-after"]) >= 1


async def test_a_bug_is_a_500_that_tells_nothing_and_is_logged_with_its_id(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/failures/bug", headers={"X-Request-Id": "try-1"})
    problem = assert_problem(answer, 500, "internal")
    assert "try-1" in str(problem["detail"])
    for word in (SECRET, "RuntimeError", "Traceback", "cannot open", "example.py", "line "):
        assert word not in answer.text
    (record,) = [record for record in caplog.records if record.name == "dateflicks.server.web.problems"]
    assert record.__dict__["request"] == "try-1"
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Bearer {TOKEN} more"},
        {"Authorization": f"Bearer {'x' * 5000}"},
        {"Cookie": f"token={TOKEN}"},
        {"X-Token": TOKEN},
    ],
)
async def test_without_a_good_token_the_answer_is_401_and_names_the_scheme(
    client: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get("/me", headers=headers)
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_in_the_address_is_not_taken(client: httpx2.AsyncClient) -> None:
    assert (await client.get(f"/me?token={TOKEN}&access_token={TOKEN}")).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_good_token_tells_the_handler_who_calls(client: httpx2.AsyncClient, scheme: str) -> None:
    answer = await client.get("/me", headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.json() == {"word": "ada"}


async def test_an_optional_token_may_be_missing_but_not_wrong(client: httpx2.AsyncClient) -> None:
    good = await client.post("/notes", headers={"Authorization": f"Bearer {TOKEN}"})
    assert good.json() == {"word": "ada: none"}
    assert (await client.post("/notes", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_the_body_of_somebody_without_a_token_is_not_looked_at(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/notes", content=b"{", headers={"Authorization": "Bearer wrong"})).status_code == 401


async def test_a_path_that_is_nothing_is_not_found(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/nothing/here?secret=1")
    assert_problem(answer, 404, "not-found")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/things", {"GET", "HEAD", "POST"}),
        ("POST", "/things/1", {"GET", "HEAD", "DELETE"}),
        ("TRACE", "/health", {"GET", "HEAD"}),
        ("OPTIONS", "/health", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_a_path_does_not_know_is_told_which_it_knows(
    client: httpx2.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await client.request(method, path)
    assert_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == allowed


async def test_head_is_answered_as_get_without_a_body(client: httpx2.AsyncClient) -> None:
    answer = await client.head("/health")
    assert answer.status_code == 200
    assert answer.content == b""


async def test_no_answer_lets_other_origins_read_it(client: httpx2.AsyncClient) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    for path in ("/health", "/me", "/nothing", "/docs"):
        answer = await client.get(path, headers=origin)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_an_answer_without_content_is_empty(client: httpx2.AsyncClient) -> None:
    answer = await client.delete("/things/1", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.content) == (204, b"")


async def test_handlers_see_an_idempotency_key_but_never_the_token(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/key", headers={"Idempotency-Key": "k1", "Authorization": f"Bearer {TOKEN}"})
    assert answer.json() == {"word": "k1 None"}


async def test_a_feed_refuses_with_a_problem(client: httpx2.AsyncClient) -> None:
    assert_problem(await client.get("/things/unknown/events"), 404, "not-found")


async def test_a_feed_may_answer_for_itself(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/things/one/events")
    assert (answer.status_code, answer.text) == (426, "one from 127.0.0.1")
