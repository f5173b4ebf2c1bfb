"""What the shell offers for sessions and people: as far as this machine remembers them, without asking any server.

Commands that come by sessions remember them in a small file of this user; whoever presses TAB waits for no network, and
reads no word of complaint. Only what needs no quoting is offered, for a shell takes it as it is.
"""

import contextlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import typer

from dateflicks.cli.environment import CliEnvironment

if TYPE_CHECKING:
    from pathlib import Path

    from dateflicks.protocol.bodies import SessionBody

SESSIONS_MAX: Final = 100  # per server: more than anybody looks through by pressing TAB
PEOPLE_MAX: Final = 200
_PLAIN: Final = re.compile(r"[A-Za-z0-9_\-]+")
_ODD: Final = re.compile(r"[^\w .,()!?\-]+")
_PREFIX: Final = "ses_"


def remember(environment: CliEnvironment, sessions: "Iterable[SessionBody]", people: Iterable[str] = ()) -> None:
    """Keep these, the newest first, for the next TAB; that this fails is no failure of the command."""
    found = list(sessions)
    names = [name for one in found for name in (one.host_name, one.guest_name) if name]
    with contextlib.suppress(OSError):
        everything = _read(environment)
        known = _of_server(everything, environment.kept_as)
        ours = {one.id: _told(one) for one in found}
        known["sessions"] = dict(list({**ours, **_without(known["sessions"], ours)}.items())[:SESSIONS_MAX])
        known["people"] = list(dict.fromkeys([*people, *names, *known["people"]]))[:PEOPLE_MAX]
        everything[environment.kept_as] = known
        _write(environment, everything)


def forget(environment: CliEnvironment) -> None:
    """Keep nothing of the chosen server any more."""
    with contextlib.suppress(OSError):
        everything = _read(environment)
        if everything.pop(environment.kept_as, None) is not None:
            _write(environment, everything)


def session_ids(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The ids of sessions that begin so, with or without their prefix, and what each is."""
    if incomplete and not _PREFIX.startswith(incomplete[: len(_PREFIX)]):
        return [(one[len(_PREFIX) :], told) for one, told in _sessions(ctx) if one.startswith(_PREFIX + incomplete)]
    return [(one, told) for one, told in _sessions(ctx) if one.startswith(incomplete)]


def names_of_people(ctx: typer.Context, incomplete: str) -> list[str]:
    """The names of those one had a session with."""
    found = [name for name in _known(ctx)["people"] if isinstance(name, str) and _PLAIN.fullmatch(name)]
    return sorted(name for name in found if name.startswith(incomplete))


def names_of_profiles(ctx: typer.Context, incomplete: str) -> list[str]:
    """The profiles that there are."""
    from dateflicks.cli.profiles import names_in

    try:
        folder = _environment(ctx).shared_folders[-1]
    except Exception:  # noqa: BLE001 - as below
        return []
    return [name for name in names_in(folder) if name.startswith(incomplete)]


def keys_of_settings(incomplete: str) -> list[str]:
    """The keys of all settings, below a service once its name is typed."""
    from dateflicks.settings.loader import SERVICES, keys_by_name

    service, dot, _ = incomplete.partition(".")
    if not dot:
        return [f"{name}." for name in SERVICES if name.startswith(incomplete)]
    keys = keys_by_name(service) if service in SERVICES else {}
    return [name for name in (f"{service}.{key}" for key in keys) if name.startswith(incomplete)]


def listed(words: Iterable[str], incomplete: str) -> list[str]:
    """What may come next in a list with commas between its words."""
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    return [f"{before}{comma}{one}" for one in words if one.startswith(last) and one not in taken]


def _sessions(ctx: typer.Context) -> list[tuple[str, str]]:
    found = _known(ctx)["sessions"].items()
    return [(one, _ODD.sub(" ", str(told))) for one, told in found if _PLAIN.fullmatch(one)]


def _known(ctx: typer.Context) -> dict[str, Any]:
    try:
        environment = _environment(ctx)
        return _of_server(_read(environment), environment.kept_as)
    except Exception:  # noqa: BLE001 - whatever is wrong, it is not told in the middle of a line that is being typed
        return _of_server({}, "")


def _environment(ctx: typer.Context) -> CliEnvironment:
    """With what stands on the line so far."""
    environment = ctx.obj if isinstance(ctx.obj, CliEnvironment) else CliEnvironment()
    root = ctx.find_root().params
    environment.server = root.get("server") or environment.server
    environment.settings_folder = root.get("settings") or environment.settings_folder
    environment.profile = root.get("profile") or environment.profile
    return environment


def _of_server(everything: dict[str, Any], server: str) -> dict[str, Any]:
    kept = everything.get(server)
    found = kept if isinstance(kept, dict) else {}
    sessions, names = found.get("sessions"), found.get("people")
    return {
        "sessions": sessions if isinstance(sessions, dict) else {},
        "people": names if isinstance(names, list) else [],
    }


def _without(sessions: dict[str, str], ours: dict[str, str]) -> dict[str, str]:
    return {one: told for one, told in sessions.items() if one not in ours}


def _told(session: "SessionBody") -> str:
    title = session.video.title if session.video else session.video_id
    return f"{title} - {session.host_name} and {session.guest_name or 'a guest'}, {session.state}"


def _path(environment: CliEnvironment) -> "Path":
    return environment.home / "completion.json"


def _read(environment: CliEnvironment) -> dict[str, Any]:
    import msgspec

    try:
        return msgspec.json.decode(_path(environment).read_bytes(), type=dict[str, Any])
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _write(environment: CliEnvironment, everything: dict[str, Any]) -> None:
    import msgspec

    from dateflicks.client.private_file import replace_private

    replace_private(_path(environment), msgspec.json.encode(everything))
