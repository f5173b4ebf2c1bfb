"""A source as somebody else's package, which behaves as its settings say; and settings under which it alone runs."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dateflicks.server.providers.source import ENTRY_POINTS

FILMS: Final = 40
CODE: Final = """
import os, pathlib, signal, sys, time
import msgspec
from dateflicks.server.providers.source import BaseSource, Checkpoint, Complete, Item


class Config(msgspec.Struct, frozen=True):
    how: str = "well"
    folder: str = ""
    password: str = ""


class Source(BaseSource):
    name = "films"
    config = Config
    capabilities = frozenset({"incremental"})
    attribution = "Films by Plugged."

    async def fetch(self, context, state, mode):
        start = (state or {}).get("at", 0) if mode == "full" else 0
        for number in range(start, 40):
            if number == 20:
                yield Checkpoint(state={"at": number})
                await self._behave(context)
                if context.stopping.is_set():
                    return
            yield Item(source_id=f"f{number}", url=f"https://films.example.org/{number}", title=f"Film {number}")
        yield Complete(full=mode == "full", state={"since": "2026-01-01"})

    async def _behave(self, context):
        how, hog = context.config.how, []
        pathlib.Path(context.config.folder, "half-way").touch()
        if how == "waits":
            await context.stopping.wait()
        elif how == "hangs":
            time.sleep(600)
        elif how == "eats":
            while True:
                hog.append(bytearray(os.urandom(1) * 8_000_000))
        elif how == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif how == "raises":
            print('{"record": {"id": "run_mine"}}', {"counters": 5}, file=sys.stdout)
            raise ValueError(f"The password {context.config.password} is of no use.")
        elif how == "exits":
            os._exit(3)
"""


@dataclass(frozen=True)
class Plugged:
    """Where it is installed, and its settings."""

    folder: Path

    @property
    def site(self) -> Path:
        return self.folder / "site"

    @property
    def settings(self) -> Path:
        return self.folder / "settings"

    @property
    def half_way(self) -> Path:
        """There as soon as a run has come half way."""
        return self.folder / "half-way"

    def behaves(self, how: str = "well", *, run: str = "", schedule: str = "0 0 1 1 *") -> None:
        """From now on."""
        self.half_way.unlink(missing_ok=True)
        self.settings.joinpath("providers.toml").write_text(
            f"""
            [plugins.films]
            how = "{how}"
            folder = "{self.folder}"
            password = "open sesame"
            schedule = "{schedule}"
            full_schedule = ""
            [local]
            enabled = false
            [url]
            enabled = false
            [mongo]
            timeout_seconds = 10.0
            [run]
            {run}
            """.replace("            ", "")
        )

    def command(self) -> list[str]:
        """What starts a run's process."""
        return [sys.executable, "-P", "-m", "dateflicks", "--settings", str(self.settings), "jobs", "exec"]


def plug(folder: Path) -> Plugged:
    """Install it into a folder."""
    plugged = Plugged(folder)
    metadata = plugged.site / "plugged_films-1.0.dist-info"
    metadata.mkdir(parents=True)
    plugged.settings.mkdir()
    (plugged.site / "plugged_films.py").write_text(CODE, encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: plugged-films\nVersion: 1.0\n", encoding="utf-8")
    (plugged.settings / "recommenders.toml").write_text('allow = ["none"]\n', encoding="utf-8")
    entries = f"[{ENTRY_POINTS}]\nfilms = plugged_films:Source\n"
    (metadata / "entry_points.txt").write_text(entries, encoding="utf-8")
    plugged.behaves()
    return plugged
