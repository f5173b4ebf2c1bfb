"""Time in which nobody on this machine had to wait for a processor, so that a promise in seconds can be held to it.

Linux tells how long somebody has waited; that is left out. On a machine that is busy with something else hardly any of
such time passes, and nothing is found out; on a quiet one it is as long as any other.
"""

import time
from pathlib import Path
from typing import Final

_PRESSURE: Final = Path("/proc/pressure/cpu")


def unhindered() -> float:
    """An instant in seconds, to be compared with others of this function; stands still where Linux does not tell."""
    waited = _waited()
    return 0.0 if waited is None else time.monotonic() - waited


def _waited() -> float | None:
    try:
        first = _PRESSURE.read_text(encoding="ascii").splitlines()[0]
    except OSError:
        return None
    return int(first.rpartition("total=")[2]) / 1e6
