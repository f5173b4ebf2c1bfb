"""Evenings to be drawn and reduced: states as the reducer makes them, and the parts that they are made of."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from dateflicks.client.chat_updates import CaughtUp, ChatLine, Draft, DraftChanged, Said, TypingNow
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.ledger import Changed, ScoresChanged
from dateflicks.client.predictions import PredictionsLine
from dateflicks.core.playback import Timeline
from dateflicks.protocol import frames
from dateflicks.protocol.chat import Message
from dateflicks.protocol.predictions import CallBody, PredictionBody, ScoreBody
from dateflicks.protocol.times import rfc3339_from_unix
from dateflicks.tui.model import (
    ConsentChosen,
    Event,
    LinkChanged,
    Person,
    PlayerAttached,
    Sampled,
    SessionOpened,
    Told,
    WatchState,
    reduce,
)

SESSION = "ses_1"
ME, BEA, TEO = "usr_me", "usr_bea", "usr_teo"
LENGTH = 5752.0
OFFSET = 1_000_000.0  # the server's clock minus ours, in seconds
EVENING = 1_800_000_000.0  # Unix seconds


def person(name: str = "bea", **changes: object) -> frames.ParticipantState:
    """A participant as a timecode tells of them."""
    plain = frames.ParticipantState(
        role="guest", connected=True, buffering=False, status="play", position=100.0, drift=0.0, name=name
    )
    return msgspec.structs.replace(plain, **changes)


def timecode(now: float = 0.0, **changes: object) -> Told:
    """A timecode that was made at `now` on our clock: the film plays from 2472 s for both."""
    plain = frames.TimecodeFrame(
        session_id=SESSION,
        length=LENGTH,
        current_position=2472.0,
        status="play",
        last_status_change=rfc3339_from_unix(EVENING),
        at=(now + OFFSET) * 1000,
        rate=1.0,
        revision=1,
        clock_id="clk",
        reason="play",
        by=ME,
        waiting_for=[],
        pending=None,
        participants={ME: person("ana", role="host", drift=0.0), BEA: person("bea", drift=-0.001)},
    )
    return Told(msgspec.structs.replace(plain, **changes))


def pending(to: frames.StatusWord | float = "pause", by: str = BEA, *, deadline: float = 60.0) -> frames.Pending:
    """A change that waits until `deadline` on our clock."""
    kind = "status" if isinstance(to, str) else "seek"
    return frames.Pending(
        kind=kind,  # type: ignore[arg-type]  # one of the two words
        by=by,
        from_="play" if isinstance(to, str) else 2472.0,
        to=to,
        deadline=(deadline + OFFSET) * 1000,
    )


def message(seq: int, content: str = "two bowls", author: str | None = BEA, **changes: object) -> Message:
    """The message of this number."""
    plain = Message(
        id=f"msg_{seq}",
        session_id=SESSION,
        seq=seq,
        time=rfc3339_from_unix(EVENING + seq),
        author=author,
        author_name={BEA: "bea", ME: "ana"}.get(author or ""),
        type="text",
        content=content,
        position=float(seq),
    )
    return msgspec.structs.replace(plain, **changes)


def draft(client_id: str = "c1", content: str = "popcorn", **changes: object) -> DraftChanged:
    """Something that the own person said."""
    return DraftChanged(replace(Draft(client_id=client_id, content=content), **changes))  # type: ignore[arg-type]  # fields of the draft


def call(author: str = BEA, **changes: object) -> CallBody:
    """A call, sealed."""
    plain = CallBody(
        author=author,
        author_name={BEA: "bea", ME: "ana"}.get(author, "teo"),
        commitment="0" * 64,
        called_at=rfc3339_from_unix(EVENING),
    )
    return msgspec.structs.replace(plain, **changes)


def bet(number: int = 1, **changes: object) -> PredictionBody:
    """A prediction, open."""
    plain = PredictionBody(
        id=f"prd_{number}",
        session_id=SESSION,
        author=BEA,
        author_name="bea",
        details="Ben survives the night",
        outcome=None,
        status="open",
        options=["yes", "no"],
        calls=[],
        created_at=rfc3339_from_unix(EVENING + number),
        locked_at=None,
        settled_at=None,
        at_position=60.0,
        locks_at_position=4800.0,
        proposed_outcome=None,
        proposed_by=None,
        confirmed_by=None,
        void_reason=None,
        deadline=None,
        revision=1,
    )
    return msgspec.structs.replace(plain, **changes)


def bets() -> list[PredictionBody]:
    """One of each kind."""
    mine, theirs = call(ME, option="yes", confidence=0.8), call(BEA, option="no", confidence=0.7)
    return [
        bet(1, details="Someone opens the cellar", status="settled", outcome="yes", calls=[
            call(ME, option="no", confidence=0.8, points=-11.0), call(BEA, option="yes", confidence=0.9, points=23.0)]),
        bet(2, details="Barbara speaks again", status="locked", calls=[mine, theirs]),
        bet(3, details="The dog did it", status="locked", proposed_outcome="no", proposed_by=BEA, calls=[mine, theirs]),
        bet(4, status="void", void_reason="objection", details="It rains"),
        bet(5, calls=[mine, call(BEA)]),
        bet(6, waits=True, details="", options=[]),
        bet(7, details="The radio gives good news", locks_at_position=3300.0),
    ]  # fmt: skip


def after(events: Iterable[tuple[float, Event]], state: WatchState | None = None) -> WatchState:
    """The state after events, each at its time."""
    state = state or WatchState()
    for now, event in events:
        state = reduce(state, event, now)
    return state


def opened(**changes: object) -> SessionOpened:
    """An evening with bea, of which nothing is known yet."""
    people = (
        Person(user_id=ME, name="ana", role="host", is_me=True),
        Person(user_id=BEA, name="bea", role="guest", is_me=False),
    )
    plain = SessionOpened(
        session_id=SESSION, me=ME, title="Night of the Living Dead (1968)", length=LENGTH, people=people
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields of the event


def sample(now: float, drift: float | None = 0.001, **changes: object) -> Sampled:
    """A look at a player that follows the film from `timecode(0)`."""
    plain = Sampled(
        position=2472.0 + now + (drift or 0.0),
        error=None if drift is None else -drift,
        round_trip=0.042,
        line=Timeline(2472.0, 0.0, 1.0, LENGTH),
        offset=OFFSET,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields of the event


def live(until: float = 1.0) -> list[tuple[float, Event]]:
    """Everything up to a film that plays for both."""
    return [
        (0.0, opened()),
        (0.0, PlayerAttached(name="mpv")),
        (0.0, LinkChanged(True)),
        (0.0, timecode()),
        (until, sample(until)),
    ]


def chatty() -> list[tuple[float, Event]]:
    """Talk, reactions and predictions, as they come once the film plays."""
    found: list[Event] = [
        ChatLine(True),
        Said(message(1, "popcorn ready?", ME), False),
        Said(message(2, "two bowls. one is sacrificial"), False),
        *(Said(message(3 + one, ":scream:", type="reaction", position=1660.0 + one % 3), True) for one in range(5)),
        Said(message(8, ":heart:", type="reaction", position=4000.0), True),
        CaughtUp(8),
        TypingNow(((BEA, "bea"),)),
        PredictionsLine(True),
        *(Changed(one, "present", None) for one in bets()),
        ScoresChanged((
            ScoreBody(user_id=BEA, name="bea", points=23.0, calls=1, right=1, brier=0.02),
            ScoreBody(user_id=ME, name="ana", points=-11.0, calls=1, right=0, brier=1.28),
        )),
    ]  # fmt: skip
    return [(1.0, one) for one in found]


def states() -> dict[str, WatchState]:
    """The evenings that are drawn, by name."""
    playing = after([*live(), *chatty()])
    ask = ConsentSettings.all(Consent.ASK)
    wants = timecode(2.0, revision=2, reason="pause", by=BEA, pending=pending())
    asked = after([(1.0, ConsentChosen(consent=ask)), (2.0, wants)], playing)
    late = timecode(revision=2, participants={ME: person("ana", role="host"), BEA: person("bea", drift=-2.4)})
    return {
        "nothing": WatchState(),
        "opened": after([(0.0, opened(invitation="dateflicks join k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700"))]),
        "playing": playing,
        "asked": asked,
        "behind": after([(2.0, late), (2.0, sample(2.0))], playing),
        "offline": after([(9.0, LinkChanged(False, "gone", 4.0)), (18.0, LinkChanged(False, "gone", 4.0)),
                          (18.0, draft())], playing),
    }  # fmt: skip
