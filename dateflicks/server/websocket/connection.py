"""One upgraded connection: what arrives is handed on at once, what is sent is bounded, and silence ends it.

Nothing here waits and nothing is queued: bytes come in by `data_received`, the receiver is called synchronously, and
what is sent goes to the transport's buffer. A peer that leaves more than the write limit unread there is dropped, so
that it never holds up anybody else. Control frames cost a token like all others.
"""

import asyncio
import contextvars
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import RuleError
from dateflicks.protocol.frames import ErrorFrame
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.websocket.bucket import TokenBucket
from dateflicks.server.websocket.decoding import FrameDecoder, Wrong, error_frame
from dateflicks.server.websocket.frames import (
    WENT_WRONG,
    Code,
    Fault,
    FrameReader,
    Message,
    Opcode,
    encoded,
    encoded_close,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

CLOSE_SECONDS: Final = 2.0  # for a peer to read what is left and answer our close
IGNORE_SECONDS: Final = 0.5  # of these, for a peer that broke the rules and is read no more
BEHIND_BYTES: Final = 64 * 1024  # of what a peer has not read: whoever has much to tell waits here, far from the limit
BREATH_BYTES: Final = 64 * 1024  # a read of this size or more lets all others have their turn before the next one
MEASURE_EVERY: Final = 4  # times the ping interval, one that speaks all the while is pinged all the same
_RANDOM: Final = random.SystemRandom()
_PING_BYTES: Final = 8
_BAD_FRAMES: Final = {Code.NOT_TEXT: "not-text", Code.TOO_LARGE: "too-large"}
_KNOWN_CODES: Final = frozenset(Code)
_ENCODER: Final = msgspec.json.Encoder()
_TAGS: Final[dict[type, str]] = {}  # of the kinds of frames that have come


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRules:
    """The limits of each connection; times in seconds."""

    frames_per_second: float = limits.FRAMES_PER_SECOND
    frames_burst: int = limits.FRAMES_BURST
    write_buffer_bytes: int = limits.WRITE_BUFFER_MAX_BYTES
    silence_seconds: float = limits.SILENCE_SECONDS
    ping_seconds: float = limits.PING_INTERVAL_SECONDS


class Receiver(Protocol[T_contra]):
    """What a feed does with a connection's frames; all of it at once, in the loop's thread."""

    def received(self, frame: T_contra, at: float) -> None:
        """A frame, and when it arrived (monotonic seconds). A RuleError becomes an error frame."""

    def measured(self, round_trip: float) -> None:
        """How long a ping of ours was under way and its pong back, in seconds."""

    def closed(self) -> None:
        """Nothing more comes or goes: this side has closed, or the peer has. Called once."""


class Connection(Generic[T]):
    """Made by the gate once the handshake is answered; `attach` says who receives, before anything can arrive."""

    def __init__(
        self,
        transport: asyncio.Transport,
        decoder: FrameDecoder[T],
        rules: ConnectionRules,
        service: str,
        metrics: Metrics,
        on_end: Callable[["Connection[T]"], None],
        about: Mapping[str, str] | None = None,
    ) -> None:
        """`about` goes with whatever is logged of it, such as the ids of its request and session."""
        self._transport = transport
        self._decoder = decoder
        self._rules = rules
        self._service = service
        self._about = {"service": service, **(about or {})}
        self._metrics = metrics
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._reader = FrameReader()
        now = self._opened_at = time.monotonic()
        self._bucket = TokenBucket(rules.frames_per_second, rules.frames_burst, now)
        self._heard_at = now
        self._said_at = now
        self._pinged_at = float("-inf")
        self._ping = b""  # what the pong to our last ping has to say
        self._receiver: Receiver[T] | None = None
        self._code: int | None = None  # what this side closed with, or answered the peer's close with
        self._is_deaf = False  # nothing more is read
        self._is_over = False
        self._expiry: asyncio.TimerHandle | None = None
        self._behind_bytes = min(BEHIND_BYTES, rules.write_buffer_bytes)
        self._waiting: asyncio.Future[None] | None = None  # for the peer to have read what was sent
        self._context = contextvars.Context()  # of timers: that of the handshake would keep its request for as long
        transport.set_write_buffer_limits(high=self._behind_bytes)
        first = rules.ping_seconds * _RANDOM.uniform(0.5, 1.0)  # spread: many who come together are not pinged together
        self._timer = self._later(min(first, rules.silence_seconds), self._look)

    def attach(self, receiver: Receiver[T]) -> None:
        """Hand everything that comes to this receiver."""
        self._receiver = receiver

    @property
    def is_open(self) -> bool:
        """Whether frames still go both ways."""
        return self._code is None and not self._is_over

    # --- out ----------------------------------------------------------------------------------------------------

    def send(self, frame: bytes) -> bool:
        """Send the text of a frame; False when the connection is over, or the peer is too far behind and dropped."""
        return self._write(encoded(Opcode.TEXT, frame))

    def send_struct(self, frame: msgspec.Struct) -> bool:
        """Encode and send a frame."""
        return self.send(_ENCODER.encode(frame))

    async def drained(self) -> bool:
        """Wait while much of what was sent is unread: for what is long and can wait. False when it is over."""
        while self.is_open and self._transport.get_write_buffer_size() > self._behind_bytes:
            if self._waiting is None:
                self._waiting = self._loop.create_future()
            await asyncio.shield(self._waiting)
        return self.is_open

    def resume_writing(self) -> None:
        """The transport has room again, or it is over: whoever waits goes on."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with this code, and end when the peer has answered or has had its time."""
        if not self.is_open:
            return
        self._transport.write(encoded_close(code, reason))
        self._finish(code)

    def abort(self) -> None:
        """End it at once, without a word."""
        if self.is_open:
            self._finish(Code.ABNORMAL)
        self._is_deaf = True
        self._transport.abort()

    def expire_at(self, seconds_from_now: float, reason: str) -> asyncio.TimerHandle:
        """Close with the token's code after this time; told again, the later word counts."""
        if self._expiry is not None:
            self._expiry.cancel()
        self._expiry = self._later(max(0.0, seconds_from_now), self.close, Code.TOKEN, reason)
        if not self.is_open:
            self._expiry.cancel()
        return self._expiry

    def _write(self, data: bytes) -> bool:
        if self._code is not None or self._is_over:
            return False
        self._said_at = time.monotonic()
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._rules.write_buffer_bytes:
            self.close(Code.TOO_SLOW, "too far behind in reading")
            return False
        return True

    def _finish(self, code: int) -> None:
        """Our side is closed: the transport takes nothing more, and is cut off if the peer does not go."""
        self._code = code
        self._timer.cancel()
        self._timer = self._later(CLOSE_SECONDS, self._transport.abort)
        if self._expiry is not None:
            self._expiry.cancel()
        self.resume_writing()
        # Not within the call that closed: it may be telling a room at this moment, and news would overtake news.
        self._loop.call_soon(self._let_go)

    # --- in -----------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer."""
        if self._is_deaf or self._is_over:
            return
        now = time.monotonic()
        self._heard_at = now
        try:
            self._take(data, now)
        except Fault as fault:
            if self.is_open:
                self._count("fault")
            self._refuse(fault)
            self._ignore_the_rest()
        except Exception:
            log.exception("a frame could not be handled", extra=self._about)
            self.close(Code.OUR_FAULT, WENT_WRONG)
        if len(data) >= BREATH_BYTES:
            self._take_breath()

    def _refuse(self, fault: Fault) -> None:
        """What RFC 6455 allows and the contract does not is a bad frame, told as all others are; the rest has the
        codes of that document."""
        if fault.code not in _BAD_FRAMES:
            self.close(fault.code, fault.reason)
            return
        detail = f"This frame cannot be read: {fault.reason}."
        self.send_struct(ErrorFrame(code=_BAD_FRAMES[fault.code], detail=detail))
        self.close(Code.BAD_FRAME, fault.reason)

    def _take_breath(self) -> None:
        """Read on in the loop's next turn: uvloop reads up to 32 times, 8 MB, before anybody else has a turn."""
        if not self._is_deaf and not self._transport.is_closing():
            self._transport.pause_reading()
            self._loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        if not self._is_deaf and not self._is_over and not self._transport.is_closing():
            self._transport.resume_reading()

    def _take(self, data: bytes, now: float) -> None:
        if (text := self._reader.text_of(data)) is not None:
            self._handle(Message(Opcode.TEXT, text), now)
            return
        for message in self._reader.feed(data):
            self._handle(message, now)
            if self._is_deaf:
                return

    def eof_received(self) -> None:
        """The peer sends nothing more, so it is gone: half a conversation is none."""
        if self.is_open:
            self._finish(Code.ABNORMAL)
        self._is_deaf = True
        self._transport.close()

    def connection_lost(self) -> None:
        """The transport is gone."""
        if self._is_over:
            return
        self._is_over = True
        self._timer.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        code = self._code if self._code is not None else Code.ABNORMAL
        seconds = round(time.monotonic() - self._opened_at, 1)
        log.info("feed closed", extra={**self._about, "code": int(code), "seconds": seconds})
        self._metrics.closes.labels(self._service, str(int(code)) if code in _KNOWN_CODES else "other").inc()
        self.resume_writing()
        self._on_end(self)
        self._let_go()

    def _let_go(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        try:
            receiver.closed()
        except Exception:
            log.exception("the end of a connection could not be handled", extra=self._about)

    def _handle(self, message: Message, now: float) -> None:
        if message.opcode is Opcode.CLOSE:
            self._closed_by_peer(message)
        elif not self._bucket.take(now):
            if self.is_open:
                self._count("refused")
            self.close(Code.TOO_MANY_FRAMES, "too many frames")
            self._ignore_the_rest()
        elif self._code is not None:
            return  # was under way before the peer has read our close
        elif message.opcode is Opcode.TEXT:
            self._text(message.payload, now)
        elif message.opcode is Opcode.PING:
            self._count("ping frame")
            self._write(encoded(Opcode.PONG, message.payload))
        else:
            self._count("pong frame")
            self._ponged(message.payload, now)

    def _text(self, text: bytes, now: float) -> None:
        frame = self._decoder.decode(text)
        if isinstance(frame, Wrong):
            self._count("wrong")
            self.send_struct(frame.answer)
            if frame.is_final:
                self.close(Code.BAD_FRAME, "bad frame")
            return
        self._count(_tag_of(frame))
        assert self._receiver is not None
        try:
            self._receiver.received(frame, now)
        except RuleError as error:
            self._metrics.refusals.labels(self._service, error.code).inc()
            self.send_struct(error_frame(error, self._decoder.reply_to(text)))

    def _closed_by_peer(self, message: Message) -> None:
        if self.is_open:
            code = message.close_code
            self._transport.write(encoded_close(code))
            self._finish(code)
        # Both sides have closed: what is written leaves, then the connection ends.
        self._is_deaf = True
        self._transport.close()

    def _ignore_the_rest(self) -> None:
        """Take nothing more from a peer that broke the rules; what it still sends stays with the kernel."""
        self._is_deaf = True
        if self._is_over or self._transport.is_closing():
            return
        self._transport.pause_reading()
        # The close has to be read before a reset can overtake it: end a moment later, not at once.
        self._timer.cancel()
        self._timer = self._later(IGNORE_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        """End when what is written has left, or when its time is over: a peer that reads nothing would stay."""
        self._timer = self._later(CLOSE_SECONDS - IGNORE_SECONDS, self._transport.abort)
        self._transport.close()

    # --- signs of life ------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Now and then: end a peer that is silent for too long, else ask it for a sign of life.

        One that speaks and is told something is asked less often: a ping and its pong cost as much as a report.
        """
        now = time.monotonic()
        silent = now - self._heard_at
        if silent >= self._rules.silence_seconds:
            self.close(Code.SILENT, "no sign of life")
            return
        ping_seconds = self._rules.ping_seconds
        quiet = max(silent, now - self._said_at)
        if quiet < ping_seconds / 2 and now - self._pinged_at < MEASURE_EVERY * ping_seconds:
            self._timer = self._later(ping_seconds - quiet, self._look)
            return
        self._pinged_at = now
        self._ping = _RANDOM.randbytes(_PING_BYTES)  # at random: a pong that comes before its ping would be a lie
        if not self._write(encoded(Opcode.PING, self._ping)):
            return
        left = self._rules.silence_seconds - silent
        self._timer = self._later(min(self._rules.ping_seconds, max(left, 0.01)), self._look)

    def _ponged(self, payload: bytes, now: float) -> None:
        if payload and payload == self._ping and self._receiver is not None:
            self._ping = b""
            self._receiver.measured(now - self._pinged_at)

    def _later(self, seconds: float, call: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, call, *arguments, context=self._context)

    def _count(self, kind: str) -> None:
        self._metrics.frame(self._service, kind)


def _tag_of(frame: object) -> str:
    kind = type(frame)
    if (tag := _TAGS.get(kind)) is None:
        tag = _TAGS[kind] = str(kind.__struct_config__.tag)  # type: ignore[attr-defined]  # frames are tagged structs
    return tag


AnyConnection = Connection[Any]
