"""What is said, as lines that people read."""

import pytest

from dateflicks.client.chat_sentences import ANSWERED_MAX, Answers, ChatNarrator, at_film_time, spoken
from dateflicks.client.chat_updates import (
    CaughtUp,
    Change,
    ChangeFailed,
    ChatLine,
    ChatUpdate,
    Draft,
    DraftChanged,
    Rewritten,
    Said,
    Trouble,
    TypingNow,
)
from tests.client.talking import ME, message

EDITED = "2026-11-24T02:00:00.000Z"


def test_each_kind_has_its_form() -> None:
    assert spoken(message(1)) == "Bea: line 1"
    assert spoken(message(1, edited_at=EDITED)) == "Bea: line 1 (edited)"
    assert spoken(message(1, type="action", content="laughs")) == "* Bea laughs"
    assert spoken(message(1, type="reaction", content="🎉")) == "Bea reacts: 🎉"
    assert spoken(message(1, type="system", content="ana paused")) == "- ana paused"
    begun = message(1, type="system", content="Bea resumed", event="resumed", position=0.4)
    assert spoken(begun) == "- Bea started the film"
    assert spoken(message(1, content="", deleted_at=EDITED)) == "Bea took back what stood here."
    assert spoken(message(1, author_name=None)) == "somebody: line 1"


def test_the_film_time_stands_in_a_column_of_its_own() -> None:
    lines = [at_film_time(message(1, position=where), "x") for where in (None, 5.0, 3_661.0)]
    assert lines == ["         x", "   0:05  x", "1:01:01  x"]


def test_an_answer_names_whom_it_answers_as_far_as_that_is_known() -> None:
    answers = Answers()
    assert answers.spoken(message(1, author_name="Ana")) == "Ana: line 1"
    assert answers.spoken(message(2, reply_to="msg_1")) == "Bea (to Ana): line 2"
    assert answers.spoken(message(3, reply_to="msg_99")) == "Bea: line 3"
    for seq in range(4, ANSWERED_MAX + 4):
        answers.spoken(message(seq))
    assert answers.spoken(message(9_999, reply_to="msg_1")) == "Bea: line 9999"


@pytest.mark.parametrize(
    ("update", "sentence"),
    [
        (Said(message(1), True), "Bea: line 1"),
        (Said(message(1, author=ME), True), None),
        (Said(message(1, author=ME, type="system", content="ana paused"), True), "- ana paused"),
        (Rewritten("msg_1", 1, message(1, edited_at=EDITED)), "Bea: line 1 (edited)"),
        (Rewritten("msg_1", 1, None), None),
        (DraftChanged(Draft(client_id="a", content="x" * 50)), None),
        (
            DraftChanged(Draft(client_id="a", content="x" * 50, state="failed", reason="No.")),
            f"Not sent (No): {'x' * 39}…",
        ),
        (ChangeFailed(Change(id="msg_1", content=None), "Not yours."), "Not changed: Not yours."),
        (Trouble("code", "Oh."), "Oh."),
        (TypingNow((("usr", "Bea"),)), None),
        (CaughtUp(3), None),
    ],
)
def test_a_person_is_told_what_they_would_notice(update: ChatUpdate, sentence: str | None) -> None:
    assert ChatNarrator(ME).sentence(update) == sentence


def test_a_line_that_stays_away_is_told_once() -> None:
    narrator = ChatNarrator(ME)
    lost = ChatLine(False, "the service restarts", 1.0)
    told = [narrator.sentence(update) for update in (ChatLine(True), lost, lost, ChatLine(True), ChatLine(True))]
    assert told == [
        None, "The chat is away (the service restarts); what you say is sent when it is back.", None,
        "The chat is back.", None,
    ]  # fmt: skip
