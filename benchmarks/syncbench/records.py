"""The record of one scenario run: a JSON file with all that is needed to judge it again, and to draw it."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.syncbench.figures import By, Row
from benchmarks.syncbench.measurement import Figures, Series


class Record(msgspec.Struct, kw_only=True):
    """One run of one scenario."""

    scenario: str
    by: By
    summary: str
    started: datetime
    seed: int
    seconds: float
    versions: dict[str, str]
    machine: str
    load_before: list[float]
    load_after: list[float] = []
    floor_ms: float
    rows: list[Row] = []
    figures: Figures = {}
    series: Series | None = None
    error: str = ""


def now() -> datetime:
    """The wall clock, for the record only."""
    return datetime.now(UTC)


def write(record: Record, folder: Path) -> Path:
    """Write a record under a name of its own; returns where."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = record.started.strftime("%Y%m%dT%H%M%S")
    path = folder / f"{record.scenario}-{record.by}-seed{record.seed}-{stamp}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    return path


def read(path: Path) -> Record:
    """Read a record. Raises OSError, or msgspec.DecodeError for a file that is none."""
    return msgspec.json.decode(path.read_bytes(), type=Record)
