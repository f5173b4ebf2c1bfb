"""The whole talk as lines, brought up to date."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dateflicks.tui.model import ChatEntry
from dateflicks.tui.widgets.chat_book import ChatBook
from dateflicks.tui.widgets.chat_lines import Layout
from tests.conftest import examples
from tests.tui.chat import EVENING, said, talk

LAYOUT = Layout(width=60, zone=UTC)


def book(*entries: ChatEntry, read_to: int | None = None) -> ChatBook:
    made = ChatBook(LAYOUT)
    made.show(entries, read_to)
    return made


def text(one: ChatBook) -> list[str]:
    return [one.line(y).text for y in range(one.height)]


def reaction(content: str, position: float | None, *, seq: int, **known: object) -> ChatEntry:
    return said(content, kind="reaction", position=position, seq=seq, **known)


def test_an_empty_talk_has_no_lines() -> None:
    one = book()
    assert one.height == 0
    assert one.beside(None, -1) is None


def test_a_line_more_is_one_entry_laid_out() -> None:
    entries = talk(500)
    one = book(*entries)
    before = one.wraps
    for more in talk(100, first=501):
        entries = (*entries, more)
        assert one.show(entries).arrived == (not more.is_mine)
    assert one.wraps - before == 100
    assert text(one) == text(book(*entries))


def test_nothing_new_lays_nothing_out() -> None:
    entries = talk(50)
    one = book(*entries)
    before = one.wraps
    one.show(entries)
    one.show((*entries,))
    assert one.wraps == before


def test_an_acknowledged_line_turns_in_place() -> None:
    entries = (*talk(50), said("mine", key="c_1", is_mine=True, state="sending"))
    one = book(*entries)
    assert text(one)[-1].endswith("mine (sending)")
    before = one.wraps
    one.show((*entries[:-1], said("mine", key="msg_51", seq=51, is_mine=True)))
    assert one.wraps == before + 1
    assert text(one)[-1].endswith("mine")
    assert one.number_of("c_1") is None
    assert one.number_of("msg_51") is not None


def test_a_line_that_comes_before_a_waiting_one_lays_out_those_two() -> None:
    waiting = said("mine", key="c_1", is_mine=True, state="sending")
    entries = talk(50)
    one = book(*entries, waiting)
    before = one.wraps
    now = (*entries, said("theirs", seq=51), waiting)
    one.show(now)
    assert one.wraps == before + 2
    assert text(one) == text(book(*now))


@pytest.mark.parametrize("change", [{"content": "word " * 40, "is_edited": True}, {"is_deleted": True, "content": ""}])
def test_a_changed_line_in_the_middle_moves_what_is_below(change: dict[str, object]) -> None:
    entries = talk(200)
    one = book(*entries)
    before = one.wraps
    now = (*entries[:100], replace(entries[100], **change), *entries[101:])  # type: ignore[arg-type]
    one.show(now)
    assert one.wraps == before + 1
    assert text(one) == text(book(*now))


def test_an_older_page_put_before_lays_out_that_page() -> None:
    entries = talk(100, first=101)
    one = book(*entries)
    before, number = one.wraps, one.number_of("msg_150")
    assert number is not None
    line = one.line_number(one.span(number)[0])
    now = (*talk(50, first=51), *entries)
    assert one.show(now).was_older_added
    assert one.wraps == before + 50
    assert one.number_of("msg_150") == number
    assert one.line_number(one.span(number)[0]) == line
    assert text(one) == text(book(*now))


def test_at_the_bound_the_oldest_go_and_nothing_else_is_laid_out() -> None:
    entries = talk(300)
    one = book(*entries)
    before = one.wraps
    for more in talk(50, first=301):
        entries = (*entries[1:], more)
        one.show(entries)
    assert one.wraps == before + 50
    assert one.entry(one.number_at(0)) == entries[0]
    assert text(one) == text(book(*entries))


def test_another_talk_is_laid_out_anew() -> None:
    one = book(*talk(20))
    other = talk(5, first=900)
    assert one.show(other).is_anew
    assert text(one) == text(book(*other))
    assert one.show(()).is_anew
    assert one.height == 0


def test_a_wider_name_widens_the_column_once() -> None:
    entries = talk(20)
    one = book(*entries)
    entries = (*entries, said("hello", name="bartholomew", seq=21))
    one.show(entries)
    assert text(one) == text(book(*entries))
    assert text(one)[-1].startswith(" 21:04  bartholomew  hello")
    before = one.wraps
    one.show((*entries, said("again", name="bartholomew", seq=22)))
    assert one.wraps == before + 1


def test_a_new_day_is_told_once() -> None:
    one = book(said("late", seq=1), said("early", seq=2, at=EVENING + 3 * 3600), said("and", seq=3, at=EVENING + 10801))
    assert text(one) == [
        " 21:04  bea  late",
        " — Wednesday 25 November 2026 —",
        " 00:04  bea  early",
        " 00:04  bea  and",
    ]


def test_reactions_of_one_moment_are_one_line() -> None:
    entries: tuple[ChatEntry, ...] = ()
    one = book()
    for seq, position in enumerate((1660.0, 1661.0, 1664.9), 1):
        entries = (*entries, reaction("scream", position, seq=seq))
        one.show(entries)
    assert text(one) == [" 21:04       0:27:40  bea reacted  :scream:  (x3)"]
    one.show((*entries, reaction("scream", 1665.1, seq=4)))
    assert text(one)[1:] == [" 21:04       0:27:45  bea reacted  :scream:"]


@pytest.mark.parametrize(
    "other",
    [
        reaction("joy", 1661.0, seq=2),
        reaction("scream", 1661.0, seq=2, author="usr_teo", name="teo"),
        reaction("scream", None, seq=2),
        reaction("scream", 1661.0, seq=2, reply_to="msg_9"),
        reaction("scream", 1661.0, seq=2, is_deleted=True),
        reaction("scream", 1661.0, seq=2, state="failed"),
        reaction("scream", 1661.0, seq=2, at=EVENING + 86_400),
        said("scream", position=1661.0, seq=2),
    ],
)
def test_only_the_same_reaction_of_the_same_person_is_told_with_it(other: ChatEntry) -> None:
    assert not any("x2" in line for line in text(book(reaction("scream", 1660.0, seq=1), other)))


def test_reactions_between_do_not_part_a_group_but_words_do() -> None:
    first, last = reaction("scream", 1660.0, seq=1), reaction("😱", 1662.0, seq=3)
    between = reaction("joy", 1661.0, seq=2, author="usr_ana", name="ana", is_mine=True)
    assert [line[22:] for line in text(book(first, between, last))] == [
        "bea reacted  :scream:  (x2)",
        "you reacted  :joy:",
    ]
    assert len(text(book(first, said(seq=2), last))) == 3


def test_a_group_whose_first_is_gone_is_told_by_the_next() -> None:
    entries = tuple(reaction("scream", 1660.0 + seq, seq=seq) for seq in (1, 2, 3))
    one = book(*entries)
    one.show(entries[1:])
    assert [line[22:] for line in text(one)] == ["bea reacted  :scream:  (x2)"]
    one.show((entries[1], replace(entries[2], is_deleted=True)))
    assert [line[22:] for line in text(one)] == ["bea reacted  :scream:", "bea took back a line"]


def test_a_group_whose_last_is_gone_counts_one_less() -> None:
    between = reaction("joy", 1661.0, seq=2)
    entries = (reaction("scream", 1660.0, seq=1), between, reaction("scream", 1662.0, seq=3))
    one = book(*entries)
    one.show(entries[:2])
    assert text(one) == text(book(*entries[:2]))


def test_a_reply_follows_what_it_answers() -> None:
    entries = (said("two bowls", seq=1), said("one is sacrificial", seq=2, reply_to="msg_1"))
    one = book(*entries)
    assert text(one)[1].endswith("↳ bea: two bowls")
    one.show((replace(entries[0], content="three bowls", is_edited=True), entries[1]))
    assert text(one)[1].endswith("↳ bea: three bowls")
    one.show(entries[1:])
    assert text(one)[0].endswith("↳ an earlier line")
    one.show(entries)
    assert text(one)[1].endswith("↳ bea: two bowls")


def test_the_mark_of_reading_stands_under_my_last_line_that_is_read() -> None:
    entries = (
        said("one", seq=1, is_mine=True),
        said("two", seq=2),
        said("three", seq=3, is_mine=True),
        said("four", key="c_4", is_mine=True, state="sending"),
    )
    one = book(*entries)
    assert not any("read" in line for line in text(one))
    one.show(entries, 2)
    assert text(one)[1].strip() == "read"
    before = one.wraps
    one.show(entries, 3)
    assert [line.strip() for line in text(one)].index("read") == 3
    assert one.wraps == before + 2
    entries = (*entries[:3], replace(entries[3], key="msg_4", seq=4, state="sent"))
    one.show(entries, 3)
    assert [line.strip() for line in text(one)].index("read") == 3
    one.show(entries, 4)
    assert text(one)[-1].strip() == "read"
    assert sum(line.strip() == "read" for line in text(one)) == 1


def test_another_width_lays_everything_out_again() -> None:
    one = book(*talk(50))
    before = one.wraps
    assert one.lay_out(replace(LAYOUT, width=30))
    assert one.wraps == before + 50
    assert not one.lay_out(replace(LAYOUT, width=30))
    assert one.wraps == before + 50


def test_every_line_belongs_to_an_entry_and_back() -> None:
    entries = (*talk(30), *(reaction("joy", 5.0 + seq / 10, seq=seq) for seq in range(31, 40)), *talk(3, first=40))
    one = book(*entries)
    for y in range(one.height):
        start, end = one.span(one.number_at(y))
        assert start <= y < end


def test_going_from_entry_to_entry_skips_those_without_a_line() -> None:
    entries = (said("a", seq=1), *(reaction("joy", 5.0, seq=seq) for seq in (2, 3)), said("b", seq=4))
    one = book(*entries)
    seen = []
    number = one.beside(None, -1)
    while number is not None:
        entry = one.entry(number)
        assert entry is not None
        seen.append(entry.seq)
        number = one.beside(number, -1)
    assert seen == [4, 2, 1]


def test_searching_finds_entries_by_what_they_show() -> None:
    entries = (said("Two bowls", seq=1), *(reaction("😱", 5.0, seq=seq) for seq in (2, 3)), said("ha 😂", seq=4))
    one = book(*entries)

    def found(words: str) -> list[int | None]:
        numbers = one.matches(re.compile(re.escape(words), re.IGNORECASE))
        return [entry.seq for number in numbers if (entry := one.entry(number)) is not None]

    assert found("BOWLS") == [1]
    assert found(":scream:") == [2]
    assert found(":joy:") == [4]
    assert found("[.*") == []


Change = Callable[[list[ChatEntry], int], list[ChatEntry]]


def _appended(entries: list[ChatEntry], seed: int) -> list[ChatEntry]:
    seq = (entries[-1].seq or 0) + 1 if entries else 1000
    kind = ("text", "reaction", "reaction", "action", "system")[seed % 5]
    name = ("joy", "scream")[seed % 2] if kind == "reaction" else f"line {seed} " * (seed % 9)
    reply_to = entries[seed % len(entries)].key if entries and seed % 3 == 0 else None
    at = EVENING + seq * 3000
    one = said(name, seq=seq, kind=kind, is_mine=seed % 4 == 0, position=seed % 12 * 1.0, at=at, reply_to=reply_to)
    return [*entries, one]


def _older(entries: list[ChatEntry], seed: int) -> list[ChatEntry]:
    if not entries:
        return entries
    first = entries[0].seq or 0
    page: list[ChatEntry] = []
    for seq in range(max(1, first - seed % 5), first):
        page = _appended(page, seed + seq)
        page[-1] = replace(page[-1], seq=seq, key=f"msg_{seq}", at=EVENING + seq * 3000)
    return page + entries


def _edited(entries: list[ChatEntry], seed: int) -> list[ChatEntry]:
    if not entries:
        return entries
    at = seed % len(entries)
    changed = (
        replace(entries[at], content="other words " * (seed % 12), is_edited=True),
        replace(entries[at], content="", is_deleted=True),
        replace(entries[at], state="sending"),
        replace(entries[at], key=f"other_{seed}", state="sent"),
    )[seed % 4]
    return [*entries[:at], changed, *entries[at + 1 :]]


def _dropped(entries: list[ChatEntry], seed: int) -> list[ChatEntry]:
    return entries[seed % 3 :] if len(entries) > 3 else entries


def _cut(entries: list[ChatEntry], seed: int) -> list[ChatEntry]:
    return entries[: len(entries) - seed % 2] if len(entries) > 3 else entries


def _swapped(entries: list[ChatEntry], seed: int) -> list[ChatEntry]:
    if len(entries) < 3:
        return entries
    at = 1 + seed % (len(entries) - 2)
    return [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]]


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([_appended, _appended, _appended, _older, _edited, _dropped, _cut, _swapped]),
            st.integers(0, 1000),
        ),
        max_size=40,
    ),
    st.integers(1, 5),
)
def test_however_it_came_about_the_same_talk_looks_the_same(changes: list[tuple[Change, int]], pace: int) -> None:
    one = ChatBook(LAYOUT)
    entries: list[ChatEntry] = []
    for step, (change, seed) in enumerate(changes):
        entries = change(entries, seed)
        assume(len({entry.key for entry in entries}) == len(entries))
        if step % pace == 0 or step == len(changes) - 1:
            read_to = 1000 + seed % 30
            one.show(tuple(entries), read_to)
            assert text(one) == text(book(*entries, read_to=read_to))
