"""What may happen in an evening, as the reducer takes it: the client library's own updates (`Told`, `LinkChanged`,
`PlayerChanged`, `Notice`) and those below.

The room makes them out of what services, player and person do; each carries plain values, never an object that changes.
"""

from dataclasses import dataclass, field

from dateflicks.client.consent import ConsentSettings
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told
from dateflicks.core.playback import Timeline
from dateflicks.protocol.chat import (
    AckFrame,
    DeletedFrame,
    EditedFrame,
    Message,
    MessageFrame,
    PersonalKind,
    ReadTold,
    TypingTold,
)
from dateflicks.protocol.predictions import PredictionBody, ScoreBody
from dateflicks.tui.model.state import Kind, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """A session is on the screen from now on; of the one before nothing is left."""

    session_id: str
    me: str  # user id
    title: str = ""
    length: float = 0.0
    people: tuple[Person, ...] = ()  # as far as the session names them; timecodes say the rest
    player: str = "mpv"
    consent: ConsentSettings = field(default_factory=ConsentSettings)
    invitation: str = ""  # the line to read to the guest, while nobody has come


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """How the film goes here: a look at viewer and player, about 4 times a second.

    `error` is `Viewer.error` (positive: behind), `line` is `Viewer.line`, in local time. `offset` is the server's clock
    minus the own one in seconds (`clock.server(now) - now`), None until that clock is ready and is the timecode's.
    """

    position: float | None = None
    error: float | None = None
    round_trip: float | None = None
    line: Timeline | None = None
    offset: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """The own person asks for a change; `target` is the position of a seek."""

    kind: Kind
    target: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The own person says yes or no to what is pending."""

    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChosen:
    """What is agreed to by itself is another now."""

    consent: ConsentSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayerAttached:
    """A player has the film open."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLink:
    """The line to the talk came or went."""

    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTold:
    """A frame of the messages service, as it came."""

    frame: AckFrame | MessageFrame | TypingTold | ReadTold | EditedFrame | DeletedFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The own person said something (or says it again, by the same `client_id`), which is not on the server yet."""

    client_id: str
    content: str
    at: float  # Unix seconds
    kind: PersonalKind = "text"
    position: float | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SayFailed:
    """What was said is not wanted by the service; it stays to be said again or thrown away."""

    client_id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """The own person throws away something that is not on the server."""

    client_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderLoaded:
    """A page of the talk from before what is known, or the newest one at the beginning."""

    items: tuple[Message, ...]
    has_older: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BetsLink:
    """The line to the predictions came or went."""

    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BetTold:
    """A prediction as it is now."""

    prediction: PredictionBody


@dataclass(frozen=True, slots=True, kw_only=True)
class BetsLoaded:
    """All predictions of the session, as the service lists them; a revision that is known to be newer is kept."""

    items: tuple[PredictionBody, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresTold:
    """How everybody stands."""

    items: tuple[ScoreBody, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unproven:
    """A call of this prediction, shown now, does not fit the commitment that was shown before."""

    prediction_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toasted:
    """Tell something once."""

    text: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The evening is over; `why` is a sentence, or nothing where the own person left."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    Told
    | LinkChanged
    | PlayerChanged
    | Notice
    | SessionOpened
    | Sampled
    | Wished
    | Answered
    | ConsentChosen
    | PlayerAttached
    | ChatLink
    | ChatTold
    | Said
    | SayFailed
    | Discarded
    | OlderLoaded
    | BetsLink
    | BetTold
    | BetsLoaded
    | ScoresTold
    | Unproven
    | Toasted
    | Over
    | Tick
)
