"""When the database is away: what is said meanwhile, and that nothing is lost or done twice."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from dateflicks.server.storage import calls
from dateflicks.server.storage.database import Database
from tests.server.services.session.deployment import FILM, PASSWORD, Deployment, answered, deployed, refusal

CALL_SECONDS = 2.0 + 0.5  # the longest that an answer may take, and what a busy machine adds
DEADLINE_SECONDS = 10.0


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path) as deployment:
        yield deployment


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for an answer of the database for long, for a test's sake."""
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.6)


async def until(predicate: Callable[[], Awaitable[bool]]) -> None:
    """Look until it is so."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await predicate():  # noqa: ASYNC110 - the other process tells nobody
            await asyncio.sleep(0.02)


async def until_up(deployment: Deployment) -> None:
    async def is_up() -> bool:
        return deployment.service.database_up() and (await deployment.client.get("/health")).status_code == 200

    await until(is_up)


@contextlib.contextmanager
def before_first_write(database: Database, collection: str, do: Callable[[], None]) -> Iterator[None]:
    """Something happens at the moment when the next write to this collection leaves."""
    fence, started = database.fence, database.fence.started
    is_done = False

    def look(event: Any) -> None:
        nonlocal is_done
        writes = (event.command.get("insert"), event.command.get("update"))
        if not is_done and collection in writes:
            is_done = True
            do()
        started(event)

    fence.started = look  # type: ignore[method-assign]  # the moment between deciding and sending
    try:
        yield
    finally:
        del fence.started
        assert is_done


async def timed(call: Awaitable[httpx2.Response]) -> tuple[httpx2.Response, float]:
    """The answer, and how long it took."""
    now = asyncio.get_running_loop().time
    begun = now()
    response = await call
    return response, now() - begun


async def test_while_the_database_stands_still_everything_is_answered_in_time_with_503(own: Deployment) -> None:
    host, guest = await own.pair()
    session = await host.ask(guest)
    link = await host.link()
    with own.stopped_engine():
        answers = await asyncio.gather(
            timed(host.call("GET", "/sessions")),
            timed(host.call("GET", f"/sessions/{session['id']}")),
            timed(guest.call("POST", f"/sessions/{session['id']}/accept")),
            timed(host.call("POST", "/sessions", {"session": {"video": FILM}, "link": True})),
            timed(host.call("GET", "/history")),
            timed(host.call("DELETE", "/tokens/current")),
            timed(own.client.post("/tokens", json={"name": host.name, "password": PASSWORD})),
            timed(own.client.post("/users", json={"name": "somebody-new", "password": PASSWORD})),
            timed(own.client.post(f"/invitations/{link['invitation']}/redeem")),
        )
        for response, seconds in answers:
            status, detail = refusal(response)
            assert status == 503
            assert "database" in detail.lower()
            assert int(response.headers["Retry-After"]) >= 1
            assert seconds < CALL_SECONDS

        async def is_known() -> bool:
            return (await own.client.get("/health")).status_code == 503

        await until(is_known)
        _, seconds = await timed(host.call("GET", "/sessions"))
        assert seconds < 0.5  # nobody waits for a database that is known to be away
        assert (await own.client.get("/health")).json()["database"] == "down"

    await until_up(own)
    assert (await guest.act(session, "accept"))["rev"] == 2
    assert (await own.client.post("/users", json={"name": "somebody-new", "password": PASSWORD})).status_code == 201


@pytest.mark.usefixtures("hasty")
async def test_a_question_whose_outcome_was_unknown_is_asked_once_and_the_guest_is_told(own: Deployment) -> None:
    host, guest = await own.pair()
    told: list[str] = []
    own.bus.subscribe("session", lambda _, hint: told.append(hint["document"]["_id"]))
    body = {"session": {"guestUserId": guest.id, "video": FILM}}
    pid = own.engine_pid
    try:
        with before_first_write(own.database, "sessions", lambda: os.kill(pid, signal.SIGSTOP)):
            response, seconds = await timed(host.call("POST", "/sessions", body, Idempotency_Key="once"))
    finally:
        os.kill(pid, signal.SIGCONT)
    status, detail = refusal(response)
    assert status == 503
    assert "may or may not" in detail
    assert seconds < CALL_SECONDS
    assert told == []

    async def is_told() -> bool:
        return bool(told)

    await until_up(own)
    await until(is_told)
    again = await host.call("POST", "/sessions", body, Idempotency_Key="once")
    assert again.status_code == 201
    assert set(told) == {answered(again)["id"]}
    for person in (host, guest):
        assert [one["id"] for one in (await person.get("/sessions"))["items"]] == [answered(again)["id"]]


@pytest.mark.usefixtures("hasty")
async def test_an_answer_whose_outcome_was_unknown_is_given_once_and_both_are_told(own: Deployment) -> None:
    host, guest = await own.pair()
    session = await host.ask(guest)
    path = f"/sessions/{session['id']}/accept"
    told: list[str] = []
    own.bus.subscribe("session", lambda _, hint: told.append(hint["document"]["state"]))
    pid = own.engine_pid
    try:
        with before_first_write(own.database, "sessions", lambda: os.kill(pid, signal.SIGSTOP)):
            response = await guest.call("POST", path, Idempotency_Key="yes")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert refusal(response)[0] == 503

    async def is_told() -> bool:
        return bool(told)

    await until_up(own)
    await until(is_told)
    again = await guest.call("POST", path, Idempotency_Key="yes")
    assert again.status_code == 200
    assert answered(again)["rev"] == 2
    assert set(told) == {"accepted"}


@pytest.mark.usefixtures("hasty")
async def test_a_redemption_whose_outcome_was_unknown_makes_one_person(own: Deployment) -> None:
    host = await own.person()
    link = await host.link()
    path = f"/invitations/{link['invitation']}/redeem"
    key = {"Idempotency-Key": "mine"}
    pid = own.engine_pid
    try:
        with before_first_write(own.database, "sessions", lambda: os.kill(pid, signal.SIGSTOP)):
            response = await own.client.post(path, json={"name": "by-link"}, headers=key)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert refusal(response)[0] == 503

    await until_up(own)
    again = await own.client.post(path, json={"name": "by-link"}, headers=key)
    assert again.status_code == 200, again.text
    guest = own.of(again.json())
    assert guest.name == "by-link"
    assert (await host.get(f"/sessions/{link['id']}"))["session"]["guestUserId"] == guest.id
    assert [one["id"] for one in (await guest.get("/sessions"))["items"]] == [link["id"]]


async def test_nothing_that_was_acknowledged_is_lost_when_the_engine_is_killed(own: Deployment) -> None:
    host, guest = await own.pair()
    sessions = [await host.ask(guest) for _ in range(24)]
    first = own.engine_pid
    answered_count = 0

    async def accept(session: dict[str, Any]) -> httpx2.Response:
        nonlocal answered_count
        response = await guest.call("POST", f"/sessions/{session['id']}/accept", Idempotency_Key="yes")
        answered_count += 1
        if answered_count == 6:
            os.kill(first, signal.SIGKILL)
        return response

    responses = await asyncio.gather(*(accept(session) for session in sessions))

    async def is_replaced() -> bool:
        assert own.database.engine is not None
        return own.database.engine.pid not in (None, first)

    await until(is_replaced)
    await until_up(own)
    assert {response.status_code for response in responses} <= {200, 503}
    stored = {one["id"]: one for one in (await host.get("/sessions?limit=200"))["items"]}
    assert set(stored) == {session["id"] for session in sessions}
    for session, response in zip(sessions, responses, strict=True):
        if response.status_code == 200:
            assert stored[session["id"]]["state"] == "accepted"
        again = await guest.call("POST", f"/sessions/{session['id']}/accept", Idempotency_Key="yes")
        assert again.status_code == 200
        assert answered(again)["rev"] == 2
