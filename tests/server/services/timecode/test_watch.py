"""Is everyone in step? What the metrics say of playbacks."""

from typing import Any

from dateflicks.core.playback import Member, PlaybackRules, Role
from dateflicks.protocol import frames
from dateflicks.server.clock import ServerClock
from dateflicks.server.observe.metrics import Metrics
from dateflicks.server.services.timecode.handler import TimecodeHandler
from dateflicks.server.services.timecode.room import Seat
from dateflicks.server.services.timecode.watch import Watch
from tests.server.services.timecode.test_handler import EVENING, Ears, Kept, Silent


class Stage:
    """Two people at one film, and what is counted of it."""

    def __init__(self) -> None:
        self.now = EVENING
        self.metrics = Metrics()
        clock = ServerClock(monotonic=lambda: self.now, unix=lambda: self.now)
        self.handler = TimecodeHandler(Kept(), clock, PlaybackRules(), Silent(), Watch(self.metrics))

    async def both(self) -> tuple[Seat, Seat]:
        await self.handler.create("ses_a", 7_200.0)
        return self._sit("usr_host", Role.HOST), self._sit("usr_guest", Role.GUEST)

    def _sit(self, user: str, role: Role) -> Seat:
        return self.handler.sit_down("ses_a", Member(user, role, user), Ears())

    def report(self, seat: Seat, status: Any, position: float, cause: Any = "tick", **more: Any) -> None:
        is_host = seat.member.role is Role.HOST
        self.handler.hear(
            seat,
            frames.Report(
                session_id="ses_a", current_position=position, status=status, is_host=is_host, cause=cause, **more
            ),
            self.now,
        )

    def value(self, name: str, **labels: str) -> float:
        self.handler.measure()
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def state(self, word: str) -> float:
        return self.value("dateflicks_playbacks", state=word)


async def test_a_change_that_waits_is_pending_until_both_have_agreed() -> None:
    stage = Stage()
    host, guest = await stage.both()
    assert (stage.state("all"), stage.state("pending"), stage.state("playing")) == (1, 0, 0)
    assert stage.value("dateflicks_participants", state="present") == 2
    stage.report(host, "play", 0.0, "user")
    assert (stage.state("pending"), stage.state("playing")) == (1, 0)
    stage.report(guest, "play", 0.0, "user")
    stage.now += 5
    assert (stage.state("pending"), stage.state("playing")) == (0, 1)
    assert stage.value("dateflicks_timecode_events_total", reason="play") >= 1
    assert stage.value("dateflicks_timecode_events_total", reason="join") == 2


async def test_drift_is_counted_while_the_film_runs_and_of_nobody_who_loads() -> None:
    stage = Stage()
    host, guest = await stage.both()
    for seat in (host, guest):
        stage.report(seat, "play", 0.0, "user")
    before = stage.value("dateflicks_drift_seconds_count")
    stage.now += 10
    timeline = stage.handler._playbacks.control("ses_a").state.timeline
    here = timeline.position_at(stage.now)
    assert here > 5
    stage.report(host, "play", here + 0.02)
    stage.report(guest, "play", here - 0.06)
    assert stage.value("dateflicks_drift_seconds_count") == before + 2
    assert stage.value("dateflicks_drift_seconds_bucket", le="0.025") == before + 1
    assert stage.value("dateflicks_drift_seconds_bucket", le="0.08") == before + 2
    stage.report(guest, "play", here - 3, buffering=True)
    stage.report(guest, "play", 0.0, revision=0)
    assert stage.value("dateflicks_drift_seconds_count") == before + 2


async def test_who_is_waited_for_shows_in_the_numbers() -> None:
    stage = Stage()
    host, guest = await stage.both()
    for seat in (host, guest):
        stage.report(seat, "play", 0.0, "user")
    for _ in range(10):
        stage.now += 1
        here = stage.handler._playbacks.control("ses_a").state.timeline.position_at(stage.now)
        for seat in (host, guest):
            stage.report(seat, "play", here, rate=1.0)
    stage.report(guest, "play", here, "stall", rate=0.0, buffering=True)
    stage.handler.carry_out(stage.now + 1)
    stage.now += 1
    assert stage.value("dateflicks_participants", state="buffering") == 1
    assert stage.state("waiting") == 1
    assert stage.value("dateflicks_timecode_events_total", reason="wait") >= 1
