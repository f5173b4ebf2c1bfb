"""Whether what a source yields is what it should be: the types first, for it may come from anybody's code, then what
must never be stored. What a value means (whether a year is one) is for who writes it.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, get_args
from urllib.parse import parse_qsl, urlsplit

from dateflicks.core.limits import URL_MAX_CHARACTERS
from dateflicks.server.providers.redaction import Redactor
from dateflicks.server.providers.source import Complete, Item, OfferType, Removed

SOURCE_ID_MAX: Final = 300  # characters, as are the next two
REGION_MAX: Final = 10
TEXT_MAX: Final = 50_000
LIST_MAX: Final = 500  # items
STATE_MAX_BYTES: Final = 64 * 1024
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_PLAIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~/%+,;=-]*)?")  # what most are
_BARRED: Final = frozenset({"javascript", "data", "vbscript"})
_SECRET_PARAMS: Final = frozenset(
    {"token", "access_token", "x-plex-token", "api_key", "apikey", "key", "password", "passwd", "secret", "auth"}
)
_TEXTS: Final = ("title", "url", "source_id", "region")
_OPTIONAL_TEXTS: Final = ("original_title", "overview", "poster", "licence")
_TEXT: Final = frozenset({str})
_KINDS: Final = frozenset({"film", "other"})
_OFFER_TYPES: Final = frozenset(get_args(OfferType))
_TUPLES: Final = ("alt_titles", "genres", "people")


def faults_of(item: Item, redactor: Redactor | None = None) -> Iterator[str]:
    """What is wrong with an item, a phrase each; nothing when it may be written."""
    for name in _TEXTS:
        value: Any = getattr(item, name)
        if not isinstance(value, str):
            yield f"{name} is no text"
            return
    if not 0 < len(item.source_id) <= SOURCE_ID_MAX:
        yield f"source_id must have 1 to {SOURCE_ID_MAX} characters"
    if len(item.region) > REGION_MAX:
        yield f"region has more than {REGION_MAX} characters"
    if not item.title.strip() or len(item.title) > TEXT_MAX:
        yield "title is empty or without end"
    yield from _faults_of_values(item)
    if problem := fault_of_url(item.url, redactor):
        yield f"url {problem}"
    if isinstance(item.poster, str) and (problem := fault_of_url(item.poster, redactor)):
        yield f"poster {problem}"


def _faults_of_values(item: Any) -> Iterator[str]:
    for name in _OPTIONAL_TEXTS:
        value = getattr(item, name)
        if value is not None and (not isinstance(value, str) or len(value) > TEXT_MAX):
            yield f"{name} is no text, or without end"
    for name in _TUPLES:
        value = getattr(item, name)
        if not isinstance(value, tuple | list) or len(value) > LIST_MAX or not _are_texts(value):
            yield f"{name} is no tuple of texts, or without end"
    if not _is_whole(item.year) or not _is_whole(item.keep_days):
        yield "year or keep_days is no whole number"
    if item.duration_seconds is not None and not _is_number(item.duration_seconds):
        yield "duration_seconds is no number"
    if not _is_among(item.kind, _KINDS) or not _is_among(item.offer_type, _OFFER_TYPES):
        yield "kind or offer_type is none that there is"
    if not isinstance(item.playable, bool):
        yield "playable is neither true nor false"
    ids = item.external_ids
    if not isinstance(ids, Mapping) or not _are_texts(ids.keys()) or not _are_texts(ids.values()):
        yield "external_ids does not map texts to texts"


def _are_texts(values: Iterable[Any]) -> bool:
    return _TEXT.issuperset(map(type, values)) or all(isinstance(one, str) for one in values)


def _is_among(value: Any, known: frozenset[str]) -> bool:
    return isinstance(value, str) and value in known


def _is_whole(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def fault_of_url(url: str, redactor: Redactor | None = None) -> str | None:
    """What is wrong with an address that is to be stored, or None."""
    if not is_plain_address(url) and (problem := _fault_of_parts(url)):
        return problem
    if redactor is not None and redactor.holds_secret(url):
        return "has a secret in it"
    return None


def is_plain_address(url: str) -> bool:
    """Whether it is a page's, of the plain kind that most are, with which nothing can be wrong but a secret in it."""
    return len(url) <= URL_MAX_CHARACTERS and _PLAIN.fullmatch(url) is not None


def _fault_of_parts(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is no address"
    if not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _BARRED or not (parts.netloc or parts.path):
        return "is no address"
    if len(url) > URL_MAX_CHARACTERS or not url.isprintable() or " " in url:
        return "is too long, or has spaces or what cannot be printed"
    if "@" in parts.netloc and parts.scheme in ("http", "https"):
        return "names a user"
    if _SECRET_PARAMS & {name.lower() for name, _ in parse_qsl(parts.query)}:
        return "has a secret in its query"
    return None


def fault_of_end(what: Any) -> str | None:
    """What is wrong with anything else that was yielded, or None."""
    if isinstance(what, Removed):
        is_fit = isinstance(what.source_id, str) and isinstance(what.region, str) and what.source_id
        return None if is_fit else "Removed names nothing"
    if what.state is None:
        return None if isinstance(what, Complete) else "a Checkpoint has no state"
    try:
        size = len(json.dumps(dict(what.state), allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return "a state is no JSON object"
    return None if size <= STATE_MAX_BYTES else f"a state has more than {STATE_MAX_BYTES // 1024} KiB"
