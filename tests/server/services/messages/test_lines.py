"""Lines of the film: written by the service itself, once each, and in nobody's way."""

from collections.abc import Callable
from typing import Any

import pytest

from dateflicks.server.services.messages import lines as module
from dateflicks.server.services.messages.lines import clock, line_of
from tests.server.services.messages.deployment import Deployment, Talk
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def hint(talk: Talk, event: str, revision: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "sessionId": talk.id, "revision": revision, "event": event, "by": talk.ana.id, "name": "ana", "position": 2.0,
        "to": None,
    } | more  # fmt: skip


def publisher(shared: Deployment, talk: Talk) -> Callable[..., None]:
    def publish(event: str, revision: int = 1, **more: Any) -> None:
        shared.bus.publish("playback-lines", hint(talk, event, revision, **more))

    return publish


async def test_a_line_is_a_message_of_the_service_with_its_place_in_the_film(shared: Deployment) -> None:
    talk = shared.talk()
    async with shared.both(talk) as (ana, bea):
        shared.bus.publish("playback-lines", hint(talk, "seeked", by=talk.bea.id, name="bea", to=2_460.0))
        message = await ana.message(1)
        assert message == await bea.message(1)
        assert message.items() >= {
            "type": "system", "event": "seeked", "author": talk.bea.id, "authorName": "bea", "position": 2.0,
            "to": 2_460, "content": "bea moved to 41:00",
        }.items()  # fmt: skip
        assert "clientId" not in message


@pytest.mark.parametrize(
    ("event", "more", "content"),
    [
        ("joined", {}, "ana joined"),
        ("paused", {}, "ana paused"),
        ("resumed", {}, "ana resumed"),
        ("resumed", {"by": None, "name": None}, "the film goes on"),
        ("paused", {"by": None, "name": None}, "the film is paused"),
        ("stopped", {}, "ana stopped"),
        ("stopped", {"by": None}, "the film is stopped"),
        ("seeked", {"to": 6_060.5, "by": None}, "the film moved to 1:41:00"),
        ("paused", {"name": "a\x1b[2Jna"}, "ana paused"),
    ],
)
async def test_each_event_is_told_in_plain_words(
    shared: Deployment, event: str, more: dict[str, Any], content: str
) -> None:
    line = line_of(hint(shared.talk(), event, **more))
    assert line is not None
    assert line.draft.content == content


@pytest.mark.parametrize(
    "wrong",
    [
        {"event": "dance"}, {"event": None}, {"event": []}, {"sessionId": "x"}, {"sessionId": 7}, {"by": 7},
        {"event": "seeked", "to": None}, {"event": "seeked", "to": float("nan")}, {"event": "joined", "by": None},
    ],
)  # fmt: skip
async def test_a_hint_that_makes_no_sense_is_ignored(shared: Deployment, wrong: dict[str, Any]) -> None:
    assert line_of(hint(shared.talk(), "paused") | wrong) is None


async def test_a_place_in_a_film_is_written_as_people_write_it() -> None:
    assert [clock(one) for one in (0, 9.9, 61, 2_460, 3_600, 36_061)] == [
        "0:00", "0:09", "1:01", "41:00", "1:00:00", "10:01:01",
    ]  # fmt: skip


async def test_a_line_that_is_told_again_is_written_once(shared: Deployment) -> None:
    talk = shared.talk()
    publish = publisher(shared, talk)
    async with shared.both(talk) as (ana, _):
        for _ in range(3):
            publish("paused", 1)
        publish("resumed", 2)
        publish("paused", 3)
        publish("paused", 1)
        publish("stopped", 4)
        await ana.message(4)
        assert [one["content"] for one in ana.messages] == ["ana paused", "ana resumed", "ana paused", "ana stopped"]


async def test_whoever_comes_back_soon_was_never_away(shared: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = shared.talk()
    publish = publisher(shared, talk)
    async with shared.both(talk) as (ana, _):
        publish("left", 1)
        publish("joined", 2)
        publish("joined", 3, by=talk.bea.id, name="bea")
        await ana.message(1)
        monkeypatch.setattr(module, "LEFT_SECONDS", 0.0)
        publish("left", 4)
        await ana.message(2)
        publish("joined", 5)
        await ana.message(3)
        assert [one["content"] for one in ana.messages] == ["bea joined", "ana left", "ana joined"]


async def test_lines_without_end_are_not_written_without_end(shared: Deployment) -> None:
    talk = shared.talk()
    publish = publisher(shared, talk)
    async with shared.both(talk) as (ana, _):
        for revision in range(200):
            publish("paused", revision)
        await ana.message(module.LINES_AT_ONCE)
        await until(lambda: not shared.service._lines._waiting, "all are written")
        await ana.said("end")
        assert module.LINES_AT_ONCE <= len(ana.messages) - 1 < 200


async def test_what_fails_in_one_line_keeps_no_other_from_being_written(
    shared: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk, other = shared.talk(), shared.talk()
    async with shared.both(talk) as (ana, _):
        publisher(shared, talk)("paused", 1)
        await ana.message(1)
        publisher(shared, talk)("paused", 1, name="anna")  # the same line in other words
        monkeypatch.setattr(module, "WAITING_MAX", 2)
        for revision in range(5):
            publisher(shared, other)("paused", revision)
        publisher(shared, talk)("resumed", 2)
        assert (await ana.message(2))["content"] == "ana resumed"
        assert (await ana.said("x"))["seq"] == 3
