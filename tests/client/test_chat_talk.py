"""One person's talk, without a line and without a clock: what is sent, what is told, and when."""

import json
import math
from typing import Any, TypeVar

import msgspec
import pytest

from dateflicks.client.chat_outbox import ANSWER_SECONDS, CHANGE_TRIES, FAILED_MAX, OUTBOX_MAX
from dateflicks.client.chat_talk import RESUME_SECONDS, RESUME_TRIES, SendChat, Talk
from dateflicks.client.chat_updates import (
    CaughtUp,
    Change,
    ChangeFailed,
    ChatLine,
    Draft,
    DraftChanged,
    DraftGone,
    HasRead,
    Older,
    Rewritten,
    Said,
    Trouble,
    TypingNow,
)
from dateflicks.core.limits import FRAME_MAX_BYTES, TEXT_MAX_CHARACTERS
from dateflicks.protocol.chat import (
    ChatServerFrame,
    DeleteFrame,
    EditFrame,
    ReadFrame,
    ReadTold,
    ResumeFrame,
    SendFrame,
    TypingFrame,
    TypingTold,
)
from tests.client.talking import ME, OTHER, ack, deleted, edited, message, mine, refusal, resumed, said

K = TypeVar("K")


class Desk:
    """A talk with somebody who keeps what it sends and tells."""

    def __init__(self, *, kept: Any = None, keep_messages: int = 100) -> None:
        self.talk = Talk(ME, kept=kept, keep_messages=keep_messages)
        self.now = 0.0
        self.sent: list[msgspec.Struct] = []
        self.told: list[Any] = []

    def look(self) -> None:
        for output in self.talk.outputs():
            if isinstance(output, SendChat):
                self.sent.append(output.frame)
            else:
                self.told.append(output)

    def open(self) -> None:
        self.talk.opened(self.now)
        self.look()

    def lose(self) -> None:
        self.talk.lost("the line is gone", 0.0)
        self.look()

    def hear(self, *frames: ChatServerFrame) -> None:
        for frame in frames:
            self.talk.received(frame, self.now)
        self.look()

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.talk.tick(self.now)
        self.look()

    def say(self, client_id: str, content: str = "hello") -> None:
        self.talk.say(Draft(client_id=client_id, content=content), self.now)
        self.look()

    def change(self, seq: int, content: str | None) -> None:
        self.talk.change(Change(id=f"msg_{seq}", content=content), self.now)
        self.look()

    def of(self, kind: type[K]) -> list[K]:
        """What was told of this kind."""
        return [update for update in self.told if isinstance(update, kind)]

    def sends(self, kind: type[K]) -> list[K]:
        """What was sent of this kind."""
        return [frame for frame in self.sent if isinstance(frame, kind)]

    @property
    def names(self) -> list[str]:
        """The drafts that went out, in order, each time that they did."""
        return [frame.client_id for frame in self.sends(SendFrame)]

    @property
    def lines(self) -> list[int]:
        return [update.message.seq for update in self.of(Said)]


@pytest.fixture
def desk() -> Desk:
    """The line stands, the talk is at message 3, nothing is missing."""
    found = Desk()
    found.open()
    found.talk.start(3, found.now)
    found.hear(resumed(3))
    return found


# --- the list ---------------------------------------------------------------------------------------------------


def test_whoever_does_not_know_where_the_talk_is_asks_before_it_listens() -> None:
    desk = Desk()
    asked = [desk.talk.needs_start]
    desk.open()
    desk.hear(said(7))
    asked.append(desk.talk.needs_start)
    assert (asked, desk.lines) == ([False, True], [])
    desk.talk.start(6, desk.now)
    desk.hear(said(7), resumed(7, changes=4))
    assert desk.sends(ResumeFrame) == [ResumeFrame(after=6)]
    assert desk.lines == [7]
    assert desk.of(CaughtUp) == [CaughtUp(7, is_anew=True)]


def test_each_message_is_told_once_and_in_order_whatever_comes_twice_or_early() -> None:
    desk = Desk(kept={"seq": 3, "changes": 2})
    desk.open()
    assert desk.sent == [ResumeFrame(after=3, changes=2)]
    desk.hear(said(9), said(4), said(4), said(6), said(5), said(6), said(2), resumed(6, 2), said(7))
    assert desk.lines == [4, 5, 6, 7]
    assert [update.is_news for update in desk.of(Said)] == [False, False, False, True]
    assert [one.seq for one in desk.talk.transcript] == [4, 5, 6, 7]


def test_after_a_break_it_asks_for_what_it_missed_and_for_what_was_changed(desk: Desk) -> None:
    desk.hear(said(4), edited(4, "better", 1))
    desk.lose()
    caught_up = [desk.talk.is_caught_up]
    desk.open()
    assert desk.sends(ResumeFrame)[-1] == ResumeFrame(after=4, changes=1)
    desk.hear(said(5), deleted(4, 2), resumed(5, 2))
    assert (desk.lines, [*caught_up, desk.talk.is_caught_up]) == ([4, 5], [False, True])
    assert [update.message.content for update in desk.of(Rewritten) if update.message] == ["better", ""]


def test_a_gap_among_the_news_is_asked_for(desk: Desk) -> None:
    desk.hear(said(5))
    assert desk.sends(ResumeFrame)[-1] == ResumeFrame(after=3, changes=0)
    desk.hear(said(4), said(5), resumed(5))
    assert desk.lines == [4, 5]


def test_a_gap_that_does_not_close_is_let_be(desk: Desk) -> None:
    desk.hear(*[resumed(5)] * (RESUME_TRIES + 1))
    assert desk.of(CaughtUp)[-1] == CaughtUp(5, is_anew=True)
    assert len(desk.sends(ResumeFrame)) == 1 + RESUME_TRIES
    desk.hear(said(6))
    assert desk.lines == [6]


def test_a_place_in_another_talk_is_given_up() -> None:
    desk = Desk(kept={"seq": 90, "changes": 7, "read": 80})
    desk.open()
    desk.hear(resumed(2, 0), said(3))
    assert desk.of(CaughtUp) == [CaughtUp(2, is_anew=True)]
    assert desk.lines == [3]
    assert desk.talk.kept() == {"seq": 3, "changes": 0, "read": 2, "drafts": []}


def test_a_place_that_the_service_does_not_take_is_looked_for_anew() -> None:
    desk = Desk(kept={"seq": 90})
    desk.open()
    desk.hear(refusal("invalid", "resume"))
    assert desk.talk.needs_start
    desk.talk.start(2, desk.now)
    desk.look()
    assert desk.sends(ResumeFrame)[-1] == ResumeFrame(after=2)


def test_a_catching_up_that_is_not_answered_or_not_possible_just_now_is_asked_for_again() -> None:
    desk = Desk(kept={"seq": 3})
    desk.open()
    desk.wait(RESUME_SECONDS)
    assert len(desk.sends(ResumeFrame)) == 2
    desk.hear(refusal("unavailable", "resume"))
    desk.wait(RESUME_SECONDS)
    assert len(desk.sends(ResumeFrame)) == 3
    desk.hear(resumed(3))
    assert desk.talk.next_wake() == math.inf


def test_a_page_of_older_messages_is_told_as_it_is_by_now(desk: Desk) -> None:
    desk.hear(edited(2, "better"))
    desk.talk.older([message(1), message(2), message(3)])
    desk.look()
    (older,) = desk.of(Older)
    assert ([one.content for one in older.messages], older.is_all) == (["line 1", "better", "line 3"], True)
    assert not desk.talk.transcript.has_older


# --- the outbox -------------------------------------------------------------------------------------------------


def test_what_is_said_is_shown_at_once_and_becomes_a_message(desk: Desk) -> None:
    desk.say("a")
    assert desk.told[-1] == DraftChanged(Draft(client_id="a", content="hello"))
    desk.hear(ack("a", 4))
    assert [draft.state for draft in desk.talk.drafts] == ["sent"]
    desk.hear(mine(4, "a"))
    assert desk.told[-2:] == [Said(mine(4, "a").message, True), DraftGone("a", 4)]
    assert desk.talk.drafts == []


def test_a_message_that_comes_before_its_acknowledgement_is_one_too(desk: Desk) -> None:
    desk.say("a")
    desk.hear(mine(4, "a"), ack("a", 4))
    assert desk.of(DraftGone) == [DraftGone("a", 4)]
    assert desk.talk.drafts == []


def test_an_acknowledgement_of_what_is_in_the_list_already_is_the_end_of_its_draft(desk: Desk) -> None:
    desk.say("a")
    desk.hear(said(4), ack("a", 4))
    assert desk.told[-1] == DraftGone("a", 4)
    assert desk.talk.drafts == []


def test_nothing_is_sent_before_the_place_is_known_so_that_it_is_told_in_its_place() -> None:
    desk = Desk()
    desk.say("a")
    desk.open()
    assert desk.names == []
    desk.talk.start(3, desk.now)
    desk.look()
    assert desk.names == ["a"]


def test_a_draft_ends_when_its_message_stands_before_a_gap_that_does_not_close(desk: Desk) -> None:
    desk.say("a")
    desk.hear(ack("a", 5), *[resumed(5)] * (RESUME_TRIES + 1))
    assert desk.of(DraftGone) == [DraftGone("a", 5)]


def test_the_name_of_a_draft_on_somebody_elses_message_means_nothing(desk: Desk) -> None:
    desk.say("a")
    desk.hear(said(4, client_id="a"))
    assert [draft.state for draft in desk.talk.drafts] == ["waiting"]


def test_they_go_out_one_after_the_other_in_the_order_in_which_they_were_written(desk: Desk) -> None:
    for name in "abc":
        desk.say(name)
    assert desk.names == ["a"]
    desk.hear(ack("a", 4))
    assert desk.names == ["a", "b"]
    desk.hear(ack("b", 5), ack("c", 6))
    assert desk.names == ["a", "b", "c"]


def test_what_was_not_acknowledged_is_sent_again_under_its_name_when_the_line_is_back(desk: Desk) -> None:
    desk.say("a")
    desk.say("b")
    desk.lose()
    desk.say("c")
    assert desk.names == ["a"]
    desk.open()
    assert desk.names == ["a", "a"]
    desk.hear(mine(4, "a"), resumed(4), ack("b", 5), ack("c", 6))
    assert desk.names == ["a", "a", "b", "c"]


def test_what_is_never_answered_is_sent_again_after_a_while(desk: Desk) -> None:
    desk.say("a")
    desk.wait(ANSWER_SECONDS - 1)
    assert desk.names == ["a"]
    assert desk.talk.next_wake() == ANSWER_SECONDS
    desk.wait(1)
    assert desk.names == ["a", "a"]


def test_a_limit_is_waited_out_and_the_order_kept(desk: Desk) -> None:
    desk.say("a")
    desk.say("b")
    desk.hear(refusal("too-many", "a", retry_after=1.5))
    desk.wait(1.4)
    assert desk.names == ["a"]
    desk.wait(0.1)
    assert desk.names == ["a", "a"]
    desk.hear(ack("a", 4))
    assert desk.names == ["a", "a", "b"]


def test_a_database_that_is_away_is_tried_later_and_later(desk: Desk) -> None:
    desk.say("a")
    pauses = []
    for _ in range(7):
        desk.hear(refusal("unavailable", "a"))
        pauses.append(desk.talk.next_wake() - desk.now)
        desk.wait(pauses[-1])
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert len(desk.names) == 8
    desk.hear(ack("a", 4))
    desk.say("b")
    assert desk.names[-1] == "b"


def test_what_the_service_does_not_take_fails_with_its_reason_and_the_others_go_on(desk: Desk) -> None:
    desk.say("a")
    desk.say("b")
    desk.hear(refusal("invalid", "a", detail="Too long."))
    assert desk.of(DraftChanged)[-1].draft == Draft(client_id="a", content="hello", state="failed", reason="Too long.")
    assert desk.names == ["a", "b"]
    desk.hear(ack("b", 4))
    assert [draft.client_id for draft in desk.talk.drafts] == ["b", "a"]
    desk.talk.retry("a", desk.now)
    desk.look()
    assert desk.names == ["a", "b", "a"]
    desk.talk.retry("nobody", desk.now)


@pytest.mark.parametrize("content", ["", " \n ", "\x1b[2J", "\ud800", "x" * FRAME_MAX_BYTES])
def test_what_no_line_can_carry_fails_before_it_is_sent(content: str, desk: Desk) -> None:
    desk.say("a", content)
    (draft,) = desk.talk.drafts
    assert draft.state == "failed"
    assert draft.reason
    assert desk.names == []
    desk.talk.retry("a", desk.now)
    assert [one.state for one in desk.talk.drafts] == ["failed"]
    desk.talk.discard("a")
    desk.look()
    assert (desk.talk.drafts, desk.told[-1]) == ([], DraftGone("a", None))


def test_the_longest_message_of_the_widest_characters_goes_out(desk: Desk) -> None:
    desk.say("a" * 32, "🎬" * TEXT_MAX_CHARACTERS)
    assert desk.names == ["a" * 32]


def test_what_waits_can_be_thrown_away_and_what_is_under_way_can_not(desk: Desk) -> None:
    desk.say("a")
    desk.say("b")
    desk.talk.discard("a")
    desk.talk.discard("b")
    assert [draft.client_id for draft in desk.talk.drafts] == ["a"]


def test_the_outbox_is_bounded_and_says_so(desk: Desk) -> None:
    for number in range(OUTBOX_MAX):
        desk.say(f"m{number}")
    assert not desk.talk.say(Draft(client_id="more", content="x"), desk.now)
    desk.change(1, None)
    assert [update.code for update in desk.of(Trouble)] == ["outbox-full"]
    assert len(desk.of(ChangeFailed)) == 1
    assert len(desk.talk.drafts) == OUTBOX_MAX


def test_failed_drafts_are_bounded(desk: Desk) -> None:
    for number in range(FAILED_MAX + 5):
        desk.say(f"m{number}", "")
    assert len(desk.talk.drafts) == FAILED_MAX
    assert desk.talk.drafts[0].client_id == "m5"


def test_an_error_about_nothing_of_ours_is_told(desk: Desk) -> None:
    desk.hear(refusal("unknown-type", "novelty", detail="What?"), refusal("invalid", "read"))
    assert desk.of(Trouble) == [Trouble("unknown-type", "What?")]


@pytest.mark.parametrize("code", ["unavailable", "too-many"])
def test_an_error_about_what_was_told_meanwhile_is_no_trouble(desk: Desk, code: str) -> None:
    desk.say("a")
    desk.say("b")
    desk.lose()
    desk.open()  # said again under its name, and told before that is looked at
    desk.hear(mine(4, "a"), refusal(code, "a", retry_after=5.0 if code == "too-many" else None), resumed(4))
    assert not desk.of(Trouble)
    assert [draft.client_id for draft in desk.talk.drafts] == ["b"]
    assert desk.names[-1] == "b"


# --- edits and deletions ----------------------------------------------------------------------------------------


def test_an_edit_and_a_deletion_are_done_when_they_are_told(desk: Desk) -> None:
    desk.hear(mine(4, "x"))
    desk.change(4, "better")
    desk.change(4, None)
    assert desk.sends(EditFrame) == [EditFrame(id="msg_4", content="better")]
    desk.hear(edited(4, "better", 1))
    assert desk.sends(DeleteFrame) == [DeleteFrame(id="msg_4")]
    desk.hear(deleted(4, 2))
    assert desk.talk.next_wake() == math.inf
    assert desk.talk.kept()["changes"] == 2


def test_a_change_that_was_cut_off_is_asked_for_again(desk: Desk) -> None:
    desk.change(2, "better")
    desk.lose()
    desk.open()
    assert len(desk.sends(EditFrame)) == 2


def test_a_change_that_the_service_does_not_make_is_told(desk: Desk) -> None:
    desk.change(2, "better")
    desk.hear(refusal("forbidden", "edit", detail="Not yours."))
    desk.change(2, None)
    desk.hear(refusal("forbidden", "delete", detail="Not yours."))
    assert [update.reason for update in desk.of(ChangeFailed)] == ["Not yours."] * 2


def test_to_delete_what_is_gone_is_no_failure(desk: Desk) -> None:
    desk.hear(mine(4, "x"))
    desk.change(4, None)
    desk.talk.transcript.change(deleted(4))
    desk.hear(refusal("conflict", "delete"))
    assert desk.of(ChangeFailed) == []


def test_a_change_that_is_never_told_of_is_given_up(desk: Desk) -> None:
    desk.change(2, "better")
    desk.say("a")
    for _ in range(CHANGE_TRIES):
        desk.wait(ANSWER_SECONDS)
    assert len(desk.sends(EditFrame)) == CHANGE_TRIES
    assert len(desk.of(ChangeFailed)) == 1
    assert desk.names == ["a"]


@pytest.mark.parametrize("content", ["", "x" * FRAME_MAX_BYTES])
def test_an_edit_that_no_line_can_carry_fails_at_once(content: str, desk: Desk) -> None:
    desk.change(2, content)
    assert len(desk.of(ChangeFailed)) == 1
    assert desk.sends(EditFrame) == []


# --- reading and writing ----------------------------------------------------------------------------------------


def test_read_marks_only_grow_and_are_told_once_a_second_at_most(desk: Desk) -> None:
    desk.hear(said(4), said(5), said(6))
    for seq in (4, 6, 5, 99):
        desk.talk.read(seq, desk.now)
    desk.look()
    assert desk.sends(ReadFrame) == [ReadFrame(seq=4)]
    assert desk.talk.next_wake() == 1.0
    desk.wait(1.0)
    assert desk.sends(ReadFrame) == [ReadFrame(seq=4), ReadFrame(seq=6)]
    assert desk.talk.next_wake() == math.inf


def test_a_read_mark_set_without_a_line_is_told_when_it_is_back(desk: Desk) -> None:
    desk.lose()
    desk.talk.read(3, desk.now)
    desk.now += 5
    desk.open()
    desk.hear(resumed(3))
    assert desk.sends(ReadFrame) == [ReadFrame(seq=3)]


def test_what_others_have_read_only_grows(desk: Desk) -> None:
    desk.hear(ReadTold(by=OTHER, seq=2), ReadTold(by=OTHER, seq=1))
    assert desk.of(HasRead) == [HasRead(OTHER, 2)]
    assert desk.talk.reads == {OTHER: 2}


def test_somebody_writes_until_they_have_said_it_or_stop(desk: Desk) -> None:
    desk.hear(TypingTold(by=OTHER, name="Bea"), TypingTold(by=OTHER, name="Bea"), TypingTold(by=ME, name="Ana"))
    assert desk.of(TypingNow) == [TypingNow(((OTHER, "Bea"),))]
    desk.hear(said(4))
    desk.hear(TypingTold(by=OTHER, name="Bea"))
    desk.wait(desk.talk.next_wake() - desk.now)
    desk.hear(TypingTold(by=OTHER, name="Bea"))
    desk.lose()
    assert [update.people for update in desk.of(TypingNow)] == [((OTHER, "Bea"),), ()] * 3


def test_that_this_person_writes_is_told_now_and_then_and_only_on_a_line(desk: Desk) -> None:
    for _ in range(50):
        desk.talk.typed(desk.now)
        desk.wait(0.1)
    assert len(desk.sends(TypingFrame)) == 2
    desk.lose()
    desk.now += 60
    desk.talk.typed(desk.now)
    desk.look()
    assert len(desk.sends(TypingFrame)) == 2


# --- what is kept -----------------------------------------------------------------------------------------------


def test_what_is_kept_goes_through_json_and_on_in_another_process(desk: Desk) -> None:
    desk.hear(said(4), edited(4, "better", 3))
    desk.talk.read(4, desk.now)
    desk.lose()
    desk.talk.say(Draft(client_id="a", content="first", position=61.5, reply_to="msg_4", written_at=5.0), desk.now)
    desk.talk.say(Draft(client_id="b", content="second", kind="action"), desk.now)
    desk.say("bad", "")
    kept = json.loads(json.dumps(desk.talk.kept()))
    other = Desk(kept=kept)
    assert [(draft.client_id, draft.state) for draft in other.talk.drafts] == [
        ("a", "waiting"), ("b", "waiting"), ("bad", "failed"),
    ]  # fmt: skip
    assert other.talk.kept() == kept
    other.open()
    assert other.sends(ResumeFrame) == [ResumeFrame(after=4, changes=3)]
    assert other.sends(SendFrame) == [SendFrame(client_id="a", content="first", position=61.5, reply_to="msg_4")]


@pytest.mark.parametrize("kept", [None, {}, [], "x", {"seq": "four"}, {"seq": -1}, {"drafts": [{"clientId": 1}]}])
def test_what_makes_no_sense_is_as_if_nothing_were_kept(kept: Any) -> None:
    desk = Desk(kept=kept)
    desk.open()
    assert (desk.talk.needs_start, desk.talk.drafts) == (True, [])


def test_what_is_sent_but_not_told_is_not_kept_as_a_draft(desk: Desk) -> None:
    desk.say("a")
    desk.hear(ack("a", 4))
    assert desk.talk.kept()["drafts"] == []


def test_the_line_is_told(desk: Desk) -> None:
    desk.lose()
    assert desk.of(ChatLine) == [ChatLine(True), ChatLine(False, "the line is gone", 0.0)]
