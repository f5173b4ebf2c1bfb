"""Queries: lists take a limit and a cursor; what does not fit is named."""

import httpx2
import pytest


async def test_a_list_has_a_default_limit_and_no_cursor(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/things")).json() == {"limit": 50, "cursor": None}


async def test_limit_and_cursor_are_taken_and_unknown_fields_ignored(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/things?limit=200&cursor=a%2Bb%20c&colour=red")
    assert answer.json() == {"limit": 200, "cursor": "a+b c"}


@pytest.mark.parametrize(
    ("query", "where", "why"),
    [
        ("limit=0", "limit", "must be at least 1"),
        ("limit=-1", "limit", "must be at least 1"),
        ("limit=201", "limit", "must be at most 200"),
        ("limit=1000000000", "limit", "must be at most 200"),
        (f"limit={'9' * 4000}", "limit", "must be"),
        ("limit=ten", "limit", "must be a whole number"),
        ("limit=", "limit", "must be a whole number"),
        ("limit=1.5", "limit", "must be a whole number"),
        ("limit=5&limit=6", "limit", "is given more than once"),
        (f"cursor={'x' * 201}", "cursor", "must have at most 200 characters"),
    ],
)
async def test_a_query_that_does_not_fit_says_where(
    client: httpx2.AsyncClient, query: str, where: str, why: str
) -> None:
    answer = await client.get(f"/things?{query}")
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["field"] == where
    assert problem["message"].startswith(why)


@pytest.mark.parametrize("query", ["cursor=%ff%fe", "&".join(f"x{number}=1" for number in range(51))])
async def test_a_query_that_is_no_query_is_malformed(client: httpx2.AsyncClient, query: str) -> None:
    assert (await client.get(f"/things?{query}")).status_code == 400
