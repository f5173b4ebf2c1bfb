"""Whether a screen can show anything just now, and what is shown by work that may come to its end after the screen."""

import contextlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from textual.css.query import NoMatches
from textual.screen import Screen

Shown = TypeVar("Shown", bound=Screen[Any])
Rest = ParamSpec("Rest")


def can_show(screen: "Screen[Any]") -> bool:
    """Not before it is laid out, nor while the app ends: then the parts of a screen go before it does."""
    return screen.is_mounted and screen.size.width > 0 and bool(screen.children)


def while_there() -> "contextlib.suppress":
    """Around what is shown once something was waited for: the parts of the screen may have gone meanwhile."""
    return contextlib.suppress(NoMatches)


def where_it_can(show: Callable[Concatenate[Shown, Rest], None]) -> Callable[Concatenate[Shown, Rest], None]:
    """Of a method that draws a screen: nothing happens while it cannot, or while some of its parts are not there."""

    @wraps(show)
    def shown(screen: Shown, /, *args: Rest.args, **more: Rest.kwargs) -> None:
        if can_show(screen):
            with while_there():
                show(screen, *args, **more)

    return shown
