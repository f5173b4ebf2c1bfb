"""The reducer: the talk in order and once, drafts behind it, who writes, who has read how far."""

from dataclasses import replace

import pytest

from dateflicks.client.chat_updates import (
    CaughtUp,
    Change,
    ChangeFailed,
    ChatLine,
    ChatUpdate,
    Draft,
    DraftGone,
    HasRead,
    Older,
    Rewritten,
    Said,
    Trouble,
    TypingNow,
)
from dateflicks.protocol.chat import TYPING_SECONDS
from dateflicks.tui.model import Chat, ChatEntry, Tick, WatchState, reduce, talk
from dateflicks.tui.model.state import CHAT_KEPT
from tests.tui.evenings import BEA, EVENING, ME, after, draft, live, message, opened


def told(*updates: ChatUpdate, state: WatchState | None = None) -> WatchState:
    return after([(1.0, one) for one in updates], state or after([(0.0, opened())]))


def keys(state: WatchState) -> list[str]:
    return [one.key for one in state.chat.entries]


def said(seq: int, content: str = "two bowls", **changes: object) -> Said:
    return Said(message(seq, content, **changes), True)  # type: ignore[arg-type]  # fields of a message


# --- what the film did ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("position", "name", "text"),
    [
        (0.0, "bea", "bea started the film"),
        (0.4, None, "the film begins"),
        (60.0, "bea", "bea resumed"),
        (None, "bea", "bea resumed"),
    ],
)
def test_a_film_that_goes_on_from_its_very_beginning_is_started(
    position: float | None, name: str | None, text: str
) -> None:
    line = said(1, "bea resumed", type="system", event="resumed", position=position, author_name=name)
    assert told(line).chat.entries[0].content == text


# --- order ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (1, 3, 2), (2, 1, 3), (3, 1, 2)])
def test_messages_stand_in_the_order_of_their_numbers_however_they_come(order: tuple[int, ...]) -> None:
    assert keys(told(*(said(seq) for seq in order))) == ["msg_1", "msg_2", "msg_3"]


def test_a_message_that_comes_twice_stands_there_once() -> None:
    assert keys(told(said(1), said(2), said(1), said(2))) == ["msg_1", "msg_2"]


def test_what_is_not_on_the_server_yet_stands_behind_everything() -> None:
    assert keys(told(said(1), draft("c1"), said(2), draft("c2"), said(3))) == ["msg_1", "msg_2", "msg_3", "c1", "c2"]


def test_a_message_is_shown_with_all_that_is_known_of_it() -> None:
    changes = {"type": "reaction", "position": 12.5, "reply_to": "msg_1", "edited_at": "2027-01-15T08:00:00.000Z"}
    entry = told(said(4, ":joy:", **changes)).chat.entries[0]
    assert entry == ChatEntry(
        key="msg_4", author=BEA, name="bea", is_mine=False, kind="reaction", content=":joy:", at=EVENING + 4,
        position=12.5, seq=4, reply_to="msg_1", is_edited=True,
    )  # fmt: skip


def test_a_system_line_says_what_happened_and_where_it_went() -> None:
    entry = told(said(1, "", author=None, author_name=None, type="system", event="seeked", to=900.0)).chat.entries[0]
    assert (entry.kind, entry.event, entry.to, entry.author, entry.name) == ("system", "seeked", 900.0, None, "")


@pytest.mark.parametrize("time", ["", "yesterday", "9999999-01-01", "2027-13-01T00:00:00Z"])
def test_a_time_that_makes_no_sense_is_no_reason_to_fall_over(time: str) -> None:
    assert told(said(1, time=time)).chat.entries[0].at == 0.0


# --- drafts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "shown"), [("waiting", "sending"), ("sent", "sent"), ("failed", "failed")])
def test_how_it_stands_with_a_draft_is_shown(state: str, shown: str) -> None:
    entry = told(draft("c1"), draft("c1", state=state, reason="too long")).chat.entries[-1]
    assert (entry.state, entry.failure, entry.is_mine, entry.author) == (shown, "too long", True, ME)


def test_a_draft_that_becomes_a_message_is_never_there_twice() -> None:
    own = said(1, "popcorn", author=ME, author_name="ana", client_id="c1")
    assert keys(told(draft("c1"), own)) == ["msg_1"]
    assert keys(told(draft("c1"), own, DraftGone("c1", 1))) == ["msg_1"]
    assert keys(told(draft("c1"), DraftGone("c1", 1), own)) == ["msg_1"]


def test_a_draft_that_is_told_of_late_does_not_come_back() -> None:
    own = said(1, "popcorn", author=ME, client_id="c1")
    assert keys(told(draft("c1"), own, draft("c1", state="sent"))) == ["msg_1"]


def test_somebody_else_s_name_for_a_message_takes_no_own_draft_away() -> None:
    assert keys(told(draft("c1"), said(1, client_id="c1"))) == ["msg_1", "c1"]


def test_a_draft_that_is_thrown_away_goes_and_the_others_stay() -> None:
    assert keys(told(draft("c1"), draft("c2"), DraftGone("c1", None))) == ["c2"]


def test_drafts_keep_their_order_when_one_of_them_changes() -> None:
    assert keys(told(draft("c1"), draft("c2"), draft("c1", state="failed"))) == ["c1", "c2"]


def test_what_waits_for_the_line_is_counted() -> None:
    state = told(said(1), draft("c1"), draft("c2"), draft("c3", state="failed"))
    assert state.chat.queued == 2


def test_all_that_waits_for_the_line_is_counted_however_much_it_is() -> None:
    entries = tuple(
        replace(talk.entry_of(message(1), ME), key=f"c{at}", seq=None, state="sending") for at in range(500)
    )
    assert Chat(entries=(talk.entry_of(message(1), ME), *entries)).queued == 500


def test_what_failed_and_is_sent_again_waits_again() -> None:
    state = told(draft("c1", state="failed", reason="no"), draft("c1"))
    assert (state.chat.entries[0].state, state.chat.entries[0].failure) == ("sending", "")


# --- changes ----------------------------------------------------------------------------------------------------


def rewritten(seq: int, content: str, **changes: object) -> Rewritten:
    return Rewritten(f"msg_{seq}", seq, message(seq, content, **changes))  # type: ignore[arg-type]


def test_an_edit_stands_where_the_message_stood() -> None:
    state = told(said(1), said(2), said(3), rewritten(2, "three bowls", edited_at="2027-01-15T08:00:00.000Z"))
    assert [(one.content, one.is_edited) for one in state.chat.entries][1] == ("three bowls", True)
    assert keys(state) == ["msg_1", "msg_2", "msg_3"]


def test_what_was_taken_back_stays_taken_back() -> None:
    deleted = rewritten(1, "", deleted_at="2027-01-15T08:00:00.000Z")
    for late in (rewritten(1, "again"), Older((message(1, "old"),), True)):
        entry = told(said(1), said(2), deleted, late).chat.entries[0]
        assert (entry.is_deleted, entry.content) == (True, "")


@pytest.mark.parametrize(
    "update",
    [rewritten(9, "nowhere"), Rewritten("msg_1", 1, None), Rewritten("msg_x", 1, message(1, "x", id="msg_x"))],
)
def test_a_change_of_what_is_not_here_changes_nothing(update: Rewritten) -> None:
    state = told(said(1))
    assert told(update, state=state).chat == state.chat


def test_a_change_that_the_service_does_not_take_is_told() -> None:
    state = told(ChangeFailed(Change(id="msg_1", content="x"), "too late"), Trouble("rate", "Slower, please."))
    assert [(one.text, one.is_trouble) for one in state.toasts] == [
        ("Not changed: too late", True),
        ("Slower, please.", True),
    ]


# --- older pages ------------------------------------------------------------------------------------------------


def test_an_older_page_stands_before_what_is_known() -> None:
    state = told(said(5), said(6), draft("c1"), Older((message(3), message(4)), False))
    assert keys(state) == ["msg_3", "msg_4", "msg_5", "msg_6", "c1"]
    assert state.chat.has_older


def test_the_page_with_which_the_talk_begins_is_the_last() -> None:
    state = told(said(2), Older((message(1),), True))
    assert not state.chat.has_older
    assert not told(Older((), True)).chat.has_older


@pytest.mark.parametrize(("seq", "has_older"), [(1, False), (2, True)])
def test_whether_there_is_more_shows_in_the_first_number(seq: int, has_older: bool) -> None:
    assert told(said(seq)).chat.has_older is has_older


@pytest.mark.parametrize(("seq", "has_older"), [(0, False), (7, True)])
def test_having_caught_up_with_a_talk_of_which_nothing_is_here_leaves_something_to_fetch(
    seq: int, has_older: bool
) -> None:
    assert told(CaughtUp(seq)).chat.has_older is has_older


def test_a_talk_that_does_not_join_on_begins_anew_and_keeps_what_is_not_sent() -> None:
    state = told(said(1), said(2), draft("c1"), said(40), said(41), CaughtUp(41, True))
    assert (keys(state), state.chat.has_older) == (["msg_40", "msg_41", "c1"], True)
    state = told(said(1), said(2), draft("c1"), CaughtUp(41, True))
    assert (keys(state), state.chat.has_older) == (["c1"], True)


def test_of_a_talk_that_is_another_one_nothing_stays() -> None:
    assert keys(told(said(8), said(9), CaughtUp(3, True))) == []


def test_catching_up_with_a_talk_that_joins_on_leaves_all_of_it() -> None:
    assert keys(told(said(1), said(2), CaughtUp(2))) == ["msg_1", "msg_2"]


def long_talk(count: int) -> WatchState:
    entries = tuple(talk.entry_of(message(seq), ME) for seq in range(1, count + 1))
    return replace(after([(0.0, opened())]), chat=Chat(entries=entries))


def test_of_a_long_talk_the_oldest_go_and_can_be_fetched_again() -> None:
    state = told(said(CHAT_KEPT + 1), draft("c1"), state=long_talk(CHAT_KEPT))
    assert len(state.chat.entries) == CHAT_KEPT + 1
    assert (keys(state)[0], keys(state)[-2:], state.chat.has_older) == ("msg_2", [f"msg_{CHAT_KEPT + 1}", "c1"], True)


def test_what_was_fetched_again_is_not_taken_from_under_the_reader_by_the_next_message() -> None:
    state = long_talk(CHAT_KEPT + 50)
    assert len(told(said(CHAT_KEPT + 51), state=state).chat.entries) == CHAT_KEPT + 50


def test_fetching_older_pages_has_an_end() -> None:
    page = tuple(message(seq) for seq in range(1, 6))
    assert len(told(Older(page, True), state=long_talk(2 * CHAT_KEPT)).chat.entries) == 2 * CHAT_KEPT
    entries = tuple(talk.entry_of(message(seq), ME) for seq in range(6, 2 * CHAT_KEPT + 4))
    state = replace(after([(0.0, opened())]), chat=Chat(entries=entries))
    state = told(Older(page, True), state=state)
    assert (keys(state)[0], state.chat.has_older) == ("msg_4", True)


# --- who writes, who has read -----------------------------------------------------------------------------------


def test_who_writes_is_forgotten_after_a_while() -> None:
    state = told(TypingNow(((BEA, "bea"),)))
    assert dict(state.chat.typing) == {"bea": 1.0 + TYPING_SECONDS}
    assert reduce(state, Tick(), 0.9 + TYPING_SECONDS).chat.typing
    assert not reduce(state, Tick(), 1.1 + TYPING_SECONDS).chat.typing


def test_who_has_said_it_is_not_writing_it_any_more() -> None:
    assert not told(TypingNow(((BEA, "bea"),)), said(1)).chat.typing
    assert told(TypingNow(((BEA, "bea"),)), said(1, author=ME, author_name="ana")).chat.typing


def test_nobody_writes_over_a_line_that_is_away() -> None:
    assert not told(ChatLine(True), TypingNow(((BEA, "bea"),)), ChatLine(False, "gone", 1.0)).chat.typing


@pytest.mark.parametrize(("first", "second", "read"), [(3, 5, 5), (5, 3, 5), (4, 4, 4)])
def test_nobody_unreads(first: int, second: int, read: int) -> None:
    assert told(HasRead(BEA, first), HasRead(BEA, second)).chat.read[BEA] == read


@pytest.mark.parametrize("is_open", [True, False])
def test_the_line_of_the_talk_is_known_by_itself(is_open: bool) -> None:
    state = told(ChatLine(is_open), state=after(live()))
    assert (state.chat.is_open, state.link.is_open) == (is_open, True)


def test_a_message_costs_little_however_long_the_talk_is() -> None:
    state = long_talk(CHAT_KEPT)
    before = state.chat.entries
    state = told(said(CHAT_KEPT + 1), state=state)
    assert all(one is other for one, other in zip(before[1:], state.chat.entries, strict=False))


def test_a_draft_keeps_what_it_was_said_with() -> None:
    one = Draft(client_id="c", content="hm", kind="reaction", position=3.0, reply_to="msg_1", written_at=EVENING)
    entry = talk.drafted(Chat(), one, ME).entries[0]
    assert (entry.kind, entry.position, entry.reply_to, entry.at, entry.seq) == (
        "reaction",
        3.0,
        "msg_1",
        EVENING,
        None,
    )
