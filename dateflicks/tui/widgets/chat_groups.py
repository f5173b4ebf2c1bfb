"""Which reaction is told in the line of which: the same again, soon after, only counts. Pure.

Of a run of reactions each has a leader, the entry that tells of it, mostly itself. Numbers are those of `chat_book.py`:
the index of an entry and the number of the first.
"""

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from dateflicks.tui.model import ChatEntry
from dateflicks.tui.widgets.chat_lines import ChatLine, Context, belongs

_LOOK_BACK: Final = 16  # reactions of others between two that are told in one line


@dataclass(slots=True)
class Block:
    """One entry and its lines; `leader` is the number of the entry that tells of this reaction, mostly its own."""

    entry: ChatEntry
    leader: int
    context: Context | None = None
    lines: tuple[ChatLine, ...] = ()


def regroup(blocks: list[Block], at: int, base: int, zone: tzinfo | None, touched: set[int]) -> int:
    """From `at` to the end of its run of reactions; the index of the last entry looked at.

    The numbers of entries that are told differently are added to `touched`.
    """
    start = at
    while at < len(blocks) and (at == start or blocks[at].entry.kind == "reaction"):
        block, number, leader = blocks[at], base + at, leader_of(blocks, at, base, zone)
        if leader != block.leader:
            touched.update((number, leader, block.leader))
            block.leader = leader
        elif leader != number:
            touched.add(leader)
        at += 1
    return at - 1


def leader_of(blocks: list[Block], at: int, base: int, zone: tzinfo | None) -> int:
    """The number of the entry that tells of the one at an index: its own, but for a repeated reaction."""
    entry = blocks[at].entry
    if entry.kind == "reaction":
        for before in range(at - 1, max(-1, at - 1 - _LOOK_BACK), -1):
            if blocks[before].entry.kind != "reaction":
                break
            leader = blocks[before].leader - base
            if leader >= 0 and belongs(entry, blocks[leader].entry, zone):
                return base + leader
    return base + at


def count_of(blocks: list[Block], at: int, base: int) -> int:
    """How many reactions the entry at an index tells of."""
    number = base + at
    if blocks[at].leader != number:
        return 0
    count, last = 1, at
    if blocks[at].entry.kind != "reaction":
        return 1
    for after in range(at + 1, len(blocks)):
        if blocks[after].entry.kind != "reaction" or after - last > _LOOK_BACK:
            break
        if blocks[after].leader == number:
            count, last = count + 1, after
    return count
