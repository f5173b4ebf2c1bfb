"""A deployment for all journeys of a run, people for it, and a room of two for each test that watches a film."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment, running_server
from tests.journeys.people import Crowd, Person, act, invite, ticket_of, walk_in
from tests.journeys.room import Room, make_timecode, seats
from tests.journeys.talk import Talk
from tests.journeys.wire import Json, Rest, open_rest
from tests.redis_server import running_redis

# Read before any fixture tidies the environment.
NAMED = os.environ.get("DATEFLICKS_CONFORMANCE_URL", "").rstrip("/")

OpenRoom = Callable[..., AbstractAsyncContextManager[Room]]


@pytest.fixture(scope="session", params=["one process", pytest.param("three workers", marks=pytest.mark.long)])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """The deployment named in DATEFLICKS_CONFORMANCE_URL, or one of our own with short deadlines, in both set-ups."""
    if NAMED:
        if request.param != "one process":
            pytest.skip("a deployment that is named from outside is tested as it is")
        yield Deployment(NAMED, is_ours=False)
        return
    folder = tmp_path_factory.mktemp("deployment") / "data"
    folder.mkdir()
    flags, variables = ["--confirm-seconds", "3", "--wait-seconds", "4"], {}
    with contextlib.ExitStack() as stack:
        if request.param == "three workers":
            variables["DATEFLICKS_ALL_BUS_URI"] = stack.enter_context(running_redis(folder.parent))
            flags += ["--workers", "3"]
        server = stack.enter_context(running_server(folder, *flags, variables=variables))
        yield Deployment(server.url, is_ours=True)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A data folder for a server that a test starts, breaks and starts again."""
    if NAMED:
        pytest.skip("a deployment that is named from outside is not ours to break")
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def crowd(deployment: Deployment) -> Crowd:
    return Crowd(deployment)


@pytest.fixture
async def host(crowd: Crowd) -> Person:
    return await crowd.person("host")


@pytest.fixture
async def guest(crowd: Crowd) -> Person:
    return await crowd.person("guest")


@pytest.fixture
async def third(crowd: Crowd) -> Person:
    """Somebody with an account who belongs to none of the sessions of the others."""
    return await crowd.person("third")


@pytest.fixture
async def rest(deployment: Deployment) -> AsyncIterator[Rest]:
    async with open_rest(deployment, deployment.fresh_address()) as opened:
        yield opened


@pytest.fixture
async def accepted(rest: Rest, host: Person, guest: Person) -> AsyncIterator[tuple[Json, dict[str, str]]]:
    """A session both belong to, with the ticket of each; ended after the test."""
    session = await invite(rest, host, guest)
    await act(rest, guest, session, "accept")
    yield session, {person.id: await ticket_of(rest, person, session["id"]) for person in (host, guest)}
    await rest.call("POST", f"/sessions/{session['id']}/end", token=host.token, expect=(200, 204, 409))


@pytest.fixture
def open_room(
    deployment: Deployment, rest: Rest, host: Person, guest: Person, accepted: tuple[Json, dict[str, str]]
) -> OpenRoom:
    """Make the film's timecode and seat both; for films of a length of their own."""

    @asynccontextmanager
    async def opened(length: float = 600.0) -> AsyncIterator[Room]:
        session, tickets = accepted
        await make_timecode(rest, session, tickets[host.id], length)
        async with seats(deployment, host, guest, session, tickets) as (one, other):
            yield Room(deployment, rest, session, one, other, tickets)

    return opened


@pytest.fixture
async def room(open_room: OpenRoom) -> AsyncIterator[Room]:
    async with open_room() as opened:
        yield opened


@pytest.fixture
async def talk(deployment: Deployment, rest: Rest, crowd: Crowd) -> Talk:
    """An accepted session of two whom nobody has met: what each may still say is all theirs."""
    host, _ = await walk_in(deployment, rest, await crowd.person("matchmaker"), "talks")
    guest, session_id = await walk_in(deployment, rest, host, "answers")
    tickets = {person.id: await ticket_of(rest, person, session_id) for person in (host, guest)}
    return Talk(deployment, rest, session_id, host, guest, tickets)
