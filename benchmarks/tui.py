"""What the terminal client costs in processor time, as ratios to a Textual app that does nothing, measured in one run.

    python -m benchmarks.tui [--messages N] [--rounds N] [--ticks N] [--json]

Headless at 120×40. The talk holds 5,000 lines, and each message makes it one longer, the oldest going; after each ten
messages the screen is drawn. The idle app gets as many messages and does nothing with them. A full draw is what one
update of the screen costs, whatever has changed. Then an hour of a film that plays, four ticks a second, as fast as it
goes (`ticking.py`). Ends with 1 when a ratio is above its target.
"""

import argparse
import asyncio
import gc
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice

from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import Static

from benchmarks.ticking import HOUR, TICKS_PER_SECOND, measure
from dateflicks.tui.model import Chat, ChatEntry
from dateflicks.tui.widgets.chat_log import ChatLog

SIZE = (120, 40)
KEPT = 5_000  # lines of talk on the screen and above it
BURST = 10  # messages between two times that the screen is drawn
TARGETS = {
    "shown": 4.0,  # the talk's own work for a message, to all of the idle app's for one
    "taken in": 9.0,  # with what it moves on the screen, still to be drawn
    f"drawn each {BURST}": 20.0,
}
TICK_TARGET = 35.0  # a tick taken in, shown and drawn, to one of an idle app


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: processor time in microseconds of the idle app and of what is measured."""

    what: str
    idle_us: float
    here_us: float
    target: float

    @property
    def ratio(self) -> float:
        """How many times the idle app's."""
        return self.here_us / self.idle_us

    @property
    def is_reached(self) -> bool:
        """Whether that is no more than it should be."""
        return self.ratio <= self.target


class Arrived(Message):
    """Something came in."""


class Idle(App[None]):
    """Does nothing with what comes."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0
        self.own = 0.0  # seconds of the talk's own work
        self.is_taken = asyncio.Event()

    def compose(self) -> ComposeResult:
        """One line of text."""
        yield Static("nothing happens here")

    def prepare(self) -> None:
        """Nothing to be made ready for a burst."""

    def on_arrived(self) -> None:
        """Count it."""
        self.taken += 1
        if self.taken % BURST == 0:
            self.is_taken.set()


class Talking(Idle):
    """Shows each message at the end of a long talk."""

    def __init__(self) -> None:
        super().__init__()
        self._fresh = lines(KEPT)
        self._entries = tuple(islice(lines(0), KEPT))
        self._coming: deque[Chat] = deque()
        self._talk = ChatLog()

    def compose(self) -> ComposeResult:
        """The talk alone."""
        yield self._talk

    def on_mount(self) -> None:
        """As it is when one comes back to it."""
        self._talk.show(Chat(entries=self._entries))

    def prepare(self) -> None:
        """What the talk will be with each message of a burst: made by the reducer, not by the screen."""
        for _ in range(BURST):
            self._entries = (*self._entries[1:], next(self._fresh))
            self._coming.append(Chat(entries=self._entries))

    def on_arrived(self) -> None:
        """One line more, one less."""
        super().on_arrived()
        chat = self._coming.popleft()
        start = time.process_time()
        self._talk.show(chat)
        self.own += time.process_time() - start


def lines(after: int) -> Iterator[ChatEntry]:
    """Lines of two people without end."""
    for seq in count(after + 1):
        is_mine = seq % 2 == 0
        yield ChatEntry(
            key=f"msg_{seq}",
            author="usr_ana" if is_mine else "usr_bea",
            name="ana" if is_mine else "bea",
            is_mine=is_mine,
            kind="text",
            content=f"line {seq} of a long talk" + ", and it goes on" * (seq % 9),
            at=1_795_554_240.0 + 7 * seq,
            position=float(seq % 5_000),
            seq=seq,
        )


async def microseconds(app: Idle, messages: int) -> list[float]:
    """Processor time per message: of the talk alone, taken in, and with the screen drawn after each burst."""
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        gc.collect()
        taken = drawn = 0.0
        for _ in range(messages // BURST):
            app.prepare()
            start = time.process_time()
            for _ in range(BURST):
                app.post_message(Arrived())
            await asyncio.wait_for(app.is_taken.wait(), 30)
            app.is_taken.clear()
            middle = time.process_time()
            await pilot.pause()
            taken += middle - start
            drawn += time.process_time() - start
    return [seconds / messages * 1e6 for seconds in (app.own or taken, taken, drawn)]


def main() -> int:
    """Measure in turns, so that whatever else the machine does weighs on all alike."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--ticks", type=int, default=HOUR, help="0 leaves them out")
    options.add_argument("--json", action="store_true", help="the figures for a program")
    given = options.parse_args()
    found: dict[str, list[list[float]]] = {"idle": [], "chat": []}
    for turn in range(given.rounds + 1):
        for name, kind in (("idle", Idle), ("chat", Talking)):
            one = asyncio.run(microseconds(kind(), given.messages))
            if turn:  # the first turn fills the caches
                found[name].append(one)
    idle, chat = ([statistics.median(column) for column in zip(*runs, strict=True)] for runs in found.values())
    figures = zip(TARGETS.items(), idle, chat, strict=True)
    rows = [Row(what, without, shown, target) for (what, target), without, shown in figures]
    if given.ticks:
        rows.append(Row("a tick", *measure(given.ticks, islice(lines(0), KEPT), SIZE), TICK_TARGET))
    report(rows, as_json=given.json)
    return 0 if all(row.is_reached for row in rows) else 1


def report(rows: list[Row], *, as_json: bool) -> None:
    """Print what was measured."""
    if as_json:
        told = [{**asdict(row), "ratio": row.ratio, "is_reached": row.is_reached} for row in rows]
        print(json.dumps({"size": SIZE, "lines": KEPT, "rows": told}, indent=2))
        return
    print(f"{'CPU per message':<16} {'idle app':>10} {'here':>10} {'ratio':>6}  target")
    for row in rows:
        print(f"{row.what:<16} {row.idle_us:7.0f} µs {row.here_us:7.0f} µs {row.ratio:6.1f}  {row.target:.0f}")
        if row.what == "a tick":
            print(f"at {TICKS_PER_SECOND} ticks a second: {row.here_us * TICKS_PER_SECOND / 1e4:.1f} % of a core")
    print("reached" if all(row.is_reached for row in rows) else "missed")


if __name__ == "__main__":
    sys.exit(main())
