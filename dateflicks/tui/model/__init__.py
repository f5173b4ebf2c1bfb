"""What the terminal client knows of an evening: one frozen state, and how each thing that happens changes it.

Pure: no Textual, no I/O, no clock. `now` is the client's monotonic clock in seconds wherever it is given, positions are
seconds of film, drift is signed seconds ahead of what all agreed on. `state` has the types, `events` what may happen,
`reducer` the one function that leads from one state to the next; all are to be imported from here.
"""

from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told
from dateflicks.tui.model.events import (
    Answered,
    ConsentChosen,
    Event,
    Over,
    PlayerAttached,
    PlayerSaid,
    Sampled,
    SessionOpened,
    Tick,
    Toasted,
    Wished,
)
from dateflicks.tui.model.reducer import reduce
from dateflicks.tui.model.state import (
    Bets,
    Chat,
    ChatEntry,
    Film,
    Kind,
    Link,
    OwnPlayer,
    Pending,
    Person,
    Toast,
    WatchState,
    Wish,
)

__all__ = [
    "Answered",
    "Bets",
    "Chat",
    "ChatEntry",
    "ConsentChosen",
    "Event",
    "Film",
    "Kind",
    "Link",
    "LinkChanged",
    "Notice",
    "Over",
    "OwnPlayer",
    "Pending",
    "Person",
    "PlayerAttached",
    "PlayerChanged",
    "PlayerSaid",
    "Sampled",
    "SessionOpened",
    "Tick",
    "Toast",
    "Toasted",
    "Told",
    "WatchState",
    "Wish",
    "Wished",
    "reduce",
]
