"""The only place that uses private ways of Textual (8.2.8): how an app fails, is stopped or loses its terminal, which
modes it has begun, and, for tests, what is on a screen.
"""

import os
from queue import Full
from typing import Any, Final, TypeVar

from textual._context import visible_screen_stack
from textual.app import App
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen
from textual.strip import Strip
from textual.worker import WorkerFailed

Result = TypeVar("Result")

LOOK_SECONDS: Final = 0.5  # at whether somebody still takes what is written


class LosingDriver(LinuxDriver):
    """Ends the app when its terminal is gone, whether or not the system says so by a signal.

    Textual's own goes on drawing for nobody: the thread that writes has died, its queue is full, and the app waits for
    a place in it for as long as the machine runs, deaf to every signal but the last.
    """

    _is_lost = False

    def write(self, data: str) -> None:
        """Write, unless there is nowhere to."""
        thread = self._writer_thread
        assert thread is not None
        while thread.is_alive():
            try:
                thread._queue.put(data, timeout=LOOK_SECONDS)
            except Full:
                continue
            return
        if not self._is_lost:
            self._is_lost = True
            self._app.call_later(self._app.exit)

    def _sigcont_application(self, *_: object) -> None:
        """Told to go on: also whoever was stopped by another than itself, or was not stopped at all, as when a window
        is closed. Textual's own would begin once more beside what reads and writes already, and might never end."""
        if not os.isatty(self.fileno):
            return
        if self._auto_restart and not self._must_signal_resume:
            self.suspend_application_mode()
        super()._sigcont_application()

    def close(self) -> None:
        """Let the writer end, if it has not."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().close()


class FailingApp(App[Result]):
    """An app that leaves it to whoever runs it to tell of a failure: Textual would print it with all local values."""

    def get_driver_class(self) -> type[Driver]:
        """What draws on this terminal."""
        chosen = super().get_driver_class()
        return LosingDriver if chosen is LinuxDriver else chosen

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()

    @property
    def failure(self) -> Exception | None:
        """The first exception that nobody caught, of a worker or a screen."""
        error = self._exception
        return error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error

    def has_mode(self, mode: str) -> bool:
        """Whether there is a mode of this name."""
        return mode in self._modes

    def screens(self) -> list[Screen[Any]]:
        """The screens of the mode one is in, none before it has begun: Textual would fail then."""
        return self.screen_stack if self._screen_stacks.get(self.current_mode) else []


def screen_strips(app: App[Any]) -> list[Strip]:
    """The lines of the active screen with their styles, what shows of the screens behind it included."""
    with app._context():
        visible_screen_stack.set(app._background_screens)
        return app.screen._compositor.render_strips()


def text_grid(app: App[Any]) -> str:
    """The exact characters of the active screen, one line a row, padded to its width; a wide character stands once."""
    return "\n".join("".join(segment.text for segment in strip) for strip in screen_strips(app))
