"""Hints within one process."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from dateflicks.server.bus.local import Bus, LocalBus, TooManySubscribers


class Ear:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, topic: str, body: Mapping[str, Any]) -> None:
        self.heard.append((topic, body))


def test_subscribers_of_a_topic_are_told_at_once_and_others_are_not() -> None:
    bus: Bus = LocalBus()
    one, two, other = Ear(), Ear(), Ear()
    bus.subscribe("session", one)
    bus.subscribe("session", two)
    bus.subscribe("playback", other)
    bus.publish("session", {"id": "ses_a"})
    assert one.heard == two.heard == [("session", {"id": "ses_a"})]
    assert other.heard == []


def test_who_unsubscribed_is_told_nothing_more_and_may_say_so_twice() -> None:
    bus = LocalBus(subscribers_max=1)
    ear = Ear()
    for _ in range(3):
        unsubscribe = bus.subscribe("session", ear)
        unsubscribe()
        unsubscribe()
    bus.publish("session", {})
    assert ear.heard == []


def test_the_same_callback_may_subscribe_twice_and_is_told_twice() -> None:
    bus = LocalBus()
    ear = Ear()
    bus.subscribe("session", ear)
    stop = bus.subscribe("session", ear)
    bus.publish("session", {})
    assert len(ear.heard) == 2
    stop()
    bus.publish("session", {})
    assert len(ear.heard) == 3


def test_a_subscriber_that_fails_keeps_nobody_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    bus = LocalBus()
    ear = Ear()

    def fail(topic: str, body: Mapping[str, Any]) -> None:
        raise RuntimeError("broken")

    bus.subscribe("session", fail)
    bus.subscribe("session", ear)
    with caplog.at_level(logging.ERROR):
        bus.publish("session", {"n": 1})
        bus.publish("session", {"n": 2})
    assert [body["n"] for _, body in ear.heard] == [1, 2]
    assert len(caplog.records) == 2


def test_what_is_published_by_a_subscriber_comes_after_what_it_was_told() -> None:
    bus = LocalBus()
    ear = Ear()

    def repeat(topic: str, body: Mapping[str, Any]) -> None:
        if body["n"] < 3:
            bus.publish("session", {"n": body["n"] + 1})

    bus.subscribe("session", repeat)
    bus.subscribe("session", ear)
    bus.publish("session", {"n": 1})
    assert [body["n"] for _, body in ear.heard] == [1, 2, 3]


def test_one_who_is_unsubscribed_while_others_are_told_is_not_told_any_more() -> None:
    bus = LocalBus()
    ear = Ear()
    stops: list[Callable[[], None]] = []

    def stop_the_other(topic: str, body: Mapping[str, Any]) -> None:
        stops[0]()

    bus.subscribe("session", stop_the_other)
    stops.append(bus.subscribe("session", ear))
    bus.publish("session", {})
    assert ear.heard == []


def test_subscribers_who_publish_without_an_end_are_cut_off() -> None:
    bus = LocalBus(waiting_max=10)

    def flood(topic: str, body: Mapping[str, Any]) -> None:
        if bus.dropped == 0:
            bus.publish("session", {})
            bus.publish("session", {})

    bus.subscribe("session", flood)
    bus.publish("session", {})
    assert bus.dropped > 0


def test_there_is_an_end_to_how_many_may_subscribe() -> None:
    bus = LocalBus(subscribers_max=2)
    stop = bus.subscribe("a", Ear())
    bus.subscribe("b", Ear())
    with pytest.raises(TooManySubscribers):
        bus.subscribe("c", Ear())
    stop()
    bus.subscribe("c", Ear())


def test_a_topic_nobody_listens_to_is_nothing() -> None:
    LocalBus().publish("session", {})
