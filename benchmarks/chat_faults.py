"""Whether the talk keeps its promises when its service is killed and restarted, and its lines are cut, again and again.

    python -m benchmarks.chat_faults --runs 10 --seed 1
    python -m benchmarks.chat_faults --messages 20000 --kills 20 --json

In each of 20 sessions two clients, one the project's library and one a plain socket, say 5,000 messages in all, while
the service (a process of its own, with the embedded database) is killed with SIGKILL and restarted 5 times at random
moments, and connections are cut at random. At the end every client's list has to be the database's and to hold every
acknowledged message; none lost, doubled or out of order. Ends with 1 when something was.
"""

import argparse
import asyncio
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.faultbench.evening import Result, Scale, run_evening

PIPE_COLUMNS = 170
COLUMNS = {
    "said": "said",
    "acknowledged": "acknowledged",
    "unacknowledged_kept": "not ack’d, kept",
    "unacknowledged_absent": "not ack’d, absent",
    "lost": "lost",
    "doubled": "doubled",
    "out_of_order": "out of order",
    "altered": "altered",
    "lists_that_differ": "lists that differ",
    "faults": "other faults",
    "resends": "resends",
    "reconnects": "reconnects",
}


def row(result: Result) -> list[str]:
    """One run as a row of the table, behind its number."""
    found = asdict(result.findings)
    before = [result.seed, f"{result.seconds:.1f}", result.kills, result.cuts, f"{result.longest_pause:.2f}"]
    verdict = "good" if result.findings.is_good else "BAD"
    return [str(one) for one in (*before, *(found[name] for name in COLUMNS), verdict)]


def show(results: list[Result], console: Console) -> None:
    """The table, and what was wrong in words."""
    table = Table()
    for name in ("run", "seed", "s", "kills", "cuts", "longest pause, s", *COLUMNS.values(), ""):
        table.add_column(name, justify="right")
    for number, result in enumerate(results, start=1):
        table.add_row(str(number), *row(result))
    console.print(table)
    for result in results:
        for wrong in result.findings.wrongs:
            console.print(f"seed {result.seed}: {wrong}", markup=False)


def main() -> int:
    """The command; exit status 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chat_faults", description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; each next one has the next")
    parser.add_argument("--sessions", type=int, default=Scale.sessions)
    parser.add_argument("--messages", type=int, default=Scale.messages, help="of all sessions together")
    parser.add_argument("--kills", type=int, default=Scale.kills)
    parser.add_argument("--json", action="store_true", help="write the runs as JSON on stdout")
    options = parser.parse_args()
    scale = Scale(sessions=options.sessions, messages=options.messages, kills=options.kills)
    words = Console(stderr=True, highlight=False)
    results: list[Result] = []
    for seed in range(options.seed, options.seed + options.runs):
        with tempfile.TemporaryDirectory(prefix="dateflicks-faults-") as folder:
            results.append(asyncio.run(run_evening(scale, seed, Path(folder))))
        words.print(f"run {len(results)}: " + " ".join(row(results[-1])), markup=False)
    if options.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(results), indent=2) + b"\n")
    else:
        show(results, Console(width=None if sys.stdout.isatty() else PIPE_COLUMNS))
    return 0 if all(one.findings.is_good for one in results) else 1


if __name__ == "__main__":
    sys.exit(main())
