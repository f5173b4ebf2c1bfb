"""The only place that uses private ways of Textual (8.2.8): the compositor's strips, for tests that read a screen."""

from typing import Any

from textual._context import visible_screen_stack
from textual.app import App
from textual.strip import Strip


def screen_strips(app: App[Any]) -> list[Strip]:
    """The lines of the active screen with their styles, what shows of the screens behind it included."""
    visible_screen_stack.set(app._background_screens)
    return app.screen._compositor.render_strips()


def text_grid(app: App[Any]) -> str:
    """The exact characters of the active screen, one line a row, padded to its width; a wide character stands once."""
    return "\n".join("".join(segment.text for segment in strip) for strip in screen_strips(app))
