"""Lines of the film: who paused it, who moved it where, who came and went, as messages that the service itself writes.

The timecode service tells them on the bus. Of several processes that hear them, one that has the people there writes
at once, the others only what is not there after a while. A line must neither delay nor break anything: what waits to be
written is bounded, the oldest is dropped, and while the database is away the lines wait for it. A line that is told
again is written once.
"""

import asyncio
import hashlib
import logging
import math
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, get_args

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import DateflicksError, TooMany, Unavailable
from dateflicks.protocol.chat import SystemEvent
from dateflicks.protocol.ids import is_id
from dateflicks.protocol.text import clean_line
from dateflicks.server.services.messages.records import Draft
from dateflicks.server.web.limiter import Limiter

log = logging.getLogger(__name__)

TOPIC: Final = "playback-lines"
LEFT_SECONDS: Final = 10.0  # whoever is back within this time was never away
WAITING_MAX: Final = 1_000  # lines, over all sessions
LINES_AT_ONCE: Final = 30  # of one session; somebody who plays with the pause key is not quoted for ever
LINES_PER_SECOND: Final = 1.0
AGAIN_SECONDS: Final = 0.5
OTHERS_SECONDS: Final = (1.0, 3.0)  # for a process that has the people to write it
_RANDOM: Final = random.SystemRandom()
_EVENTS: Final[tuple[SystemEvent, ...]] = get_args(SystemEvent)
_DID: Final = {"joined": "joined", "left": "left", "paused": "paused", "resumed": "resumed", "stopped": "stopped"}
_HAPPENED: Final = {"paused": "the film is paused", "resumed": "the film goes on", "stopped": "the film is stopped"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line and the session it belongs to."""

    session_id: str
    draft: Draft
    is_late: bool = False  # others may have written it


class Talk(Protocol):
    """Where lines are written."""

    async def say(self, session_id: str, draft: Draft) -> object:
        """Have one written and told. Raises Unavailable, DateflicksError."""

    async def was_said(self, session_id: str, draft: Draft) -> bool:
        """Whether one is there already. Raises Unavailable."""

    def has_people(self, session_id: str) -> bool:
        """Whether somebody of this session is connected to this process."""


class FilmLines:
    """Hears the topic and has each line written, one after another; `wait_up` waits for the database.

    `is_alone` says that no other process hears the same.
    """

    def __init__(self, talk: Talk, wait_up: Callable[[], Awaitable[None]], *, is_alone: bool = True) -> None:
        self._talk = talk
        self._is_alone = is_alone
        self._later: set[asyncio.TimerHandle] = set()
        self._wait_up = wait_up
        self._waiting: deque[Line] = deque()
        self._news = asyncio.Event()
        self._left: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._limiter = Limiter(LINES_AT_ONCE, LINES_AT_ONCE / LINES_PER_SECOND, "too many lines")

    def hear(self, _: str, hint: Mapping[str, Any]) -> None:
        """A hint of the topic; one that makes no sense is ignored."""
        line = line_of(hint)
        if line is None:
            return
        key = (line.session_id, line.draft.author or "")
        if line.draft.event == "joined" and (held := self._left.pop(key, None)) is not None:
            held.cancel()
        elif line.draft.event == "left":
            if (before := self._left.pop(key, None)) is not None:
                before.cancel()
            if len(self._left) < WAITING_MAX:
                self._left[key] = asyncio.get_running_loop().call_later(LEFT_SECONDS, self._has_left, key, line)
        else:
            self._take(line)

    async def run(self) -> None:
        """Write what comes, until cancelled."""
        while True:
            self._news.clear()
            while self._waiting:
                await self._write(self._waiting.popleft())
            await self._news.wait()

    def close(self) -> None:
        """Wait for nobody any more: whoever has just left may be back when the service is."""
        for held in self._left.values():
            held.cancel()
        self._left.clear()
        for later in self._later:
            later.cancel()
        self._later.clear()

    # --- inside -------------------------------------------------------------------------------------------------

    def _has_left(self, key: tuple[str, str], line: Line) -> None:
        self._left.pop(key, None)
        self._take(line)

    def _take(self, line: Line) -> None:
        """Write it now, or later if nobody else has."""
        if self._is_alone or self._talk.has_people(line.session_id):
            self._put(line)
            return
        if len(self._later) >= WAITING_MAX:
            return
        loop = asyncio.get_running_loop()

        def put() -> None:
            self._later.discard(timer)
            self._put(line, is_late=True)

        timer = loop.call_later(_RANDOM.uniform(*OTHERS_SECONDS), put)
        self._later.add(timer)

    def _put(self, line: Line, *, is_late: bool = False) -> None:
        try:
            self._limiter.take(line.session_id, asyncio.get_running_loop().time())
        except TooMany:
            return
        if len(self._waiting) >= WAITING_MAX:
            dropped = self._waiting.popleft()
            log.error("too many lines of films wait to be written; one of %s was dropped", dropped.session_id)
        self._waiting.append(replace(line, is_late=is_late))
        self._news.set()

    async def _write(self, line: Line) -> None:
        while True:
            try:
                if not (line.is_late and await self._talk.was_said(line.session_id, line.draft)):
                    await self._talk.say(line.session_id, line.draft)
            except Unavailable:
                await asyncio.sleep(AGAIN_SECONDS)
                await self._wait_up()
            except DateflicksError as error:
                log.error("a line of the film could not be written in %s: %s", line.session_id, error)
                return
            else:
                return


def line_of(hint: Mapping[str, Any]) -> Line | None:
    """The line in a hint, or None when there is none in it."""
    session_id, by = hint.get("sessionId"), hint.get("by")
    event = next((one for one in _EVENTS if one == hint.get("event")), None)
    if not isinstance(session_id, str) or not is_id(session_id, "ses") or event is None:
        return None
    if by is not None and not isinstance(by, str):
        return None
    position, to = _seconds(hint.get("position")), _seconds(hint.get("to"))
    given = hint.get("name")
    name = clean_line(given, limits.NAME_MAX_CHARACTERS) if isinstance(given, str) else ""
    content = _sentence(event, name if by is not None else "", to)
    if content is None:
        return None
    draft = Draft(
        kind="system", content=content, author=by, author_name=name or None, position=position, event=event,
        to=to if event == "seeked" else None, name=_name(hint),
    )  # fmt: skip
    return Line(session_id, draft)


def clock(seconds: float) -> str:
    """A place in a film as people write it: 41:00, 1:41:00."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _sentence(event: SystemEvent, name: str, to: float | None) -> str | None:
    if event == "seeked":
        if to is None:
            return None
        return f"{name} moved to {clock(to)}" if name else f"the film moved to {clock(to)}"
    return f"{name} {_DID[event]}" if name else _HAPPENED.get(event)


def _name(hint: Mapping[str, Any]) -> str:
    """What tells this line from all others; told again it is the same."""
    said = [hint.get(key) for key in ("revision", "event", "by", "position", "to")]
    return hashlib.sha256(msgspec.json.encode([str(one) for one in said])).hexdigest()


def _seconds(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(min(max(0.0, float(value)), limits.POSITION_MAX_SECONDS), 3)
