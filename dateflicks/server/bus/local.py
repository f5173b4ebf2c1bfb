"""Hints within one process: whoever publishes is never slowed down or failed by whoever listens.

A hint says that something happened; the database says what. So a hint may be lost, and a `Bus` that joins several
processes can take the place of this one without anybody noticing.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from dateflicks.protocol.ids import new_id

Callback = Callable[[str, Mapping[str, Any]], None]
Unsubscribe = Callable[[], None]

SUBSCRIBERS_MAX: Final = 100_000  # over all topics: ten for each connection a process can hold
WAITING_MAX: Final = 1_000  # hints that are published while others are being delivered; more are dropped

log = logging.getLogger(__name__)


class Bus(Protocol):
    """Publish and subscribe to hints by topic, within one process or between several."""

    @property
    def worker_id(self) -> str:
        """The name of this process among those that share the bus."""

    @property
    def is_up(self) -> bool:
        """Whether others hear us, and we them."""

    def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        """Tell whoever listens to this topic, everywhere; never waits, never raises."""

    def send(self, worker_id: str, topic: str, body: Mapping[str, Any]) -> None:
        """Tell one process alone; never waits, never raises."""

    def subscribe(self, topic: str, callback: Callback) -> Unsubscribe:
        """Be told, synchronously, until the returned function is called. A callback must return at once."""

    def on_return(self, callback: Callable[[], None]) -> None:
        """Be called when hints are heard again after a time in which some may have been lost."""

    def on_gone(self, callback: Callable[[str], None]) -> None:
        """Be called with the name of a process that is not there any more."""

    def is_there(self, worker_id: str) -> bool:
        """Whether a process has been heard of lately; while the bus is away only who was seen to be gone is not."""

    def tell_gone(self, worker_id: str) -> None:
        """Say for a process that has died that it is gone."""

    def take_as_gone(self, worker_id: str) -> None:
        """Take a process to be gone until it is heard again, for this process alone."""


class TooManySubscribers(RuntimeError):
    """Somebody subscribes without ever unsubscribing."""


class LocalBus:
    """A bus for one process and one thread; hints are delivered in the order in which they were published."""

    def __init__(self, *, subscribers_max: int = SUBSCRIBERS_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._topics: dict[str, dict[object, Callback]] = {}
        self._subscribers = 0
        self._subscribers_max = subscribers_max
        self._waiting: deque[tuple[str, Mapping[str, Any]]] = deque()
        self._waiting_max = waiting_max
        self._is_delivering = False
        self.worker_id = new_id("wrk")
        self.dropped = 0

    @property
    def is_up(self) -> bool:
        """There is nobody else."""
        return True

    def send(self, worker_id: str, topic: str, body: Mapping[str, Any]) -> None:
        """As `publish`, for this process; there is no other."""
        if worker_id == self.worker_id:
            self.publish(topic, body)

    def on_return(self, callback: Callable[[], None]) -> None:
        """It is never away."""

    def on_gone(self, callback: Callable[[str], None]) -> None:
        """Nobody goes."""

    def is_there(self, worker_id: str) -> bool:
        """Whether this is us: whoever else wrote its name somewhere was another time."""
        return worker_id == self.worker_id

    def tell_gone(self, worker_id: str) -> None:
        """There is nobody to tell."""

    def take_as_gone(self, worker_id: str) -> None:
        """Nobody goes."""

    def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        """Call every callback of this topic; one that raises is logged, and the others are called all the same."""
        if not self._is_delivering and topic not in self._topics:
            return
        if len(self._waiting) >= self._waiting_max:
            self.dropped += 1
            log.error("hints are published faster than they are delivered; dropped one of %s", topic)
            return
        self._waiting.append((topic, body))
        if self._is_delivering:
            return
        self._is_delivering = True
        try:
            while self._waiting:
                self._deliver(*self._waiting.popleft())
        finally:
            self._is_delivering = False

    def subscribe(self, topic: str, callback: Callback) -> Unsubscribe:
        """Listen to a topic. Raises TooManySubscribers."""
        if self._subscribers >= self._subscribers_max:
            raise TooManySubscribers(f"more than {self._subscribers_max} subscribers")
        key = object()
        self._topics.setdefault(topic, {})[key] = callback
        self._subscribers += 1

        def unsubscribe() -> None:
            callbacks = self._topics.get(topic, {})
            if callbacks.pop(key, None) is not None:
                self._subscribers -= 1
            if not callbacks:
                self._topics.pop(topic, None)

        return unsubscribe

    def _deliver(self, topic: str, body: Mapping[str, Any]) -> None:
        callbacks = self._topics.get(topic)
        if callbacks is None:
            return
        for key, callback in list(callbacks.items()):
            if key not in callbacks:  # unsubscribed by one that was called before it
                continue
            try:
                callback(topic, body)
            except Exception:
                log.exception("a subscriber to %s failed", topic)
