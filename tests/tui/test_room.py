"""What goes on beside an evening: it ends with it, its failures are nobody's secret, and no file makes it wait."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dateflicks.client import errors
from dateflicks.client.ledger import Sealed
from dateflicks.client.seals import Seals
from dateflicks.tui.room import Room
from dateflicks.tui.surroundings import AtSession
from tests.tui.evenings import states
from tests.tui.still import StillApp
from tests.tui.test_app import session

STATES = states()


def room(home: Path, run: Callable[[], Any]) -> Room:
    """At an evening of which nothing but its end is needed."""

    async def evening(*, may_reopen: object) -> None:
        del may_reopen
        await run()

    app = StillApp(home, STATES["playing"])
    assert app.client is not None
    made = Room(app.surroundings, AtSession(app.client, session()), lambda _: None, app.still)
    made.evening = SimpleNamespace(run=evening, here=lambda: 12.0, conversation=None, predictions=None)  # type: ignore[assignment]  # all that is used of one
    return made


async def lasts() -> None:
    await asyncio.Event().wait()


async def at_once() -> None:
    """Over before it began."""


async def sees_the_line_go() -> None:
    raise errors.Unreachable("There is no line.")


@pytest.mark.parametrize("part", ["_sample", "_keep"])
async def test_what_fails_beside_the_evening_ends_it_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    here = room(tmp_path, lasts)

    async def fail() -> None:
        raise ZeroDivisionError(part)

    for name in ("_sample", "_keep"):
        monkeypatch.setattr(here, name, fail if name == part else lasts)
    async with asyncio.timeout(30):
        with pytest.raises(ZeroDivisionError, match=part):
            await here._watch()
    assert here._surroundings.resume_file.exists()


async def test_what_ends_the_evening_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = room(tmp_path, sees_the_line_go)
    monkeypatch.setattr(here, "_sample", lasts)
    with pytest.raises(errors.Unreachable):
        await here._watch()


async def test_nothing_goes_on_beside_an_evening_that_can_not_be_put_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, before = room(tmp_path, at_once), asyncio.all_tasks()

    def fail() -> None:
        raise ZeroDivisionError("there is no picture")

    monkeypatch.setattr(here, "_sample", lasts)
    monkeypatch.setattr(here, "_put_down", fail)
    with pytest.raises(ZeroDivisionError):
        await here._watch()
    assert asyncio.all_tasks() == before


async def test_an_evening_waits_for_nobody_who_holds_the_file_of_seals(tmp_path: Path) -> None:
    here, sealed = room(tmp_path, at_once), {"prd_1": Sealed(revision=1, is_locked=False, calls={})}
    assert here.evening is not None
    here.evening.predictions = SimpleNamespace(sealed=sealed)  # type: ignore[assignment]  # all that is used of them
    held = os.open(tmp_path / "seals.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        here._put_down()
        assert Seals(tmp_path / "seals.json").read() == {}
        assert here._surroundings.resume_file.exists()
    finally:
        os.close(held)
    here._put_down()
    assert Seals(tmp_path / "seals.json").read() == sealed
