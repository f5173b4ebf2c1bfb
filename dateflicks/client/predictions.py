"""A session's predictions, live: what is told of them through any disconnection, and what one person does with them.

Whoever shows them (the terminal client, plain lines) gives a `listener` that is called, in the loop's thread, with each
update; it must not block. Looking once, without a line, is `predicting.Predicting`.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import msgspec

from dateflicks.client import errors
from dateflicks.client.address import feed_address
from dateflicks.client.feed import Feed, FeedEnded, FeedEvent, Lost, Opened, Received
from dateflicks.client.http import ServiceClient
from dateflicks.client.ledger import Changed, Ledger, ScoresChanged, Sealed, Unproven
from dateflicks.client.players.base import Playhead
from dateflicks.client.predicting import SERVICE, Predicting
from dateflicks.client.tickets import Tickets
from dateflicks.client.whereabouts import Whereabouts
from dateflicks.protocol.decoding import UNREADABLE
from dateflicks.protocol.frames import ErrorFrame
from dateflicks.protocol.predictions import (
    PredictionBody,
    PredictionFrame,
    PredictionReason,
    PredictionServerFrame,
    ScoreBody,
)

SILENCE_SECONDS: Final = 24.0  # in which a ping is answered, or the line is dead; the film's own line is quicker
LOOK_SECONDS: Final = 0.5
TOLD_BYTES: Final = 64 * 1024  # half of what a service tells at once on connecting: beyond it there may be more

_DECODER: Final[msgspec.json.Decoder[PredictionServerFrame]] = msgspec.json.Decoder(PredictionServerFrame)
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class PredictionsLine:
    """The line to the service came or went; `why` and `retry_in` (seconds) when it went."""

    is_open: bool
    why: str = ""
    retry_in: float = 0.0


@dataclass(frozen=True, slots=True)
class PredictionsRefused:
    """The service took something badly that was told on the line."""

    code: str
    detail: str


PredictionsUpdate = Changed | Unproven | ScoresChanged | PredictionsLine | PredictionsRefused


class Predictions:
    """One person's predictions in one session. `run` follows them; each act raises ClientError.

    `playhead` says where the own player is at a monotonic time, or None: the service is told when that changes, so that
    nothing is shown before the film gets to it. `sealed` is what was seen of calls before (see `seals`).
    """

    def __init__(
        self,
        client: ServiceClient,
        session_id: str,
        tickets: Tickets,
        user_id: str,
        listener: Callable[[PredictionsUpdate], None],
        *,
        playhead: Callable[[float], Playhead | None] = lambda _: None,
        sealed: Mapping[str, Sealed] | None = None,
    ) -> None:
        self.user_id = user_id
        self._client = client
        self._session_id = session_id
        self._tickets = tickets
        self._listener = listener
        self._playhead = playhead
        self._ledger = Ledger(sealed)
        self._whereabouts = Whereabouts()
        self._requests = Predicting(session_id, tickets, user_id)
        self._feed: Feed | None = None
        self._told_bytes = 0
        self._may_lack = asyncio.Event()

    async def run(self) -> None:
        """Follow, until cancelled. Raises ClientError when there is nothing to follow any more, or no such service."""
        base = await self._client.address_of(SERVICE)
        url = feed_address(base, "predictions", self._session_id)
        self._feed = Feed(
            url, self._tickets.fresh, silence_seconds=SILENCE_SECONDS, is_quiet=True, trust=lambda: self._client.trust
        )
        beside = [asyncio.create_task(self._look_again_and_again()), asyncio.create_task(self._fetch_what_lacks())]
        try:
            async with contextlib.aclosing(self._feed.events()) as events:
                async for event in events:
                    self._happened(event)
        except FeedEnded as ended:
            raise errors.of_close_code(ended.code, str(ended), url=base) from ended
        finally:
            self._feed = None
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    def look(self) -> None:
        """Look where the player is now, instead of in half a second."""
        now = time.monotonic()
        if self.is_open and self._feed is not None and (frame := self._whereabouts.due(self._playhead(now), now)):
            self._feed.send(_ENCODER.encode(frame))

    def reconnect(self) -> None:
        """Try the line again now."""
        if self._feed is not None:
            self._feed.retry()

    # --- what is known ------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the line stands, so that what is known is how it is."""
        return self._feed is not None and self._feed.is_open

    @property
    def items(self) -> tuple[PredictionBody, ...]:
        """Every prediction, the newest first."""
        return self._ledger.items

    @property
    def scores(self) -> tuple[ScoreBody, ...]:
        """How everybody stands in this session, the best first."""
        return self._ledger.scores

    @property
    def unproven(self) -> frozenset[str]:
        """The ids of predictions in which a call is not what was sealed."""
        return self._ledger.unproven

    @property
    def sealed(self) -> Mapping[str, Sealed]:
        """What was seen of the calls of each prediction, to be remembered for another time."""
        return self._ledger.sealed

    def get(self, prediction_id: str) -> PredictionBody | None:
        """One prediction, as far as it is known."""
        return self._ledger.get(prediction_id)

    def is_proven(self, prediction_id: str) -> bool | None:
        """Whether all calls are those that were sealed; None while that cannot be seen."""
        return self._ledger.is_proven(prediction_id)

    # --- what the person does -----------------------------------------------------------------------------------

    async def make(self, details: str, options: Sequence[str] = (), *, locks_at: float | None = None) -> PredictionBody:
        """Predict something; without options it is yes or no. It locks when the film gets to `locks_at` seconds."""
        return self._told(await self._requests.make(details, options, locks_at=locks_at, at=self._position()), "made")

    async def call(self, prediction_id: str, option: str, confidence: float) -> PredictionBody:
        """Say which option comes true, and how sure that is (1/number of options to 1)."""
        known = await self._seen(prediction_id)
        return self._told(await self._requests.call(known, option, confidence, at=self._position()), "called")

    async def lock(self, prediction_id: str) -> PredictionBody:
        """Let nobody call any more, and show all calls."""
        return self._told(await self._requests.lock(await self._seen(prediction_id)), "locked")

    async def propose(self, prediction_id: str, outcome: str) -> PredictionBody:
        """Say what came true; it counts once another agrees."""
        found = await self._requests.propose(await self._seen(prediction_id), outcome)
        return self._told(found, "settled" if found.status == "settled" else "proposed")

    async def confirm(self, prediction_id: str) -> PredictionBody:
        """Agree to the outcome that another proposed; with more than two people all who have called must."""
        found = await self._requests.confirm(await self._seen(prediction_id))
        return self._told(found, "settled" if found.status == "settled" else "confirmed")

    async def object(self, prediction_id: str) -> PredictionBody:
        """Say that the proposed outcome is not so: it is void."""
        return self._told(await self._requests.object(await self._seen(prediction_id)), "void")

    async def void(self, prediction_id: str) -> PredictionBody:
        """Call it off: it never counts."""
        return self._told(await self._requests.void(await self._seen(prediction_id)), "void")

    # --- inside -------------------------------------------------------------------------------------------------

    async def _seen(self, prediction_id: str) -> PredictionBody:
        return self._ledger.get(prediction_id) or await self._requests.one(prediction_id)

    def _position(self) -> float | None:
        now = time.monotonic()
        head = self._playhead(now)
        return None if head is None else round(max(0.0, head.carried(now)), 3)

    def _happened(self, event: FeedEvent) -> None:
        match event:
            case Opened():
                self._told_bytes = 0
                self._whereabouts.forget()
                self.look()
                self._listener(PredictionsLine(True))
            case Received(data=data):
                self._received(data)
            case Lost(why=why, retry_in=retry_in):
                self._listener(PredictionsLine(False, why, retry_in))
            case _:
                assert_never(event)

    def _received(self, data: bytes) -> None:
        try:
            frame = _DECODER.decode(data)
        except UNREADABLE:
            return  # a newer service may say things that this client does not know
        if isinstance(frame, ErrorFrame):
            self._listener(PredictionsRefused(frame.code, frame.detail))
        elif isinstance(frame, PredictionFrame):
            self._told(frame.prediction, frame.reason)
            if frame.reason == "present":
                self._told_bytes += len(data)
                if self._told_bytes > TOLD_BYTES:
                    self._may_lack.set()

    def _told(self, prediction: PredictionBody, reason: PredictionReason) -> PredictionBody:
        for update in self._ledger.take(prediction, reason):
            self._listener(update)
        return prediction

    async def _look_again_and_again(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def _fetch_what_lacks(self) -> None:
        """On connecting a service tells no more than a line can take: the oldest of very many are asked for."""
        while True:
            await self._may_lack.wait()
            self._may_lack.clear()
            with contextlib.suppress(errors.ClientError):  # what matters most is known; the next line tells it again
                for found in await self._requests.all():
                    self._told(found, "present")
