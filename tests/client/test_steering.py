"""Steering without a player, against the rules themselves: what is sent, and what is seen to come of it."""

from collections.abc import Callable

import pytest

from dateflicks.client import errors
from dateflicks.client.steering import HERE, Outcome, Place, Steering, Wish
from dateflicks.core.errors import RuleError
from dateflicks.core.limits import CONFIRM_SECONDS
from dateflicks.core.playback import Status
from dateflicks.protocol import frames
from dateflicks.protocol.timecode import event_frame, request_of
from tests.core.playback.scene import SESSION, Scene


class Shell:
    """The host's shell beside their player: hears everything, and what it sends is carried out."""

    def __init__(self, scene: Scene, wish: Wish, user: str = "host") -> None:
        self.scene = scene
        self.user = user
        self.steering = Steering(SESSION, user, wish, is_host=user == "host")
        self.sent: list[frames.TimecodeClientFrame] = []
        self.hear()

    def hear(self) -> Outcome | None:
        """The present state comes, as on connecting and after each change."""
        self._send(self.steering.told(event_frame(self.scene.event, "clk_x")))
        return self.steering.outcome

    def after(self, happens: Callable[[], object]) -> Outcome | None:
        happens()
        return self.hear()

    def _send(self, frame: frames.TimecodeClientFrame | None) -> None:
        while frame is not None:
            self.sent.append(frame)
            try:
                self._carry_out(frame)
            except RuleError as error:
                frame = self.steering.corrected(frames.ErrorFrame(code=error.code, detail=error.detail))
                continue
            frame = self.steering.told(event_frame(self.scene.event, "clk_x"))

    def _carry_out(self, frame: frames.TimecodeClientFrame) -> None:
        control, now = self.scene.control, self.scene.now
        if isinstance(frame, frames.Report):
            control.ask(request_of(frame, self.user), now)
        elif isinstance(frame, frames.Seek):
            control.seek(self.user, frame.to, now)


def test_what_is_asked_waits_for_the_others_and_is_settled_by_their_yes() -> None:
    scene = Scene("host", "guest")
    shell = Shell(scene, "play")
    assert shell.steering.outcome is Outcome.ASKED
    assert shell.after(lambda: scene.report("guest", status=Status.PLAY, cause=None)) is Outcome.SETTLED


def test_a_pause_takes_effect_at_once_where_the_own_player_is_and_says_nothing_of_it() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    scene.report("host", off=0.01)
    before = scene.event.participants["host"]
    Shell(scene, "pause")
    after = scene.event.participants["host"]
    assert scene.event.rate == 0
    assert (after.connected, after.position) == (before.connected, before.position)


@pytest.mark.parametrize("wish", ["play", Place(600.0)])
def test_a_no_is_a_no_and_silence_is_told_apart_from_it(wish: Wish) -> None:
    for silent, outcome in ((False, Outcome.REFUSED), (True, Outcome.RESTORED)):
        scene = Scene("host", "guest")
        shell = Shell(scene, wish)
        if silent:
            scene.now += CONFIRM_SECONDS + 1
            assert shell.after(lambda: scene.control.advance(scene.now)) is outcome  # noqa: B023 - called at once
        else:
            assert shell.after(lambda: scene.control.refuse("guest", scene.now)) is outcome  # noqa: B023


def test_what_is_so_already_is_not_asked() -> None:
    shell = Shell(Scene("host", "guest"), "stop")
    assert (shell.steering.outcome, shell.sent) == (Outcome.ALREADY, [])


def test_saying_what_the_other_asks_for_is_the_yes_and_what_was_before_is_the_no() -> None:
    for wish, status in (("pause", Status.PAUSE), ("play", Status.PLAY)):
        scene = Scene.playing("host", "guest")
        scene.report("guest", status=Status.PAUSE, cause=None)
        shell = Shell(scene, wish)  # type: ignore[arg-type]  # two of the three
        assert shell.steering.outcome is Outcome.SETTLED
        assert scene.event.status is status


def test_an_act_that_another_change_overtook_is_asked_again() -> None:
    scene = Scene("host", "guest")
    shell = Shell(scene, "stop")
    shell.steering = Steering(SESSION, "host", "play", is_host=True)
    old = event_frame(scene.event, "clk_x")
    scene.control.leave("guest", scene.now)
    first = shell.steering.told(old)
    shell.steering.told(event_frame(scene.event, "clk_x"))
    shell._send(first)
    assert [frame.revision for frame in shell.sent if isinstance(frame, frames.Report)] == [
        old.revision,
        old.revision + 1,
    ]
    assert scene.event.status is Status.PLAY


def test_what_was_sent_into_a_line_that_broke_is_sent_again_unless_it_came() -> None:
    scene = Scene("host", "guest")
    steering = Steering(SESSION, "host", "play", is_host=True)
    frame = event_frame(scene.event, "clk_x")
    assert steering.told(frame) is not None
    steering.lost()
    assert steering.told(frame) is not None
    scene.report("host", status=Status.PLAY, cause=None)
    steering.lost()
    assert steering.told(event_frame(scene.event, "clk_x")) is None
    assert steering.outcome is Outcome.ASKED


def test_something_else_that_is_asked_meanwhile_is_told() -> None:
    scene = Scene.playing("host", "guest")
    shell = Shell(scene, Place(600.0))
    assert shell.after(lambda: scene.report("guest", status=Status.PAUSE, cause=None)) is Outcome.OVERTAKEN


def test_a_move_is_confirmed_by_the_same_move_and_resync_asks_for_here() -> None:
    scene = Scene.playing("host", "guest", at=100.0)
    shell = Shell(scene, HERE)
    (sent,) = shell.sent
    assert isinstance(sent, frames.Seek)
    assert sent.to == pytest.approx(scene.film, abs=0.2)
    assert shell.after(lambda: scene.control.seek("guest", sent.to, scene.now)) is Outcome.SETTLED


def test_who_has_never_been_there_can_ask_for_nothing() -> None:
    with pytest.raises(errors.AtOdds, match="You have not been in this session yet"):
        Shell(Scene("guest"), "play")


@pytest.mark.parametrize(
    ("place", "to"),
    [
        (Place(90.0), 90.0),
        (Place(30.0, is_relative=True), 130.0),
        (Place(-130.0, is_relative=True), 0.0),
        (Place(0.5, is_share=True), 300.0),
        (Place(9_999.0), 600.0),
    ],
)
def test_places_are_within_the_film(place: Place, to: float) -> None:
    assert place.of(100.0, 600.0) == to


def test_there_is_no_half_of_a_film_whose_length_nobody_knows() -> None:
    with pytest.raises(errors.DoesNotFit):
        Place(0.5, is_share=True).of(100.0, 0.0)
    assert Place(30.0, is_relative=True).of(100.0, 0.0) == 130.0
