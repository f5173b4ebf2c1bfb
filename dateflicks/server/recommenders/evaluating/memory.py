"""How much memory something takes: the most that this process has held while it ran, over what it held before."""

import ctypes
import gc
import resource
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MIB: Final = 1024 * 1024
_STATUS: Final = Path("/proc/self/status")
_RESET: Final = Path("/proc/self/clear_refs")
_FORGET_PEAK: Final = "5"


class PeakMemory:
    """Measures what happens inside of `with`: `added_mib` over before, `peak_mib` in all.

    On Linux the peak so far is forgotten first. Elsewhere it cannot be, and what an earlier peak hides is not counted:
    measure in a process of its own.
    """

    added_mib: float = 0.0
    peak_mib: float = 0.0

    def __enter__(self) -> Self:
        gc.collect()
        _give_back()
        try:
            _RESET.write_text(_FORGET_PEAK)
        except OSError:
            self._before = _peak()
        else:
            self._before = _status("VmRSS") or _peak()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        peak = _status("VmHWM") or _peak()
        self.peak_mib = peak / MIB
        self.added_mib = max(peak - self._before, 0) / MIB


def _status(name: str) -> int | None:
    """A line of this process's status, in bytes."""
    try:
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _give_back() -> None:
    """What was freed but kept by the allocator would be taken again unseen."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
