"""A room of people for the tests of the rules: a clock that is moved by hand, and players that follow unless told."""

from collections.abc import Callable

import pytest

from dateflicks.core.errors import RuleError
from dateflicks.core.playback import (
    Cause,
    Member,
    PlaybackControl,
    PlaybackRules,
    Reason,
    Role,
    Status,
    TimecodeEvent,
    TimecodeRequest,
)
from dateflicks.core.playback.control import Events

EVENING = 1_000.0  # when every scene begins, in seconds of the server's clock
LENGTH = 7_200.0
SESSION = "ses_evening"
PARTY = ("host", "guest", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
TICK = 0.5


def member(user: str) -> Member:
    return Member(user, Role.HOST if user == "host" else Role.GUEST, user.capitalize())


class Scene:
    """One playback and the people in it; `told` is everything that everybody was told, oldest first."""

    def __init__(self, *users: str, length: float = LENGTH, rules: PlaybackRules | None = None) -> None:
        self.now = EVENING
        self.control = PlaybackControl(SESSION, length, self.now, rules)
        self.told: list[TimecodeEvent] = []
        self.join(*users)

    @classmethod
    def playing(
        cls, *users: str, at: float = 0.0, length: float = LENGTH, rules: PlaybackRules | None = None
    ) -> "Scene":
        """Everybody is there, in step, and the film runs; it stands at `at` when the scene begins."""
        scene = cls(*users, length=length, rules=rules)
        if at:
            scene.seek_together(*users, to=at)
        scene.tick(*users)
        scene.agree(Status.PLAY, *users)
        scene.wait(scene.line.at - scene.now)
        scene.tick(*users)
        scene.told.clear()
        return scene

    # --- what can be seen ---------------------------------------------------------------------------------------

    @property
    def event(self) -> TimecodeEvent:
        return self.control.to_timecode_event(self.now)

    @property
    def line(self) -> TimecodeEvent:
        return self.told[-1]

    @property
    def film(self) -> float:
        """Where the film is now."""
        return self.control.state.timeline.position_at(self.now)

    @property
    def reasons(self) -> list[Reason]:
        return [event.reason for event in self.told]

    def excused(self, user: str) -> bool:
        return self.event.participants[user].excused

    # --- what people do -----------------------------------------------------------------------------------------

    def join(self, *users: str) -> None:
        for user in users:
            self._hear(self.control.join(member(user), self.now))

    def leave(self, *users: str) -> None:
        for user in users:
            self._hear(self.control.leave(user, self.now))

    def report(
        self,
        user: str,
        *,
        off: float = 0.0,
        position: float | None = None,
        status: Status | None = None,
        cause: Cause | None = Cause.TICK,
        rate: float | None = None,
        buffering: bool = False,
        sent_at: float | None = None,
        revision: int | None = None,
        length: float | None = None,
    ) -> None:
        """One report; unless told the player is where the film is (plus `off`) and its user goes on with their word."""
        state = self.control.state
        here = state.timeline.position_at(self.now if sent_at is None else sent_at) + off
        request = TimecodeRequest(
            session_id=SESSION,
            user_id=user,
            current_position=max(here if position is None else position, 0.0),
            status=state.status.word(user) if status is None else status,
            is_host=user == "host",
            sent_at=sent_at,
            revision=state.revision if revision is None else revision,
            rate=rate,
            buffering=buffering,
            cause=cause,
            length=length,
        )
        self._hear(self.control.receive(request, self.now))

    def tick(self, *users: str, off: float = 0.0) -> None:
        """Each of them reports where their player is: as far from the film as `off` says."""
        for user in users:
            self.report(user, off=off)

    def act(self, user: str, status: Status, *, off: float = 0.0) -> None:
        """The user presses a key."""
        self.report(user, status=status, cause=Cause.USER, off=off)

    def agree(self, status: Status, *users: str) -> None:
        """The first asks, the others agree."""
        for user in users:
            self.act(user, status)

    def seek(self, user: str, to: float) -> None:
        self._hear(self.control.seek(user, to, self.now))

    def seek_together(self, *users: str, to: float) -> None:
        for user in users:
            self.seek(user, to)

    def refuse(self, user: str) -> None:
        self._hear(self.control.refuse(user, self.now))

    def set_length(self, length: float) -> None:
        self._hear(self.control.set_length(length, self.now))

    # --- what time does -----------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> None:
        """Nobody says anything for so long; what is due happens at its instant."""
        until = self.now + seconds
        while (wake := self.control.next_wake()) is not None and wake <= until:
            self.now = max(self.now, wake)
            self._hear(self.control.advance(self.now))
            after = self.control.next_wake()
            assert after is None or after > self.now, "a wake-up that is due twice would never let anybody sleep"
        self.now = until

    def run(self, seconds: float, **off: float) -> None:
        """Time passes while each of those named reports every half second, so far from the film as said."""
        self.run_until(lambda: False, seconds, **off)

    def run_until(self, reached: Callable[[], bool], seconds: float, **off: float) -> None:
        """The same, until something is so; it stops after the report that made it so."""
        for _ in range(round(seconds / TICK)):
            self.wait(TICK)
            for user, distance in off.items():
                self.report(user, off=distance)
                if reached():
                    return

    def restart(self, after: float = 1.0) -> None:
        """The service dies after it has kept its record, and is back `after` seconds later with nobody connected."""
        record = self.control.to_record(self.now)
        rules = self.control.state.rules
        self.now += after
        self.control = PlaybackControl.from_record(record, self.now, rules)

    def _hear(self, events: Events) -> None:
        self.told.extend(events)


def refused(do: Callable[[], object], kind: type[RuleError], code: str | None = None) -> RuleError:
    """The error that `do` ends with, which must be of this kind (and code); the test fails when there is none."""
    with pytest.raises(kind) as caught:
        do()
    assert code is None or caught.value.code == code
    return caught.value
