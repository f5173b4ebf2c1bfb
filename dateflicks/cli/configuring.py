"""What `config` does: one key found, read and changed with everything around it kept; all files checked."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest
from dateflicks.cli.output import Format
from dateflicks.protocol.printable import printable

if TYPE_CHECKING:
    from dateflicks.settings.checking import Mistake
    from dateflicks.settings.keys import Key

MODEL: Final = ".model.toml"
LIKE: Final = 0.6  # of 1, which is the same
MISTAKES: Final = ("file", "line", "key", "problem", "suggestion")


@dataclass(frozen=True, slots=True)
class Spot:
    """One setting by the name that `config show` gives it; `entry` is a name in its table, where it is one."""

    service: str
    key: "Key"
    entry: str = ""

    @property
    def name(self) -> str:
        """Its dotted name in the file."""
        return f"{self.key.name}.{self.entry}" if self.entry else self.key.name

    @property
    def full_name(self) -> str:
        """With the service in front."""
        return f"{self.service}.{self.name}"


def spot_of(name: str) -> Spot:
    """The setting of this name. Raises CliError, with what was probably meant."""
    from dateflicks.settings.keys import nearest as nearest_key
    from dateflicks.settings.loader import SERVICES, keys_by_name

    service, _, rest = name.partition(".")
    keys = keys_by_name(service) if service in SERVICES else {}
    if rest in keys:
        return Spot(service, keys[rest])
    for key in keys.values():
        entry = rest.removeprefix(f"{key.name}.")
        if entry not in ("", rest) and isinstance(key.default, dict):
            if get_args(key.type) != (str, str):
                hint = f"Change it with 'dateflicks config edit {service}'."
                raise CliError(Exit.USAGE, f"'{service}.{key.name}' is more than one value.", hint=hint)
            return Spot(service, key, entry)
    order = [service] if service in SERVICES else ["client", *SERVICES]
    meant = nearest_key(name, [f"{one}.{key}" for one in order for key in keys_by_name(one)])
    is_slip = meant is not None and _is_like(name.rpartition(".")[2], meant.rpartition(".")[2])
    hint = f"Did you mean '{meant}'?" if is_slip else "See all with 'dateflicks config show'."
    raise CliError(Exit.USAGE, f"There is no setting '{name}'.", hint=hint)


def _is_like(word: str, name: str) -> bool:
    """Whether a name may be meant by a word: the sections before them, which are right, make nothing alike."""
    import difflib

    return name.startswith(word) or difflib.SequenceMatcher(None, word, name).ratio() >= LIKE


def found_at(environment: CliEnvironment, name: str) -> list[dict[str, Any]]:
    """What holds of a key, or of all below a section, with where it comes from. Raises CliError, SettingsError."""
    from dateflicks.settings.loader import SERVICES

    service = name.partition(".")[0]
    if service in SERVICES:
        flags = {"server": environment.server} if service == "client" and environment.server else None
        rows = [
            {"key": one.key, "value": one.value, "origin": one.source.name or "default"}
            for one in environment.load(service, flags).shown()
        ]
        if found := [row for row in rows if row["key"] == name or row["key"].startswith(f"{name}.")]:
            return found
        spot = spot_of(name)
        row = next(row for row in rows if row["key"] == f"{spot.service}.{spot.key.name}")
        if isinstance(row["value"], dict) and spot.entry in row["value"]:
            return [{**row, "key": name, "value": row["value"][spot.entry]}]
        raise CliError(Exit.NOT_FOUND, f"'{name}' is not set.", hint=f"Set it with 'dateflicks config set {name} …'.")
    spot_of(name)
    raise AssertionError("a name without its service is none")


def as_written(value: Any) -> str:
    """A value as it is typed for `config set`, and, but for bare text, as TOML has it."""
    if isinstance(value, str):
        return printable(value)
    import tomlkit

    item = tomlkit.inline_table() if isinstance(value, dict) else tomlkit.item(value)
    if isinstance(value, dict):
        item.update(value)
    return printable(item.as_string())


def file_of(environment: CliEnvironment, service: str) -> Path:
    """Where a changed setting is written: a profile's file; else the one that wins, or the user's own if none does."""
    files = [folder / f"{service}.toml" for folder in environment.changed_folders]
    return next((file for file in files if file.is_file()), files[-1])


def files_of(environment: CliEnvironment, service: str) -> list[Path]:
    """The settings files of a service that there are, the one that wins first."""
    files = [folder / f"{service}.toml" for folder in environment.settings_folders]
    return [file for file in files if file.is_file()]


# --- changing -----------------------------------------------------------------------------------------------------


def change(environment: CliEnvironment, name: str, text: str | None) -> dict[str, Any]:
    """Set a key to what was typed; `-` and nothing at all are for secrets. Raises CliError, SettingsError."""
    from dateflicks.settings.loader import MASK
    from dateflicks.settings.writing import write_value

    spot = spot_of(name)
    path = file_of(environment, spot.service)
    value = value_of(spot, _typed(environment, spot, text), path)
    is_hidden = spot.key.hides(value)
    write_value(path, spot.name, value, is_secret=is_hidden)
    if variable := _winning_variable(environment, spot):
        environment.complain(f"{variable} is set, and wins over the file.")
    return {"key": spot.full_name, "value": MASK if is_hidden else value, "file": str(path)}


def _typed(environment: CliEnvironment, spot: Spot, text: str | None) -> str:
    if text == "-":
        return sys.stdin.readline().rstrip("\r\n")
    hint = f"Give it on stdin: dateflicks config set {spot.full_name} -"
    if text is None:
        return environment.ask(spot.full_name, instead=hint, is_secret=spot.key.is_secret)
    if spot.key.hides(text):
        what = f"{spot.full_name} is secret, and what is typed here stays in the shell's history."
        raise CliError(Exit.USAGE, what, hint=hint)
    return text


def value_of(spot: Spot, text: str, path: Path) -> Any:
    """What was typed for a setting, as its value. Raises SettingsError, which says what would fit."""
    import tomllib

    from dateflicks.settings.errors import SettingsError
    from dateflicks.settings.loader import checked, read_value

    if spot.entry:
        checked(str(path), spot.key, {spot.entry: text})
        check_keys({spot.entry: text} if spot.full_name.startswith("client.keys.") else {}, str(path))
        return text
    if spot.full_name == "client.server":
        check_server(text, "")
    if not isinstance(spot.key.default, list | dict) or not text.startswith(("[", "{")):
        return read_value(spot.service, spot.key.name, text)
    try:
        raw = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("", spot.name, 'is not TOML, such as ["one", "two"]') from error
    return checked("", spot.key, raw)


def check_server(text: str, where: str) -> None:
    """Raises SettingsError for what is no address of a server."""
    from dateflicks.client.address import server_address
    from dateflicks.client.errors import DoesNotFit
    from dateflicks.settings.errors import SettingsError

    try:
        server_address(text)
    except DoesNotFit:
        raise SettingsError(where, "server", "is no address of a server, such as https://films.example.org") from None


def check_keys(chosen: Mapping[str, str], where: str) -> None:
    """Keys of the terminal client that can not be. Raises SettingsError."""
    from dateflicks.settings.errors import SettingsError
    from dateflicks.tui.keys import WrongKeys, read_keys

    try:
        read_keys(chosen)
    except WrongKeys as error:
        raise SettingsError(where, f"keys.{error.name}", error.problem, error.suggestion) from error


def _winning_variable(environment: CliEnvironment, spot: Spot) -> str:
    variable = spot.key.variable(spot.service)
    return next((one for one in (variable, f"{variable}_FILE") if one in environment.environ), "")


def take_out(environment: CliEnvironment, name: str) -> dict[str, Any] | None:
    """Take a key out of the file that has it, the one that wins first; None where no file has it.

    A key that is none may be taken out too: that is how a mistake is mended. Raises CliError, SettingsError.
    """
    from dateflicks.settings.loader import SERVICES
    from dateflicks.settings.writing import write_value

    service, _, key = name.partition(".")
    if service in SERVICES and key:
        for path in files_of(environment, service):
            if path.parent in environment.changed_folders and _has(path, key):
                write_value(path, key, None)
                return {"key": name, "file": str(path)}
    spot_of(name)
    return None


def _has(path: Path, key: str) -> bool:
    import tomllib

    from dateflicks.settings.errors import SettingsError

    try:
        found: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SettingsError(str(path), "", f"cannot be read: {reason}") from error
    for word in key.split("."):
        if not isinstance(found, dict) or word not in found:
            return False
        found = found[word]
    return True


# --- checking -----------------------------------------------------------------------------------------------------


def mistakes(environment: CliEnvironment, files: Sequence[Path] = ()) -> tuple[list["Mistake"], int]:
    """All that is wrong with these files, or with all that are read and the variables; and how many were looked at."""
    from dateflicks.settings.checking import mistakes_of_variables
    from dateflicks.settings.loader import SERVICES

    found: list[Mistake] = []
    looked_at = [(path, _service_of(path)) for path in files]
    if not files:
        looked_at = [(path, name) for name in SERVICES for path in files_of(environment, name)]
        found += _odd_names(environment)
        for name in SERVICES:
            found += mistakes_of_variables(environment.environ, name)
    for path, service in looked_at:
        found += mistakes_of_file(path, service)
    return found, len(looked_at)


def mistakes_of_file(path: Path, service: str) -> list["Mistake"]:
    """All that is wrong with the settings file of a service; of the client's, what its values have to be too."""
    from dateflicks.settings.checking import mistakes_in

    return mistakes_in(path, service) or _wrong_for_client(path, service)


def _wrong_for_client(path: Path, service: str) -> list["Mistake"]:
    """What only the client finds wrong with a file that is in order otherwise."""
    import tomllib

    from dateflicks.settings.checking import Mistake, line_of
    from dateflicks.settings.errors import SettingsError

    if service != "client" or not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    written = tomllib.loads(text)
    try:
        check_server(written.get("server", "127.0.0.1"), str(path))
        check_keys(written.get("keys", {}), str(path))
    except SettingsError as error:
        return [Mistake(str(path), line_of(text, error.key), error.key, error.problem, error.suggestion)]
    return []


def _service_of(path: Path) -> str:
    from dateflicks.settings.loader import SERVICES

    service = path.name.removesuffix(".toml").removesuffix(".model")
    if service not in SERVICES:
        what = f"{path} is named for no service."
        raise CliError(Exit.USAGE, what, hint=nearest(service, list(SERVICES)))
    if not path.is_file():
        raise CliError(Exit.NOT_FOUND, f"There is no file {path}.", hint="See those there are: dateflicks config path")
    return service


def _odd_names(environment: CliEnvironment) -> Iterator["Mistake"]:
    """Files of the settings folders that nobody reads, and variables that mean nothing, as far as can be told."""
    import difflib

    from dateflicks.settings.checking import Mistake
    from dateflicks.settings.loader import SERVICES

    for folder in environment.settings_folders:
        for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            if path.stem in SERVICES or path.name.endswith(MODEL):
                continue
            if close := difflib.get_close_matches(path.stem, SERVICES, n=1, cutoff=0.7):
                yield Mistake(str(path), None, "", "is read by nobody", f"{close[0]}.toml")
    words = {name.upper() for name in SERVICES}
    for name in sorted(one for one in environment.environ if one.startswith("DATEFLICKS_")):
        word = name.removeprefix("DATEFLICKS_").partition("_")[0]
        if word not in words and (close := difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.7)):
            meant = name.replace(word, close[0], 1)
            yield Mistake(name, None, "", "means nothing", meant)


def sentence(mistake: "Mistake") -> str:
    """A mistake for people, with what was probably meant."""
    meant = f" Did you mean '{mistake.suggestion}'?" if mistake.suggestion else ""
    return f"{str(mistake).rstrip('.')}.{meant}"


def tell_mistakes(environment: CliEnvironment, found: Sequence["Mistake"], files: int) -> None:
    """Each on a line as compilers have it, for people; else as records. Raises typer.Exit when there are any."""
    import typer

    if environment.printer.form is Format.TABLE and not environment.fields:
        environment.stdout.write("".join(f"{printable(sentence(one))}\n" for one in found))
    else:
        rows = [
            {"file": one.where, "line": one.line, "key": one.key, "problem": one.problem, "suggestion": one.suggestion}
            for one in found
        ]
        environment.show_all(rows, MISTAKES, empty="")
    if found:
        environment.complain(f"{len(found)} problem{'' if len(found) == 1 else 's'} in the settings.")
        raise typer.Exit(Exit.PROBLEMS)
    said = {0: "There is no settings file: the defaults hold.", 1: "The settings file is in order."}
    environment.say(said.get(files, f"All {files} settings files are in order."))
