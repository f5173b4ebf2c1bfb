"""What `doctor` writes: for people a line for each finding with what to type below it, for programs records."""

import shutil
import textwrap
from collections.abc import Sequence
from typing import Final

from dateflicks.cli.doctor.finding import Finding, State
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.output import Format

COLUMNS: Final = ("name", "state", "found", "fix")
WIDTH_MAX: Final = 120
_COLORS: Final = {State.OK: "32", State.NOTE: "33", State.WRONG: "1;31"}
_NAME: Final = 10
_STATE: Final = 7


def tell(environment: CliEnvironment, findings: Sequence[Finding]) -> None:
    """Write them, and say how many are wrong."""
    printer = environment.printer
    if printer.form is Format.TABLE and not environment.fields:
        width = _width(environment)
        is_colored = environment.is_colored(environment.stdout)
        for finding in findings:
            environment.stdout.write(_lines(finding, width, is_colored=is_colored))
    else:
        environment.show_all([finding.record() for finding in findings], COLUMNS, empty="")
    count = sum(finding.state is State.WRONG for finding in findings)
    environment.say({0: "Nothing is wrong.", 1: "One thing is wrong."}.get(count, f"{count} things are wrong."))


def _width(environment: CliEnvironment) -> int:
    return min(shutil.get_terminal_size().columns, WIDTH_MAX) if environment.stdout.isatty() else WIDTH_MAX


def _lines(finding: Finding, width: int, *, is_colored: bool) -> str:
    indent = " " * (_STATE + _NAME)
    room = max(width - len(indent), 20)
    state = f"{finding.state.value:<{_STATE}}"
    if is_colored:
        state = f"\x1b[{_COLORS[finding.state]}m{state}\x1b[0m"
    lines = textwrap.wrap(finding.found, room, break_on_hyphens=False, break_long_words=False) or [""]
    fix = textwrap.wrap(finding.fix, room - 2, break_on_hyphens=False, break_long_words=False) if finding.fix else []
    lines += [f"{'  ' if number else '→ '}{line}" for number, line in enumerate(fix)]
    first, *rest = lines
    return "".join(f"{line}\n" for line in (f"{state}{finding.name:<{_NAME}}{first}", *(indent + one for one in rest)))
