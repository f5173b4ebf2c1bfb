"""Whatever somebody sends: what gets through is clean, fits, and is the same when it is looked at once more."""

import unicodedata

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from dateflicks.core.errors import Invalid
from dateflicks.core.limits import FRAME_MAX_BYTES, REACTION_MAX_CHARACTERS, TEXT_MAX_CHARACTERS
from dateflicks.protocol.chat import EditedFrame, MessageFrame, PersonalKind, SendFrame
from dateflicks.protocol.printable import printable
from dateflicks.server.services.messages.records import Draft, message_of, to_document
from dateflicks.server.services.messages.saying import draft_of

KINDS = st.sampled_from(["text", "action", "reaction"])
ATTACKS = st.lists(
    st.one_of(
        st.sampled_from(
            ["\x1b[2J", "\x1b]0;x\x07", "\x9b1A", "\u202e", "\u2066", "\u200d", "\ufeff", "\r", "\x08", "e"]
        ),
        st.text(max_size=20),
        st.sampled_from(["\u0301", "\u200b", "\U000e0041", "\n", "\t", "👩", " "]).map(lambda one: one * 30),
    ),
    max_size=40,
).map("".join)


@given(content=ATTACKS, kind=KINDS)
@example(content="\u200d", kind="reaction")
def test_nothing_that_gets_through_can_move_a_cursor_or_change_a_terminal(content: str, kind: PersonalKind) -> None:
    try:
        draft = draft_of(SendFrame(client_id="c1", kind=kind, content=content), "usr_a", "ana", None)
    except Invalid:
        return
    kept = draft.content
    assert kept.strip()
    assert len(kept) <= (REACTION_MAX_CHARACTERS if kind == "reaction" else TEXT_MAX_CHARACTERS)
    allowed = "\n\t" if kind == "text" else ""
    for character in kept:
        category = unicodedata.category(character)
        assert character in allowed or category not in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp"), repr(kept)
        assert unicodedata.bidirectional(character) not in (
            "LRO",
            "RLO",
            "LRE",
            "RLE",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
    assert unicodedata.is_normalized("NFC", kept)
    again = draft_of(SendFrame(client_id="c1", kind=kind, content=kept), "usr_a", "ana", None)
    assert again.content == kept
    assert "\x1b" not in printable(kept)


@given(
    content=st.text(alphabet=st.sampled_from(['"', "\\", "é", "👩", "x", "\t", "漢"]), min_size=3_000, max_size=4_000),
    position=st.none() | st.floats(0, 172_800),
    reply_to=st.none() | st.just("msg_" + "c" * 26),
)
def test_what_is_taken_fits_into_a_frame_however_it_is_told(
    content: str, position: float | None, reply_to: str | None
) -> None:
    said = SendFrame(client_id="\u00e9" * 64, content=content, position=position, reply_to=reply_to)
    author = "usr_" + "a" * 26
    try:
        draft: Draft = draft_of(said, author, "n" * 32, None)
    except Invalid:
        return
    session_id = "ses_" + "b" * 26
    document = to_document(session_id, draft, draft.id_in(session_id), 1.8e9)
    message = message_of(document | {"seq": 10**12})
    assert len(msgspec.json.encode(MessageFrame(message=message))) <= FRAME_MAX_BYTES
    edited = EditedFrame(id=message.id, seq=10**12, content=draft.content, edited_at=message.time, change=2**53)
    assert len(msgspec.json.encode(edited)) <= FRAME_MAX_BYTES
