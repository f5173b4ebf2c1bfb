"""How long `dateflicks --help` takes, as a ratio to a bare program of Typer and Rich, measured in turns in one run.

    python benchmarks/startup.py [--runs N]

Ends with 1 when the ratio of the medians is above the target.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET = 1.5
BARE = """
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


def milliseconds(*command: str) -> float:
    """One run of a command, from its start to its end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def main() -> int:
    """Measure in turns, so that whatever else the machine does weighs on all alike."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=21)
    runs: int = options.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(BARE, encoding="utf-8")
        commands = {
            "python -c pass": ("-c", "pass"),
            "bare Typer and Rich --help": (str(bare), "--help"),
            "dateflicks --help": ("-m", "dateflicks", "--help"),
            "dateflicks whoami --help": ("-m", "dateflicks", "whoami", "--help"),
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(runs + 1):
            for name, command in commands.items():
                found = milliseconds(*command)
                if turn:  # the first turn fills the caches
                    taken[name].append(found)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    base = medians["bare Typer and Rich --help"]
    for name, times in taken.items():
        print(
            f"{name:<28} median {medians[name]:6.1f} ms  best {min(times):6.1f} ms  ratio {medians[name] / base:4.2f}"
        )
    ratio = medians["dateflicks --help"] / base
    print(f"ratio {ratio:.2f}, target {TARGET}: {'reached' if ratio <= TARGET else 'missed'}")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
