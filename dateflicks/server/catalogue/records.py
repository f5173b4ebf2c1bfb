"""What the collection of films keeps: offers, films made of them, keys to find neighbours by, what people decided.

An offer (`videos`) is written by the runs of its source, but for `workId` and `linkKeys`, which the making of films
writes; both write over the version that they have read, so that neither undoes the other. Films (`works`) and `keys`
are derived and can be made anew. Times are Unix seconds as numbers; `offerId` and `place` are `_id` once more, for an
index to order by.

A work that sessions point at is found for as long as they may ask: its `status` is `active` while somebody offers it,
`gone` when nobody does any more, and `merged` (into `mergedInto`) when its offers turned out to be another film's.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from dateflicks.core.catalogue.facts import Offer
from dateflicks.core.catalogue.identity import YEARS_APART, Decision, Identity
from dateflicks.protocol.ids import id_of
from dateflicks.server.storage.records import Collection, Index, StorageFault

DATABASE: Final = "VideoDb"

VIDEOS: Final = Collection(
    DATABASE,
    "videos",
    (
        Index(("source",)),
        Index(("source", "offerId")),
        Index(("changedAt",)),
        Index(("fieldsExpireAt",)),
        Index(("removedAt",)),
    ),
)
WORKS: Final = Collection(
    DATABASE,
    "works",
    (Index(("updatedAt",)), Index(("endedAt",)), Index(("conflict",)), Index(("conflict", "updatedAt"))),
)
KEYS: Final = Collection(DATABASE, "keys")
OVERRIDES: Final = Collection(DATABASE, "overrides", (Index(("place",)),))
MARKS: Final = Collection(DATABASE, "marks")
COLLECTIONS: Final = (VIDEOS, WORKS, KEYS, OVERRIDES, MARKS)

STAMP_SECONDS: Final = 4e-6  # ten times what a number of this size can tell apart
_REPEATED: Final = 8_192  # keys that are remembered: a step asks for each of its own half a dozen times


def offer_id(source: str, source_id: str, region: str) -> str:
    """The id of an offer: the same for the same item of the same source in the same region."""
    return f"off:{_hash(source, source_id, region)}"


def override_id(offer: str, other: str) -> str:
    """The id of what a person says of two offers, in whichever order they are named."""
    return f"ovr:{_hash(*sorted((offer, other)))}"


def new_work_id(identities: Iterable[Identity]) -> str:
    """The id of a film that has none yet: by its strongest id, so that it is the same wherever and whenever made."""
    known = sorted(identities, key=lambda one: one.key)
    ids = [(kind, value) for one in known for kind, value in one.ids]
    for wanted in ("imdb", "wikidata", "tmdb"):
        values = sorted(value for kind, value in ids if kind == wanted)
        if values:
            return id_of("vid", hashlib.sha256(f"{wanted}:{values[0]}".encode()).digest())
    return id_of("vid", hashlib.sha256(known[0].key.encode()).digest())


def salted_work_id(offer: str) -> str:
    """The id of a film whose own is another's already: by its first offer."""
    return id_of("vid", hashlib.sha256(f"offer:{offer}".encode()).digest())


def offer_of(document: Mapping[str, Any]) -> Offer:
    """A stored offer as the rules take it. Raises StorageFault when it cannot be read."""
    try:
        return Offer(
            id=document["_id"],
            source=document["source"],
            source_id=document["sourceId"],
            url=document["url"],
            region=document["region"],
            kind=document["kind"],
            status=document["status"],
            title=document["title"],
            original_title=document["originalTitle"],
            alt_titles=tuple(document["altTitles"]),
            year=document["year"],
            duration_seconds=document["durationSeconds"],
            genres=tuple(document["genres"]),
            overview=document["overview"],
            poster=document["poster"],
            people=tuple(document["people"]),
            external_ids=dict(document["externalIds"]),
            offer_type=document["offer"]["type"],
            playable=bool(document["playable"]),
            licence=document["licence"],
            first_seen=document["firstSeen"],
            last_seen=document["lastSeen"],
            expires_at=document["fieldsExpireAt"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StorageFault(f"the offer {document.get('_id')} cannot be read: {error!r}") from error


def identity_of(document: Mapping[str, Any]) -> Identity:
    """What of a stored offer says which film it is. Raises StorageFault when it cannot be read."""
    try:
        source, source_id, region = document["source"], document["sourceId"], document["region"]
        return Identity(
            key=document["_id"],
            item=f"{source}|{source_id}" if region else document["_id"],
            ids=tuple(sorted(document["externalIds"].items())),
            title_keys=frozenset(document["titleKeys"]),
            year=document["year"],
            duration_seconds=document["durationSeconds"],
            kind=document["kind"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StorageFault(f"the offer {document.get('_id')} cannot be read: {error!r}") from error


def own_keys(identity: Identity) -> list[str]:
    """The ids of the keys under which this offer is found by others."""
    keys = [key_id("id", kind, value) for kind, value in identity.ids]
    if identity.item != identity.key:
        keys.append(key_id("item", identity.item))
    if identity.year is not None:
        keys += [title_key_id(title, identity.year) for title in identity.title_keys]
    return sorted(keys)


def near_keys(identity: Identity) -> list[str]:
    """The ids of all keys under which those are found that may be the same film, its own among them."""
    keys = own_keys(identity)
    if identity.year is not None:
        for year in range(identity.year - YEARS_APART, identity.year + YEARS_APART + 1):
            if year != identity.year:
                keys += [title_key_id(title, year) for title in identity.title_keys]
    return sorted(keys)


@lru_cache(_REPEATED)
def key_id(*words: str) -> str:
    """The id of the key with these words."""
    return f"key:{_hash(*words)}"


@lru_cache(_REPEATED)
def title_key_id(title_key: str, year: int) -> str:
    """The id of the key of a folded title in one year: `ttl:…`, for common ones are treated apart."""
    return f"ttl:{_hash(title_key, str(year))}"


def decision_of(document: Mapping[str, Any]) -> Decision:
    """A stored decision as the rules take it."""
    return Decision(document["offer"], document["other"], document["verdict"] == "same")


def is_linkable(document: Mapping[str, Any]) -> bool:
    """Whether an offer takes part in films: what was put aside does not."""
    return document.get("status") != "quarantined"


def stamps(now: float, after: float, count: int) -> list[float]:
    """So many instants from now on, all different and later than the last one, so that pages can be ordered by them."""
    first = max(now, after + STAMP_SECONDS)
    return [first + number * STAMP_SECONDS for number in range(count)]


def later(stamp: float, before: float) -> float:
    """This instant, or the next after the one before where clocks disagree: each version of a document has another."""
    return max(stamp, before + STAMP_SECONDS)


def _hash(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="surrogatepass")).hexdigest()[:32]
