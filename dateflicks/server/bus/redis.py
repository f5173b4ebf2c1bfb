"""Hints between processes and hosts, through Redis or Valkey by publish and subscribe, and within this process at once.

Redis loses what nobody listens to, and so may we: a hint says where to look, the database has the truth. What can be
relied on is that everybody learns when something may have been lost: `is_up` is about our own heartbeat, which has to
come back from Redis, so that a Redis that is gone, hangs, or has dropped our subscription is noticed alike within
`SILENCE_SECONDS`; and whoever asked with `on_return` is called once hints are heard again, to look at what they missed.

https://redis.io/docs/latest/develop/pubsub/
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from dateflicks.core.errors import DateflicksError
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.protocol.ids import new_id
from dateflicks.server.bus.local import Callback, LocalBus, Unsubscribe
from dateflicks.server.ending import end

log = logging.getLogger(__name__)

SCHEMES: Final = ("redis://", "rediss://", "unix://")
CHANNEL: Final = "dateflicks"
BEAT_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = 1.5  # three beats; a worker that is not heard for so long is taken to be gone
CONNECT_SECONDS: Final = 1.0
CALL_SECONDS: Final = 1.0
WAITING_MAX: Final = 10_000  # hints on their way out, about 5 MB; when there are more the oldest is dropped
BATCH: Final = 200
GONE_KNOWN: Final = 1_000  # processes, by name
MESSAGE_MAX_BYTES: Final = 1024 * 1024
_BACK_OFF: Final = (0.05, 0.1, 0.2, 0.3)  # seconds; a few tries in each: people wait, and it costs Redis little


class BusAddressWrong(DateflicksError):
    """`bus.uri` is no address of a Redis."""


class _Parcel(msgspec.Struct, array_like=True):
    """What travels: who says it, on which topic, what, and to whom (everybody where that is empty)."""

    source: str
    topic: str
    body: msgspec.Raw
    target: str = ""


class RedisBus:
    """A bus that joins the processes of one deployment; each process has one, `open` for as long as it runs.

    Callbacks run in the loop's thread, never inside `publish` of another process. What this process publishes itself is
    heard here at once and once only, whether Redis is there or not. `worker_id` names this process to the others.
    """

    def __init__(self, uri: str, *, deployment: str = CHANNEL, worker_id: str | None = None) -> None:
        """Raises BusAddressWrong."""
        self.worker_id = worker_id or new_id("wrk")
        self._local = LocalBus()
        self._channel = f"{deployment}:all"
        self._own_channel = f"{deployment}:{self.worker_id}"
        self._prefix = deployment
        self._redis = client_of(uri)
        self._waiting: deque[_Parcel] = deque()
        self._has_waiting = asyncio.Event()
        self._heard_at: dict[str, float] = {}  # of each worker, ourselves among them; the loop's clock
        self._was_up = False
        self._gone: deque[str] = deque(maxlen=GONE_KNOWN)
        self._on_return: list[Callable[[], None]] = []
        self._on_gone: list[Callable[[str], None]] = []
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(_Parcel).decode
        self.dropped = 0
        self.sent = 0
        self.received = 0

    # --- what services use --------------------------------------------------------------------------------------

    def publish(self, topic: str, body: Mapping[str, Any]) -> None:
        """Tell whoever listens to this topic, here and elsewhere; never waits, never raises."""
        self._local.publish(topic, body)
        self._put(topic, body, "")

    def send(self, worker_id: str, topic: str, body: Mapping[str, Any]) -> None:
        """Tell one process alone; what is for this one is heard at once. Never waits, never raises."""
        if worker_id == self.worker_id:
            self._local.publish(topic, body)
        else:
            self._put(topic, body, worker_id)

    def subscribe(self, topic: str, callback: Callback) -> Unsubscribe:
        """Be told, until the returned function is called. A callback must return at once. Raises TooManySubscribers."""
        return self._local.subscribe(topic, callback)

    def on_return(self, callback: Callable[[], None]) -> None:
        """Be called when hints are heard again after a time in which some may have been lost."""
        self._on_return.append(callback)

    def on_gone(self, callback: Callable[[str], None]) -> None:
        """Be called with the name of a process that has not been heard of for a while, or said goodbye."""
        self._on_gone.append(callback)

    @property
    def is_up(self) -> bool:
        """Whether what we say comes back to us."""
        heard = self._heard_at.get(self.worker_id)
        return heard is not None and asyncio.get_running_loop().time() - heard <= SILENCE_SECONDS

    def is_there(self, worker_id: str) -> bool:
        """Whether a process has been heard of lately.

        While the bus is away only those are known to be gone who said so, were silent before, or were taken as gone;
        of others it shows once the bus is back.
        """
        if worker_id == self.worker_id or worker_id in self._heard_at:
            return True
        if self.is_up or worker_id in self._gone:
            return False
        self._heard_at[worker_id] = asyncio.get_running_loop().time()
        return True

    def tell_gone(self, worker_id: str) -> None:
        """Say for a process that has died that it is gone, so that nobody waits for it."""
        self._forget(worker_id)
        self._append(_Parcel(worker_id, _BYE, msgspec.Raw(b"{}")))

    def take_as_gone(self, worker_id: str) -> None:
        """Take a process to be gone until it is heard again, for this process alone."""
        if worker_id != self.worker_id:
            self._heard_at.setdefault(worker_id, 0.0)
            self._forget(worker_id)

    @property
    def workers(self) -> list[str]:
        """The processes that are there, by name, ourselves among them."""
        return sorted({self.worker_id, *self._heard_at})

    # --- its life -----------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["RedisBus"]:
        """Speak and listen for as long as the block runs; a Redis that is away is waited for in the background."""
        tasks = [
            asyncio.create_task(self._listen(), name="bus: listen"),
            asyncio.create_task(self._speak(), name="bus: speak"),
            asyncio.create_task(self._beat(), name="bus: beat"),
        ]
        try:
            yield self
        finally:
            await end(tasks)
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(CALL_SECONDS):
                    farewell = _Parcel(self.worker_id, _BYE, msgspec.Raw(b"{}"))
                    await self._flush([*self._waiting, farewell])
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(CALL_SECONDS):
                    await self._redis.aclose()

    async def wait_up(self) -> None:
        """Wait until we hear ourselves."""
        while not self.is_up:  # noqa: ASYNC110 - what makes it true is a message among all others
            await asyncio.sleep(0.01)

    # --- inside -------------------------------------------------------------------------------------------------

    def _put(self, topic: str, body: Mapping[str, Any], target: str) -> None:
        if not self._was_up and topic not in _OWN:
            self.dropped += 1  # nobody would hear it but late, among what is new: all look for themselves by then
            return
        try:
            encoded = msgspec.Raw(self._encode(body))
        except (TypeError, ValueError, msgspec.MsgspecError):
            log.exception("a hint of %s cannot leave this process", topic)
            return
        self._append(_Parcel(self.worker_id, topic, encoded, target))

    def _append(self, parcel: _Parcel) -> None:
        """On its way; where too many are, the oldest makes room."""
        if len(self._waiting) >= WAITING_MAX:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(parcel)
        self._has_waiting.set()

    async def _beat(self) -> None:
        """Say that we are there, and see who else is not any more."""
        loop = asyncio.get_running_loop()
        while True:
            self._put(_BEAT, {}, "")
            await asyncio.sleep(BEAT_SECONDS)
            now = loop.time()
            if not self.is_up:
                self._lost()
                continue  # who is not heard now may be well
            for worker, heard in list(self._heard_at.items()):
                if now - heard > SILENCE_SECONDS:
                    self._forget(worker)

    async def _speak(self) -> None:
        failures = 0
        while True:
            if not self._waiting:
                self._has_waiting.clear()
                await self._has_waiting.wait()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    await self._flush(batch)
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("nothing can be said on the bus: %r", error)
            except Exception:
                log.exception("nothing can be said on the bus, and nobody has foreseen why")
            else:
                failures = 0
                self.sent += len(batch)
                continue
            # Whether they were heard nobody knows; what is heard twice does no harm, what is old does not help.
            self.dropped += len(batch)
            await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
            failures += 1

    async def _flush(self, batch: list[_Parcel]) -> None:
        pipe = self._redis.pipeline(transaction=False)
        for parcel in batch:
            channel = f"{self._prefix}:{parcel.target}" if parcel.target else self._channel
            pipe.publish(channel, self._encode(parcel))
        await pipe.execute()

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with self._redis.pubsub() as heard:
                    async with asyncio.timeout(CONNECT_SECONDS + CALL_SECONDS):
                        await heard.subscribe(self._channel, self._own_channel)
                    self._put(_BEAT, {}, "")  # so that we know at once that we are heard
                    failures = 0
                    while (message := await heard.get_message(timeout=SILENCE_SECONDS)) is not None:
                        if message["type"] == "message":
                            self._receive(message["data"])
                    # Nothing for so long, not even our own beat: this subscription is dead.
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("the bus cannot be heard: %r", error)
            except Exception:
                log.exception("the bus cannot be heard, and nobody has foreseen why")
            self._lost()  # what is said until we are subscribed again we do not hear, however soon that is
            await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
            failures += 1

    def _receive(self, data: Any) -> None:
        if not isinstance(data, bytes) or len(data) > MESSAGE_MAX_BYTES:
            return
        try:
            parcel = self._decode(data)
            body = msgspec.json.decode(parcel.body)
        except UNREADABLE:
            log.warning("something on the bus is none of ours")
            return
        if parcel.topic == _BYE:
            self._forget(parcel.source)
            return
        was_known = parcel.source in self._heard_at
        self._heard_at[parcel.source] = asyncio.get_running_loop().time()
        if parcel.source == self.worker_id:
            self._returned()
            return
        self.received += 1
        if parcel.topic == _HELLO:
            self._put(_BEAT, {}, parcel.source)
            if was_known and self._was_up:  # it hears us again: what we said meanwhile it may have missed
                self._call_returned()
        elif parcel.topic != _BEAT and isinstance(body, dict):
            self._local.publish(parcel.topic, body)

    def _lost(self) -> None:
        if self._was_up:
            log.warning("the bus is away: others are found in the database until it is back")
        self._was_up = False
        kept = [parcel for parcel in self._waiting if parcel.topic in _OWN]
        self.dropped += len(self._waiting) - len(kept)
        self._waiting.clear()
        self._waiting.extend(kept)

    def _returned(self) -> None:
        if self._was_up:
            return
        self._was_up = True
        now = asyncio.get_running_loop().time()
        self._put(_HELLO, {}, "")  # whoever is there says so at once
        self._heard_at = dict.fromkeys(self._heard_at, now)  # the others are on their way back too
        self._call_returned()

    def _call_returned(self) -> None:
        for callback in tuple(self._on_return):
            _call(callback)

    def _forget(self, worker_id: str) -> None:
        self._gone.append(worker_id)
        if self._heard_at.pop(worker_id, None) is None or worker_id == self.worker_id:
            return
        for callback in tuple(self._on_gone):
            _call(callback, worker_id)


_BEAT: Final = "beat"
_BYE: Final = "bye"
_HELLO: Final = "hello"
_OWN: Final = frozenset({_BEAT, _BYE, _HELLO})  # what processes say of themselves


def _call(callback: Callable[..., None], *arguments: Any) -> None:
    try:
        callback(*arguments)
    except Exception:
        log.exception("a listener to the bus itself failed")


def client_of(uri: str) -> "Redis":
    """A client of this Redis, which connects when it is first asked for something. Raises BusAddressWrong."""
    try:
        if not uri.startswith(SCHEMES):
            raise ValueError("no scheme of Redis's")
        return Redis.from_url(
            uri,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=None,  # a subscription is silent for as long as nobody says anything
            client_name="dateflicks",
        )
    except ValueError as error:
        raise BusAddressWrong(
            "`bus.uri` is neither `local` nor an address of a Redis.\n"
            "It looks like redis://name:password@host:6379/0, or unix:///run/redis.sock"
        ) from error
