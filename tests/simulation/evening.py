"""A random evening: people with lines, clocks and players drawn from one seed, and what befalls them.

`calm_from` is when the last disturbance is over: the last stall has ended, the last line is back, the last question has
been put. What follows from a disturbance by the rules (a wait, an excuse, an answer) is no disturbance of its own.
"""

import random
from collections.abc import Callable
from typing import Final

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.protocol.frames import StatusWord
from tests.simulation.world import Line, Setup, World

NAMES: Final = ("host", "guest", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
PARTY: Final = (2, 2, 2, 2, 2, 2, 3, 3, 4, 1, 5, 6, 7, 8)
BEGIN_SECONDS: Final = 8.0  # everybody has come and the first play has been asked for
DELAYS: Final = (0.0002, 2.0)  # the range of one way, in seconds
JITTER_MAX_SECONDS: Final = 0.5
CLOCK_PPM: Final = 200.0
AUDIO_PPM: Final = 200.0
LONG_SECONDS: Final = 80.0  # after such an outage nobody knows where the film is but the players


class Evening:
    """One seed's world and plan."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        draw = self.random
        self.length = draw.choice((3_600.0,) * 8 + (45.0,))
        self.world = World(draw.getrandbits(32), length=self.length)
        self.calm_from = 0.0
        self.plan: list[str] = []
        self.names = NAMES[: draw.choice(PARTY)]
        for name in self.names:
            self.world.person(self._setup(name))
        late = draw.choice((None, None, None, self.names[-1]))
        for name in self.names:
            self._does(draw.uniform(0.0, 2.0) if name != late else draw.uniform(9.0, 20.0), name, "comes")
        self._does(draw.uniform(3.0, 5.0), self.names[0], "asks play")
        at = BEGIN_SECONDS
        for _ in range(draw.randint(0, 5)):
            at += draw.choice((0.0, 0.3, 2.0, 8.0)) * draw.random()
            self._befalls(at)

    def __str__(self) -> str:
        people = "\n".join(f"  {one.setup}" for one in self.world.people.values())
        return f"seed {self.seed}, length {self.length}, calm from {self.calm_from:.2f}\n{people}\n" + "\n".join(
            f"  {line}" for line in sorted(self.plan)
        )

    # --- who is there -------------------------------------------------------------------------------------------

    def _setup(self, name: str) -> Setup:
        draw = self.random
        consent = draw.choice((Consent.FREE,) * 4 + (Consent.TELL, Consent.ASK))
        return Setup(
            name,
            self._line(),
            clock_offset=draw.uniform(0.0, 1e6),
            clock_ppm=draw.uniform(-CLOCK_PPM, CLOCK_PPM),
            audio_ppm=draw.uniform(-AUDIO_PPM, AUDIO_PPM),
            seek_latency=draw.uniform(0.02, 0.3),
            start_position=draw.choice((0.0, 0.0, 0.0, 4.0)),
            consent=ConsentSettings.all(consent),
        )

    def _line(self) -> Line:
        draw = self.random
        up = self._delay()
        return Line(
            up=up,
            down=up if draw.random() < 0.7 else self._delay(),
            jitter=draw.choice((0.0, 0.005, JITTER_MAX_SECONDS)) * draw.random(),
            ordered=draw.random() < 0.7,
            duplicates=draw.choice((0.0, 0.0, 0.1)),
            bursty=draw.random() < 0.5,
        )

    def _delay(self) -> float:
        low, high = DELAYS
        return low * float((high / low) ** self.random.random())

    # --- what happens -------------------------------------------------------------------------------------------

    def _befalls(self, at: float) -> None:
        """One disturbance of a random kind."""
        draw = self.random
        name = draw.choice(self.names)
        span = draw.choice((0.5, 4.0, 15.0)) * draw.random()
        match draw.randrange(8):
            case 0:
                self._does(at, name, f"asks {draw.choice(('pause', 'play', 'stop'))}")
            case 1:
                self._does(at, name, "moves", to=draw.uniform(0.0, 60.0))
            case 2:
                self._does(at, name, "stalls", span=span)
            case 3:
                self._does(at, name, "freezes", span=span)
            case 4:
                self._does(at, name, "is cut off", span=span)
            case 5:
                self._does(at, name, "slips", by=draw.choice((0.1, 0.6, 5.0, 20.0)) * draw.uniform(-1.0, 1.0))
            case 6:
                self._restart(at, span + draw.choice((0.0, 0.0, LONG_SECONDS)))
            case _:
                self._does(at, name, "asks pause")
                self._does(at + draw.uniform(1.0, 8.0), draw.choice(self.names), "asks play")

    def _does(self, at: float, name: str, what: str, *, span: float = 0.0, to: float = 0.0, by: float = 0.0) -> None:
        world, draw = self.world, self.random
        noticed, missed = draw.uniform(0.0, span), draw.choice((0.0, 0.0, draw.uniform(0.0, 2 * span)))
        lasts = span
        act: Callable[[], None]
        if what == "comes":
            act = lambda: world.connect(name)  # noqa: E731
        elif what.startswith("asks "):
            word: StatusWord = what.removeprefix("asks ")  # type: ignore[assignment]  # one of three, see above
            lasts = self._answers(at)
            act = lambda: world.ask(name, word)  # noqa: E731
        elif what == "moves":
            lasts = self._answers(at)
            act = lambda: world.seek(name, to)  # noqa: E731
        elif what == "stalls":
            act = lambda: world.stall(name, span)  # noqa: E731
        elif what == "freezes":
            act = lambda: world.freeze(name, span)  # noqa: E731
        elif what == "is cut off":
            world.at(at + span, lambda: world.connect(name))
            lasts = max(span, missed)
            act = lambda: world.disconnect(name, noticed_after=noticed, missed_after=missed)  # noqa: E731
        else:
            act = lambda: world.slip(name, by)  # noqa: E731
        self._plan(at, f"{name} {what}, span {span:.2f} to {to:.2f} by {by:.2f}", act, lasts)

    def _restart(self, at: float, span: float) -> None:
        world, step = self.world, self.random.uniform(-0.1, 0.1)

        def dies() -> None:
            if world.is_up:
                world.kill_server()
                world.at(world.now + span, lambda: world.start_server(clock_step=step))

        self._plan(at, f"the service is away for {span:.2f}", dies, span)
        for name in self.names:
            self.world.at(at + span + self.random.uniform(0.0, 1.0), lambda name=name: world.connect(name))  # type: ignore[misc]

    def _answers(self, at: float) -> float:
        """Whoever is asked answers by hand after a while, or never; returns how long all that takes."""
        lasts = 0.0
        for name in self.names:
            after = self.random.uniform(0.5, 6.0)
            agree = self.random.random() < 0.8
            if self.random.random() < 0.95:
                self.world.at(at + after, lambda name=name, agree=agree: self._answer(name, agree=agree))  # type: ignore[misc]
                lasts = max(lasts, after)
        return lasts

    def _answer(self, name: str, *, agree: bool) -> None:
        if self.world.people[name].setup.consent.pause is Consent.ASK:
            self.world.answer(name, agree=agree)

    def _plan(self, at: float, what: str, act: Callable[[], None], lasts: float) -> None:
        self.plan.append(f"{at:6.2f} {what}")
        self.calm_from = max(self.calm_from, at + lasts)
        self.world.at(at, act)
