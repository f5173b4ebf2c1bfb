"""How far runs are: bars that move on a terminal, a line now and then elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment

if TYPE_CHECKING:
    from dateflicks.server.providers.records import Counters

LINE_SECONDS: Final = 5.0

Tell = Callable[[str, "Counters"], None]


def told(counters: "Counters") -> str:
    """Counters in words."""
    found = {
        "new": counters.new, "changed": counters.changed, "removed": counters.removed, "left out": counters.quarantined
    }  # fmt: skip
    return ", ".join([f"{counters.seen} seen", *(f"{number} {word}" for word, number in found.items() if number)])


@contextlib.contextmanager
def progress(environment: CliEnvironment) -> Iterator[Tell]:
    """Tell on stderr how far each job is, for as long as the block runs."""
    if environment.is_quiet:
        yield lambda _name, _counters: None
    elif environment.stderr.isatty() and environment.environ.get("TERM") != "dumb":
        with _bars(environment) as tell:
            yield tell
    else:
        yield _lines(environment)


def _lines(environment: CliEnvironment) -> Tell:
    last: dict[str, float] = {}

    def tell(name: str, counters: "Counters") -> None:
        now = time.monotonic()
        if now - last.setdefault(name, now) >= LINE_SECONDS:
            last[name] = now
            environment.say(f"{name}: {told(counters)}")

    return tell


@contextlib.contextmanager
def _bars(environment: CliEnvironment) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    color = environment.is_colored(environment.stderr)
    console = Console(file=environment.stderr, color_system="auto" if color else None, highlight=False)
    columns = (
        TextColumn("{task.fields[job]}", markup=False),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("{task.fields[told]}", markup=False),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=True) as bars:

        def tell(name: str, counters: "Counters") -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None, job=name, told="")
            bars.update(tasks[name], told=told(counters))

        yield tell
