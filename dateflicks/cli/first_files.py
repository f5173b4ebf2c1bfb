"""The settings files that `init` writes: new ones with what each key means, others changed key by key after a yes."""

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError


@dataclass(frozen=True, slots=True)
class Plan:
    """What one file is to say: a value for each key, None where it is to say nothing of it."""

    path: Path
    service: str
    values: dict[str, Any]
    before: dict[str, Any] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether there is no such file."""
        return not self.path.exists()

    @property
    def changes(self) -> dict[str, Any]:
        """What is not so yet; what the defaults say already is not written into a file that is there."""
        usual = {} if self.is_new else usual_values(self.service)
        return {name: value for name, value in self.values.items() if self.before.get(name, usual.get(name)) != value}


def usual_values(service: str) -> dict[str, Any]:
    """The default of each key."""
    from dateflicks.settings.loader import keys_by_name

    return {name: key.default for name, key in keys_by_name(service).items()}


def values_in(folder: Path, service: str) -> dict[str, Any]:
    """What a file says now, by dotted key. Raises CliError for one that is not in order."""
    from dateflicks.cli.configuring import mistakes_of_file, sentence
    from dateflicks.settings.loader import from_file, keys_by_name

    path = folder / f"{service}.toml"
    if found := mistakes_of_file(path, service):
        hint = f"Mend it first: dateflicks config edit {service} --settings {folder}"
        raise CliError(Exit.USAGE, sentence(found[0]), hint=hint)
    return dict(from_file(path, keys_by_name(service)))


def agree_to(environment: CliEnvironment, plans: list[Plan]) -> None:
    """Say what would change in files that are there, and go on only with a yes."""
    from dateflicks.settings.loader import keys_by_name

    changed = [plan for plan in plans if not plan.is_new and plan.changes]
    if not changed or environment.is_agreed:
        return
    for plan in changed:
        environment.complain(f"{plan.path} would change:")
        keys = keys_by_name(plan.service)
        for name, value in plan.changes.items():
            old, new = (_shown(one, is_hidden=keys[name].hides(one)) for one in (plan.before.get(name), value))
            environment.complain(f"  {name}: {old} → {new}")
    environment.agree("Change it so?", instead="Nothing was changed. Say yes beforehand with --yes.")


def _shown(value: Any, *, is_hidden: bool) -> str:
    from dateflicks.cli.configuring import as_written
    from dateflicks.settings.loader import MASK

    if value is None:
        return "(not set)"
    return MASK if is_hidden else as_written(value)


def write_plan(plan: Plan) -> dict[str, Any]:
    """Write it, and say so as a record. Raises SettingsError."""
    from dateflicks.settings.loader import keys_by_name
    from dateflicks.settings.writing import replace_file, write_values

    said = {"client": "the server, and what shows the film"}.get(plan.service, "database, and where it listens")
    state = "made" if plan.is_new else "changed" if plan.changes else "unchanged"
    if plan.is_new:
        replace_file(plan.path, _text(plan))
    elif plan.changes:
        keys = keys_by_name(plan.service)
        has_secret = any(keys[name].hides(value) for name, value in plan.changes.items())
        write_values(plan.path, plan.changes, is_secret=has_secret)
    return {"file": str(plan.path), "state": state, "says": said}


def _text(plan: Plan) -> str:
    """A new file: each key with what it means above it."""
    import tomlkit

    from dateflicks.settings.models import explanations

    said = explanations(plan.service)
    lines = [f"# All that can be set here, and what it means: dateflicks config model {plan.service}"]
    section = ""
    for name, value in sorted(plan.values.items(), key=lambda item: item[0].rpartition(".")[0]):
        if value is None:
            continue
        own, _, key = name.rpartition(".")
        lines += ["", f"[{own}]"] if own != section else [""] if not own else []
        section = own
        lines += [f"# {line}" for line in textwrap.wrap(said.get(name, ""), 110)]
        lines.append(f"{key} = {tomlkit.item(value).as_string()}")
    return "\n".join(lines) + "\n"


def tell_what_wins(environment: CliEnvironment, plan: Plan) -> None:
    """Say where something else wins over what was written."""
    near = Path("settings") / plan.path.name
    is_looked_for = environment.settings_folder is None and not environment.profile_name
    if is_looked_for and near.is_file() and near.absolute() != plan.path:
        environment.complain(f"In this folder {near} wins over {plan.path}.")
    prefix = f"DATEFLICKS_{plan.service}_".upper()
    names = [f"{prefix}{name.removeprefix('server.').replace('.', '_').upper()}" for name in plan.values]
    for name in names:
        if name in environment.environ:
            environment.complain(f"{name} is set, and wins over {plan.path}.")
