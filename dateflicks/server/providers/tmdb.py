"""`netflix`, `amazon` and `apple`: three vendors without a public catalogue, read through who knows them: The Movie
Database, or Streaming Availability where there is a key for it. Their films are not played here; offers lead to them.

A full run asks for each film that a vendor offers. An incremental one reads the vendor's lists, which are short, and
asks for the films that came, went or changed: which came and which went is told by the ids of the last run.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

import msgspec

from dateflicks.server.providers.known_ids import PACKED_MAX, packed, unpacked
from dateflicks.server.providers.source import (
    AuthError,
    BaseSource,
    Capability,
    Checkpoint,
    Complete,
    Context,
    Mode,
    NotOffered,
    Removed,
    SchemaError,
    SourceError,
    Yield,
)
from dateflicks.server.providers.streaming_availability import StreamingAvailability, StreamingClient
from dateflicks.server.providers.tmdb_answers import item_of, offers_of
from dateflicks.server.providers.tmdb_client import TmdbClient
from dateflicks.settings.providers import TmdbSettings, VendorSettings

AT_ONCE: Final = 4  # films asked for at the same time; the rate is the client's
FILMS_A_PAGE: Final = 100
CHANGES_KEPT_DAYS: Final = 28  # after so long everything is asked for anew
VANISHED_SHARE: Final = 0.3  # of a region; more is left to a full run and to whoever has to confirm that
VANISHED_LEAST: Final = 20

_Place = Callable[[int], dict[str, Any]]
_Lists = Mapping[str, Collection[int]]


@dataclass(frozen=True, slots=True)
class Vendor:
    """What tells the three apart: numbers at TMDB, and the name at Streaming Availability."""

    service: str
    provider_ids: tuple[int, ...]
    store_ids: frozenset[int] = frozenset()  # those of them that rent and sell


class VendorVideoSource(BaseSource):
    """What the three share."""

    vendor: ClassVar[Vendor]
    config: ClassVar[type[msgspec.Struct]] = VendorSettings
    hosts: ClassVar[tuple[str, ...]] = ("api.themoviedb.org", "api.movieofthenight.com")
    requests_per_second: ClassVar[float] = 30.0  # TMDB answers about forty
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental", "needs-key"})
    attribution: ClassVar[str] = (
        "This product uses the TMDB API but is not endorsed or certified by TMDB (https://www.themoviedb.org). "
        "Where films can be watched is data of JustWatch (https://www.justwatch.com); with a key of its own, of the "
        "Streaming Availability API by Movie of the Night (https://www.movieofthenight.com)."
    )

    async def fetch(self, context: Context, state: Mapping[str, Any] | None, mode: Mode) -> AsyncIterator[Yield]:
        """Everything (`full`), or what has changed since `state` (`incremental`)."""
        regions = self._regions(context.config)
        if context.config.streaming_key:
            streaming = self._streaming(context, regions)
            async for one in streaming.full(state) if mode == "full" else streaming.changes(state):
                yield one
            return
        tmdb = _TmdbRun(context, self._tmdb(context), regions, self._provider_ids(context.config))
        async for one in tmdb.full(state) if mode == "full" else tmdb.changes(state):
            yield one

    async def check(self, context: Context) -> str:
        """Whether the key is good and the vendor known in each region. Raises SourceError."""
        regions = self._regions(context.config)
        if context.config.streaming_key:
            return await self._streaming(context, regions).check()
        client, numbers = self._tmdb(context), self._provider_ids(context.config)
        found = []
        for region in regions:
            known = await client.providers(region)
            names = [f"{known[number]} ({number})" for number in numbers if number in known]
            if not names:
                wanted = ", ".join(str(number) for number in numbers)
                raise SourceError(f"TMDB knows no provider {wanted} in {region}: see `provider_ids` and `regions`.")
            found.append(f"{' and '.join(names)} in {region}")
        return f"TMDB knows {', '.join(found)}."

    # --- what the settings say ----------------------------------------------------------------------------------

    def _regions(self, config: VendorSettings) -> list[str]:
        regions = [*dict.fromkeys(region.strip().upper() for region in config.regions)]
        wrong = [region for region in regions if len(region) != 2 or not region.isascii() or not region.isalpha()]
        if wrong or not regions:
            raise SourceError(f"`regions` must be countries by two letters, such as US, not '{', '.join(wrong)}'.")
        return regions

    def _provider_ids(self, config: VendorSettings) -> tuple[int, ...]:
        return tuple(config.provider_ids) or self.vendor.provider_ids

    def _tmdb(self, context: Context) -> TmdbClient:
        config: VendorSettings = context.config
        if not config.token:
            raise AuthError("TMDB wants a token: set `token` in [tmdb], or DATEFLICKS_PROVIDERS_TMDB_TOKEN_FILE.")
        base_url = config.base_url or TmdbSettings().base_url
        return TmdbClient(context.http, base_url=base_url, token=config.token, language=config.language)

    def _streaming(self, context: Context, regions: Sequence[str]) -> StreamingAvailability:
        config: VendorSettings = context.config
        stores = self.vendor.store_ids.intersection(numbers := self._provider_ids(config))
        client = StreamingClient(
            context.http,
            base_url=config.streaming_url or TmdbSettings().streaming_url,
            key=config.streaming_key,
            language=config.language,
            service=self.vendor.service,
            has_subscription=len(stores) < len(numbers),
            has_store=bool(stores),
        )
        return StreamingAvailability(context, client, regions)


class NetflixVideoSource(VendorVideoSource):
    """`netflix`."""

    name = "netflix"
    vendor = Vendor("netflix", (8,))


class AmazonVideoSource(VendorVideoSource):
    """`amazon`: Prime Video, and its store when that is among the provider ids."""

    name = "amazon"
    vendor = Vendor("prime", (9, 119), frozenset({10}))


class AppleVideoSource(VendorVideoSource):
    """`apple`: Apple TV+, and its store when that is among the provider ids."""

    name = "apple"
    vendor = Vendor("apple", (350,), frozenset({2}))


class _TmdbRun:
    """One run against TMDB."""

    def __init__(
        self, context: Context, client: TmdbClient, regions: Sequence[str], provider_ids: Sequence[int]
    ) -> None:
        self._context = context
        self._client = client
        self._regions = regions
        self._provider_ids = provider_ids
        numbers = ",".join(str(number) for number in provider_ids)
        self._scope = f"tmdb {','.join(regions)} {numbers} {context.config.language}"
        self._today = context.now().date()
        self._known: dict[str, set[int]] = {region: set() for region in regions}
        self._genres: Mapping[int, str] = {}
        self._has_left_out = False

    async def full(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """Every film that is offered; from where an earlier run broke off, if it did."""
        begun = self._own(state)
        after = begun.get("after", 0)
        began = begun.get("began", self._today.isoformat())
        lists, is_whole = await self._lists()
        numbers = sorted(number for number in set().union(*lists.values()) if number > after)

        def place(last: int) -> dict[str, Any]:
            return {"scope": self._scope, "began": began, "after": last}

        async for one in self._films(numbers, lists, place):
            yield one
        if not self._context.stopping.is_set():
            is_full = is_whole and not after and not self._has_left_out
            yield Complete(full=is_full, state=self._incremental_state(began))

    async def changes(self, state: Mapping[str, Any] | None) -> AsyncIterator[Yield]:
        """The films that came, went or changed since the last run."""
        begun = self._own(state)
        since = begun.get("since")
        self._known = _known(begun, self._regions)
        before = {region: frozenset(known) for region, known in self._known.items()}
        lists, _ = await self._lists()
        wanted: set[int] = set()
        for region in self._regions:
            wanted |= set(lists[region]) - before[region]
            wanted |= self._vanished(region, before[region] - set(lists[region]))
        everything: set[int] = set().union(*lists.values())
        as_before: set[int] = set()
        if since is not None:
            first = date.fromisoformat(since)
            if (self._today - first).days <= CHANGES_KEPT_DAYS:
                as_before = (await self._client.changed(first, self._today) & everything) - wanted
            else:
                wanted |= everything
        listed = {region: before[region] | set(lists[region]) for region in self._regions}

        def place(_: int) -> dict[str, Any]:
            return self._incremental_state(since)

        async for one in self._films(sorted(wanted | as_before), listed, place, as_before):
            yield one
        if not self._context.stopping.is_set():
            yield Complete(full=False, state=self._incremental_state(self._today.isoformat()))

    # --- lists --------------------------------------------------------------------------------------------------

    async def _lists(self) -> tuple[dict[str, frozenset[int]], bool]:
        """What is offered in each region, and whether all of that is known."""
        self._genres = await self._client.genres()
        lists: dict[str, frozenset[int]] = {}
        is_whole = True
        for region in self._regions:
            found = await self._client.offered(region, self._provider_ids, self._today)
            lists[region] = found.ids
            if not found.is_whole:
                self._context.log.info("The list of %s could not be read to its end: nothing counts as gone.", region)
                is_whole = False
        return lists, is_whole

    def _vanished(self, region: str, vanished: frozenset[int]) -> frozenset[int]:
        """Films that are to be looked at because no list has them any more, unless they are too many to be true."""
        if len(vanished) > max(VANISHED_LEAST, VANISHED_SHARE * len(self._known[region])):
            self._context.log.warning("%d films are gone in %s: left to a full run.", len(vanished), region)
            return frozenset()
        return vanished

    # --- films --------------------------------------------------------------------------------------------------

    async def _films(
        self, numbers: Sequence[int], listed: _Lists, place: _Place, as_before: Collection[int] = ()
    ) -> AsyncIterator[Yield]:
        """What became of these films; those `as_before` need no word when nothing in them has changed."""
        for start in range(0, len(numbers), FILMS_A_PAGE):
            page = numbers[start : start + FILMS_A_PAGE]
            for at in range(0, len(page), AT_ONCE):
                for number, film in await self._asked(page[at : at + AT_ONCE], as_before):
                    for one in self._judged(number, film, listed):
                        yield one
            yield Checkpoint(state=place(page[-1]))
            if self._context.stopping.is_set():
                return

    async def _asked(
        self, numbers: Sequence[int], as_before: Collection[int]
    ) -> list[tuple[int, dict[str, Any] | SourceError | None]]:
        async def ask(number: int) -> dict[str, Any] | SourceError | None:
            try:
                return await self._client.film(number, conditional=number in as_before)
            except SourceError as error:
                return error

        films = await asyncio.gather(*(ask(number) for number in numbers))
        return [*zip(numbers, films, strict=True)]

    def _judged(self, number: int, film: dict[str, Any] | SourceError | None, listed: _Lists) -> list[Yield]:
        """What is to be said of a film, in each region; nothing of one that cannot be read."""
        match film:
            case None:
                return []
            case NotOffered():
                return self._gone(number, self._regions, listed)
            case SchemaError():
                return self._left_out(number, film)
            case SourceError():
                raise film
        try:
            offers = offers_of(film, self._provider_ids)
            items = [
                item_of(film, region, offers[region], self._genres) for region in self._regions if region in offers
            ]
        except SchemaError as error:
            return self._left_out(number, error)
        for item in items:
            self._known[item.region].add(number)
        return [*items, *self._gone(number, [region for region in self._regions if region not in offers], listed)]

    def _gone(self, number: int, regions: Sequence[str], listed: _Lists) -> list[Yield]:
        for region in regions:
            self._known[region].discard(number)
        return [Removed(source_id=str(number), region=region) for region in regions if number in listed[region]]

    def _left_out(self, number: int, error: SchemaError) -> list[Yield]:
        self._has_left_out = True
        self._context.put_aside(f"film {number}", str(error))
        return []

    # --- states -------------------------------------------------------------------------------------------------

    def _own(self, state: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """A state that is of these settings; else all begins anew."""
        return state if state is not None and state.get("scope") == self._scope else {}

    def _incremental_state(self, since: str | None) -> dict[str, Any]:
        known = {region: packed(ids) for region, ids in self._known.items()}
        if sum(len(one) for one in known.values()) > PACKED_MAX:
            known = {}  # too many to be kept: next time all of them are asked for
        return {"scope": self._scope, "since": since, "known": known}


def _known(state: Mapping[str, Any], regions: Sequence[str]) -> dict[str, set[int]]:
    """What the last run found; nothing when that cannot be read, so that everything is asked for anew."""
    try:
        return {region: unpacked(state["known"][region]) for region in regions}
    except (KeyError, TypeError, ValueError):
        return {region: set() for region in regions}
