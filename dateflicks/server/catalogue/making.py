"""A film as a document, made of its offers: all that browsing and searching show of it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from dateflicks.core.catalogue.choosing import by_worth, facts_of
from dateflicks.core.catalogue.facts import Offer
from dateflicks.core.catalogue.identity import Group
from dateflicks.core.catalogue.titles import sort_key
from dateflicks.server.catalogue.records import offer_of
from dateflicks.server.storage.records import Document

TITLES_MAX: Final = 40
SORT_KEY_MAX: Final = 200  # characters


def work_of(
    work_id: str,
    group: Group,
    documents: Mapping[str, Document],
    work_ids: Mapping[str, str],
    now: float,
    trust: Mapping[str, int],
) -> Document:
    """The film that these offers are, but for `rev` and `updatedAt`; `work_ids` are the films of all offers near."""
    offers = [offer_of(documents[key]) for key in group.members]
    facts = facts_of(offers, now, trust)
    there = by_worth(offers)
    best = there[0] if there else None
    candidates = {work_ids[key] for key in group.candidates if key in work_ids} - {work_id}
    work: Document = {
        "_id": work_id,
        "status": "active" if best and facts.title else "gone",
        "mergedInto": None,
        "kind": facts.kind,
        "title": facts.title,
        "originalTitle": facts.original_title,
        "titles": list(facts.titles)[:TITLES_MAX],
        "order": sort_key(facts.title or "")[:SORT_KEY_MAX],
        "year": facts.year,
        "durationSeconds": (best and best.duration_seconds) or facts.duration_seconds,
        "genres": list(facts.genres),
        "overview": facts.overview,
        "poster": facts.poster,
        "people": list(facts.people),
        "externalIds": dict(facts.external_ids),
        "source": best.source if best else None,
        "url": best.url if best else None,
        "playable": best.playable if best else False,
        "offers": [_offer_of(one, group.confidence[one.id]) for one in there],
        "conflict": group.conflict if candidates else None,
        "candidates": sorted(candidates),
        "addedAt": min(one.first_seen for one in offers),
        "endedAt": None,
        "members": list(group.members),
        "memberStamps": [documents[key]["changedAt"] for key in group.members],
    }
    work["contentHash"] = content_hash(work)
    return work


def ended(work: Document, now: float, merged_into: str | None) -> Document:
    """A film that has no offers any more, as it stays for those who ask for it."""
    ended = work | {
        "status": "merged" if merged_into else "gone",
        "mergedInto": merged_into,
        "offers": [],
        "source": None,
        "url": None,
        "playable": False,
        "conflict": None,
        "candidates": [],
        "members": [],
        "memberStamps": [],
        "endedAt": work.get("endedAt") or now,
    }
    ended["contentHash"] = content_hash(ended)
    return ended


def content_hash(work: Mapping[str, object]) -> str:
    """What tells that a film is as it was."""
    hashed = {name: value for name, value in work.items() if name not in ("rev", "updatedAt", "contentHash")}
    return hashlib.sha256(msgspec.json.encode(hashed, order="sorted")).hexdigest()[:32]


def _offer_of(offer: Offer, confidence: float) -> Document:
    return {
        "offerId": offer.id,
        "source": offer.source,
        "sourceId": offer.source_id,
        "region": offer.region,
        "url": offer.url,
        "type": offer.offer_type,
        "playable": offer.playable,
        "licence": offer.licence,
        "durationSeconds": offer.duration_seconds,
        "lastSeen": offer.last_seen,
        "confidence": confidence,
    }


def claims(groups: Sequence[Group], documents: Mapping[str, Document]) -> list[tuple[str, int]]:
    """Which film each group could go on being, and which group it is; the best founded first.

    That is the one with most offers of that film, with ids among equals: where one of two leaves, the film stays.
    """
    found: list[tuple[int, bool, str, str, int]] = []
    for at, group in enumerate(groups):
        held: dict[str, list[str]] = {}
        for key in group.members:
            if work_id := documents[key].get("workId"):
                held.setdefault(work_id, []).append(key)
        for work_id, keys in held.items():
            has_ids = any(documents[key]["externalIds"] for key in group.members)
            found.append((-len(keys), not has_ids, work_id, min(keys), at))
    return [(work_id, at) for _, _, work_id, _, at in sorted(found)]
