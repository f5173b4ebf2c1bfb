"""How the demo is told in a pipe: a line for each step as it ends, and what it comes to."""

from collections.abc import Callable
from typing import Final

from dateflicks.cli.demo.story import Report, Result, Step

MARKS: Final = {True: "ok", False: "FAIL"}
NAME_WIDTH: Final = 15


class Lines:
    """A line a step; `say` writes one."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def began(self, step: Step) -> None:
        pass

    def ended(self, result: Result, seconds: float) -> None:
        self._say(f"{MARKS[result.ok]:4}  {result.name:{NAME_WIDTH}}  {result.detail} ({seconds:.1f} s)")


def opening(player: str, missing: list[str]) -> str:
    """Who plays, and why."""
    if player == "mpv":
        return "Two people watch a film here, each with an mpv without picture and sound."
    why = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed" if missing else "as asked"
    return f"Two people watch a film here, each with a simulated player: {why}."


def closing(report: Report, seconds: float) -> list[str]:
    """What it comes to."""
    drift, lines = report.drift_ms, []
    if drift.median is not None:
        figures = f"median {drift.median:.1f} ms, p95 {drift.p95:.1f} ms, max {drift.max:.1f} ms"
        lines.append(f"Apart while playing: {figures}; a frame is 40 ms.")
    failed = [result.name for result in report.steps if not result.ok]
    if failed:
        words = "1 step" if len(failed) == 1 else f"{len(failed)} steps"
        lines.append(f"{words} of {len(report.steps)} did not hold: {', '.join(failed)}. It took {seconds:.0f} s.")
    else:
        lines.append(f"All {len(report.steps)} steps held, in {seconds:.0f} s.")
    return lines
