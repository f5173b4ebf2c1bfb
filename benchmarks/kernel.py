"""What the kernel tells of processes, by their ids, and how one is made to stand still for a while. Linux only."""

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have had, to a nanosecond: ticks of a hundredth of a second miss short turns."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def memory_bytes(pid: int, *, peak: bool = False) -> int:
    """What a process has in memory now, or had at most; 0 where nobody tells."""
    name = "VmHWM:" if peak else "VmRSS:"
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) * 1_024
    return 0


def memory_mib(pid: int, *, peak: bool = False) -> float:
    """The same in MiB."""
    return memory_bytes(pid, peak=peak) / 2**20


def children_of(pid: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(one) for one in (task / "children").read_text().split()]
    return found


def parent_of(pid: int) -> int:
    """The process that has started a process. Raises OSError."""
    return int(_stat(pid)[1])


def is_running(pid: int) -> bool:
    """Whether a process is there, and has not ended."""
    try:
        return _stat(pid)[0] != "Z"
    except OSError:
        return False


def files_allowed() -> int:
    """How many files this process may have open; raised to what is allowed at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@contextlib.contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process does nothing for as long as the block runs."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may have anything in it: the state, the parent's id and so on."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
