"""What no other test tries of the list of bad input: floods of acts, addresses that deceive, surroundings that fail.

The lists of frames, handshakes, JSON and text are in `tests/journeys/`, `tests/protocol/` and `tests/server/web/`.
"""

import asyncio
import contextlib
import itertools
import random
import resource
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dateflicks.client.films import address_told, film_of
from dateflicks.core.errors import DateflicksError, RuleError, Unavailable
from dateflicks.protocol import frames
from dateflicks.protocol.bodies import VideoRef
from dateflicks.protocol.text import clean_line, clean_text
from dateflicks.server.bus.redis import RedisBus
from dateflicks.server.runner import running
from dateflicks.server.services.session import records
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.folder import EngineFolder
from tests.authorities import make_pair
from tests.journeys.deployment import Deployment
from tests.journeys.wire import open_feed
from tests.redis_server import redis_server
from tests.server.services.timecode.test_handler import House
from tests.server.web.example import ExampleService
from tests.strangers.scene import Scene
from tests.waiting import until

# --- acts as fast as they come ----------------------------------------------------------------------------------------

SESSION = "ses_" + "a" * 26
FILES_MAX = 5_000  # more than a process of tests may have


def check_sane(told: list[dict[str, Any]]) -> None:
    """Each is newer than the one before, and the film is in the film."""
    revisions = [one["revision"] for one in told if one["type"] == "timecode"]
    assert revisions == sorted(revisions)
    assert all(0 <= one["currentPosition"] <= one["length"] for one in told if one["type"] == "timecode")


async def test_a_storm_of_changes_from_both_ends_where_they_agree_and_stays_in_order() -> None:
    house = House()
    (host, host_ears), (guest, guest_ears) = await house.playing(SESSION)
    for number, status in zip(range(200), itertools.cycle(("pause", "play", "stop", "play")), strict=False):
        house.ask((host, guest)[number % 2], status)
        house.wait(0.01)
    house.wait(61.0)
    for ears in (host_ears, guest_ears):
        check_sane(ears.frames)
        assert ears.code is None
        assert len(ears.frames) < 200 * 4
    assert house.control(SESSION).state.status.pending is None


async def test_a_storm_of_seeks_has_one_that_is_pending_at_a_time_and_leaves_none() -> None:
    house, dice = House(), random.Random(7)
    (host, host_ears), (guest, _) = await house.playing(SESSION)
    for number in range(300):
        to = dice.choice([0.0, 7_200.0, 7_200.001, 1e-9, dice.uniform(0, 7_200)])
        with contextlib.suppress(RuleError):
            house.handler.hear((host, guest)[number % 2], frames.Seek(to=to), house.now)
        house.wait(0.005)
    house.wait(61.0)
    check_sane(host_ears.frames)
    assert host_ears.frames[-1]["pending"] is None
    assert house.knows(SESSION)


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="module")
async def test_a_message_that_is_edited_answered_and_deleted_in_one_moment_is_deleted_for_everybody(
    scene: Scene,
) -> None:
    evening = await scene.run(scene.stage.accepted)
    deployment, path = Deployment(scene.urls["messages"], is_ours=True), f"/messages/{evening.id}/events"
    async with (
        open_feed(deployment, path, evening.ticket) as one,
        open_feed(deployment, path, evening.ticket) as again,
        open_feed(deployment, path, evening.others_ticket) as other,
    ):
        for feed in (one, again, other):
            await feed.send(type="resume", after=0)
            await feed.expect(lambda frame: frame["type"] == "resumed", "what was said")
        await one.send(type="message", clientId="c1", content="to be deleted")
        said = await other.expect(lambda frame: frame["type"] == "message", "the message")
        id_ = said["message"]["id"]

        await asyncio.gather(
            again.send(type="edit", id=id_, content="edited"),
            one.send(type="delete", id=id_),
            other.send(type="message", clientId="c2", content="an answer", replyTo=id_),
            again.send(type="edit", id=id_, content="edited again"),
            other.send(type="delete", id=id_),
        )

        for feed in (one, again, other):
            await feed.expect(lambda frame: frame["type"] == "deleted" and frame["id"] == id_, "its end")
            await feed.expect(lambda frame: frame["type"] == "message" and frame["message"]["seq"] == 2, "the answer")
        refused = await other.expect(lambda frame: frame["type"] == "error", "that it is not theirs")
        assert refused["code"] == "forbidden"
        kept = await scene.run(scene.stage.call, "GET", f"/messages/{evening.id}", evening.others_ticket)
        assert [(item["seq"], item["content"]) for item in kept["items"]] == [(1, ""), (2, "an answer")]
        assert not any(feed.is_closed for feed in (one, again, other))


# --- text and addresses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "\U0001f1eb\U0001f1f7\U0001f1e9\U0001f1ea", "\U0001f1eb" * 33, "\U0001f3f4\u200d\u2620\ufe0f",
        "see https://films.example.org@evil.example/", "p\u0430ypal and paypal", "\u2162 \uff21 \u3042",
    ],
    ids=["flags", "half flags", "a joined flag", "user-info", "homographs", "wide and ambiguous"],
)  # fmt: skip
def test_text_that_only_looks_like_something_else_comes_through_as_it_is(text: str) -> None:
    assert clean_line(text, 400) == text
    assert clean_text(text, 400, lines_max=20) == text


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://films.example.org@evil.example/a.mkv", "evil.example"),
        ("https://films.example.org:443@evil.example:8443/a.mkv", "evil.example"),
        ("https://films.example.org%2F@evil.example/a.mkv", "evil.example"),
        ("https://a@b@evil.example/a.mkv", "evil.example"),
    ],
)
def test_an_address_that_begins_with_another_ones_name_says_where_it_leads(url: str, host: str) -> None:
    told = address_told(film_of(VideoRef(url=url, title="x", length=1.0), []).source)
    assert told == f"{url} (which leads to {host})"


@pytest.mark.parametrize("url", ["https://films.example.org/a@b.mkv", "http://127.0.0.1:8000/a.mkv?x=@y"])
def test_an_address_that_leads_where_it_seems_to_is_told_as_it_is(url: str) -> None:
    assert address_told(url) == url


# --- surroundings -----------------------------------------------------------------------------------------------------


def unused_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def few_files(more: int) -> Any:
    """So many more files than now may be open in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1 + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_server_that_may_open_no_more_files_answers_again_once_it_may(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        running([ExampleService()]) as server,
        httpx2.AsyncClient(base_url=server.url, trust_env=False) as client,
    ):
        assert (await client.get("/health")).status_code == 200
        port = int(server.url.rpartition(":")[2])
        held: list[socket.socket] = []
        with few_files(12):
            with contextlib.suppress(OSError):
                while len(held) < FILES_MAX:
                    held.append(socket.socket())
                    held[-1].setblocking(False)
                    held[-1].connect_ex(("127.0.0.1", port))
                    await asyncio.sleep(0)
            assert 0 < len(held) < FILES_MAX
            for one in held:
                one.close()
        async with asyncio.timeout(30.0), httpx2.AsyncClient(base_url=server.url, trust_env=False) as other:
            assert (await other.get("/health")).status_code == 200
    assert "Traceback" not in "".join(record.message for record in caplog.records)


@pytest.mark.slow
async def test_a_redis_with_a_password_is_up_for_who_has_it_and_away_for_others(tmp_path: Path) -> None:
    from redis.asyncio import Redis

    async with redis_server(tmp_path) as server:
        async with Redis.from_url(server.uri) as admin:
            await admin.config_set("requirepass", "s3cret")
        right, wrong, none = (
            RedisBus(f"{server.uri}{more}", deployment="d") for more in ("?password=s3cret", "?password=guess", "")
        )
        async with right.open(), wrong.open(), none.open():
            await until(lambda: right.is_up)
            async with asyncio.timeout(20.0), Redis.from_url(f"{server.uri}?password=s3cret") as admin:
                while not await admin.acl_log():  # noqa: ASYNC110 - it tells nobody whom it has refused
                    await asyncio.sleep(0.01)
            assert (wrong.is_up, none.is_up) == (False, False)


@pytest.mark.slow
async def test_a_redis_behind_tls_is_up_for_who_trusts_it_and_away_for_who_does_not_or_speaks_plainly(
    tmp_path: Path,
) -> None:
    from redis.asyncio import Redis
    from redis.exceptions import ResponseError

    pair = make_pair(tmp_path)
    async with redis_server(tmp_path) as server:
        async with Redis.from_url(server.uri) as admin:
            port = unused_port()
            files = {"tls-cert-file": str(pair.certificate), "tls-key-file": str(pair.key)}
            words = {**files, "tls-auth-clients": "no", "tls-port": str(port)}
            told: Any = admin  # it has no types
            try:
                await told.execute_command("CONFIG", "SET", *itertools.chain(*words.items()))
            except ResponseError:
                pytest.skip("this Redis has no TLS")
        place = f"127.0.0.1:{port}/0"
        right, wrong, plain = (
            RedisBus(uri, deployment="d")
            for uri in (f"rediss://{place}?ssl_ca_certs={pair.certificate}", f"rediss://{place}", f"redis://{place}")
        )
        async with right.open(), wrong.open(), plain.open():
            await until(lambda: right.is_up)
            assert (wrong.is_up, plain.is_up) == (False, False)


@contextlib.asynccontextmanager
async def speaking(answer: bytes) -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """Something that is no Redis, and how often it was asked."""
    count = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        with contextlib.suppress(OSError):
            await reader.read(1)
            writer.write(answer)
            await writer.drain()
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0", lambda: count


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command 'HELLO'\r\n", b"$99999999999\r\n",
        b"\x15\x03\x01\0\x02", b"",
    ],
    ids=["HTTP", "too old", "a huge answer", "TLS", "nothing"],
)  # fmt: skip
async def test_what_is_no_redis_is_a_bus_that_is_away_and_is_not_asked_without_end(answer: bytes) -> None:
    async with speaking(answer) as (uri, asked):
        bus = RedisBus(uri, deployment="d")
        async with bus.open():
            await until(lambda: asked() >= 2)
            began, before = time.monotonic(), asked()
            bus.publish("session", {"id": "ses_a"})
            await until(lambda: asked() > before or time.monotonic() - began > 1.0)
            assert not bus.is_up
        assert asked() < 200


async def test_a_mongodb_whose_name_is_looked_up_for_ever_is_out_of_reach_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def never(*_: Any, **__: Any) -> Any:
        answered.wait(30.0)
        raise socket.gaierror(socket.EAI_AGAIN, "no answer")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    settings = DatabaseSettings("mongodb://db.example.org/", timeout_seconds=0.5)
    try:
        async with asyncio.timeout(20.0), Database.open(settings, tmp_path, [records.USERS]) as database:
            with pytest.raises(Unavailable):
                await database.table(records.USERS).get("usr_a")
            answered.set()
    finally:
        answered.set()


@pytest.mark.slow
async def test_a_database_file_that_is_none_is_a_fault_in_words_and_nothing_is_written_over(tmp_path: Path) -> None:
    async with Database.open(DatabaseSettings(), tmp_path, [records.USERS]) as database:
        await database.table(records.USERS).insert({"_id": "usr_a", "nameKey": "name:a"})
    (file,) = (path for path in EngineFolder(tmp_path).databases.rglob("SessionDb*") if path.suffix in (".db", ""))
    file.write_bytes(b"no database at all" * 5_000)
    before = file.read_bytes()

    async def use() -> None:
        settings = DatabaseSettings(timeout_seconds=1.0)
        async with asyncio.timeout(25.0), Database.open(settings, tmp_path, [records.USERS]) as database:
            await database.ensure([records.USERS])
            await database.table(records.USERS).get("usr_a")

    with pytest.raises(DateflicksError):
        await use()

    assert file.read_bytes() == before
