"""The only place that uses private ways of Textual (8.2.8): how an app fails, and, for tests, what is on a screen."""

from typing import Any, TypeVar

from textual._context import visible_screen_stack
from textual.app import App
from textual.strip import Strip
from textual.worker import WorkerFailed

Result = TypeVar("Result")


class FailingApp(App[Result]):
    """An app that leaves it to whoever runs it to tell of a failure: Textual would print it with all local values."""

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    @property
    def failure(self) -> Exception | None:
        """The first exception that nobody caught, of a worker or a screen."""
        error = self._exception
        return error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error


def screen_strips(app: App[Any]) -> list[Strip]:
    """The lines of the active screen with their styles, what shows of the screens behind it included."""
    with app._context():
        visible_screen_stack.set(app._background_screens)
        return app.screen._compositor.render_strips()


def text_grid(app: App[Any]) -> str:
    """The exact characters of the active screen, one line a row, padded to its width; a wide character stands once."""
    return "\n".join("".join(segment.text for segment in strip) for strip in screen_strips(app))
