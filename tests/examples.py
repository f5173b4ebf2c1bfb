"""The examples of plug-ins, as their readers would use them: real packages, built and installed; and their pages."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[1]
_BUILT: Final = ("__pycache__", "build", ".egg-info")


def installed(example: Path, folder: Path) -> Path:
    """An example, built from a copy and installed into a folder of its own, without a network."""
    copy, target = folder / "package", folder / "site"
    for path in example.rglob("*"):
        if path.is_file() and not any(word in str(path) for word in _BUILT):
            place = copy / path.relative_to(example)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--target", str(target), str(copy)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def own_tests(example: Path, site: Path) -> str:
    """What the example's own tests say, which have to pass."""
    environ = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(example)]
    command += ["-c", os.devnull, str(example / "tests")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240, env=environ)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def code_of(page: Path) -> list[str]:
    """The blocks of code on a page."""
    blocks = page.read_text(encoding="utf-8").split("```")[1::2]
    return [block.partition("\n")[2] for block in blocks]


def lines_of_code(module: Path) -> int:
    """How many lines there are beneath what a module imports."""
    lines = module.read_text(encoding="utf-8").splitlines()
    return len([line for line in lines if line.strip() and not line.startswith(("import ", "from ", '"""'))])
