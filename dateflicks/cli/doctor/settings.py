"""The settings: every file that is read, every variable, and whether others can read what is secret."""

import stat
from pathlib import Path
from shlex import quote

from dateflicks.cli.doctor.finding import Finding, fine, note, wrong
from dateflicks.cli.environment import CliEnvironment


def settings(environment: CliEnvironment) -> list[Finding]:
    """A finding for each file, and one for each mistake."""
    from dateflicks.cli.configuring import files_of, mistakes, sentence
    from dateflicks.settings.loader import SERVICES

    found, _ = mistakes(environment)
    bad = {one.where for one in found}
    files = [(path, name) for name in SERVICES for path in files_of(environment, name)]
    findings = [_of_file(path, name) for path, name in files if str(path) not in bad]
    if not files:
        folders = " and ".join(str(folder) for folder in environment.settings_folders)
        findings.append(fine("settings", f"no files in {folders}: the defaults hold"))
    if environment.profile_folder is not None:
        findings.insert(0, fine("settings", f"profile {environment.profile_name}, in {environment.profile_folder}"))
    return [*findings, *(wrong("settings", sentence(one), _fix(environment, one.where)) for one in found)]


def _fix(environment: CliEnvironment, where: str) -> str:
    path = Path(where)
    if path.suffix != ".toml":
        return f"unset {where}"
    from dateflicks.settings.loader import SERVICES

    if path.stem in SERVICES and path.parent not in environment.changed_folders:
        return f"mend {path}, which all profiles read"
    return (
        f"dateflicks config edit {path.stem}"
        if path.stem in SERVICES
        else f"mv {quote(str(path))} to the name that was meant"
    )


def _of_file(path: Path, service: str) -> Finding:
    from dateflicks.settings.loader import from_file, keys_by_name

    keys = keys_by_name(service)
    written = dict(from_file(path, keys))
    has_secret = any(keys[name].hides(value) for name, value in written.items())
    if has_secret and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return note(
            "settings",
            f"{path} holds a secret, and others on this machine can read it.",
            f"chmod 600 {quote(str(path))}",
        )
    return fine("settings", f"{path}: {len(written)} value{'' if len(written) == 1 else 's'}")
