"""What is kept of a talk: a run without gaps, bounded, with every edit and deletion in effect."""

import pytest

from dateflicks.client.chat_transcript import KEPT_CHANGES, Transcript
from tests.client.talking import deleted, edited, message


def transcript(first: int, last: int, *, keep: int = 100) -> Transcript:
    found = Transcript(keep=keep)
    found.start(first - 1)
    for seq in range(first, last + 1):
        found.append(message(seq))
    return found


def seqs(found: Transcript) -> list[int]:
    return [one.seq for one in found]


def test_messages_are_found_by_number_and_by_id() -> None:
    found = transcript(4, 9)
    assert (found.first, found.last, len(found), found.has_older) == (4, 9, 6, True)
    assert found.get(6) == found.find("msg_6") == message(6)
    assert found.get(3) is found.get(10) is found.find("msg_3") is None


def test_the_oldest_are_let_go_where_there_are_more_than_are_kept() -> None:
    found = transcript(1, 12, keep=5)
    assert seqs(found) == [8, 9, 10, 11, 12]
    assert found.find("msg_7") is None


def test_an_empty_one_knows_where_the_next_message_stands() -> None:
    found = Transcript()
    assert (found.first, found.last, found.has_older) == (1, 0, False)
    found.start(40)
    assert (found.first, found.last, found.has_older) == (41, 40, True)


def test_a_page_of_older_ones_joins_on_as_far_as_there_is_room() -> None:
    found = transcript(8, 9, keep=5)
    page = [message(seq) for seq in range(2, 8)]
    assert found.prepend(page) == tuple(page)
    assert seqs(found) == [5, 6, 7, 8, 9]


def test_a_page_that_does_not_join_on_comes_back_and_is_not_kept() -> None:
    found = transcript(8, 9)
    assert found.prepend([message(2), message(3)]) == (message(2), message(3))
    assert seqs(found) == [8, 9]


def test_an_edit_and_a_deletion_change_what_is_kept_and_a_deletion_is_for_good() -> None:
    found = transcript(1, 3)
    changed = found.change(edited(2, "better"))
    assert changed is not None
    assert (changed.content, changed.edited_at) == ("better", "2026-11-24T02:00:00.000Z")
    gone = found.change(deleted(2))
    assert gone is not None
    assert (gone.content, gone.deleted_at) == ("", "2026-11-24T02:00:00.000Z")
    late = found.change(edited(2, "too late"))
    assert late is not None
    assert late.content == ""


def test_a_change_of_what_is_not_kept_counts_when_it_is_asked_for() -> None:
    found = transcript(5, 6)
    assert found.change(edited(3, "better")) is None
    assert found.change(deleted(4)) is None
    page = found.prepend([message(2), message(3), message(4)])
    assert [one.content for one in page] == ["line 2", "better", ""]


def test_a_page_that_is_newer_than_a_change_stays_as_it_is() -> None:
    found = transcript(5, 6)
    found.change(edited(3, "first"))
    newer = message(3, content="second", edited_at="2026-11-24T03:00:00.000Z")
    assert found.prepend([newer]) == (newer,)


def test_changes_of_what_is_not_kept_are_bounded() -> None:
    found = transcript(KEPT_CHANGES + 10, KEPT_CHANGES + 10)
    for seq in range(1, KEPT_CHANGES + 3):
        found.change(edited(seq, "better"))
    assert [one.content for one in found.prepend([message(1), message(2), message(3)])] == [
        "line 1",
        "line 2",
        "better",
    ]


def test_a_message_that_is_not_the_next_is_a_fault_of_the_caller() -> None:
    with pytest.raises(AssertionError):
        transcript(1, 3).append(message(5))
