"""What may happen in an evening, as the reducer takes it: the client library's own updates as they are (of watching, of
the talk, of predictions), and those below.

The room makes them out of what player and person do; each carries plain values, never an object that changes.
"""

from dataclasses import dataclass, field

from dateflicks.client.chat_updates import ChatUpdate
from dateflicks.client.consent import ConsentSettings
from dateflicks.client.predictions import PredictionsUpdate
from dateflicks.client.watching import Update
from dateflicks.core.playback import Timeline
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
class PlayerSaid:
    """A player that is steered by hand tells its person what to do."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toasted:
    """Tell something once."""

    text: str
    is_trouble: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The evening is over, and the film's screen with it; `why` is a sentence, or nothing where the own person left."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    Update
    | ChatUpdate
    | PredictionsUpdate
    | SessionOpened
    | Sampled
    | Wished
    | Answered
    | ConsentChosen
    | PlayerAttached
    | PlayerSaid
    | Toasted
    | Tick
)
