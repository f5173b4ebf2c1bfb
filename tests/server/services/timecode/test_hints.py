"""What others in the process are told: where the film is at any moment, and what people did, once each."""

from collections.abc import Mapping
from typing import Any

import pytest

from dateflicks.core.playback import Chronicle
from dateflicks.protocol import frames
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.handler import TimecodeHandler
from dateflicks.server.services.timecode.hints import LINES_TOPIC, PLAYBACK_TOPIC
from dateflicks.server.services.timecode.room import Seat
from tests.server.services.timecode.deployment import Deployment, play_from
from tests.server.services.timecode.test_handler import EVENING, Ears, House, Kept

Hint = dict[str, Any]


class Overheard(House):
    """A house whose bus is listened to; the host's clock may be set while it runs."""

    def __init__(self, kept: Kept | None = None, now: float = EVENING) -> None:
        super().__init__()
        self.now = now
        self.set_by = 0.0
        self.kept = kept or self.kept
        self.bus = LocalBus()
        self.hints: list[Hint] = []
        self.lines: list[Hint] = []
        self.bus.subscribe(PLAYBACK_TOPIC, lambda _, hint: self.hints.append(dict(hint)))
        self.bus.subscribe(LINES_TOPIC, lambda _, line: self.lines.append(dict(line)))
        clock = ServerClock(monotonic=lambda: self.now, unix=lambda: self.now + self.set_by)
        self.handler = TimecodeHandler(self.kept, clock, self.handler._rules, self.bus)

    @property
    def deeds(self) -> list[tuple[str, str | None]]:
        return [(line["event"], line["by"]) for line in self.lines]

    def report(self, seat: Seat, position: float, *, rate: float = 1.0) -> None:
        is_host = seat.member.user_id == "usr_host"
        status: Any = self.control(seat.session_id).state.status.value.value
        frame = frames.Report(
            session_id=seat.session_id, current_position=position, status=status, is_host=is_host, rate=rate,
            cause="tick",
        )  # fmt: skip
        self.handler.hear(seat, frame, self.now)

    async def runs(self) -> tuple[tuple[Seat, Ears], tuple[Seat, Ears]]:
        """Both are there and the film has begun a moment ago; nothing of that is news."""
        host, guest = await self.playing("ses_a")
        self.wait(1.0)
        for seat, _ in (host, guest):
            self.report(seat, self.film)
        self.lines.clear()
        return host, guest

    @property
    def film(self) -> float:
        return self.control("ses_a").state.timeline.position_at(self.now)

    def where(self) -> float:
        """Where the film is, by the newest hint alone."""
        hint = self.hints[-1]
        return float(hint["position"] + hint["rate"] * max(0.0, self.now + self.set_by - hint["at"]))


# --- where the film is ------------------------------------------------------------------------------------------------


async def test_whoever_carries_a_hint_forward_knows_where_the_film_is() -> None:
    house = Overheard()
    (host, _), _ = await house.playing("ses_a")
    assert house.hints[-1]["rate"] == 1
    assert house.hints[-1]["at"] > house.now  # the start lies ahead
    for _ in range(20):
        house.wait(0.7)
        assert house.where() == pytest.approx(house.film, abs=1e-6)
    house.ask(host, "pause")
    assert house.hints[-1]["rate"] == 0
    house.wait(30)
    assert house.where() == pytest.approx(house.film)


async def test_the_time_of_a_hint_is_what_the_host_believes_also_when_its_clock_was_set() -> None:
    house = Overheard()
    await house.runs()
    house.set_by = -3_600.0
    house.wait(5)
    assert house.hints[-1]["at"] == pytest.approx(house.now - 3_600.0)
    assert house.where() == pytest.approx(house.film, abs=1e-6)


async def test_a_hint_says_where_everybodys_player_is_as_far_as_they_said_of_late() -> None:
    house = Overheard()
    (host, _), (guest, _) = await house.runs()
    house.report(host, house.film)
    house.report(guest, house.film - 0.1)
    house.wait(3)
    house.report(host, house.film)
    house.wait(2.0)  # the guest has been silent for five seconds
    assert set(house.hints[-1]["people"]) == {"usr_host"}
    assert house.hints[-1]["people"]["usr_host"] == pytest.approx(house.hints[-1]["position"])
    house.report(guest, house.film - 0.1)
    house.handler.hear(host, frames.Seek(to=60.0), house.now)
    assert house.hints[-1]["people"]["usr_guest"] == pytest.approx(house.film - 0.1)


async def test_reports_that_change_nothing_tell_nobody_anything() -> None:
    house = Overheard()
    (host, _), (guest, _) = await house.runs()
    before = len(house.hints)
    for _ in range(50):
        house.now += 0.02
        house.report(host, house.film)
        house.report(guest, house.film)
    assert len(house.hints) == before
    assert house.lines == []


# --- what people did --------------------------------------------------------------------------------------------------


async def test_each_deed_is_told_once_with_who_and_where() -> None:
    house = Overheard()
    (host, _), (guest, _) = await house.both("ses_a")
    assert house.deeds == [("joined", "usr_host"), ("joined", "usr_guest")]
    house.lines.clear()
    house.handler.hear(host, frames.Seek(to=60.0), house.now)
    house.handler.hear(guest, frames.Seek(to=60.0), house.now)
    house.ask(guest, "play")
    house.ask(host, "play")
    house.wait(10.25)
    house.ask(host, "pause")
    house.ask(guest, "pause")
    house.handler.stand_up(guest)
    assert house.deeds == [
        ("seeked", "usr_host"),
        ("resumed", "usr_guest"),
        ("paused", "usr_host"),
        ("left", "usr_guest"),
    ]
    paused = house.lines[2]
    assert paused.pop("position") == pytest.approx(70, abs=0.3)
    assert type(paused.pop("revision")) is int
    assert paused == {"sessionId": "ses_a", "event": "paused", "by": "usr_host", "name": "usr_host", "to": None}
    assert (house.lines[0]["position"], house.lines[0]["to"]) == (0.0, 60.0)


async def test_a_minute_without_an_answer_is_told_when_it_is_over() -> None:
    house = Overheard()
    (host, _), _ = await house.runs()
    house.ask(host, "pause")
    house.wait(61)
    assert house.deeds == [("paused", "usr_host"), ("resumed", None)]


async def test_somebody_who_only_looks_on_neither_comes_nor_goes() -> None:
    house = Overheard()
    (host, _), _ = await house.runs()
    seat = house.handler.sit_down("ses_a", host.member, Ears(), looks_on=True)
    house.handler.stand_up(seat)
    assert house.lines == []


async def test_several_connections_of_one_are_one_coming_and_one_going() -> None:
    house = Overheard()
    (host, _), _ = await house.runs()
    second, _ = house.sit("ses_a")
    house.handler.stand_up(host)
    assert house.lines == []
    house.handler.stand_up(second)
    assert house.deeds == [("left", "usr_host")]


async def test_a_service_that_stops_and_starts_again_tells_nobody_as_gone_or_come() -> None:
    house = Overheard()
    (host, _), (guest, _) = await house.runs()
    house.handler.end()
    for seat in (host, guest):
        house.handler.stand_up(seat)
    house.handler.keep_all()
    assert house.lines == []
    again = Overheard(house.kept, house.now + 5.0)
    await again.handler.load("ses_a")
    again.sit("ses_a")
    assert again.lines == []
    for _ in range(15):  # the guest does not come back: that is told though nothing else happens
        again.wait(5.0)
    assert again.deeds == [("left", "usr_guest")]
    again.sit("ses_a", "usr_guest")
    assert again.deeds[-1] == ("joined", "usr_guest")


async def test_who_comes_long_after_the_service_was_away_has_come() -> None:
    house = Overheard()
    await house.runs()
    house.handler.keep_all()
    again = Overheard(house.kept, house.now + 5.0)
    again.wait(600.0)
    await again.handler.load("ses_a")
    again.sit("ses_a")
    assert ("joined", "usr_host") in again.deeds


async def test_a_session_that_fails_cuts_people_off_and_they_have_not_left() -> None:
    house = Overheard()
    (host, ears), _ = await house.runs()
    house.wait(300.0)

    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("a mistake of the program")

    house.control("ses_a").receive = fails  # type: ignore[assignment,method-assign]
    house.report(host, 0.0)
    assert ears.code == 1011
    await house.handler.load("ses_a")
    house.sit("ses_a")
    house.sit("ses_a", "usr_guest")
    assert [deed for deed, _ in house.deeds] == []


async def test_what_fails_at_telling_others_costs_the_playback_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("a mistake of the program")

    house = Overheard()
    (host, ears), _ = await house.runs()
    monkeypatch.setattr(Chronicle, "lines", fails)
    house.bus.subscribe(PLAYBACK_TOPIC, fails)
    house.bus.subscribe(LINES_TOPIC, fails)
    house.ask(host, "pause")
    assert ears.frames[-1]["status"] == "pause"
    assert ears.code is None
    assert house.kept.documents["ses_a"]["status"] == "pause"
    monkeypatch.setattr(house.bus, "publish", fails)
    house.handler.hear(host, frames.Refuse(), house.now)
    assert ears.frames[-1]["status"] == "play"
    assert "was not told to others" in caplog.text


@pytest.mark.asyncio(loop_scope="module")
async def test_on_real_connections_the_evening_is_told_in_order(shared: Deployment) -> None:
    evening = shared.evening()
    lines: list[Mapping[str, Any]] = []
    unsubscribe = shared.bus.subscribe(LINES_TOPIC, lambda _, line: lines.append(line))
    async with shared.room(evening) as room:
        playing = await play_from(room, 40)
        await room.guest.ask("pause")
        asked = await room.both(lambda frame: frame["status"] == "pause", "paused", after=playing)
        await room.host.ask("pause")
        await room.both(lambda frame: frame["pending"] is None, "confirmed", after=asked)
        await room.guest.feed.socket.close()
        await room.host.timecode(lambda frame: frame["reason"] == "leave", "leave")
    unsubscribe()
    host, guest = evening.host, evening.guest
    told = [(line["event"], line["by"], line["name"]) for line in lines]
    assert {line["sessionId"] for line in lines} == {evening.id}
    assert sorted(told[:2]) == sorted([("joined", host.id, host.name), ("joined", guest.id, guest.name)])
    assert told[2:6] == [
        ("seeked", host.id, host.name),
        ("resumed", host.id, host.name),
        ("paused", guest.id, guest.name),
        ("left", guest.id, guest.name),
    ]
    assert lines[2]["to"] == 40
