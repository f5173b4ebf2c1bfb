"""Anything that may happen in an evening, in any order and with any text, for tests by hypothesis."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from dateflicks.client.chat_updates import (
    CaughtUp,
    ChatLine,
    DraftGone,
    HasRead,
    Older,
    Rewritten,
    Said,
    Trouble,
    TypingNow,
)
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused
from dateflicks.client.viewer import Notice
from dateflicks.core.playback import Timeline
from dateflicks.protocol import frames
from dateflicks.tui.model import (
    Answered,
    Event,
    LinkChanged,
    PlayerAttached,
    PlayerChanged,
    Sampled,
    Tick,
    Toasted,
    Wished,
)
from tests.conftest import examples
from tests.tui.evenings import BEA, LENGTH, ME, OFFSET, TEO, bet, draft, message, opened, pending, person, timecode

NAMES = st.one_of(
    st.sampled_from(["bea", "ana", "", "\x1b[31mred", "\u202eevil", "👩‍👩‍👧‍👦🇩🇪", "名前" * 20]), st.text(max_size=40)
)
TEXTS = st.one_of(NAMES, st.text(max_size=200))
WORDS = st.sampled_from(["play", "pause", "stop"])
PEOPLE = st.sampled_from([ME, BEA, TEO])
REASONS = st.sampled_from([
    "start", "play", "pause", "stop", "seek", "minimum", "wait", "resume", "join", "leave", "restored", "refused",
    "end",
])  # fmt: skip
POSITIONS = st.floats(0, 2 * LENGTH)
DRIFTS = st.one_of(st.none(), st.floats(-100, 100), st.floats(-0.01, 0.01))
SEQS = st.integers(1, 12)


@st.composite
def persons(draw: Any) -> frames.ParticipantState:
    return person(
        draw(NAMES),
        role=draw(st.sampled_from(["host", "guest"])),
        connected=draw(st.booleans()),
        buffering=draw(st.booleans()),
        status=draw(WORDS),
        position=draw(st.one_of(st.none(), POSITIONS)),
        drift=draw(DRIFTS),
        excused=draw(st.sampled_from([True, False, msgspec.UNSET])),
    )


@st.composite
def timecodes(draw: Any) -> Event:
    asked = draw(st.booleans())
    target = draw(st.one_of(WORDS, POSITIONS))
    return timecode(
        draw(st.floats(0, 1000)),
        revision=draw(st.integers(0, 30)),
        status=draw(WORDS),
        rate=draw(st.sampled_from([0.0, 1.0])),
        reason=draw(REASONS),
        by=draw(st.one_of(st.none(), PEOPLE)),
        current_position=draw(POSITIONS),
        length=draw(st.sampled_from([0.0, 1.0, LENGTH])),
        clock_id=draw(st.sampled_from(["clk", "other"])),
        waiting_for=draw(st.lists(PEOPLE, max_size=3)),
        participants=draw(st.dictionaries(PEOPLE, persons(), max_size=3)),
        pending=pending(target, draw(PEOPLE), deadline=draw(st.floats(-50, 2000))) if asked else None,
    )


@st.composite
def samples(draw: Any) -> Event:
    line = Timeline(draw(POSITIONS), draw(st.floats(0, 1000)), draw(st.sampled_from([0.0, 1.0])), LENGTH)
    return Sampled(
        position=draw(st.one_of(st.none(), POSITIONS)),
        error=draw(DRIFTS),
        round_trip=draw(st.one_of(st.none(), st.floats(0, 4), st.just(float("inf")))),
        line=draw(st.one_of(st.none(), st.just(line))),
        offset=draw(st.one_of(st.none(), st.just(OFFSET))),
    )


@st.composite
def chats(draw: Any) -> Event:
    seq, content, author = draw(SEQS), draw(TEXTS), draw(PEOPLE)
    client_id = draw(st.sampled_from(["c1", "c2", "c3", None]))
    kind = draw(st.sampled_from(["text", "reaction", "action", "system"]))
    deleted = draw(st.sampled_from([None, "2027-01-15T08:00:00.000Z"]))
    one = message(seq, content, author, client_id=client_id, type=kind, author_name=draw(NAMES), deleted_at=deleted)
    return draw(  # type: ignore[no-any-return]  # one of these
        st.sampled_from([
            Said(one, True),
            Rewritten(one.id, seq, one),
            Rewritten(one.id, seq, None),
            draft(client_id or "c4", content),
            draft(client_id or "c4", content, state="failed", reason=content),
            DraftGone(client_id or "c4", draw(st.one_of(st.none(), SEQS))),
            HasRead(author, seq),
            TypingNow(((author, content),)),
            CaughtUp(seq, draw(st.booleans())),
            Older(tuple(message(number) for number in range(1, seq)), draw(st.booleans())),
            ChatLine(draw(st.booleans())),
            Trouble("x", content),
        ])
    )  # fmt: skip


@st.composite
def predictions(draw: Any) -> Event:
    one = bet(
        draw(st.integers(1, 5)), revision=draw(st.integers(1, 6)), waits=draw(st.booleans()), details=draw(TEXTS),
        status=draw(st.sampled_from(["open", "locked", "settled", "void"])),
    )  # fmt: skip
    reason = draw(st.sampled_from(["present", "made", "called", "locked", "proposed", "settled", "void", "shown"]))
    return draw(  # type: ignore[no-any-return]  # one of these
        st.sampled_from([
            Changed(one, reason, None),
            Changed(one, reason, one),
            Unproven(one, BEA, draw(NAMES), "it is gone"),
            ScoresChanged(()),
            PredictionsLine(draw(st.booleans()), "gone", 1.0),
            PredictionsRefused("x", draw(TEXTS)),
        ])
    )  # fmt: skip


@st.composite
def others(draw: Any) -> Event:
    text = draw(TEXTS)
    kind = draw(
        st.sampled_from(["stalled", "recovered", "died", "closed", "trouble", "ended", "asked", "granted", "error"])
    )
    return draw(  # type: ignore[no-any-return]  # one of these
        st.sampled_from([
            LinkChanged(True),
            LinkChanged(False, text, draw(st.floats(0, 30))),
            PlayerChanged(kind, text),
            PlayerAttached(name=text),
            Notice(kind, text, draw(st.one_of(st.none(), PEOPLE))),
            Wished(kind=draw(WORDS)),
            Wished(kind="seek", target=draw(st.one_of(st.none(), POSITIONS))),
            Answered(agreed=draw(st.booleans())),
            Toasted(text=text, is_trouble=draw(st.booleans())),
            opened(title=text),
            Tick(),
        ])
    )  # fmt: skip


EVENTS = st.one_of(timecodes(), samples(), chats(), predictions(), others())
EVENINGS = st.lists(st.tuples(st.floats(-10, 1000), EVENTS), max_size=40)
ANY_EVENING = settings(
    max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
