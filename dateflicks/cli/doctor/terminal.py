"""The terminal: whether it can show the terminal client, and how it gets well again after a program that died in it."""

import contextlib
import os
import sys
from typing import Any, Final

from dateflicks.cli.doctor.finding import Finding, fine, note, wrong
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

COMFORTABLE: Final = (72, 20)
DUMB: Final = ("dumb", "unknown", "")
# Off with the other screen, mouse, focus, paste, kitty's keys; the cursor, wrapping, colours and letters as usual.
RESET: Final = (
    "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2026l"
    "\x1b[<u\x1b[>4;0m\x1b[?25h\x1b[?7h\x1b(B\x1b[0m\r"
)


def terminal(environment: CliEnvironment) -> list[Finding]:
    """Its name, size and colours."""
    from dateflicks.tui.drawing.foot import SMALLEST

    name = environment.environ.get("TERM", "")
    if not (sys.stdin.isatty() and environment.stdout.isatty()):
        return [note("terminal", "This runs in no terminal: commands write lines here, and open no screen.")]
    if name in DUMB:
        said = f"TERM={name or '(empty)'}: nothing but lines can be shown."
        return [wrong("terminal", said, "export TERM=xterm-256color")]
    wide, high = os.get_terminal_size(environment.stdout.fileno())
    said = f"{name}, {wide}×{high}, {colors(environment)}"
    if (wide, high) == (0, 0):
        return [note("terminal", f"{name} does not say how large it is.", "stty cols 80 rows 24")]
    if wide < SMALLEST[0] or high < SMALLEST[1]:
        least = "×".join(map(str, SMALLEST))
        return [wrong("terminal", f"{said}: too small for the terminal client.", f"Enlarge it to {least} or more.")]
    if wide < COMFORTABLE[0] or high < COMFORTABLE[1]:
        comfortable = "×".join(map(str, COMFORTABLE))
        return [note("terminal", f"{said}: rather small.", f"From {comfortable} on there is room for everything.")]
    return [fine("terminal", said)]


def colors(environment: CliEnvironment) -> str:
    """How many colours it says it has."""
    if environment.environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environment.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256color" in environment.environ.get("TERM", "") else "16 colours"


def reset_terminal(environment: CliEnvironment) -> None:
    """Have the terminal as a shell wants it, whatever a program that died has left. Raises CliError."""
    stream = next((one for one in (environment.stdout, environment.stderr) if one.isatty()), None)
    if stream is None:
        raise CliError(Exit.USAGE, "This runs in no terminal, so there is none to reset.")
    stream.write(RESET)
    stream.flush()
    if sys.stdin.isatty():
        with contextlib.suppress(OSError):
            _calm_line(sys.stdin.fileno())


def _calm_line(descriptor: int) -> None:
    """Lines as they are typed, shown as they are typed, with Ctrl-C: what `stty sane` does."""
    import termios

    try:
        found: list[Any] = termios.tcgetattr(descriptor)
        found[0] |= termios.BRKINT | termios.ICRNL | termios.IXON
        found[1] |= termios.OPOST | termios.ONLCR
        found[3] |= termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ICANON | termios.ISIG | termios.IEXTEN
        termios.tcsetattr(descriptor, termios.TCSADRAIN, found)
    except termios.error as error:
        raise OSError(*error.args) from error
