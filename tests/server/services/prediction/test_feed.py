"""The feed: who is let in, what is told on connecting and of each change, and what is refused."""

import json

import pytest

from tests.journeys.wire import open_feed, refusal
from tests.server.services.prediction.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_whoever_connects_is_told_everything_what_is_live_first_and_the_newest_first_of_each(
    shared: Deployment,
) -> None:
    evening = shared.evening()
    first, second, third, fourth = [await shared.predict(evening, evening.ana, f"number {one}") for one in range(4)]
    await shared.act(evening, evening.ana, fourth, "void")
    await shared.act(evening, evening.ana, second, "void")
    async with shared.seat(evening, evening.ben) as ben:
        await ben.settled()
        assert [frame["prediction"]["id"] for frame in ben.told] == [
            one["id"] for one in (third, first, fourth, second)
        ]
        assert set(ben.reasons) == {"present"}
        assert [frame["prediction"] for frame in ben.told if frame["prediction"]["id"] == first["id"]] == [first]


@pytest.mark.slow
async def test_what_is_told_on_connecting_is_bounded(shared: Deployment) -> None:
    evening = shared.evening()
    options = [f"{number} " + "ж" * 70 for number in range(6)]
    for number in range(80):
        await shared.predict(evening, evening.ana, f"{number} " + "ж" * 490, options=options)
    async with shared.seat(evening, evening.ben) as ben:
        await ben.settled()
        assert 20 < len(ben.told) < 80
        assert sum(len(json.dumps(frame, ensure_ascii=False).encode()) for frame in ben.told) < 160 * 1024
    assert len(await shared.items(evening, evening.ben)) == 80


async def test_the_largest_prediction_fits_into_a_frame(shared: Deployment) -> None:
    evening = shared.evening()
    options = [f"{number}" + "\U0001f3ac" * 79 for number in range(6)]
    async with shared.seat(evening, evening.ben) as ben:
        made = await shared.predict(evening, evening.ana, "\U0001f3ac" * 500, options=options)
        for number in range(8):
            person = evening.person("n" * 32)
            await shared.act(evening, person, made, "call", option=options[number % 6], confidence=0.9)
        await shared.act(evening, evening.ana, made, "lock")
        locked = await ben.hears("locked")  # the feed of the journeys refuses a frame of more than 16 KiB
        assert len(locked["calls"]) == 8


async def test_each_change_is_told_to_all_connections_in_order(shared: Deployment) -> None:
    evening = shared.evening()
    async with (
        shared.seat(evening, evening.ana) as ana,
        shared.seat(evening, evening.ben) as ben,
        shared.seat(evening, evening.ben) as again,
    ):
        made = await shared.predict(evening, evening.ana)
        await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.7)
        await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.9)
        await shared.act(evening, evening.ben, made, "lock")
        await shared.act(evening, evening.ben, made, "propose", outcome="no")
        await shared.act(evening, evening.ana, made, "confirm")
        for seat in (ana, ben, again):
            await seat.hears("settled")
            assert seat.reasons == ["made", "called", "called", "locked", "proposed", "settled"]
            assert [frame["prediction"]["revision"] for frame in seat.told] == [1, 2, 3, 4, 5, 6]


async def test_what_changes_nothing_is_not_told(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ben) as ben:
        made = await shared.predict(evening, evening.ana, clientId="one")
        again = await shared.predict(evening, evening.ana, clientId="one")
        assert again == made
        for _ in range(2):
            await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.7)
        await shared.act(evening, evening.ben, made, "lock")
        await shared.act(evening, evening.ana, made, "lock")
        await shared.act(evening, evening.ben, made, "confirm", expect=409)
        await ben.hears("locked")
        await ben.settled()
        assert ben.reasons == ["made", "called", "locked"]


async def test_nobody_is_let_in_without_a_place(shared: Deployment) -> None:
    evening, other = shared.evening(), shared.evening()
    path = f"{evening.path}/events"
    assert await refusal(shared.address, path, None) == 401
    assert await refusal(shared.address, path, "nonsense") == 401
    assert await refusal(shared.address, path, evening.person("eve", lifetime_seconds=-1.0).ticket) == 401
    assert await refusal(shared.address, path, other.ana.ticket) == 403
    assert await refusal(shared.address, path, evening.token(other.ana)) == 403


@pytest.mark.slow
async def test_a_connection_ends_with_its_ticket(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.person("eve", lifetime_seconds=2.0)) as eve:
        assert await eve.feed.expect_closed() == 4401


async def test_a_user_token_in_a_subprotocol_is_enough_for_who_has_shown_their_ticket(shared: Deployment) -> None:
    evening = shared.evening()
    await shared.predict(evening, evening.ana)
    path, token = f"{evening.path}/events", evening.token(evening.ana)
    async with open_feed(shared.address, path, token, by_subprotocol=True) as feed:
        assert feed.socket.subprotocol == "dateflicks.v1"
        await feed.expect(lambda frame: frame["type"] == "prediction", "present")


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "position"},
        {"type": "position", "position": -1},
        {"type": "position", "position": 172_801},
        {"type": "position", "position": 1, "rate": 5},
        {"type": "call", "option": "yes"},
        {"type": "prediction"},
        {},
    ],
)
async def test_a_client_says_where_its_player_is_and_nothing_else(shared: Deployment, frame: dict[str, object]) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ana) as ana:
        await ana.feed.send(**frame)
        await ana.feed.expect(lambda one: one["type"] == "error", "error")
        await ana.is_at(1.0)


async def test_what_is_no_frame_ends_the_connection_after_saying_why(shared: Deployment) -> None:
    async with shared.seat(evening := shared.evening(), evening.ana) as ana:
        await ana.feed.send_text('{"type":')
        assert await ana.feed.expect_closed() == 4400
        assert ana.feed.frames[-1]["code"] == "malformed"


async def test_sessions_know_nothing_of_one_another(shared: Deployment) -> None:
    one, other = shared.evening(), shared.evening()
    async with shared.seat(one, one.ana) as ana, shared.seat(other, other.ana) as stranger:
        await shared.predict(one, one.ben)
        await ana.hears("made")
        await stranger.settled()
        assert stranger.told == []
