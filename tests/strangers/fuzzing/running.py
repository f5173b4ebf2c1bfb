"""Trying one target for a while, in a process of its own: how often, how fast, how much memory, and what failed."""

import gc
import json
import os
import random
import sys
import time
import traceback
from pathlib import Path
from typing import Final

import msgspec

from tests.strangers.fuzzing.mutating import mutated
from tests.strangers.fuzzing.targets import TARGETS, Target

GROWTH_MAX_BYTES: Final = 64 << 20
WARM: Final = 2_000  # inputs after which what is kept for ever (tables, caches) is there
FAILURES_MAX: Final = 5
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Run(msgspec.Struct):
    """What became of one."""

    target: str
    engine: str
    inputs: int = 0
    seconds: float = 0.0
    grew_bytes: int = 0
    failures: list[str] = []


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE


def tried(name: str, *, inputs: int, seconds: float, seed: int, folder: Path | None = None) -> Run:
    """Try so many inputs, or for so long, whichever ends first; what fails is kept in the folder."""
    target, run = TARGETS[name], Run(name, "mutations")
    choose = random.Random(f"{name} {seed}")
    began, before = time.monotonic(), resident()
    while run.inputs < inputs and len(run.failures) < FAILURES_MAX:
        data = mutated(choose, target.seeds)
        run.inputs += 1
        failure = failed(target, data)
        if failure is not None:
            run.failures.append(f"{data[:400]!r}: {failure}")
            if folder is not None:
                (folder / f"{name}-{seed}-{run.inputs}").write_bytes(data)
        if run.inputs == WARM:
            gc.collect()
            before = resident()
        if run.inputs % 100 == 0 and time.monotonic() - began > seconds:
            break
    gc.collect()
    run.seconds = time.monotonic() - began
    run.grew_bytes = max(0, resident() - before)
    if run.grew_bytes > GROWTH_MAX_BYTES:
        run.failures.append(f"memory grew by {run.grew_bytes >> 20} MB")
    return run


def failed(target: Target, data: bytes) -> str | None:
    """What is wrong with this input; None where all holds."""
    try:
        target.one(data)
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        return traceback.format_exc(limit=-4)
    return None


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    arguments["folder"] = Path(arguments["folder"])
    sys.stdout.write(msgspec.json.encode(tried(**arguments)).decode())
