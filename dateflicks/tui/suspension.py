"""Being suspended by a key, as any program of a shell, and coming back; no Textual, and nothing of what is shown.

The whole process group is stopped, as the terminal itself would stop it: what started this program, such as a script,
must not go on waiting for it with the shell waiting for both. Players and servers have groups of their own, and go on.
"""

import os
import signal
import time
from types import FrameType
from typing import Final

HEARD_SECONDS: Final = 0.5  # within which it is known that nothing was stopped


def suspended() -> bool:
    """Stop here until somebody brings this program to the foreground; False, at once, where there is nobody to do so.

    The system itself knows: it stops no group that no shell looks after. Brought back into the background, it stops
    again, for there it has no terminal to draw on. From the main thread.
    """
    if not hasattr(signal, "SIGTSTP"):  # as on Windows
        return False
    has_stopped = _stopped(signal.SIGTSTP)
    is_stopped = has_stopped
    while is_stopped and not _has_terminal():
        is_stopped = _stopped(signal.SIGTTOU)
    return has_stopped


def _stopped(number: signal.Signals) -> bool:
    """Whether the signal stopped this process, once it goes on."""
    goes_on: list[int] = []

    def heard(number: int, frame: FrameType | None) -> None:
        del frame
        goes_on.append(number)

    before = signal.signal(signal.SIGCONT, heard), signal.signal(number, signal.SIG_DFL)
    try:
        os.killpg(0, number)
        until = time.monotonic() + HEARD_SECONDS
        while not goes_on and time.monotonic() < until:  # another thread may have been told first
            time.sleep(0.01)
        time.sleep(0)  # signals that have come are handled here, before what is known of them is looked at
    finally:
        signal.signal(signal.SIGCONT, before[0])
        signal.signal(number, before[1])
    return bool(goes_on)


def _has_terminal() -> bool:
    """Whether this process is in the foreground of its terminal; one without a terminal is."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return True
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
