"""`serve units`: what runs the services on a server, made for this machine: systemd's units, or a compose file.

The texts lie beside the server as files of their own (`server/units/`); here they are only filled in and written.
"""

import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import ascii_letters, digits
from typing import Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError

UNITS: Final = ("dateflicks.service", "dateflicks-jobs.service", "dateflicks-backup.service", "dateflicks-backup.timer")
COMPOSE: Final = ("compose.yaml", "Containerfile")
WRITTEN: Final = ("file", "state")
SETTINGS: Final = Path("/etc/dateflicks")
_HOMES: Final = ("/home/", "/root/", "/run/user/")  # what ProtectHome hides
_ACCOUNT: Final = frozenset(f"{ascii_letters}{digits}_-.")  # of what its name is made
_UNFIT: Final = frozenset("\"'\\$%;\n")  # each means something in a unit


def show_units(
    environment: CliEnvironment,
    *,
    into: Path | None,
    compose: bool,
    program: Path | None,
    user: str | None,
    config: Path,
) -> None:
    """Print them, or write them into a folder. Raises CliError."""
    if compose:
        texts = {name: _text(name) for name in (COMPOSE if into is not None else COMPOSE[:1])}
    else:
        texts = _units(environment, _absolute("--program", program or Path(sys.executable)), user, config)
    if into is None:
        environment.stdout.write(
            "\n".join(_with_name(name, text) if len(texts) > 1 else text for name, text in texts.items())
        )
        return
    _write(environment, into, texts)
    if compose:
        environment.say(
            "Put a wheel of DATEFLICKS there too, or do this in a checkout; compose.yaml says how to start."
        )
    else:
        environment.say(
            "Start them with:",
            "  systemctl daemon-reload",
            "  systemctl enable --now dateflicks dateflicks-jobs dateflicks-backup.timer",
        )


def _units(environment: CliEnvironment, program: Path, user: str | None, config: Path) -> dict[str, str]:
    config = _absolute("--config", config)
    if user is not None and (not user or set(user) - _ACCOUNT or user[0] == "-"):
        raise CliError(Exit.USAGE, f"--user: '{user}' is no name of an account.")
    behind = [Path(sys.base_prefix).resolve()] if program == Path(sys.executable) else []  # what our own one links to
    is_at_home = any(str(one).startswith(_HOMES) for one in (program, program.resolve(), *behind))
    if is_at_home:
        environment.complain(
            f"Warning: {program} is in somebody's home, which other accounts cannot enter.",
            "Install it where all can: python3 -m venv /opt/dateflicks, and name it with --program.",
        )
    filled = {
        "@PROGRAM@": str(program),
        "@CONFIG@": str(config),
        "@USER@": f"User={user}" if user is not None else "DynamicUser=yes\nUser=dateflicks",
        "@CONFIGURATION@": "ConfigurationDirectory=dateflicks" if config == SETTINGS else f"ReadOnlyPaths={config}",
        "@HOME@": "read-only" if is_at_home else "yes",
    }
    return {name: _filled(_text(name), filled) for name in UNITS}


def _absolute(option: str, path: Path) -> Path:
    """A path as units take it. Raises CliError."""
    found = Path.cwd() / path
    if any(character in _UNFIT or character.isspace() or not character.isprintable() for character in str(found)):
        raise CliError(Exit.USAGE, f"{option}: {found} has a character that units give a meaning.")
    return found


def _filled(text: str, values: Mapping[str, str]) -> str:
    for mark, value in values.items():
        text = text.replace(mark, value)
    return text


def _text(name: str) -> str:
    """One of the files, from the package, or from the checkout of which it is a part."""
    folder = files("dateflicks.server").joinpath("units")
    for found in (folder.joinpath(name), Path(__file__).parents[2] / name):
        if found.is_file():
            return found.read_text(encoding="utf-8")
    raise CliError(Exit.FAILED, f"{name} is missing from this installation.", hint="Install DATEFLICKS again.")


def _with_name(name: str, text: str) -> str:
    return f"# --- {name} ---\n{text}"


def _write(environment: CliEnvironment, into: Path, texts: Mapping[str, str]) -> None:
    """Write what differs; what somebody has changed there is only replaced with a yes."""
    try:
        into.mkdir(parents=True, exist_ok=True)
        changed = [name for name, text in texts.items() if not _is(into / name, text)]
        if there := [name for name in changed if (into / name).exists()]:
            environment.agree(f"Replace {', '.join(there)} in {into}?")
        for name in changed:
            (into / name).write_text(texts[name], encoding="utf-8")
    except OSError as error:
        raise CliError(Exit.FAILED, f"{error.filename or into} cannot be written: {error.strerror or error}.") from None
    environment.show_all(
        [{"file": str(into / name), "state": "written" if name in changed else "as it was"} for name in texts],
        WRITTEN,
        empty="",
    )


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except (FileNotFoundError, UnicodeDecodeError):
        return False
