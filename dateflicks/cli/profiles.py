"""Profiles: several homes of one person, each a folder of settings read over the others, with sign-ins of its own.

A profile is there once its folder is: `profiles/NAME` in the last of the settings folders. `dateflicks init` makes one.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

if TYPE_CHECKING:
    from dateflicks.settings.loader import Loaded

FOLDER: Final = "profiles"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def is_name(name: str) -> bool:
    """Whether a profile may be called so: its name is that of a folder, and is typed without quotes."""
    return _NAME.fullmatch(name) is not None


def names_in(folder: Path) -> list[str]:
    """The profiles of a settings folder."""
    try:
        return sorted(one.name for one in (folder / FOLDER).iterdir() if is_name(one.name) and one.is_dir())
    except OSError:
        return []


def check_profile(name: str, folder: Path, *, is_new: bool = False) -> None:
    """Raises CliError for a profile that this settings folder has not, and for a new one that cannot be called so."""
    if not is_name(name):
        what = f"'{name}' is no name of a profile."
        raise CliError(Exit.USAGE, what, hint="Use letters, digits, - and _, such as 'work'.")
    if is_new or (folder / FOLDER / name).is_dir():
        return
    make = f"Make it with: dateflicks --profile {name} init"
    there = names_in(folder)
    if not there:
        raise CliError(Exit.USAGE, f"There is no profile '{name}', nor any other in {folder}.", hint=make)
    raise CliError(Exit.USAGE, f"There is no profile '{name}'.", why=nearest(name, there), hint=make)


def without_token_of_others(found: "Loaded[Any]", folder: Path) -> "Loaded[Any]":
    """The client's settings without a token from other files, where the profile in this folder names the server.

    Such a token is for the server that stands beside it, and no other gets to see it.
    """
    import msgspec

    from dateflicks.settings.loader import Source

    server, token = found.sources["server"], found.sources["token"]
    if server != Source("file", str(folder / "client.toml")) or token.kind != "file" or token == server:
        return found
    settings = msgspec.structs.replace(found.settings, token="")
    return replace(found, settings=settings, sources={**found.sources, "token": Source("default", "")})
