"""Wishes for the film: presses in a row are one, and what comes last counts, however late a timer is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dateflicks.tui.wishes import Wishes
from tests.tui.evenings import states
from tests.tui.still import Asked, StillApp

STATES = states()


class Late:
    """Stands for a screen's timers: each comes when the test says so, also where it was stopped too late."""

    def __init__(self) -> None:
        self.does: list[Callable[[], None]] = []

    def set(self, seconds: float, does: Callable[[], None]) -> Any:
        """Begin to wait."""
        del seconds
        self.does.append(does)
        return self

    def stop(self) -> None:
        """Too late."""

    def come(self) -> None:
        """The time has come, for all of them."""
        for does in self.does:
            does()


def _wishing(home: Path) -> tuple[StillApp, Late, Wishes]:
    app, late = StillApp(home, STATES["playing"]), Late()
    app.room = app.still  # type: ignore[assignment]  # all of a room that wishes need
    return app, late, Wishes(app, late.set)


async def test_moves_in_a_row_are_shown_each_and_asked_for_once(tmp_path: Path) -> None:
    app, late, wishes = _wishing(tmp_path)
    for by in (10, 60, -10):
        wishes.move(by)
    assert app.still.of("about_to_seek") == [("about_to_seek", to) for to in (2482.0, 2542.0, 2532.0)]
    assert app.still.of("seek") == []
    late.come()
    assert app.still.of("seek") == [("seek", 2532.0)]


@pytest.mark.parametrize(
    ("later", "wish"),
    [
        (lambda wishes: wishes.seek(0.0), ("seek", 0.0)),
        (lambda wishes: wishes.ask("stop"), ("ask", "stop")),
    ],
    ids=["a place", "stop"],
)
async def test_moves_that_wait_do_not_override_what_is_asked_for_after_them(
    tmp_path: Path, later: Callable[[Wishes], None], wish: Asked
) -> None:
    app, late, wishes = _wishing(tmp_path)
    wishes.move(10)
    later(wishes)
    late.come()
    assert app.still.of("about_to_seek") == [("about_to_seek", 2482.0)]
    assert app.still.of("seek", "ask") == [wish]
