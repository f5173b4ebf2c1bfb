"""What must never be read in a log, an error or a run's record: keys, and the addresses that hold them. A source's own
secrets are known by their values; what only looks like one is taken out as well.
"""

import base64
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from dateflicks.protocol.text import clean_line

HIDDEN: Final = "[not shown]"
TEXT_MAX: Final = 500  # of an error in a run's record
_SHORTEST: Final = 4  # what is shorter would be found in every other word
_SHORTEST_SENT: Final = 8  # the same for what is taken for a secret by its name alone
_PAIRS: Final = re.compile(r'([\w-]+)="([^"]*)"')
_SECRET_NAMES: Final = re.compile(
    r"(?i)auth(?!or(?!iz))|token|secret|passw|cookie|session|signature|(?:^|[_-])(?:keys?|sig|pin)$|key$"
)
_PATTERNS: Final = (
    (re.compile(r"(?i)([?&;][^=&\s?]*(?:auth|token|secret|passw|key|sig)[^=&\s]*=)[^&\s#'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)(\btoken=\"?)[^\"\s,&]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:bearer|basic) )[^\s'\",]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*://)[^/@\s]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), HIDDEN),
)


def is_secret_name(name: str) -> bool:
    """Whether a header or parameter of this name holds a secret."""
    return _SECRET_NAMES.search(name) is not None


def secrets_of(config: msgspec.Struct) -> Iterator[str]:
    """The values of the settings that are declared secret, or whose names say so."""
    for field in msgspec.structs.fields(type(config)):
        value = getattr(config, field.name)
        if isinstance(value, msgspec.Struct):
            yield from secrets_of(value)
        elif _is_declared_secret(field.type) or is_secret_name(field.name):
            yield from _texts(value)


def _is_declared_secret(declared: Any) -> bool:
    info = msgspec.inspect.type_info(declared)
    return isinstance(info, msgspec.inspect.Metadata) and bool((info.extra or {}).get("secret"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _texts(item)


def place(url: str) -> str:
    """An address as it may be told: without its query, fragment and user."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class Redactor:
    """Takes secrets out of text; learns those that are sent."""

    def __init__(self, *secrets: str) -> None:
        self._known: set[str] = set()
        for secret in secrets:
            self.learn(secret)

    def learn_sent(self, name: str, value: str) -> None:
        """Hide what is sent as a header or parameter of this name, if the name says that it is secret."""
        if not is_secret_name(name):
            return
        pairs = _PAIRS.findall(value)
        parts = {part for word, part in pairs if is_secret_name(word)} if pairs else {value.rpartition(" ")[2]}
        for part in parts | {value}:
            if len(part) >= _SHORTEST_SENT:
                self.learn(part)

    def learn(self, secret: str) -> None:
        """Hide this too, in the forms in which it travels."""
        for part in (secret, secret.strip()):
            if len(part) >= _SHORTEST:
                self._known |= {part, quote(part), quote(part, safe=""), quote_plus(part), repr(part)[1:-1]}
                self._known.add(base64.b64encode(part.encode()).decode())

    def holds_secret(self, text: str) -> bool:
        """Whether a known secret can be read in it."""
        return any(map(text.__contains__, self._known))

    def __call__(self, text: str) -> str:
        """The text without them."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def line(self, text: str, most: int = TEXT_MAX) -> str:
        """One printable line of it, for a record."""
        return clean_line(self(text), most)


class RedactedLog(logging.LoggerAdapter[logging.Logger]):
    """A logger out of which secrets are taken, those in tracebacks too."""

    def __init__(self, logger: logging.Logger, redactor: Redactor) -> None:
        super().__init__(logger, {})
        self._redact = redactor

    def log(self, level: int, msg: object, *args: object, **rest: Any) -> None:
        """As loggers do; what is logged is text before anybody else sees it."""
        if not self.isEnabledFor(level):
            return
        error = rest.pop("exc_info", None)
        extra = rest.pop("extra", None)
        rest.pop("stack_info", None)
        text = str(msg) % args if args else str(msg)
        if error:
            found = error if isinstance(error, BaseException) else _current()
            text += "\n" + "".join(traceback.format_exception(found)) if found else ""
        if extra:
            rest["extra"] = {name: self._redact(str(value)) for name, value in extra.items()}
        self.logger.log(level, "%s", self._redact(text), **rest)


def _current() -> BaseException | None:
    return sys.exc_info()[1]
