"""All that is wrong with settings at once, each mistake with the line that it stands on; `load` stops at the first."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dateflicks.settings.errors import SettingsError
from dateflicks.settings.keys import Key, nearest
from dateflicks.settings.loader import checked, from_environment, keys_by_name, sections_of

_AT_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_SECTION: Final = re.compile(r"\s*\[+([^\[\]#]+)\]+")
_KEY: Final = re.compile(r"""([\w."' \t-]+)=""")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong: in which file or variable, on which line of a file, which key, and what was meant."""

    where: str
    line: int | None
    key: str
    problem: str
    suggestion: str | None = None

    def __str__(self) -> str:
        place = self.where if self.line is None else f"{self.where}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.problem) if part)


def mistakes_in(path: Path, service: str) -> list[Mistake]:
    """What is wrong with the settings file of a service; nothing is when it is not there."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except UnicodeDecodeError:
        return [Mistake(str(path), None, "", "is not UTF-8 text")]
    except OSError as error:
        return [Mistake(str(path), None, "", f"cannot be read: {error.strerror}")]
    return mistakes_of_text(text, str(path), service)


def mistakes_of_text(text: str, where: str, service: str) -> list[Mistake]:
    """What is wrong with the text of such a file."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        line = _AT_LINE.search(str(error))
        problem = _AT_LINE.sub("", str(error)) or "nested too deeply"
        return [Mistake(where, int(line[1]) if line else None, "", f"is not TOML: {problem}")]
    keys = keys_by_name(service)
    found = [_mistake(error, text) for error in _errors(document, keys, sections_of(keys), where)]
    return sorted(found, key=lambda one: one.line or 0)


def mistakes_of_variables(environ: Mapping[str, str], service: str) -> Iterator[Mistake]:
    """What is wrong with the variables of a service."""
    keys = keys_by_name(service)
    prefix = f"DATEFLICKS_{service}_".upper()
    for name in sorted(one for one in environ if one.startswith(prefix)):
        partner = name.removesuffix("_FILE")
        try:
            list(from_environment(service, keys, {one: environ[one] for one in {name, partner} & environ.keys()}))
        except SettingsError as error:
            if error.where == name:
                yield Mistake(error.where, None, error.key, error.problem, error.suggestion)


def _errors(
    table: Mapping[str, Any], keys: Mapping[str, Key], sections: set[str], where: str, prefix: str = ""
) -> Iterator[SettingsError]:
    for word, value in table.items():
        name = f"{prefix}{word}"
        if name in sections and isinstance(value, dict):
            yield from _errors(value, keys, sections, where, f"{name}.")
        elif name in sections:
            yield SettingsError(where, name, f"is a section: write [{name}] and its keys below")
        elif name not in keys:
            what = "section" if isinstance(value, dict) else "key"
            yield SettingsError(where, name, f"no such {what}", nearest(name, sections if what == "section" else keys))
        else:
            try:
                checked(where, keys[name], value)
            except SettingsError as error:
                yield error


def _mistake(error: SettingsError, text: str) -> Mistake:
    return Mistake(error.where, line_of(text, error.key), error.key, error.problem, error.suggestion)


def line_of(text: str, name: str) -> int | None:
    """The line on which a dotted key, or the section that it names, is set; None where that cannot be told."""
    section, inside = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        is_inside = bool(inside)
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2 and inside in ("", quotes):
                inside = "" if inside else quotes
        if is_inside:
            continue
        if match := _SECTION.match(line):
            section = _plain(match[1])
            if section == name or section.startswith(f"{name}."):
                return number
        elif match := _KEY.match(line):
            key = _plain(f"{section}.{match[1]}" if section else match[1])
            if key == name or name.startswith(f"{key}.") or key.startswith(f"{name}."):
                return number
    return None


def _plain(dotted: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in dotted.split("."))
