"""Film time: predictions lock by it, wait for it, and remember it; a pause moves nothing."""

import pytest

from tests.server.services.prediction.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_prediction_locks_when_the_film_gets_there_by_itself(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ben) as ben:
        shared.film(evening, 99.0)
        made = await shared.predict(evening, evening.ana, locksAtPosition=100)
        await shared.act(evening, evening.ana, made, "call", option="yes", confidence=0.9)
        shared.film(evening, 99.9, rate=1.0)
        locked = await ben.hears("locked")
        assert (locked["status"], locked["calls"][0]["option"]) == ("locked", "yes")
    problem = await shared.act(evening, evening.ben, made, "call", option="no", confidence=0.9, expect=409)
    assert problem["type"].endswith(":is-locked")


async def test_a_pause_locks_nothing(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 99.8, rate=1.0)
    made = await shared.predict(evening, evening.ana, locksAtPosition=100)
    room = shared.service._keeping.rooms.get(evening.id)
    assert room is not None
    assert room.alarm is not None
    planned = room.alarm.when()
    shared.film(evening, 99.9)
    assert room.alarm is None or room.alarm.when() > planned + 60  # nothing comes but that nobody needs the room
    called = await shared.act(evening, evening.ben, made, "call", option="no", confidence=0.9)
    assert called["status"] == "open"


async def test_a_move_beyond_it_locks_and_moving_back_does_not_open_again(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ben) as ben:
        shared.film(evening, 10)
        made = await shared.predict(evening, evening.ana, locksAtPosition=100)
        shared.film(evening, 200)
        await ben.hears("locked")
        shared.film(evening, 10)
        await shared.act(evening, evening.ben, made, "call", option="no", confidence=0.9, expect=409)


async def test_a_call_that_comes_after_the_film_has_passed_is_refused_even_before_the_alarm(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening = shared.evening()
    shared.film(evening, 10)
    made = await shared.predict(evening, evening.ana, locksAtPosition=100)
    monkeypatch.setattr(shared.service._keeping.rooms, "_ring", lambda _room: None)  # it rings, nobody hears
    shared.film(evening, 100)
    problem = await shared.act(evening, evening.ben, made, "call", option="no", confidence=0.9, expect=409)
    assert problem["type"].endswith(":is-locked")
    assert (await shared.document(made))["status"] == "locked"


async def test_a_list_shows_what_the_film_has_passed_as_locked(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 10)
    await shared.predict(evening, evening.ana, locksAtPosition=100)
    shared.film(evening, 150)
    assert [one["status"] for one in await shared.items(evening, evening.ben)] == ["locked"]


async def test_a_hint_without_rate_and_people_counts_for_what_it_says(shared: Deployment) -> None:
    evening = shared.evening()
    shared.bus.publish("playback", {"sessionId": evening.id, "position": 50.0, "length": 100.0})
    made = await shared.predict(evening, evening.ana, locksAtPosition=60)
    assert made["atPosition"] == 50
    shared.bus.publish("playback", {"sessionId": evening.id, "position": 60.0, "length": 100.0})
    assert (await shared.read(evening, evening.ben, made))["status"] == "locked"


@pytest.mark.parametrize(
    "hint",
    [
        {}, {"sessionId": 5, "position": 1}, {"sessionId": "ses_a"}, {"sessionId": "ses_a", "position": "far"},
        {"sessionId": "ses_a", "position": float("nan")}, {"sessionId": "ses_a", "position": -1},
        {"sessionId": "ses_a", "position": True},
    ],
)  # fmt: skip
async def test_a_hint_that_makes_no_sense_is_ignored(shared: Deployment, hint: dict[str, object]) -> None:
    shared.bus.publish("playback", hint)
    assert shared.service._keeping.rooms._films.get("ses_a") is None


async def test_without_a_bus_the_furthest_of_its_people_locks_it(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ana) as ana, shared.seat(evening, evening.ben) as ben:
        await ana.is_at(10)
        made = await shared.predict(evening, evening.ana, locksAtPosition=100)
        assert made["atPosition"] == 10
        await ben.is_at(99)
        await shared.act(evening, evening.ana, made, "call", option="no", confidence=0.9)
        await ben.is_at(99.9, 1.0)
        await ana.hears("locked")


async def test_a_lock_that_lies_behind_the_film_is_refused(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 100)
    problem = await shared.predict(evening, evening.ana, locksAtPosition=100, expect=422)
    assert problem["errors"][0]["field"] == "prediction.locksAtPosition"
    assert (await shared.predict(evening, evening.ana, locksAtPosition=101))["status"] == "open"


async def test_beyond_the_end_of_the_film_it_locks_at_the_end(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 10, length=90)
    made = await shared.predict(evening, evening.ana, locksAtPosition=100)
    shared.film(evening, 90, length=90)
    assert (await shared.read(evening, evening.ben, made))["status"] == "locked"


async def test_where_it_was_made_is_as_its_author_says_else_as_their_player_is_else_as_the_film_is(
    shared: Deployment,
) -> None:
    evening = shared.evening()
    assert (await shared.predict(evening, evening.ana))["atPosition"] is None
    shared.film(evening, 30)
    assert (await shared.predict(evening, evening.ana))["atPosition"] == 30
    shared.film(evening, 30, people={evening.ana.id: 31.5, evening.ben.id: 28})
    assert (await shared.predict(evening, evening.ana))["atPosition"] == 31.5
    async with shared.seat(evening, evening.ana) as ana:
        await ana.is_at(32)
        assert (await shared.predict(evening, evening.ana))["atPosition"] == 32
        assert (await shared.predict(evening, evening.ana, atPosition=5))["atPosition"] == 5


async def test_whose_film_is_not_there_yet_is_told_only_that_it_waits_until_it_is(shared: Deployment) -> None:
    evening = shared.evening()
    async with shared.seat(evening, evening.ana) as ana, shared.seat(evening, evening.ben) as ben:
        await ben.is_at(40)
        made = await shared.predict(evening, evening.ana, "the butler", options=["a", "b"], atPosition=50)
        await shared.act(evening, evening.ana, made, "call", option="a", confidence=0.9)
        veiled = await ben.hears("called")
        assert veiled == made | {"details": "", "options": [], "calls": [], "waits": True, "revision": 2}
        assert not (await ana.hears("called"))["waits"]
        assert (await shared.items(evening, evening.ben))[0] == veiled
        for verb, body in (("call", {"option": "a", "confidence": 0.9}), ("lock", {}), ("void", {})):
            problem = await shared.act(evening, evening.ben, made, verb, expect=409, **body)
            assert problem["type"].endswith(":waits")
            assert "butler" not in str(problem)
        await ben.is_at(48.9)
        assert "shown" not in ben.reasons
        await ben.is_at(48.95, 1.0)  # a second before it is early enough
        shown = await ben.hears("shown")
        assert (shown["details"], shown["waits"], len(shown["calls"])) == ("the butler", False, 1)
        assert "butler" not in str([frame for frame in ben.told if frame["reason"] != "shown"])
        await ben.is_at(10)
        assert not (await shared.items(evening, evening.ben))[0]["waits"]  # who has seen it has seen it


async def test_the_bus_tells_whose_film_is_behind(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 50, people={evening.ana.id: 52.0, evening.ben.id: 48.0})
    made = await shared.predict(evening, evening.ana)
    assert (await shared.read(evening, evening.ben, made))["waits"]
    async with shared.seat(evening, evening.ben) as ben:
        assert (await ben.hears("present"))["waits"]
        shared.film(evening, 51, people={evening.ana.id: 52.0, evening.ben.id: 51.5})
        assert not (await ben.hears("shown"))["waits"]


async def test_a_new_one_that_waits_is_told_as_waiting_and_nothing_else(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 10)
    async with shared.seat(evening, evening.ben) as ben:
        await shared.predict(evening, evening.ana, "a spoiler", atPosition=60)
        made = await ben.hears("made")
        assert made["waits"]
        assert "spoiler" not in json_of(ben.feed.frames)
        shared.film(evening, 58.95, rate=1.0)
        assert (await ben.hears("shown"))["details"] == "a spoiler"


async def test_how_much_of_the_film_was_still_to_come_is_kept_with_the_call(shared: Deployment) -> None:
    evening = shared.evening()
    shared.film(evening, 25, length=100)
    made = await shared.predict(evening, evening.ana)
    called = await shared.act(evening, evening.ana, made, "call", option="yes", confidence=1)
    assert called["calls"][0]["atPosition"] == 25
    # What a client says of the past gains nothing: the film is where it is.
    await shared.act(evening, evening.ben, made, "call", option="yes", confidence=1, atPosition=0)
    shared.film(evening, 90, length=100)
    await shared.act(evening, evening.ana, made, "lock")
    await shared.act(evening, evening.ana, made, "propose", outcome="yes")
    settled = await shared.act(evening, evening.ben, made, "confirm")
    assert [call["points"] for call in settled["calls"]] == [175, 175]


def json_of(frames: object) -> str:
    return str(frames)
