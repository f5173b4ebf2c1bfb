"""What `init` does: four answers, or none, become settings files and a signing key.

Files that are there are changed key by key, with everything else in them kept, and only after a yes.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, failure_of
from dateflicks.cli.first_files import Plan, agree_to, tell_what_wins, values_in, write_plan
from dateflicks.cli.profiles import FOLDER as PROFILES
from dateflicks.cli.services import ALL
from dateflicks.core.errors import DateflicksError

if TYPE_CHECKING:
    from dateflicks.settings.services import HostingSettings

T = TypeVar("T")

HERE: Final = "here"
NOBODY: Final = "nobody"
UNCHANGED: Final = "unchanged"
WRITTEN: Final = ("file", "state", "says")
PLAYERS: Final = ("mpv", "manual", "none")
_REACH: Final = ("host", "port", "tls_cert", "tls_key", "allow_plain", "public_url", "proxies")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was typed beforehand, and is not asked for any more; `service` is the one whose file is written."""

    service: str = ALL
    folder: Path | None = None
    data: Path | None = None
    player: str | None = None
    database: str | None = None
    reach: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    is_insecure: bool = False


def begin(environment: CliEnvironment, wishes: Wishes) -> list[dict[str, Any]]:
    """Ask, say what would change, and write; what was written comes back as records. Raises CliError, SettingsError."""
    folder = _folder(environment, wishes)
    client, hosting = values_in(folder, "client"), values_in(folder, wishes.service)
    is_whole = wishes.service == ALL
    server = _server(environment, client, hosting) if is_whole else HERE
    player = _player(environment, wishes, client) if is_whole else ""
    plans = []
    if server == HERE:
        values = _hosting(environment, wishes, hosting)
        plans.append(Plan(folder / f"{wishes.service}.toml", wishes.service, values, hosting))
        server = _own_address(wishes.service, {**hosting, **values}) if is_whole else ""
    if is_whole:
        plans.append(Plan(folder / "client.toml", "client", {"server": server, "player": player}, client))
    agree_to(environment, plans)
    _warn_of_plain(environment, server)
    rows = [_key(environment, folder, wishes)] if plans[0].service != "client" else []
    rows = [*(write_plan(plan) for plan in plans), *rows]
    for plan in plans:
        tell_what_wins(environment, plan)
    return rows


def next_steps(environment: CliEnvironment, wishes: Wishes, rows: list[dict[str, Any]]) -> list[str]:
    """What to type now."""
    written = {Path(row["file"]).name: Path(row["file"]).parent for row in rows}
    folder = next(iter(written.values()))
    if environment.profile_name:
        folder = folder.parent.parent
    is_found = folder in (Path("settings").absolute(), _user_folder())
    is_named = environment.settings_folder is not None or not environment.environ.get("DATEFLICKS_SETTINGS")
    option = f" --settings {folder}" if is_named and not is_found else ""
    lines = []
    if f"{wishes.service}.toml" in written:
        lines.append(f"Start it:              dateflicks serve {wishes.service}{option}")
    if "client.toml" in written:
        lines.append(f"Create an account:     dateflicks register NAME{option}")
    lines.append(f"See that all is well:  dateflicks doctor{option}")
    return [environment.retyped(line) for line in lines]


# --- the questions ------------------------------------------------------------------------------------------------


def _server(environment: CliEnvironment, client: Mapping[str, Any], hosting: Mapping[str, Any]) -> str:
    if environment.server is not None:
        return _address(environment.server)
    default = str(client.get("server", HERE))
    if default == _own_address(ALL, hosting):
        default = HERE
    question = f"Which server? An address, or '{HERE}' for one on this machine"
    return _asked(environment, question, default, lambda text: HERE if text == HERE else _address(text))


def _player(environment: CliEnvironment, wishes: Wishes, client: Mapping[str, Any]) -> str:
    from dateflicks.settings.loader import read_value

    def read(text: str) -> str:
        found: str = read_value("client", "player", text)
        return found

    if wishes.player is not None:
        return read(wishes.player)
    has_mpv = shutil.which("mpv", path=environment.environ.get("PATH")) is not None
    default = str(client.get("player", "mpv" if has_mpv or client else "manual"))
    question = f"What shows the film? {', '.join(PLAYERS)} (manual: you steer your own)"
    return _asked(environment, question, default, read)


def _hosting(environment: CliEnvironment, wishes: Wishes, before: Mapping[str, Any]) -> dict[str, Any]:
    """What the file of the services is to say."""
    kept = before.get("mongo.uri", "embedded")
    default = "embedded" if kept == "embedded" else UNCHANGED
    if wishes.database is not None:
        uri = _database(wishes.database, kept)
    else:
        question = "Which database? 'embedded', or a MongoDB's address (mongodb://…)"
        uri = _asked(environment, question, default, lambda text: _database(text, kept))
    reach = _reach(environment, wishes, before, _defaults(wishes.service))
    data = {"server.data": str(wishes.data.expanduser().absolute())} if wishes.data is not None else {}
    return {"mongo.uri": uri, **{f"server.{name}": value for name, value in reach.items()}, **data}


def _database(text: str, kept: str) -> str:
    from dateflicks.server.storage.database import EMBEDDED, SCHEMES

    if text == UNCHANGED:
        return kept
    if text != EMBEDDED and not text.startswith(SCHEMES):
        what = "This is neither 'embedded' nor the address of a MongoDB."
        raise CliError(Exit.USAGE, what, hint="Such an address begins with mongodb:// or mongodb+srv://")
    return text


def _reach(
    environment: CliEnvironment, wishes: Wishes, before: Mapping[str, Any], usual: "HostingSettings"
) -> dict[str, Any]:
    """Where it listens, by where others are to reach it."""

    def read(text: str) -> str:
        return text if text in (NOBODY, UNCHANGED) else _address(text)

    if wishes.reach is not None:
        where = read(wishes.reach)
    else:
        question = f"Where do others reach it? '{NOBODY}', or an address (https://…)"
        where = _asked(environment, question, UNCHANGED if before else NOBODY, read)
    if where == UNCHANGED:
        return {}
    port = before.get("server.port", usual.server.port)
    alone = {"host": "127.0.0.1", "port": port, **_without(before, *_REACH[2:])}
    return alone if where == NOBODY else {**alone, **_listening(environment, wishes, before, where, port)}


def _listening(
    environment: CliEnvironment, wishes: Wishes, before: Mapping[str, Any], where: str, port: int
) -> dict[str, Any]:
    from dateflicks.client.address import is_loopback

    parts = urlsplit(where)
    host = "::" if ":" in (parts.hostname or "") else "0.0.0.0"  # noqa: S104 - what was asked for
    own_port = parts.port or _DEFAULT_PORTS[parts.scheme]
    if is_loopback(where):
        return {"host": parts.hostname or "127.0.0.1", "port": own_port}
    if parts.scheme == "http":
        _agree_to_plain(environment, wishes, where)
        return {"host": host, "port": parts.port or port, "allow_plain": True, "public_url": _with_port(where, port)}
    certificate, key = _certificate(environment, wishes, before)
    if not certificate:
        return {"public_url": where, "proxies": ["127.0.0.1"]}
    return {"host": host, "port": own_port, "tls_cert": certificate, "tls_key": key, "public_url": where}


def _certificate(environment: CliEnvironment, wishes: Wishes, before: Mapping[str, Any]) -> tuple[str, str]:
    """The files of the certificate and its key; nothing where a proxy has them. Raises StartFailed."""
    from dateflicks.server.web.listener import StartFailed
    from dateflicks.server.web.tls import certificate_of

    typed = (str(wishes.tls_cert or ""), str(wishes.tls_key or ""))
    kept = (str(before.get("server.tls_cert", "")), str(before.get("server.tls_key", "")))
    while True:
        asked = typed if any(typed) else _asked_certificate(environment, *kept)
        cert, key = (str(Path(one).expanduser().absolute()) if one else "" for one in asked)
        try:
            certificate_of(cert, key)
        except StartFailed as error:
            if asked in (typed, kept):
                raise
            environment.complain(str(error).partition("\n")[0])
        else:
            return cert, key


def _asked_certificate(environment: CliEnvironment, cert: str, key: str) -> tuple[str, str]:
    question = "Its certificate, a file; empty where a proxy has it"
    found = environment.ask(question, instead="", default=cert).strip()
    if not found:
        return "", ""
    return found, environment.ask("The certificate's key, a file", instead="--tls-key FILE", default=key).strip()


def _agree_to_plain(environment: CliEnvironment, wishes: Wishes, where: str) -> None:
    if not wishes.is_insecure:
        environment.agree(
            f"At {where} nothing is encrypted on the way, passwords neither. Is that network trusted?",
            instead="Say so with --insecure, or name an https address.",
        )


def _warn_of_plain(environment: CliEnvironment, server: str) -> None:
    from dateflicks.client.address import is_loopback

    if server.startswith("http:") and not is_loopback(server):
        environment.complain(
            f"{server}: nothing on the way there is encrypted. Write https:// where the server has it."
        )


def _asked(environment: CliEnvironment, question: str, default: str, read: Callable[[str], T]) -> T:
    """The answer, once there is one that can be read."""
    while True:
        text = environment.ask(question, instead="", default=default).strip()
        try:
            return read(text)
        except DateflicksError as error:
            failure = failure_of(error)
            if text == default or failure is None:
                raise
            environment.complain(*(line for line in (failure.what, failure.hint) if line))


def _address(text: str) -> str:
    from dateflicks.client.address import server_address

    return server_address(text)


def _with_port(address: str, port: int) -> str:
    return address if urlsplit(address).port else f"{address}:{port}"


def _without(before: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: None for name in names if f"server.{name}" in before}


def _own_address(service: str, values: Mapping[str, Any]) -> str:
    """Where this machine's own client reaches what these settings start."""
    port = values.get("server.port") or _defaults(service).server.port
    public = values.get("server.public_url")
    return str(public) if public else f"http://127.0.0.1:{port}"


# --- what there is ------------------------------------------------------------------------------------------------


def _folder(environment: CliEnvironment, wishes: Wishes) -> Path:
    chosen = wishes.folder or environment.settings_folder or environment.environ.get("DATEFLICKS_SETTINGS")
    folder = Path(chosen).expanduser().absolute() if chosen else _user_folder()
    return folder / PROFILES / environment.profile_name if environment.profile_name else folder


def _user_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("dateflicks", appauthor=False)


def _defaults(service: str) -> "HostingSettings":
    from dateflicks.settings.loader import SERVICES
    from dateflicks.settings.services import HostingSettings

    found = SERVICES[service]()
    assert isinstance(found, HostingSettings)
    return found


def _key(environment: CliEnvironment, folder: Path, wishes: Wishes) -> dict[str, Any]:
    """The signing key of the deployment, made where there is none. Raises KeyUnusable."""
    from dateflicks.server.auth.key import FILE_NAME, signing_key

    before = values_in(folder, wishes.service)
    data = environment.data_folder(wishes.data or before.get("server.data")).expanduser().absolute()
    path = Path(before["auth.key_file"]) if before.get("auth.key_file") else data / FILE_NAME
    state = "kept" if path.exists() or before.get("auth.key") else "made"
    signing_key(str(before.get("auth.key", "")), path)
    return {"file": str(path), "state": state, "says": "the secret key of sign-ins, for you alone"}
