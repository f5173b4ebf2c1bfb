"""What simulated people do, and when: a line each, `SECONDS CLIENT WORD [VALUE]`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError, nearest

WORDS: Final = {
    "play": False, "pause": False, "stop": False, "refuse": False, "seek": True, "freeze": True, "stall": True,
    "slip": True, "cut": True,
}  # fmt: skip
LINES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does what, so many seconds after the beginning; `value` is seconds, of film or of time."""

    at: float
    client: int
    word: str
    value: float = 0.0


def read_script(lines: Iterable[str]) -> tuple[Deed, ...]:
    """All deeds in the order of their times; what begins with # is passed over. Raises CliError with the line."""
    deeds = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if words:
            try:
                deeds.append(_deed(words))
            except ValueError as error:
                hint = "Write SECONDS CLIENT WORD [VALUE], such as '12.5 2 stall 3' or '20 1 seek 41:12'."
                raise CliError(Exit.USAGE, f"--script: line {number}: {error}", hint=hint) from None
        if len(deeds) > LINES_MAX:
            raise CliError(Exit.USAGE, f"--script: more than {LINES_MAX} lines.")
    return tuple(sorted(deeds, key=lambda deed: deed.at))


def _deed(words: list[str]) -> Deed:
    from dateflicks.client.sentences import parse_position

    if len(words) < 3:
        raise ValueError(f"'{' '.join(words)}' is too short.")
    at, client, word, *rest = words
    if word not in WORDS:
        raise ValueError(f"'{word}' is nothing that can be done. {nearest(word, list(WORDS))}")
    if len(rest) != WORDS[word]:
        raise ValueError(f"'{word}' {'needs a value' if WORDS[word] else 'takes no value'}.")
    if not client.isdecimal() or int(client) < 1:
        raise ValueError(f"'{client}' is no client; they are numbered from 1.")
    try:
        seconds = parse_position(at)
        sign = -1.0 if rest and word == "slip" and rest[0].startswith("-") else 1.0
        value = sign * parse_position(rest[0].removeprefix("-") if sign < 0 else rest[0]) if rest else 0.0
    except ValueError:
        raise ValueError(f"'{' '.join(words)}' has no time that can be read.") from None
    return Deed(seconds, int(client), word, value)
