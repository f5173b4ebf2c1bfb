"""Talk for tests: entries with what matters said, everything else filled in."""

from datetime import UTC, datetime
from typing import Any

from dateflicks.tui.model import ChatEntry

EVENING = datetime(2026, 11, 24, 21, 4, tzinfo=UTC).timestamp()


def said(content: str = "popcorn ready?", **known: Any) -> ChatEntry:
    """One entry, bea's unless `is_mine`, at 21:04 of a Tuesday."""
    is_mine = known.get("is_mine", False)
    defaults: dict[str, Any] = {
        "key": f"msg_{known.get('seq') or content}",
        "author": "usr_ana" if is_mine else "usr_bea",
        "name": "ana" if is_mine else "bea",
        "is_mine": is_mine,
        "kind": "text",
        "at": EVENING,
    }
    return ChatEntry(**{**defaults, "content": content, **known})


def talk(count: int, *, first: int = 1) -> tuple[ChatEntry, ...]:
    """So many lines of two people, a minute apart, numbered from `first`."""
    return tuple(
        said(
            f"line {seq} of the talk" + " and so on" * (seq % 7),
            seq=seq,
            is_mine=seq % 2 == 0,
            at=EVENING + 10 * seq,
        )
        for seq in range(first, first + count)
    )
