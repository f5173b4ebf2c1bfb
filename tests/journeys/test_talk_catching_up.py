"""A long talk and a slow reader: whoever comes back is told all of it, once and in order, and is not cut off."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from tests.journeys.conftest import NAMED
from tests.journeys.deployment import Deployment, running_server
from tests.journeys.people import Crowd, act, invite, ticket_of
from tests.journeys.talk import Talk, feed_path
from tests.journeys.wire import bearer, open_rest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="module")]

LONG = 1_200  # messages, of about 1 KB each: five times what may be unread by a peer
PADDING = "x" * 1_000


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment that lets people say as much as they like."""
    if NAMED:
        pytest.skip("how much a deployment bears that is named from outside is not ours to say")
    folder = tmp_path_factory.mktemp("patient") / "data"
    folder.mkdir()
    free = {"CHAT_PER_SECOND": "10000", "CHAT_BURST": "10000"}
    with running_server(folder, variables={f"DATEFLICKS_MESSAGES_{key}": one for key, one in free.items()}) as server:
        yield Deployment(server.url, is_ours=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def long_talk(patient: Deployment) -> AsyncIterator[Talk]:
    crowd = Crowd(patient)
    host, guest = await crowd.person("host"), await crowd.person("guest")
    async with open_rest(patient) as rest:
        session = await invite(rest, host, guest)
        await act(rest, guest, session, "accept")
        tickets = {person.id: await ticket_of(rest, person, session["id"]) for person in (host, guest)}
        talk = Talk(patient, rest, session["id"], host, guest, tickets)
        for first in range(0, LONG, 50):  # whose order within fifty is anybody's
            await asyncio.gather(*(talk.post(host, f"{number} {PADDING}") for number in range(first, first + 50)))
        yield talk


def narrow_socket(deployment: Deployment) -> socket.socket:
    """A connection that takes in little while nobody reads: the peer notices at once."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    narrow.connect((deployment.host, deployment.port))
    narrow.setblocking(False)
    return narrow


@pytest.mark.long  # in every run the tests of the service do it
async def test_a_slow_reader_is_told_a_long_talk_at_their_own_pace(long_talk: Talk) -> None:
    talk = long_talk
    seqs: list[int] = []
    before = (await talk.page(limit=1))["items"][0]["seq"]
    async with connect(
        talk.deployment.feed_url + feed_path(talk.session_id),
        additional_headers=bearer(talk.tickets[talk.guest.id]),
        sock=narrow_socket(talk.deployment),
        compression=None,
        ping_interval=None,
        proxy=None,
        max_queue=1,
    ) as reader:
        await reader.send(json.dumps({"type": "resume", "after": 0}))
        await asyncio.sleep(3)  # reads nothing for a while
        async with talk.talker(talk.host) as host:
            for number in range(20):  # what is said meanwhile has its turn too
                await host.say(f"live {number}")
            async for text in reader:
                frame = json.loads(text)
                if frame["type"] == "message":
                    seqs.append(frame["message"]["seq"])
                    if len(seqs) % 300 == 0:
                        await asyncio.sleep(0.3)
                if len(seqs) == before + 20:
                    break
    assert seqs == list(range(1, before + 21))


async def test_many_who_come_back_at_once_are_all_told_and_the_talk_goes_on(long_talk: Talk) -> None:
    talk = long_talk
    before = (await talk.page(limit=1))["items"][0]["seq"]
    async with talk.talker(talk.host) as host:

        async def come_back() -> None:
            async with talk.talker(talk.guest, in_order=False) as guest:
                await guest.resume(0)
                await guest.frame("resumed")
                assert guest.reached_from(0) >= before

        coming = [asyncio.create_task(come_back()) for _ in range(4)]
        for number in range(30):
            await host.say(f"live {number}")
        await asyncio.gather(*coming)
    page = await talk.page(after=before)
    assert [one["content"] for one in page["items"]] == [f"live {number}" for number in range(30)]
