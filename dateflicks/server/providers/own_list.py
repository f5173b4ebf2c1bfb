"""`url`: one's own list of films, as `dateflicks videos add` writes it, and lists of that form at addresses. What is on
them is offered as it is.
"""

import asyncio
import hashlib
import tomllib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Final
from urllib.parse import unquote, urlsplit

import msgspec

from dateflicks.core.limits import TITLE_MAX_CHARACTERS
from dateflicks.server.providers.checking import fault_of_url
from dateflicks.server.providers.redaction import place
from dateflicks.server.providers.source import (
    BaseSource,
    Capability,
    Complete,
    Context,
    Item,
    Mode,
    SchemaError,
    SourceError,
    Yield,
)
from dateflicks.settings.own_list import TABLE, OwnVideo
from dateflicks.settings.providers import OwnListSettings

LIST_MAX_BYTES: Final = 16 * 1024 * 1024
_WEB: Final = frozenset({"http", "https"})


class OwnListVideoSource(BaseSource):
    """`url`."""

    name: ClassVar[str] = "url"
    config: ClassVar[type[msgspec.Struct]] = OwnListSettings
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"playable"})
    attribution: ClassVar[str] = "Films of one's own list."
    may_be_learned_from: ClassVar[bool] = True

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """All films of all lists; of two with one address the first counts."""
        del state, mode
        is_whole = bool(context.config.file or context.config.list_urls)
        known: set[str] = set()
        async for where, tables, is_own in _lists(context):
            if tables is None:
                is_whole = False  # never begun, or on a disk that is away: nothing counts as gone
                continue
            for number, table in enumerate(tables, 1):
                try:
                    item = item_of(table, is_own=is_own)
                except (SchemaError, msgspec.ValidationError) as error:
                    is_whole = False
                    context.put_aside(f"video {number} of {where}", str(error).replace("`", ""))
                    continue
                if item.source_id not in known:
                    known.add(item.source_id)
                    yield item
                if number % 100 == 0:
                    await asyncio.sleep(0)
                    if context.stopping.is_set():
                        return
        yield Complete(full=is_whole)

    async def check(self, context: Context) -> str:
        """How many films are on each list. Raises SourceError."""
        found = [f"{len(tables)} films on {where}" async for where, tables, _ in _lists(context) if tables is not None]
        return f"{'; '.join(found) or 'There is no list yet'}."


async def _lists(context: Context) -> AsyncIterator[tuple[str, list[Any] | None, bool]]:
    """Each list: where it is, its tables if it is there, and whether it is a file of one's own. Raises SourceError."""
    config: OwnListSettings = context.config
    if config.file:
        content = await asyncio.to_thread(_read, config.file)
        tables = None if content is None else tables_of(content, config.file, is_needed=False)
        yield config.file, tables, True
    for url in config.list_urls:
        if not url.startswith(("http://", "https://")):
            raise SourceError(f"`list_urls` of [url] has what is no address of the web: {place(url)[:100]}.")
        answer = await context.http.get(url, headers={"Accept": "application/toml, text/plain, */*"})
        yield place(url), tables_of(answer.text(), place(url), is_needed=True), False


def _read(file: str) -> str | None:
    """The text of a list, None when there is no such file. Raises SourceError."""
    try:
        path = Path(file).expanduser()
        if path.stat().st_size > LIST_MAX_BYTES:
            raise SchemaError(f"{file} is too large for a list.")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SchemaError(f"{file} cannot be read: {reason}.") from None


def tables_of(text: str, where: str, *, is_needed: bool) -> list[Any]:
    """The tables of a list. Raises SchemaError; also for one without any, if some are needed to believe it."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SchemaError(f"{where} is no TOML: {error}.") from None
    tables = document.get(TABLE, None if is_needed else [])
    if not isinstance(tables, list):
        raise SchemaError(f"{where} has no films, each below its own [[{TABLE}]].")
    return tables


def item_of(table: Any, *, is_own: bool) -> Item:
    """A film of a list. Only one's own file names files of this machine. Raises SchemaError, ValidationError."""
    video = msgspec.convert(table, OwnVideo)
    url = video.url.strip()
    if is_own and url.startswith(("/", "~/")):
        url = _file_uri(url)
    scheme = url.partition(":")[0].lower()
    if scheme not in _WEB and not (scheme == "file" and is_own):
        raise SchemaError("its url is neither an address of the web nor a file of this machine")
    if problem := fault_of_url(url):
        raise SchemaError(f"its url {problem}")
    return Item(
        source_id=hashlib.sha256(url.encode()).hexdigest()[:32],
        url=url,
        title=video.title.strip() or _name_in(url),
        year=video.year,
        duration_seconds=video.duration_seconds or None,
        genres=tuple(video.genres),
        people=tuple(video.people),
        offer_type="free" if scheme in _WEB else "owned",
        playable=True,
    )


def _file_uri(path: str) -> str:
    try:
        return Path(path).expanduser().as_uri()
    except (RuntimeError, ValueError):
        raise SchemaError("its url is a file that cannot be named") from None


def _name_in(url: str) -> str:
    """What to call a film without a title: the last part of its address, without ending and underscores."""
    parts = urlsplit(url)
    stem = PurePosixPath(unquote(parts.path)).stem.replace("_", " ").strip()
    return (stem or parts.netloc or url)[:TITLE_MAX_CHARACTERS]
