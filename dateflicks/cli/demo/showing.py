"""The demo on a terminal: all steps on one screen, the two players below, and how far apart they are, as it goes."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from statistics import median
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dateflicks.cli.demo.people import Person
from dateflicks.cli.demo.stage import FILM_SECONDS
from dateflicks.cli.demo.story import Result, Scene, Step, View
from dateflicks.cli.demo.view import NAME_WIDTH, Lines
from dateflicks.cli.environment import CliEnvironment
from dateflicks.client.sentences import clock_text

REFRESH_SECONDS: Final = 0.2
RECENT_SECONDS: Final = 0.5
SPARKS: Final = "▁▂▃▄▅▆▇█"
SPARK_STEPS_MS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 40.0, 150.0)  # the eighth is for what is beyond them
SPARKS_SHOWN: Final = 40
_STATUS: Final = {"play": "plays", "pause": "paused", "stop": "stopped"}

Shown = Callable[[Scene, Sequence[Step]], contextlib.AbstractAsyncContextManager[View]]


def showing_of(environment: CliEnvironment, say: Callable[[str], None], *, is_plain: bool) -> Shown:
    """The live screen where there is a terminal for it, else lines."""
    stdout = environment.stdout
    is_able = stdout.isatty() and environment.environ.get("TERM") != "dumb"
    is_unicode = (stdout.encoding or "").lower().replace("-", "") == "utf8"

    @contextlib.asynccontextmanager
    async def lines(_scene: Scene, _steps: Sequence[Step]) -> AsyncIterator[View]:
        yield Lines(say)

    @contextlib.asynccontextmanager
    async def live(scene: Scene, steps: Sequence[Step]) -> AsyncIterator[View]:
        is_colored = environment.is_colored(stdout)
        console = Console(file=stdout, no_color=not is_colored, highlight=False)
        screen = LiveScreen(scene, steps)
        with Live(console=console, auto_refresh=False, transient=True) as display:
            drawing = asyncio.create_task(screen.draw(display))
            try:
                yield screen
            finally:
                drawing.cancel()
        console.print(screen.steps(is_last=True))

    return lines if is_plain or not is_able or not is_unicode else live


class LiveScreen:
    """Draws the scene as it is now; knows of each step what has come of it."""

    def __init__(self, scene: Scene, steps: Sequence[Step]) -> None:
        self._scene = scene
        self._steps = steps
        self._results: dict[str, Result] = {}
        self._present: Step | None = None
        self._sparks: list[float | None] = []
        self._began = time.monotonic()

    def began(self, step: Step) -> None:
        self._present = step

    def ended(self, result: Result, seconds: float) -> None:  # noqa: ARG002 - the screen has a clock of its own
        self._results[result.name] = result
        self._present = None

    async def draw(self, display: Live) -> None:
        """Draw until cancelled."""
        while True:
            display.update(self.picture(time.monotonic()), refresh=True)
            await asyncio.sleep(REFRESH_SECONDS)

    def picture(self, now: float) -> RenderableType:
        """Everything."""
        parts: list[RenderableType] = [Text(""), self.steps(), Text("")]
        if self._scene.people:
            parts.append(self._people(now))
        parts.append(self._apart(now))
        return Group(*parts)

    def steps(self, *, is_last: bool = False) -> Table:
        """A line a step; the last picture shows the whole of each."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(width=1)
        table.add_column(width=NAME_WIDTH)
        table.add_column(ratio=1, no_wrap=not is_last, overflow="fold" if is_last else "ellipsis")
        for step in self._steps:
            table.add_row(*self._step(step))
        return table

    def _step(self, step: Step) -> tuple[Text, Text, Text]:
        result = self._results.get(step.name)
        if result is not None:
            mark = Text("✓", style="green") if result.ok else Text("✗", style="bold red")
            return mark, Text(step.name), Text(result.detail, style="" if result.ok else "red")
        if step is self._present:
            return Text("›", style="bold yellow"), Text(step.name, style="bold"), Text(f"{step.title}…", style="bold")
        return Text(" "), Text(step.name, style="dim"), Text("")

    def _people(self, now: float) -> Table:
        table = Table.grid(padding=(0, 2))
        for person in self._scene.people:
            position = person.position(now)
            bar = ProgressBar(total=FILM_SECONDS, completed=position or 0.0, width=30)
            where = "–" if position is None else f"{clock_text(position)}.{int(position * 10) % 10}"
            role = "host" if person is self._scene.host else "guest"
            table.add_row(person.name, Text(role, style="dim"), bar, where, _does(person))
        return table

    def _apart(self, now: float) -> Table:
        """The distance of the last moments as a figure, and as a line of bars that grows."""
        observer = self._scene.observer
        seen = [] if observer is None else observer.apart(now - RECENT_SECONDS)
        distance = 1000 * median(abs(each.seconds) for each in seen) if seen else None
        if observer is not None:
            self._sparks = [*self._sparks, distance][-SPARKS_SHOWN:]
        table = Table.grid(padding=(0, 2))
        figure = "–" if distance is None else f"{distance:.1f} ms"
        sparks = "".join(" " if each is None else spark(each) for each in self._sparks)
        took = Text(f"{now - self._began:3.0f} s", style="dim")
        table.add_row(took, "apart", Text(f"{figure:>9}"), Text(sparks, style="cyan"))
        return table


def spark(distance_ms: float) -> str:
    """A bar for a distance: up to half a millisecond the lowest, a frame the sixth, beyond 150 ms the highest."""
    return SPARKS[sum(distance_ms > step for step in SPARK_STEPS_MS)]


def _does(person: Person) -> Text:
    frame = person.frame
    if frame is None:
        return Text("")
    if not person.is_line_open:
        return Text("no service: plays on", style="yellow")
    if frame.pending is not None:
        asks = frame.pending.by == person.id
        return Text("waits for an answer" if asks else "is asked", style="yellow")
    if frame.status == "play" and frame.rate == 0:
        return Text("waits", style="yellow")
    return Text(_STATUS[frame.status])
