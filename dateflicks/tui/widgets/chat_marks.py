"""What the reader does with lines of the talk: what is possible with which, and how places in them are marked."""

from typing import Literal

from rich.style import Style

from dateflicks.tui.model import ChatEntry

Wish = Literal["reply", "react", "edit", "delete", "retry", "go"]
Span = tuple[int, int, Style]  # from one character to before another


def hindrance(wish: Wish, entry: ChatEntry) -> str | None:
    """Why something cannot be done with an entry."""
    if wish == "retry":
        return None if entry.state == "failed" else "That line does not have to be sent again."
    if wish == "go":
        return None if entry.position is not None else "Nobody knows where in the film that was said."
    if entry.state != "sent" and wish != "delete":
        return "That line is not sent yet."
    if entry.is_deleted:
        return "That line is deleted."
    if wish in ("edit", "delete") and not entry.is_mine:
        return f"Only its author can {wish} a line."
    if entry.kind == "system" and wish != "react":
        return f"There is nothing to {wish} in what the film did."
    if wish == "edit" and entry.kind == "reaction":
        return "A reaction cannot be edited; delete it and react again."
    return None


def marked(parts: list[tuple[str, Style]], mark: str) -> list[tuple[str, Style]]:
    """With the cursor's mark in the first cell, which every line leaves free."""
    (text, style), *rest = parts
    return [(mark, style), (text[1:], style), *rest]


def overlaid(parts: list[tuple[str, Style]], spans: list[Span]) -> list[tuple[str, Style]]:
    """Parts of a line with other styles laid over stretches of its characters."""
    for start, end, style in spans:
        found: list[tuple[str, Style]] = []
        at = 0
        for text, own in parts:
            first, last = max(0, min(len(text), start - at)), max(0, min(len(text), end - at))
            found += [(text[:first], own), (text[first:last], own + style), (text[last:], own)]
            at += len(text)
        parts = [part for part in found if part[0]]
    return [part for part in parts if part[0]]
