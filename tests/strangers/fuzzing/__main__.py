"""`make fuzz`: each target in turn in a process of its own, by coverage where atheris is there, then evenings out of
order on a real server; a table in the end, and 1 where anything failed.
"""

import argparse
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from tests.strangers.fuzzing import sequences
from tests.strangers.fuzzing.running import Run
from tests.strangers.fuzzing.targets import TARGETS

ROOT: Final = Path(__file__).parents[3]
MEMORY_MAX_MB: Final = 512
GRACE_SECONDS: Final = 120.0
LENGTHS: Final = {"said": 400, "films": 2_000, "settings": 2_000}  # bytes: where longer ones take long and find no more
SEQUENCES: Final = "sequences"
_UNITS: Final = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_PEAK: Final = re.compile(r"stat::peak_rss_mb:\s+(\d+)")
_FIRST: Final = re.compile(r"INITED.*rss: (\d+)Mb")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="for all of it together (30)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same inputs again")
    parser.add_argument("--engine", choices=("auto", "guided", "mutations"), default="auto")
    parser.add_argument("--folder", type=Path, default=ROOT / ".fuzz", help="where inputs that fail are kept")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, SEQUENCES, []], help="those alone")
    wished = parser.parse_args()
    names = wished.targets or [*TARGETS, SEQUENCES]
    has_guide = importlib.util.find_spec("atheris") is not None
    is_guided = wished.engine == "guided" or (wished.engine == "auto" and has_guide)
    if not is_guided:
        print("atheris is not here: what inputs reach is not followed.", flush=True)
    wished.folder.mkdir(exist_ok=True)
    seconds = wished.minutes * 60.0 / len(names)
    runs = []
    for name in names:
        if name == SEQUENCES:
            run = sequences.played(seconds=seconds, seed=wished.seed)
        else:
            run = (guided if is_guided else mutations)(name, seconds, wished.seed, wished.folder)
        print(told(run), flush=True)
        runs.append(run)
    failures = [failure for run in runs for failure in run.failures]
    print(f"seed {wished.seed}: {sum(run.inputs for run in runs):,} inputs, {len(failures)} failures", flush=True)
    for failure in failures:
        print(failure, flush=True)
    return 1 if failures else 0


def mutations(name: str, seconds: float, seed: int, folder: Path) -> Run:
    """Without a look at what is reached."""
    wish = {"name": name, "inputs": 10**9, "seconds": seconds, "seed": seed, "folder": str(folder)}
    ran = _program(["tests.strangers.fuzzing.running", json.dumps(wish)], seconds)
    if isinstance(ran, str):
        return Run(name, "mutations", failures=[ran])
    if ran.returncode:
        return Run(name, "mutations", failures=[ran.stderr[-2_000:]])
    return msgspec.json.decode(ran.stdout, type=Run)


def guided(name: str, seconds: float, seed: int, folder: Path) -> Run:
    """By coverage."""
    corpus = folder / f"corpus-{name}"
    corpus.mkdir(exist_ok=True)
    for number, data in enumerate(TARGETS[name].seeds):
        (corpus / f"seed-{number}").write_bytes(data)
    flags = [
        f"-max_total_time={round(seconds)}",
        f"-seed={seed % 2**31 or 1}",
        f"-rss_limit_mb={MEMORY_MAX_MB}",
        f"-artifact_prefix={folder}/{name}-",
        f"-max_len={LENGTHS.get(name, 20_000)}",
        "-timeout=20",
        "-print_final_stats=1",
    ]
    began = time.monotonic()
    ran = _program(["tests.strangers.fuzzing.guided", name, str(corpus), *flags], seconds)
    run = Run(name, "atheris", seconds=time.monotonic() - began)
    if isinstance(ran, str):
        run.failures.append(ran)
        return run
    if found := _UNITS.search(ran.stderr):
        run.inputs = int(found[1])
    first, peak = _FIRST.search(ran.stderr), _PEAK.search(ran.stderr)
    if first and peak:
        run.grew_bytes = max(0, int(peak[1]) - int(first[1])) << 20
    if ran.returncode:
        run.failures.append((ran.stdout + ran.stderr)[-3_000:])
    return run


def _program(arguments: list[str], seconds: float) -> "subprocess.CompletedProcess[str] | str":
    try:
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds + GRACE_SECONDS,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    except subprocess.TimeoutExpired:
        return f"{arguments[0]} did not come to an end"


def told(run: Run) -> str:
    per_second = run.inputs / run.seconds if run.seconds else 0.0
    return (
        f"{run.target:10} {run.engine:10} {run.inputs:>12,} inputs {per_second:>9,.0f}/s"
        f"  memory +{run.grew_bytes / 2**20:.0f} MB  {len(run.failures)} failures"
    )


if __name__ == "__main__":
    sys.exit(main())
