"""Whether a screen can show anything just now: the one question that each asks before it draws."""

from typing import Any

from textual.screen import Screen


def can_show(screen: "Screen[Any]") -> bool:
    """Not before it is laid out, nor while the app ends: then the parts of a screen go before it does."""
    return screen.is_mounted and screen.size.width > 0 and bool(screen.children)
