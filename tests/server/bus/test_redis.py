"""Hints between processes, through a real Redis that is also killed and frozen."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dateflicks.server.bus import redis as redis_module
from dateflicks.server.bus.redis import BusAddressWrong, RedisBus, client_of
from tests.redis_server import RedisServer, redis_server
from tests.server.bus.test_local import Ear
from tests.waiting import until


@contextlib.asynccontextmanager
async def buses(server: RedisServer, count: int = 2, deployment: str = "test") -> AsyncIterator[list[RedisBus]]:
    """So many processes' buses in one loop, all of which know of all."""
    async with contextlib.AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(RedisBus(server.uri, deployment=deployment).open()) for _ in range(count)
        ]
        await until(lambda: all(len(bus.workers) == count and bus.is_up for bus in made))
        yield made


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with redis_server(tmp_path) as server:
        yield server


async def test_all_hear_what_is_published_once_each_and_in_order(server: RedisServer) -> None:
    async with buses(server, 3) as made:
        ears = [Ear() for _ in made]
        for bus, ear in zip(made, ears, strict=True):
            bus.subscribe("session", ear)
        for number in range(500):
            made[0].publish("session", {"number": number})
        assert [body["number"] for _, body in ears[0].heard] == list(range(500)), "here it is heard at once"
        await until(lambda: all(len(ear.heard) >= 500 for ear in ears))
        assert all([body["number"] for _, body in ear.heard] == list(range(500)) for ear in ears)


async def test_what_is_sent_to_one_is_heard_by_that_one_alone(server: RedisServer) -> None:
    async with buses(server, 3) as made:
        ears = [Ear() for _ in made]
        for bus, ear in zip(made, ears, strict=True):
            bus.subscribe("report", ear)
        made[0].send(made[1].worker_id, "report", {"position": 1.5})
        made[0].publish("report", {"last": True})
        await until(lambda: all(ear.heard and ear.heard[-1][1] == {"last": True} for ear in ears))
        assert [len(ear.heard) for ear in ears] == [1, 2, 1]


async def test_deployments_that_share_a_redis_hear_nothing_of_each_other(server: RedisServer) -> None:
    async with buses(server, 1, "one") as ours, buses(server, 1, "two") as theirs:
        ear = Ear()
        theirs[0].subscribe("session", ear)
        ours[0].publish("session", {"id": "ses_a"})
        theirs[0].publish("session", {"id": "ses_b"})
        await until(lambda: ours[0].sent > 1)
        assert [body["id"] for _, body in ear.heard] == ["ses_b"]
        assert len(ours[0].workers) == len(theirs[0].workers) == 1


async def test_whoever_says_goodbye_is_known_to_be_gone_at_once(server: RedisServer) -> None:
    gone: list[str] = []
    async with buses(server, 1) as (stays,):
        stays.on_gone(gone.append)
        leaves = RedisBus(server.uri, deployment="test")
        async with leaves.open():
            await until(lambda: stays.is_there(leaves.worker_id))
        await until(lambda: gone == [leaves.worker_id])
        assert not stays.is_there(leaves.worker_id)
        assert stays.is_there(stays.worker_id)


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_a_bus_that_was_away_is_noticed_and_everybody_looks_at_what_they_missed(
    server: RedisServer, how: str
) -> None:
    returned: list[str] = []
    async with buses(server) as (one, two):
        gone: list[str] = []
        one.on_gone(gone.append)
        one.on_return(lambda: returned.append("one"))
        two.on_return(lambda: returned.append("two"))
        ear, own = Ear(), Ear()
        two.subscribe("session", ear)
        one.subscribe("session", own)
        if how == "killed":
            await server.kill()
        else:
            server.freeze()
        await until(lambda: not one.is_up and not two.is_up)
        one.publish("session", {"id": "ses_lost"})
        assert own.heard[-1][1] == {"id": "ses_lost"}, "within the process nothing is lost"
        assert one.is_there(two.worker_id), "who cannot be heard is not taken to be gone while nobody can"
        if how == "killed":
            await server.start()
        else:
            server.thaw()
        await until(lambda: one.is_up and two.is_up and set(returned) == {"one", "two"})
        one.publish("session", {"id": "ses_new"})
        await until(lambda: any(body == {"id": "ses_new"} for _, body in ear.heard))
        assert gone == []


async def test_a_redis_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    bus = RedisBus(server.uri)
    async with bus.open():
        ear = Ear()
        bus.subscribe("session", ear)
        bus.publish("session", {"id": "ses_a"})
        assert len(ear.heard) == 1
        assert not bus.is_up
        async with redis_server(tmp_path):
            await until(lambda: bus.is_up)


async def test_what_makes_no_sense_is_passed_over(server: RedisServer) -> None:
    from redis.asyncio import Redis

    async with buses(server, 1) as (bus,), Redis.from_url(server.uri) as stranger:
        ear = Ear()
        bus.subscribe("session", ear)
        deep = b'["wrk_x","session",' + b"[" * 50_000 + b"]" * 50_001
        for nonsense in (
            b"", b"{}", b"[1]", b'["wrk_x","session","text"]', b'["wrk_x","session",[1]]', b"\xff", b'["\xff","x",{}]',
            b'["wrk_x","session",{"id":"\xff"}]', deep,
        ):  # fmt: skip
            await stranger.publish("test:all", nonsense)
        bus.publish("session", {"odd": float("nan"), "what": object()})
        await stranger.publish("test:all", b'["wrk_x","session",{"id":"ses_a"}]')
        await until(lambda: len(ear.heard) >= 2)
        assert ear.heard[-1] == ("session", {"id": "ses_a"})
        assert bus.is_up


async def test_what_nobody_foresaw_makes_no_bus_deaf_or_dumb(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with buses(server, 2) as (one, other):
        receives, flushes = other._receive, one._flush

        def fails(_: object) -> None:
            monkeypatch.setattr(other, "_receive", receives)
            raise RuntimeError("nobody foresaw this in hearing")

        async def fails_too(_: object) -> None:
            monkeypatch.setattr(one, "_flush", flushes)
            raise RuntimeError("nobody foresaw this in saying")

        monkeypatch.setattr(other, "_receive", fails)
        monkeypatch.setattr(one, "_flush", fails_too)
        await until(lambda: sum("nobody has foreseen" in text for text in caplog.messages) == 2)
        ear = Ear()
        other.subscribe("session", ear)
        await until(lambda: one.is_up and other.is_up)

        def heard() -> bool:
            one.publish("session", {"id": "ses_a"})
            return bool(ear.heard)

        await until(heard)


@pytest.mark.parametrize("uri", ["", "local", "http://localhost", "redis://localhost:none", "mongodb://x"])
def test_an_address_that_is_none_is_told_as_that(uri: str) -> None:
    with pytest.raises(BusAddressWrong, match="redis://"):
        RedisBus(uri)


async def test_whoever_is_new_knows_of_all_others_before_their_next_beat(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with buses(server, 2) as made:
        monkeypatch.setattr(redis_module, "BEAT_SECONDS", 600.0)
        await until(lambda: not any(bus._waiting for bus in made))
        async with RedisBus(server.uri, deployment="test").open() as late:
            await until(lambda: late.workers == sorted([late.worker_id, *(bus.worker_id for bus in made)]))


async def test_while_the_bus_is_away_a_stranger_may_be_there_and_one_that_said_goodbye_is_not(
    server: RedisServer,
) -> None:
    gone: list[str] = []
    async with buses(server, 1) as (bus,):
        bus.on_gone(gone.append)
        bus.tell_gone("wrk_left")
        assert not bus.is_there("wrk_stranger")
        await server.kill()
        await until(lambda: not bus.is_up)
        assert bus.is_there("wrk_stranger")
        assert not bus.is_there("wrk_left")
        await server.start()
        await until(lambda: gone == ["wrk_stranger"])
        assert not bus.is_there("wrk_stranger")


async def test_however_short_the_bus_was_away_everybody_looks_at_what_they_may_have_missed(server: RedisServer) -> None:
    returned: list[str] = []
    async with buses(server) as (one, two):
        one.on_return(lambda: returned.append("one"))
        two.on_return(lambda: returned.append("two"))
        await server.kill()
        await server.start()
        await until(lambda: set(returned) == {"one", "two"})


async def test_when_one_hears_again_the_others_look_too_for_it_has_missed_what_they_said(server: RedisServer) -> None:
    returned: list[str] = []
    async with buses(server) as (one, two):
        one.on_return(lambda: returned.append("one"))
        two.on_return(lambda: returned.append("two"))
        redis = client_of(server.uri)
        try:  # Redis drops who is too far behind; the first that it names is one of the two
            found = await redis.client_list(_type="pubsub")
            await redis.client_kill_filter(_id=found[0]["id"])
        finally:
            await redis.aclose()
        await until(lambda: set(returned) == {"one", "two"})
