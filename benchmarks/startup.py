"""How long `dateflicks --help` takes, as a ratio to a bare program of Typer and Rich, measured in turns in one run.

    python -m benchmarks.startup [--runs N]

The ratio is that of the least processor time of each: what else the machine does can only add to it. Ends with 1 when
it is above the target.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

TARGET: Final = 1.5
BARE: Final = "bare Typer and Rich --help"
OURS: Final = "dateflicks --help"
SIGNED_OUT: Final = 4  # what a client command ends with where nobody is signed in
PROGRAM: Final = """
import typer
from rich.console import Console

app = typer.Typer(no_args_is_help=True)


@app.command()
def one() -> None:
    "Do one thing."


@app.command()
def other() -> None:
    "Do the other."


app()
"""


@dataclass
class Taken:
    """What each run of one command took, in milliseconds."""

    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)


def run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[float, float]:
    """One run of a command, from its start to its end: milliseconds that passed, and those of a processor."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ, check=False
    )
    passed, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, SIGNED_OUT):
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return passed * 1000, used * 1000


def measure(runs: int) -> dict[str, Taken]:
    """Measure in turns, so that whatever else the machine does weighs on all alike."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(PROGRAM, encoding="utf-8")
        environ = {**os.environ, "DATEFLICKS_HOME": folder}
        commands = {
            "python -c pass": ("-c", "pass"),
            BARE: (str(bare), "--help"),
            OURS: ("-m", "dateflicks", "--help"),
            "dateflicks whoami --help": ("-m", "dateflicks", "whoami", "--help"),
            "dateflicks whoami": ("-m", "dateflicks", "whoami"),
        }
        taken = {name: Taken() for name in commands}
        for turn in range(runs + 1):
            for name, command in commands.items():
                wall, processor = run(command, environ)
                if turn:  # the first turn fills the caches
                    taken[name].wall.append(wall)
                    taken[name].processor.append(processor)
    return taken


def ratio_of(taken: Mapping[str, Taken]) -> float:
    """How many times the processor time of the bare program `dateflicks --help` takes."""
    return min(taken[OURS].processor) / min(taken[BARE].processor)


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=21)
    taken = measure(options.parse_args().runs)
    base = min(taken[BARE].processor)
    for name, one in taken.items():
        print(
            f"{name:<28} median {statistics.median(one.wall):6.1f} ms  best {min(one.wall):6.1f} ms"
            f"  processor {min(one.processor):6.1f} ms  ratio {min(one.processor) / base:4.2f}"
        )
    ratio = ratio_of(taken)
    print(f"ratio {ratio:.2f}, target {TARGET}: {'reached' if ratio <= TARGET else 'missed'}")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
