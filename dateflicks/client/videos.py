"""What there is to watch, over HTTP: search, browse, one film, and where the collection comes from.

No token is needed. What is opened of a video is one of its offers: here by a player, or elsewhere by hand.
"""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from dateflicks.client.errors import DoesNotFit, FilmMissing
from dateflicks.client.films import Film, is_address, own_film
from dateflicks.client.http import ServiceClient
from dateflicks.client.paging import everything
from dateflicks.core.catalogue.titles import fold_title
from dateflicks.core.limits import PAGE_DEFAULT
from dateflicks.protocol.videos import OfferBody, SourcePage, VideoAnswer, VideoBody, VideoPage

SERVICE: Final = "videos"


class Videos:
    """One way to a deployment's collection; every call raises ClientError."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client
        self.is_complete = True  # of the last page: whether all of the collection was searched

    async def page(
        self,
        text: str = "",
        *,
        source: str = "",
        genre: str = "",
        year: str = "",
        region: str = "",
        playable: bool | None = None,
        sort: str = "best",
        limit: int = PAGE_DEFAULT,
        cursor: str | None = None,
    ) -> VideoPage:
        """A page of what answers, best first; of several sources or genres, with commas, any will do."""
        query = {
            "q": text, "source": source, "genre": genre, "year": year, "region": region, "sort": sort,
            "playable": None if playable is None else str(playable).lower(), "limit": str(limit), "cursor": cursor,
        }  # fmt: skip
        page = await self._client.call(SERVICE, "GET", "/videos", VideoPage, query=query)
        self.is_complete = page.is_complete
        return page

    def all(
        self,
        text: str = "",
        *,
        source: str = "",
        genre: str = "",
        year: str = "",
        region: str = "",
        playable: bool | None = None,
        sort: str = "best",
        limit: int = PAGE_DEFAULT,
    ) -> AsyncIterator[VideoBody]:
        """What answers, page after page, up to `limit`; a page may be short, or empty, and others follow."""

        async def page(size: int, cursor: str | None) -> VideoPage:
            return await self.page(
                text, source=source, genre=genre, year=year, region=region, playable=playable, sort=sort, limit=size,
                cursor=cursor,
            )  # fmt: skip

        return everything(page, limit, may_be_empty=True)

    async def video(self, video_id: str) -> VideoBody:
        """One film."""
        return (await self._client.call(SERVICE, "GET", f"/videos/{quote(video_id, safe='')}", VideoAnswer)).video

    async def sources(self) -> SourcePage:
        """Where the collection comes from, and how fresh it is."""
        return await self._client.call(SERVICE, "GET", "/sources", SourcePage)


def the_one(videos: list[VideoBody], text: str) -> VideoBody | None:
    """The film that is meant by what was typed: the only one found, or the only one of exactly that title."""
    found = videos if len(videos) == 1 else called(videos, text)
    return found[0] if len(found) == 1 else None


def called(videos: list[VideoBody], text: str) -> list[VideoBody]:
    """Those of exactly this title, or of this title and year."""
    wanted = fold_title(text)
    return [
        video
        for video in videos
        if any(wanted in (fold_title(title), fold_title(f"{title} {video.year}")) for title in _titles(video))
    ]


def name_of(video: VideoBody) -> str:
    """What to call it: its title, with its year where that is known."""
    title = video.title or video.url
    return f"{title} ({video.year})" if video.year else title


def film_here(offer: OfferBody, *, has_its_files: bool = False) -> Film | None:
    """The film of an offer, as a player on this machine opens it; None when it opens elsewhere, or cannot be opened.

    `has_its_files`: the server is of this machine, so that its files are here, and its word of them can be taken.
    """
    if not offer.playable:
        return None
    try:
        if is_address(offer.url):
            return own_film(offer.url)
        parts = urlsplit(offer.url)
        is_file = parts.scheme in ("", "file") and parts.netloc in ("", "localhost")
        path = unquote(parts.path) if parts.scheme else offer.url
        return own_film(path) if has_its_files and is_file and path.startswith("/") else None
    except (FilmMissing, DoesNotFit, ValueError):
        return None  # whatever the collection says of it


def film_elsewhere(video: VideoBody) -> Film | None:
    """The film as its person opens it elsewhere, by hand: the link of its best offer; None when nobody offers it."""
    links = [offer.url for offer in video.offers if is_address(offer.url)] or [offer.url for offer in video.offers]
    return Film(links[0], links[0]) if links else None


def _titles(video: VideoBody) -> list[str]:
    return [title for title in (video.title, video.original_title, *video.alt_titles) if title]
