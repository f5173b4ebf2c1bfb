"""What people do to the film, told among what they say: each once, in the one order, where in the film it was."""

import asyncio

import pytest

from tests.journeys.people import Person
from tests.journeys.room import Room, position_at, take_seat
from tests.journeys.talk import Talk, Talker
from tests.journeys.wire import WITHIN, Json


@pytest.fixture
async def talk_of(room: Room, host: Person, guest: Person) -> Talk:
    """The talk of two who watch a film in step; it has been told that both came."""
    talk = Talk(room.deployment, room.rest, room.id, host, guest, room.tickets)
    async with asyncio.timeout(WITHIN):
        while len(lines := await talk.history()) < 2:  # noqa: ASYNC110 - pages tell nobody that there is more
            await asyncio.sleep(0.05)
    assert sorted((line["event"], line["author"]) for line in lines) == sorted(
        ("joined", one.id) for one in (host, guest)
    )
    return talk


def told(talker: Talker) -> list[tuple[str, str | None]]:
    """Everything they heard in order: of lines what happened and by whom, of words what was said and by whom."""
    return [(message.get("event") or message["content"], message["author"]) for message in talker.heard]


async def test_the_film_and_the_talk_are_told_in_one_order(room: Room, talk_of: Talk) -> None:
    async with talk_of.both() as (host, guest):
        await host.say("shall we?")
        playing = await room.play()
        await host.hears_line("resumed")
        await room.start_of(playing)
        await room.watch_for(0.6)
        await guest.say("wait")
        await guest.hears("wait")
        paused = await pause(room)
        await guest.hears_line("paused")
        await host.say("what is it?")
        await guest.hears("what is it?")
        assert told(guest) == [
            ("shall we?", room.host.id),
            ("resumed", room.host.id),
            ("wait", room.guest.id),
            ("paused", room.guest.id),
            ("what is it?", room.host.id),
        ]
        line = await guest.hears_line("paused")
        assert line["type"] == "system"
        assert line["position"] == pytest.approx(paused["currentPosition"], abs=0.01)
        assert talk_of.guest.name in line["content"]
        assert line["sessionId"] == room.id
    assert (await talk_of.history())[2:] == guest.heard


async def pause(room: Room) -> Json:
    """The guest asks for a pause, and the host agrees."""
    before = room.guest.latest
    await room.guest.ask("pause")
    asked = await room.pending("status", room.guest, "pause", after=before)
    await room.host.ask("pause")
    await room.settled("pause", None, after=asked)
    return asked


async def test_a_pause_is_told_once_and_its_refusal_as_the_films_going_on(room: Room, talk_of: Talk) -> None:
    playing = await room.play()
    await room.start_of(playing)
    async with talk_of.both() as (host, _):
        await room.host.ask("pause")
        asked = await room.pending("status", room.host, "pause", after=playing)
        await host.hears_line("paused")
        await room.guest.refuse()
        await room.settled("play", "refused", after=asked)
        line = await host.hears_line("resumed")
        assert line["author"] == room.guest.id
        await host.say("all right")
        await host.hears("all right")
        assert [name for name, _ in told(host)] == ["paused", "resumed", "all right"]


async def test_a_move_is_told_with_where_from_and_where_to_once_both_agreed(room: Room, talk_of: Talk) -> None:
    async with talk_of.both() as (host, guest):
        before = room.host.latest
        await room.host.seek(250)
        asked = await room.pending("seek", room.host, 250, after=before)
        await guest.say("why there?")
        await room.guest.seek(250)
        await room.both(lambda frame: frame["currentPosition"] == 250, "moved", after=asked)
        line = await guest.hears_line("seeked")
        assert (line["author"], line["position"], line["to"]) == (room.host.id, 0, 250)
        assert talk_of.host.name in line["content"]
        assert "4:10" in line["content"]
        assert guest.contents.index("why there?") < guest.contents.index(line["content"])
        mark = room.host.latest
        await room.guest.seek(500)
        refused = await room.pending("seek", room.guest, 500, after=mark)
        await room.host.refuse()
        await room.both(lambda frame: frame["pending"] is None, "refused", after=refused)
        await host.say("not there")
        await guest.hears("not there")
        assert [name for name, _ in told(guest) if name == "seeked"] == ["seeked"]


async def test_what_is_said_without_a_position_belongs_to_where_the_film_is(room: Room, talk_of: Talk) -> None:
    playing = await room.play()
    await room.start_of(playing)
    async with talk_of.both() as (host, guest):
        await room.watch_for(1.0)
        before = room.host.position
        await host.say("now", kind="reaction")
        message = await guest.hears("now")
        assert before - 0.3 <= message["position"] <= position_at(room.host.latest, room.host.now_ms) + 0.3
        await host.say("and here", position=12.5)
        assert (await guest.hears("and here"))["position"] == 12.5


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_a_link_that_breaks_for_a_moment_is_not_told_and_one_who_is_gone_has_left(
    room: Room, talk_of: Talk, guest: Person
) -> None:
    async with talk_of.talker(talk_of.host) as host:
        mark = room.host.feed.mark
        await room.guest.feed.socket.close()
        await room.host.timecode(lambda frame: frame["reason"] == "leave", "leave", since=mark)
        async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False):
            await room.host.timecode(lambda frame: frame["reason"] == "join", "return", since=mark)
            await host.say("there you are")
            await host.hears("there you are")
            assert [name for name, _ in told(host)] == ["there you are"]
        line = await host.hears_line("left", within=40.0)
        assert line["author"] == guest.id
        assert [name for name, _ in told(host)] == ["there you are", "left"]
        async with take_seat(room.deployment, guest, room.id, room.tickets[guest.id], is_host=False):
            await host.feed.expect(
                lambda _: [name for name, _ in told(host)] == ["there you are", "left", "joined"],
                "guest joined again",
            )


async def test_the_messages_of_a_deleted_timecode_stay(room: Room, talk_of: Talk) -> None:
    async with talk_of.both() as (host, guest):
        await host.say("what a film")
        await guest.hears("what a film")
        path = f"/timecodes/{room.id}"
        await room.rest.call("DELETE", path, token=room.tickets[room.host.id], expect=(200, 204))
        await guest.say("it is gone")
        await host.hears("it is gone")
    assert [one["content"] for one in await talk_of.history() if one["type"] == "text"] == ["what a film", "it is gone"]
