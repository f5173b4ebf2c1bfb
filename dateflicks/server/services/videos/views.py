"""Works as they travel: as videos."""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from dateflicks.protocol.times import rfc3339_from_unix
from dateflicks.protocol.videos import OfferBody, OfferType, VideoBody
from dateflicks.server.storage.records import Document

_TYPES: Final = frozenset(get_args(OfferType))


def video_of(work: Document) -> VideoBody:
    """A work as a video."""
    offers = [_offer(offer) for offer in work.get("offers") or ()]
    best = offers[0] if offers else None
    title = work.get("title") or ""
    original = work.get("originalTitle")
    return VideoBody(
        id=work["_id"],
        source=best.source if best else "",
        url=best.url if best else "",
        playable=best is not None and best.playable,
        kind=work.get("kind") or "film",
        title=title,
        original_title=original,
        alt_titles=[one for one in work.get("titles") or () if one not in (title, original)],
        year=work.get("year"),
        duration_seconds=work.get("durationSeconds"),
        genres=list(work.get("genres") or ()),
        overview=work.get("overview"),
        poster=work.get("poster"),
        people=list(work.get("people") or ()),
        external_ids=dict(work.get("externalIds") or {}),
        offers=offers,
        added_at=rfc3339_from_unix(work.get("addedAt") or work.get("updatedAt") or 0.0),
        updated_at=rfc3339_from_unix(work.get("updatedAt") or 0.0),
    )


def _offer(offer: Mapping[str, Any]) -> OfferBody:
    kind = offer.get("type")
    return OfferBody(
        source=offer.get("source") or "",
        url=offer.get("url") or "",
        region=offer.get("region") or None,
        type=cast(OfferType, kind if kind in _TYPES else "free"),
        playable=bool(offer.get("playable")),
        licence=offer.get("licence") or None,
    )
