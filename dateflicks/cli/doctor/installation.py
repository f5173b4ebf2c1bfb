"""What this program runs on: Python, the packages that it was written for, and the locale."""

import re
import shlex
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Final

from dateflicks import __version__
from dateflicks.cli.doctor.finding import Finding, fine, note, wrong
from dateflicks.cli.environment import CliEnvironment

PACKAGE: Final = "dateflicks"
PYTHON: Final = ">=3.11"
LOCALES: Final = ("LC_ALL", "LC_CTYPE", "LANG")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CLAUSE: Final = re.compile(r"(~=|==|!=|<=|>=|<|>)\s*([0-9][0-9A-Za-z.*+!-]*)")
_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def python(_: CliEnvironment) -> list[Finding]:
    """Which Python, against what is required."""
    own = ".".join(map(str, sys.version_info[:3]))
    try:
        wanted = metadata.metadata(PACKAGE)["Requires-Python"] or PYTHON
    except metadata.PackageNotFoundError:
        wanted = PYTHON
    if not fits(own, wanted):
        fix = f"pipx install --python python3.11 {PACKAGE}"
        return [wrong("python", f"Python {own} in {sys.prefix}; {wanted} is needed.", fix)]
    return [fine("python", f"Python {own} in {sys.prefix}, dateflicks {__version__}")]


def packages(_: CliEnvironment) -> list[Finding]:
    """Which packages, against what is required; an extra counts once its package is there."""
    try:
        requirements = metadata.requires(PACKAGE) or []
    except metadata.PackageNotFoundError:
        return [note("packages", "dateflicks is not installed as a package here, so nothing says what it needs.")]
    found = list(_missing(requirements))
    if found:
        return found
    extras = sorted({extra for _, _, extra in map(read, requirements) if extra and _is_there(requirements, extra)})
    with_extras = f", with {', '.join(extras)}" if extras else ""
    needed = sum(not extra for _, _, extra in map(read, requirements))
    return [fine("packages", f"all {needed} packages are as required{with_extras}")]


def _missing(requirements: list[str]) -> Iterator[Finding]:
    for requirement in requirements:
        name, wanted, extra = read(requirement)
        own = _version(name)
        fix = f"{shlex.quote(sys.executable)} -m pip install {shlex.quote(name + wanted)}"
        if own is None and not extra:
            yield wrong("packages", f"{name} is not installed.", fix)
        elif own is not None and not fits(own, wanted):
            yield wrong("packages", f"{name} is {own}; {wanted} is needed.", fix)


def _is_there(requirements: list[str], extra: str) -> bool:
    return all(_version(name) is not None for name, _, one in map(read, requirements) if one == extra)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def read(requirement: str) -> tuple[str, str, str]:
    """A requirement as its metadata has it: the package, which versions, and the extra that needs it."""
    text, _, marker = requirement.partition(";")
    name = _NAME.match(text.strip())
    extra = _EXTRA.search(marker)
    clauses = ",".join(f"{sign}{version}" for sign, version in _CLAUSE.findall(text))
    return name[0] if name else text.strip(), clauses, extra[1] if extra else ""


def fits(own: str, wanted: str) -> bool:
    """Whether a version is one of those that are wanted; of a version only its numbers count."""
    return all(_holds(own, sign, version) for sign, version in _CLAUSE.findall(wanted))


def _holds(own: str, sign: str, version: str) -> bool:
    left, right = numbers(own), numbers(version)
    if sign == "~=":
        return left >= right and left[: len(right) - 1] == right[:-1]
    if version.endswith(".*"):
        return (left[: len(right)] == right) is (sign == "==")
    size = max(len(left), len(right))
    left, right = left + (0,) * (size - len(left)), right + (0,) * (size - len(right))
    return {
        "==": left == right, "!=": left != right, "<=": left <= right, ">=": left >= right,
        "<": left < right, ">": left > right,
    }[sign]  # fmt: skip


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, up to what is none."""
    found = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def locale(environment: CliEnvironment) -> list[Finding]:
    """Whether text is UTF-8 here: the film's line, names and the talk are full of it."""
    name = next((one for one in LOCALES if environment.environ.get(one)), "")
    value = environment.environ.get(name, "")
    if "utf-8" in value.lower() or "utf8" in value.lower():
        return [fine("locale", f"{name}={value}")]
    fix = "export LC_ALL=C.UTF-8"
    if not value or value in ("C", "POSIX") or "." not in value:
        said = f"{name}={value}" if name else "No locale is set"
        return [note("locale", f"{said}: nothing says that text is UTF-8 here, so lines are drawn plainly.", fix)]
    return [wrong("locale", f"{name}={value}: names and messages would be spoilt.", fix)]
