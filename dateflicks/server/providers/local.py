"""`local`: films in folders of this machine. Which film it is, a file's name says; how long, and whether it can be
played, ffprobe says when it is there. A file that stays as it is is looked at once.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from dateflicks.core.limits import URL_MAX_CHARACTERS
from dateflicks.server.providers.local_files import FilmFile, KnownFiles, Probed, Seen, Walk, has_program, probe, walk
from dateflicks.server.providers.local_names import name_of, reader
from dateflicks.server.providers.source import (
    BaseSource,
    Capability,
    Complete,
    Context,
    Item,
    Mode,
    SourceError,
    Yield,
)
from dateflicks.settings.providers import LocalSettings

BATCH: Final = 50
PROBES_AT_ONCE: Final = 2
TOLD_MAX: Final = 10  # troubles that are told one by one


class LocalVideoSource(BaseSource):
    """`local`."""

    name: ClassVar[str] = "local"
    config: ClassVar[type[msgspec.Struct]] = LocalSettings
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"playable"})
    attribution: ClassVar[str] = "Files of this machine."
    may_be_learned_from: ClassVar[bool] = True

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """All films in all folders; a walk is short where most is known."""
        del state, mode
        config: LocalSettings = context.config
        found = await asyncio.to_thread(walk, config.folders, context.stopping.is_set)
        _tell(context, found)
        probes = await asyncio.to_thread(has_program, config.ffprobe)
        if not probes:
            context.log.info("There is no program '%s': how long films are is not known.", config.ffprobe)
        how = f"{await asyncio.to_thread(reader)}, {'ffprobe' if probes else 'names alone'}"
        known = await asyncio.to_thread(KnownFiles, config.known_files, how)
        try:
            run = _Run(context, known, probes)
            for at in range(0, len(found.files), BATCH):
                if context.stopping.is_set():
                    return
                for item in await run.items(found.files[at : at + BATCH]):
                    yield item
            if context.stopping.is_set():
                return
            is_whole = not found.troubles and run.is_whole
            if is_whole:
                await asyncio.to_thread(known.keep_only, found.files)
            yield Complete(full=is_whole)
        finally:
            known.close()

    async def check(self, context: Context) -> str:
        """How many files there are in the folders. Raises SourceError."""
        config: LocalSettings = context.config
        if not config.folders:
            return "No folders are set: see `folders` in [local]."
        found = await asyncio.to_thread(walk, config.folders, context.stopping.is_set)
        if found.troubles:
            raise SourceError(f"Not all can be read. {found.troubles[0]}.")
        without = "" if await asyncio.to_thread(has_program, config.ffprobe) else f"; there is no '{config.ffprobe}'"
        return f"There are {len(found.files)} files that may be films{without}."


class _Run:
    """One run."""

    def __init__(self, context: Context, known: KnownFiles, probes: bool) -> None:
        config: LocalSettings = context.config
        self._context = context
        self._known = known
        self._program = config.ffprobe if probes else None
        self._settle = config.settle_seconds
        self._slots = asyncio.Semaphore(PROBES_AT_ONCE)
        self.is_whole = True

    async def items(self, files: Sequence[FilmFile]) -> list[Item]:
        """The films among these files."""
        now = self._context.now().timestamp()
        growing = [abs(now - file.modified_ns / 1e9) < self._settle for file in files]
        seen = await asyncio.to_thread(self._read, files, growing)
        seen = await asyncio.gather(*(self._probed(*one) for one in zip(files, seen, growing, strict=True)))
        settled = [
            (file, one) for file, one, grows in zip(files, seen, growing, strict=True) if one is not None and not grows
        ]
        await asyncio.to_thread(self._known.put, settled)
        return [item for file, one in zip(files, seen, strict=True) if one and (item := self._item(file, one))]

    def _read(self, files: Sequence[FilmFile], growing: Sequence[bool]) -> list[Seen | None]:
        """What is known of each, or what its name says; nothing of one that is new and still grows."""
        found: list[Seen | None] = []
        for file, grows in zip(files, growing, strict=True):
            if grows:
                last = self._known.last(file)
                if last is None and not self._known.is_lasting:
                    self.is_whole = False  # it may have been offered before
                found.append(last)
            else:
                found.append(self._known.get(file) or _named(file))
        return found

    async def _probed(self, file: FilmFile, seen: Seen | None, grows: bool) -> Seen | None:
        if self._program is None or grows or seen is None or seen.title is None or seen.probed is not None:
            return seen
        async with self._slots:
            if self._context.stopping.is_set():
                return seen
            return msgspec.structs.replace(seen, probed=await asyncio.to_thread(probe, self._program, file.path))

    def _item(self, file: FilmFile, seen: Seen) -> Item | None:
        if seen.title is None:
            return None
        url = _uri(file.path)
        if url is None:
            self._context.log.info("%r is left out: such a path cannot be told.", file.path[:200])
            return None
        probed = seen.probed or Probed()
        ids = {"imdb": seen.imdb, "tmdb": seen.tmdb}
        return Item(
            source_id=hashlib.sha256(os.fsencode(file.path)).hexdigest()[:32],
            url=url,
            title=seen.title,
            year=seen.year,
            duration_seconds=probed.seconds,
            external_ids={kind: value for kind, value in ids.items() if value},
            offer_type="owned",
            playable=seen.probed is None or probed.is_film,
        )


def _named(file: FilmFile) -> Seen:
    name = name_of(os.fsencode(file.name).decode("utf-8", "replace"))
    return Seen() if name is None else Seen(name.title, name.year, name.imdb, name.tmdb)


def _uri(path: str) -> str | None:
    """The file as an address; None for a path that is no text, or too long."""
    try:
        path.encode()
        url = Path(path).as_uri()
    except ValueError:
        return None
    return url if len(url) <= URL_MAX_CHARACTERS else None


def _tell(context: Context, found: Walk) -> None:
    for trouble in found.troubles[:TOLD_MAX]:
        context.log.warning("Cannot be read, so that nothing counts as gone: %s.", trouble)
    if len(found.troubles) > TOLD_MAX:
        context.log.warning("So it is with %d places more.", len(found.troubles) - TOLD_MAX)
