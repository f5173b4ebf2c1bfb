"""What the terminal client knows of an evening, as one frozen state. Names and texts are other people's: they are made
printable where they are drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from types import MappingProxyType
from typing import Final, Literal

from dateflicks.client.consent import ConsentSettings
from dateflicks.core.limits import BAND_SECONDS, CONFIRM_SECONDS
from dateflicks.protocol.frames import Reason, Role, StatusWord
from dateflicks.protocol.predictions import PredictionBody, ScoreBody

CHAT_KEPT: Final = 5_000  # entries in memory; older ones are fetched again when somebody scrolls there
TOASTS_KEPT: Final = 4
TOAST_SECONDS: Final = 5.0
TROUBLE_SECONDS: Final = 9.0
DRIFT_SECONDS: Final = 300.0  # the history of drift on the screen
DRIFT_BUCKETS: Final = 60
BUCKET_SECONDS: Final = DRIFT_SECONDS / DRIFT_BUCKETS
Kind = Literal["play", "pause", "stop", "seek"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One participant, as they are known now."""

    user_id: str
    name: str
    role: Role
    is_me: bool
    is_here: bool = False
    is_buffering: bool = False
    is_excused: bool = False
    status: StatusWord = "stop"
    position: float | None = None
    drift: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The line to the service that holds the film in step."""

    is_open: bool = False
    round_trip: float | None = None
    lost_at: float | None = None
    retry_at: float | None = None
    tries: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlayer:
    """What shows the film here."""

    name: str = "mpv"
    is_attached: bool = False
    trouble: str = ""
    says: str = ""  # what its person is to do, where they steer it by hand
    says_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """Where the film is for everybody: `position` holds at `at` and moves at `rate`."""

    title: str = ""
    length: float = 0.0
    status: StatusWord = "stop"
    position: float = 0.0
    at: float = 0.0
    rate: float = 0.0
    reason: Reason | None = None
    waiting_for: tuple[str, ...] = ()  # user ids

    def position_at(self, now: float) -> float:
        """Where it is at `now`, within the film."""
        moved = self.position + self.rate * max(0.0, now - self.at)
        return max(0.0, min(moved, self.length or moved))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A change that waits for an answer until `deadline` (monotonic), by the service's word."""

    kind: Kind
    by: str
    by_name: str
    is_mine: bool
    origin: StatusWord | float
    target: StatusWord | float
    deadline: float
    deadline_ms: float = 0.0  # the same on the server's clock, which is known better with each exchange
    is_answered: bool = False  # by this person, or on their behalf
    is_granted: bool = False  # on their behalf


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What this person has just asked for and the service has not said anything about."""

    kind: Kind
    target: float | None
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEntry:
    """One line of the talk, sent or not yet; `key` is its id, or the sender's own name for it until it has one."""

    key: str
    author: str | None
    name: str
    is_mine: bool
    kind: Literal["text", "reaction", "action", "system"]
    content: str
    at: float  # Unix seconds
    position: float | None = None
    seq: int | None = None
    client_id: str | None = None
    reply_to: str | None = None
    event: str | None = None
    is_edited: bool = False
    is_deleted: bool = False
    to: float | None = None  # where a system line says that the film went
    state: Literal["sent", "sending", "failed"] = "sent"
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """The talk: entries in order, who is writing, and who has read how far."""

    entries: tuple[ChatEntry, ...] = ()
    is_open: bool = False
    typing: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))  # name: until (monotonic)
    read: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))  # user id: seq
    has_older: bool = False

    @property
    def queued(self) -> int:
        """How many own messages are not on the server yet."""
        unsent = takewhile(lambda one: one.seq is None, reversed(self.entries))  # they stand at the end
        return sum(one.state == "sending" for one in unsent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bets:
    """The session's predictions, the newest first, and how everybody stands."""

    items: tuple[PredictionBody, ...] = ()
    scores: tuple[ScoreBody, ...] = ()
    is_open: bool = False
    unproven: frozenset[str] = frozenset()  # ids of predictions in which a call does not fit what was shown before


@dataclass(frozen=True, slots=True, kw_only=True)
class Toast:
    """Something to be told once, for a few seconds."""

    text: str
    at: float
    is_trouble: bool = False

    @property
    def until(self) -> float:
        """When it goes."""
        return self.at + (TROUBLE_SECONDS if self.is_trouble else TOAST_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """Everything that the watch screen shows."""

    session_id: str = ""
    me: str = ""
    people: tuple[Person, ...] = ()
    film: Film = Film()
    link: Link = Link()
    player: OwnPlayer = OwnPlayer()
    pending: Pending | None = None
    wish: Wish | None = None
    drift: float | None = None  # the own one
    drift_history: tuple[float | None, ...] = ()  # worst of each bucket, in seconds, oldest first; the last one grows
    drift_bucket: int = 0  # the number of the last bucket, counted from the clock's zero
    band: float = BAND_SECONDS  # seconds of drift that are tolerated
    confirm_seconds: float = CONFIRM_SECONDS  # how long a change waits for its answer
    consent: ConsentSettings = field(default_factory=ConsentSettings)
    revision: int = -1  # of the newest timecode
    at_ms: float = 0.0  # when it holds, on the server's clock
    clock_id: str = ""
    offset: float | None = None  # the server's clock minus the own one, in seconds, once it is known
    position: float | None = None  # the own player's
    chat: Chat = Chat()
    bets: Bets = Bets()
    toasts: tuple[Toast, ...] = ()
    now: float = 0.0
    together: float = 0.0  # seconds in which the film moved for both
    is_over: bool = False
    invitation: str = ""  # what to read to the guest, while nobody has come

    @property
    def other(self) -> Person | None:
        """The other one; of several the first."""
        return next((one for one in self.people if not one.is_me), None)

    def name(self, user_id: str | None) -> str:
        """What to call somebody."""
        if user_id == self.me:
            return "you"
        found = next((one for one in self.people if one.user_id == user_id), None)
        return "somebody" if found is None else found.name or f"the {found.role}"
