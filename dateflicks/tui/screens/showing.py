"""Whether a screen can show anything just now, and what is shown by work that may come to its end after the screen."""

import contextlib
from typing import Any

from textual.css.query import NoMatches
from textual.screen import Screen


def can_show(screen: "Screen[Any]") -> bool:
    """Not before it is laid out, nor while the app ends: then the parts of a screen go before it does."""
    return screen.is_mounted and screen.size.width > 0 and bool(screen.children)


def while_there() -> "contextlib.suppress":
    """Around what is shown once something was waited for: the parts of the screen may have gone meanwhile."""
    return contextlib.suppress(NoMatches)
