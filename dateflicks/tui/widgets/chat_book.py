"""The whole talk laid out as lines, brought up to date with as little work as each change needs. Pure.

It is given all entries at each change and finds out what is new by comparing: entries are frozen, so most comparisons
are of identical objects and done by the tuple itself. Entries and lines are counted by numbers that never move: older
pages put before get smaller ones, below zero if need be. `y` counts the lines from the top of what is there now.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from rich.cells import cell_len

from dateflicks.protocol.printable import printable
from dateflicks.tui.emoji import shown
from dateflicks.tui.model import ChatEntry
from dateflicks.tui.widgets.chat_groups import Block, count_of, leader_of, regroup
from dateflicks.tui.widgets.chat_lines import ChatLine, Context, Layout, author_of, day_of, entry_lines, searched_text

_CHUNK: Final = 64
_READ_KINDS: Final = ("text", "action")


@dataclass(frozen=True, slots=True)
class Changed:
    """What one change did: new entries of others at the end, older ones put before, or all of it another talk."""

    arrived: int = 0
    was_older_added: bool = False
    is_anew: bool = False


class ChatBook:
    """Entries, their lines, and which line is whose."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._entries: tuple[ChatEntry, ...] = ()
        self._blocks: list[Block] = []
        self._starts: list[int] = []  # the line number at which each block begins
        self._end = 0
        self._base = 0  # the number of the first entry
        self._numbers: dict[str, int] = {}
        self._answers: dict[str, set[int]] = {}
        self._name_cells: dict[str, int] = {}
        self._read_to: int | None = None
        self._read: int | None = None  # the number of my last line that is read
        self.wraps = 0  # entries laid out so far

    @property
    def layout(self) -> Layout:
        """How it is laid out now."""
        return self._layout

    @property
    def entries(self) -> tuple[ChatEntry, ...]:
        """What is shown."""
        return self._entries

    @property
    def height(self) -> int:
        """How many lines there are."""
        return self._end - self._first

    @property
    def _first(self) -> int:
        return self._starts[0] if self._starts else self._end

    # --- asking -------------------------------------------------------------------------------------------------

    def line(self, y: int) -> ChatLine:
        """The line at `y`."""
        at = self._index_at(y)
        return self._blocks[at].lines[y + self._first - self._starts[at]]

    def line_number(self, y: int) -> int:
        """The number of a line, that it keeps."""
        return y + self._first

    def y_of(self, line_number: int) -> int:
        """Where a line is now."""
        return line_number - self._first

    def number_at(self, y: int) -> int:
        """The number of the entry that the line at `y` is of."""
        return self._base + self._index_at(y)

    def span(self, number: int) -> tuple[int, int]:
        """From which `y` to before which one an entry's lines go."""
        at = min(max(0, number - self._base), len(self._blocks) - 1)
        start = self._starts[at] - self._first
        return start, start + len(self._blocks[at].lines)

    def entry(self, number: int) -> ChatEntry | None:
        """The entry of a number, if it is still there."""
        at = number - self._base
        return self._entries[at] if 0 <= at < len(self._entries) else None

    def number_of(self, key: str) -> int | None:
        """The number of an entry, by its key."""
        return self._numbers.get(key)

    def beside(self, number: int | None, step: int) -> int | None:
        """The next entry with a line, up (-1) or down (1); from None the last one."""
        at = len(self._blocks) if number is None else number - self._base
        at += -1 if number is None else step
        while 0 <= at < len(self._blocks):
            if self._blocks[at].lines:
                return self._base + at
            at += step if number is not None else -1
        return None

    def matches(self, pattern: re.Pattern[str]) -> list[int]:
        """Numbers of the entries that show what is looked for, the oldest first; of grouped ones the leader's."""
        emoji = self._layout.emoji
        found = (
            block.leader for block in self._blocks if pattern.search(searched_text(block.entry, emoji)) is not None
        )
        return list(dict.fromkeys(found))

    def _index_at(self, y: int) -> int:
        return bisect_right(self._starts, y + self._first) - 1

    # --- changing -----------------------------------------------------------------------------------------------

    def lay_out(self, layout: Layout) -> bool:
        """Lay everything out anew if it must look different; whether it had to."""
        layout = replace(layout, name_cells=self._layout.name_cells)
        if layout == self._layout:
            return False
        is_regrouped = layout.zone != self._layout.zone
        self._layout = layout
        if is_regrouped:
            self._regroup_all()
        self._all_anew()
        return True

    def show(self, entries: tuple[ChatEntry, ...], read_to: int | None = None) -> Changed:
        """Bring it up to date; `read_to` is the number (`seq`) up to which the others have read."""
        old = self._entries
        if entries is old or (len(entries) == len(old) and entries == old):
            self._entries = entries
            self._settle(self._mark_read(read_to, is_needed=read_to != self._read_to))
            return Changed()
        shift = self._shift(entries)
        if shift is None:
            self._reset(entries, read_to)
            return Changed(is_anew=True)
        dirty: set[int] = set()
        first, line = self._base, self._first
        if shift < 0:
            self._drop_front(-shift, dirty)
        elif shift > 0:
            self._put_before(entries[:shift], dirty)
        common = min(len(entries), len(self._blocks))
        self._drop_tail(common, dirty)
        for at in _differences(self._entries, entries, common):
            self._replace(at, entries[at], dirty)
        appended = entries[common:]
        self._entries = entries
        for entry in appended:
            self._append(entry, dirty)
        changed = [one for number in dirty if (one := self.entry(number)) is not None]
        is_mine = any(one.is_mine for one in changed)
        is_lost = self._read is not None and self.entry(self._read) is None
        dirty |= self._mark_read(read_to, is_needed=is_mine or is_lost or read_to != self._read_to)
        if self._widened(changed):
            self._regroup_around(dirty)
            self._all_anew()
        else:
            self._settle(dirty)
        if shift > 0:
            self._hold(first, line)
        arrived = sum(not one.is_mine and one.kind != "system" for one in appended)
        return Changed(arrived=arrived, was_older_added=shift > 0)

    def _shift(self, entries: tuple[ChatEntry, ...]) -> int | None:
        """How many are new at the front; below zero, how many are gone there; None when it is another talk."""
        old = self._entries
        if not old:
            return 0
        if not entries:
            return None
        if entries[0] is old[0] or entries[0].key == old[0].key:
            return 0
        known = self._numbers.get(entries[0].key)
        if known is not None:
            return self._base - known
        key = old[0].key
        return next((at for at, entry in enumerate(entries) if entry.key == key), None)

    def _reset(self, entries: tuple[ChatEntry, ...], read_to: int | None) -> None:
        self._blocks.clear()
        self._starts.clear()
        self._numbers.clear()
        self._answers.clear()
        self._base += len(self._entries)  # no number is used twice
        self._read = None
        self._entries = entries
        dirty: set[int] = set()
        for entry in entries:
            self._append(entry, dirty)
        self._widened(entries)
        self._mark_read(read_to, is_needed=True)
        self._regroup_all()
        self._all_anew()

    def _append(self, entry: ChatEntry, dirty: set[int]) -> None:
        number = self._base + len(self._blocks)
        self._blocks.append(Block(entry, number))
        self._starts.append(self._end)
        self._know(entry, number, dirty)

    def _put_before(self, entries: tuple[ChatEntry, ...], dirty: set[int]) -> None:
        if self._blocks:
            dirty.add(self._base)
        self._base -= len(entries)
        self._blocks[:0] = [Block(entry, self._base + at) for at, entry in enumerate(entries)]
        self._starts[:0] = [self._first] * len(entries)
        self._entries = entries + self._entries
        for at, entry in enumerate(entries):
            self._know(entry, self._base + at, dirty)

    def _replace(self, at: int, entry: ChatEntry, dirty: set[int]) -> None:
        number = self._base + at
        before = self._blocks[at].entry
        if before.key != entry.key or before.reply_to != entry.reply_to:
            self._forget(before, number, dirty)
        self._blocks[at].entry = entry
        self._know(entry, number, dirty)
        if at + 1 < len(self._blocks):
            dirty.add(number + 1)

    def _drop_front(self, count: int, dirty: set[int]) -> None:
        for at in range(count):
            self._forget(self._blocks[at].entry, self._base + at, dirty)
        del self._blocks[:count]
        del self._starts[:count]
        self._entries = self._entries[count:]
        self._base += count
        if self._blocks:
            dirty.add(self._base)

    def _drop_tail(self, common: int, dirty: set[int]) -> None:
        if common == len(self._blocks):
            return
        for at in range(common, len(self._blocks)):
            self._forget(self._blocks[at].entry, self._base + at, dirty)
            dirty.add(self._blocks[at].leader)
        self._end = self._starts[common]
        del self._blocks[common:]
        del self._starts[common:]
        self._entries = self._entries[:common]
        if common:
            dirty.add(self._base + common - 1)

    def _know(self, entry: ChatEntry, number: int, dirty: set[int]) -> None:
        self._numbers[entry.key] = number
        dirty.add(number)
        if entry.reply_to is not None:
            self._answers.setdefault(entry.reply_to, set()).add(number)
        if entry.key in self._answers:
            dirty.update(self._answers[entry.key])

    def _forget(self, entry: ChatEntry, number: int, dirty: set[int]) -> None:
        if self._numbers.get(entry.key) == number:
            del self._numbers[entry.key]
        answers = self._answers.get(entry.reply_to) if entry.reply_to is not None else None
        if answers is not None:
            answers.discard(number)
        dirty.update(self._answers.get(entry.key, ()))

    def _widened(self, entries: Iterable[ChatEntry]) -> bool:
        """Whether the column of names must be wider."""
        widest = self._layout.name_cells
        for entry in entries:
            if entry.kind == "text" and not entry.is_mine and entry.name not in self._name_cells:
                cells = cell_len(shown(printable(author_of(entry)), "names"))
                self._name_cells[entry.name] = cells
                widest = max(widest, cells)
        if widest == self._layout.name_cells:
            return False
        before = self._layout
        self._layout = replace(self._layout, name_cells=widest)
        return self._layout.text_column != before.text_column

    def _mark_read(self, read_to: int | None, *, is_needed: bool) -> set[int]:
        """Find my last line that is read; the numbers of the entries that look different for it."""
        if not is_needed:
            return set()
        self._read_to = read_to
        before, self._read = self._read, None
        if read_to is not None:
            behind = (at for at in range(len(self._entries) - 1, -1, -1) if self._is_read(self._entries[at], read_to))
            at = next(behind, None)
            self._read = None if at is None else self._base + at
        return {one for one in (before, self._read) if one is not None} if before != self._read else set()

    @staticmethod
    def _is_read(entry: ChatEntry, read_to: int) -> bool:
        is_said = entry.is_mine and entry.kind in _READ_KINDS and not entry.is_deleted and entry.state == "sent"
        return is_said and entry.seq is not None and entry.seq <= read_to

    # --- laying out ---------------------------------------------------------------------------------------------

    def _regroup_around(self, dirty: set[int]) -> set[int]:
        """Find anew who tells of which reaction, from each changed entry on; the numbers of those told differently."""
        touched: set[int] = set()
        done = -1
        for number in sorted(dirty):
            at = number - self._base
            if done < at < len(self._blocks):
                done = regroup(self._blocks, at, self._base, self._layout.zone, touched)
        return touched

    def _regroup_all(self) -> None:
        for at, block in enumerate(self._blocks):
            block.leader = leader_of(self._blocks, at, self._base, self._layout.zone)

    def _context(self, at: int) -> Context:
        entry = self._entries[at]
        answered = self._numbers.get(entry.reply_to) if entry.reply_to is not None else None
        return Context(
            entry,
            at > 0 and self._begins_day(entry, self._entries[at - 1]),
            count_of(self._blocks, at, self._base),
            self._base + at == self._read,
            self.entry(answered) if answered is not None else None,
        )

    def _begins_day(self, entry: ChatEntry, before: ChatEntry) -> bool:
        if 0 <= entry.at - before.at < 60 and entry.at // 60 == before.at // 60:
            return False
        return day_of(entry, self._layout.zone) != day_of(before, self._layout.zone)

    def _settle(self, dirty: set[int]) -> None:
        """Lay out again what looks different, and move what is below."""
        dirty |= self._regroup_around(dirty)
        first: int | None = None
        for number in sorted(dirty):
            at = number - self._base
            if not 0 <= at < len(self._blocks):
                continue
            block = self._blocks[at]
            context = self._context(at)
            if context == block.context:
                continue
            before = len(block.lines)
            self._wrap(block, context)
            if len(block.lines) != before and first is None:
                first = at
        if first is not None:
            self._restart(first)

    def _wrap(self, block: Block, context: Context) -> None:
        self.wraps += 1
        block.context = context
        block.lines = entry_lines(context, self._layout)

    def _all_anew(self) -> None:
        for at, block in enumerate(self._blocks):
            self._wrap(block, self._context(at))
        self._restart(0)

    def _hold(self, number: int, line: int) -> None:
        """Let an entry begin at this line again, and what was put before it at smaller ones."""
        moved = line - self._starts[number - self._base]
        self._starts = [start + moved for start in self._starts]
        self._end += moved

    def _restart(self, at: int) -> None:
        """Count lines again from a block on."""
        if not self._blocks:
            return
        line = self._starts[at]
        for later in range(at, len(self._blocks)):
            self._starts[later] = line
            line += len(self._blocks[later].lines)
        self._end = line


def _differences(old: tuple[ChatEntry, ...], new: tuple[ChatEntry, ...], common: int) -> list[int]:
    """Where two talks differ, of the first `common` entries; whole stretches are compared by the tuples."""
    if old[:common] == new[:common]:
        return []
    found: list[int] = []
    for start in range(0, common, _CHUNK):
        end = min(start + _CHUNK, common)
        if old[start:end] != new[start:end]:
            found.extend(at for at in range(start, end) if old[at] != new[at])
    return found
