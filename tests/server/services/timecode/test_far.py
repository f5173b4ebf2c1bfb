"""Seats of people who are connected to other processes: who comes back in time has the seat that they had."""

from typing import Any

import pytest

from dateflicks.core.playback import PlaybackControl
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode import far as module
from dateflicks.server.services.timecode.far import FarSeats
from tests.server.services.timecode.test_handler import House
from tests.waiting import until

SESSION, THERE = "ses_a", "wrk_there"


class Town:
    """A process that keeps one playback, and the letters that it sends."""

    def __init__(self) -> None:
        self.house = House()
        self.letters: list[dict[str, Any]] = []
        clock = ServerClock(monotonic=lambda: self.house.now, unix=lambda: self.house.now)
        self.far = FarSeats(self.house.handler, clock, self.house.handler.load, self._post)

    def _post(self, worker_id: str, letter: Any) -> None:
        self.letters.append({"to": worker_id, **letter})

    @property
    def said(self) -> int:
        return sum(letter["do"] == "say" for letter in self.letters)

    async def sits(self, chair: str = "c1") -> None:
        """Somebody far sits down, or says again that they sit; they are told where the film is."""
        before = self.said
        member = {"userId": "usr_guest", "role": "guest", "name": "bea"}
        self.far.hear(THERE, {"do": "sit", "session": SESSION, "chair": chair, "member": member, "looksOn": False})
        await until(lambda: self.said > before)

    def is_there(self) -> bool:
        """Whether the guest is, as everybody is told."""
        _, ears = self.house.sit(SESSION)
        return bool(ears.frames[-1]["participants"]["usr_guest"]["connected"])


@pytest.fixture
async def town() -> Town:
    found = Town()
    await found.house.handler.create(SESSION, 7_200.0)
    return found


async def test_who_comes_back_from_a_process_that_was_taken_as_gone_is_told_once_and_can_leave(town: Town) -> None:
    await town.sits()
    town.far.hear_gone(THERE)
    await town.sits()

    before = town.said
    town.house.sit(SESSION)
    assert town.said == before + 1
    town.far.hear(THERE, {"do": "stand", "session": SESSION, "chair": "c1"})
    assert not town.is_there()


async def test_who_does_not_come_back_has_left_after_a_while(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETURN_SECONDS", 0.01)
    await town.sits()
    town.far.hear_gone(THERE)
    await until(lambda: not town.is_there())


async def test_who_comes_back_to_a_playback_that_was_kept_elsewhere_meanwhile_has_a_seat_in_it(town: Town) -> None:
    await town.sits()
    town.far.hear_gone(THERE)
    town.house.handler.let_go(SESSION)
    town.far.forget(SESSION)
    await town.sits()
    assert town.is_there()


@pytest.mark.parametrize("is_back", [False, True], ids=["never away", "taken as gone meanwhile"])
async def test_who_says_again_that_they_sit_has_a_seat_in_a_playback_that_failed_and_came_back(
    town: Town, *, is_back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.sits()
    if is_back:
        town.far.hear_gone(THERE)
    with monkeypatch.context() as broken:
        broken.setattr(PlaybackControl, "rename", _fail)
        town.house.handler.rename("usr_guest", "eve")
    assert SESSION not in town.house.handler
    await town.sits()
    assert town.is_there()


async def test_a_length_for_a_record_that_cannot_be_read_is_told_in_the_log_and_ends_nothing(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    town.house.handler.let_go(SESSION)
    town.house.kept.documents[SESSION]["length"] = -1.0
    town.far.hear(THERE, {"do": "length", "session": SESSION, "length": 600.0})
    await until(lambda: not town.far.end())
    assert "the length" in caplog.text


def _fail(*_: object) -> bool:
    raise ArithmeticError
