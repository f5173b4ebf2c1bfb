"""The source that does what a source should not, as a real package, and settings under which it alone runs."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dateflicks.server.jobs.declared import Job

PACKAGE: Final = Path(__file__).parent / "chaos_plugin"
JOB: Final = Job(name="chaos:full", subject="chaos", kind="source", mode="full")
MERGE: Final = Job(name="merge", subject="merge", kind="merge")
MODES: Final[Mapping[str, frozenset[str]]] = {  # how a run may end that behaves so
    "raise": frozenset({"failed", "partial"}),
    "hang": frozenset({"timeout", "killed"}),
    "wait": frozenset({"timeout", "killed", "failed"}),
    "segfault": frozenset({"failed", "killed"}),
    "leak": frozenset({"killed", "failed"}),
    "spin": frozenset({"timeout", "killed"}),
    "garbage": frozenset({"failed", "partial"}),
    "nothing": frozenset({"ok", "unchanged"}),
    "killed": frozenset({"killed"}),
    "exit": frozenset({"failed"}),
    "babble": frozenset({"timeout", "killed"}),
}


class Chaos:
    """It, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.site = folder / "site"
        self.settings = folder / "settings"

    def install(self) -> None:
        """Build it from a copy and install it, without a network. Raises RuntimeError."""
        copy = self.site.parent / "package"
        for path in PACKAGE.rglob("*"):
            if path.suffix in (".py", ".toml"):
                place = copy / path.relative_to(PACKAGE)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(path.read_bytes())
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
        command += ["--disable-pip-version-check", "--target", str(self.site), str(copy)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        self.settings.mkdir(exist_ok=True)

    def behaves(self, how: str, titles: int = 400) -> None:
        """From now on."""
        self.settings.joinpath("providers.toml").write_text(
            f'[plugins.chaos]\nhow = "{how}"\ntitles = {titles}\nenabled = false\n'
            "[local]\nenabled = false\n[url]\nenabled = false\n[mongo]\ntimeout_seconds = 10.0\n",
            encoding="utf-8",
        )

    def command(self) -> list[str]:
        """What starts a run's process."""
        return [sys.executable, "-P", "-m", "dateflicks", "--settings", str(self.settings), "jobs", "exec"]
