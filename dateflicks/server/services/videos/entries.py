"""A work as the index keeps it: its words, what it can be filtered by, and where it stands among the others.

Everything here follows from the work alone, so that the same collection gives the same index, whatever holds it.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from dateflicks.core.catalogue.titles import fold_title
from dateflicks.server.services.videos.words import exact_keys, joined_of, words_of

TITLES_MAX: Final = 40
PEOPLE_MAX: Final = 20
LEVEL_MAX: Final = 15
OFFERS_COUNTED: Final = 7
FIRST_YEAR: Final = 1850
YEARS: Final = 255
TITLE_KEY_CHARACTERS: Final = 80
LAST: Final = 2**40  # behind every year and every time
ANYTHING: Final = "-"
EVERYWHERE: Final = "everywhere"


@dataclass(frozen=True, slots=True)
class Entry:
    """One work. `place` orders the index: a smaller one comes first among equally good answers.

    `texts` are the columns that are searched, `stamp` is the work's `updatedAt`, `order` holds the keys that it can be
    sorted by.
    """

    id: str
    place: int
    stamp: float
    texts: tuple[str, ...]
    order: tuple[str, int, float]

    @property
    def vocabulary(self) -> set[str]:
        """All words that somebody may have meant."""
        return {word for text in self.texts[:4] for word in text.split()}


COLUMNS: Final = ("title", "original", "others", "people", "year", "exact", "facets")


def entry_of(work: Mapping[str, Any]) -> Entry:
    """The entry of a work's document."""
    title = str(work.get("title") or "")
    original = str(work.get("originalTitle") or "")
    others = [str(one) for one in (work.get("titles") or ()) if one not in (title, original)][:TITLES_MAX]
    names = [one for one in (title, original, *others) if one]
    year = work.get("year")
    year = year if isinstance(year, int) and 0 < year < 10_000 else None
    offers = [offer for offer in work.get("offers") or () if isinstance(offer, Mapping)]
    joined = [word for name in names for word in joined_of(name)]
    texts = (
        " ".join(words_of(title)),
        " ".join(words_of(original)) if original != title else "",
        " ".join(dict.fromkeys(word for one in others for word in words_of(one)) | dict.fromkeys(joined)),
        " ".join(word for one in (work.get("people") or ())[:PEOPLE_MAX] for word in words_of(str(one))),
        str(year) if year else "",
        " ".join(sorted({exact_token(key) for name in names for key in exact_keys(name)})),
        " ".join(sorted(_facets(work, year, offers))),
    )
    return Entry(
        id=work["_id"],
        place=_place(work["_id"], year, offers),
        stamp=float(work.get("updatedAt") or 0.0),
        texts=texts,
        order=(
            fold_title(title)[:TITLE_KEY_CHARACTERS] if title else "\uffff",
            -year if year else LAST,
            -float(work.get("addedAt") or 0.0),
        ),
    )


def exact_token(key: str) -> str:
    """A whole title as one word of the index."""
    return _token("title", key)


def facet_token(kind: str, value: str) -> str:
    """Something to filter by, as one word of the index: `genre`, `year`, `decade`, or `all`."""
    return _token(kind, value.casefold())


def offer_token(source: str, region: str, *, playable: bool) -> str:
    """An offer to filter by; `-` stands for any source, any region, and `everywhere` for an offer without region."""
    return _token("offer", "\n".join((source.casefold(), region.casefold(), "plays" if playable else "is there")))


def _facets(work: Mapping[str, Any], year: int | None, offers: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    found = {facet_token("all", "")}
    found |= {facet_token("genre", str(genre)) for genre in work.get("genres") or ()}
    if year is not None:
        found |= {facet_token("year", str(year)), facet_token("decade", str(year // 10))}
    for offer in offers:
        source, region = str(offer.get("source") or ""), str(offer.get("region") or "") or EVERYWHERE
        abilities = (False, True) if offer.get("playable") else (False,)
        for one, other, playable in product((source, ANYTHING), (region, ANYTHING), abilities):
            found.add(offer_token(one, other, playable=playable))
    return found


def _place(work_id: str, year: int | None, offers: Sequence[Mapping[str, Any]]) -> int:
    """What can be played here first, then what many offer, then the newest; among equals in no order, but a fixed one.

    So works that are equally good answers are found in the order in which they are told, and a page costs a page.
    """
    sources = {offer.get("source") for offer in offers}
    plays = any(offer.get("playable") for offer in offers)
    level = (OFFERS_COUNTED + 1 if plays else 0) + min(len(sources), OFFERS_COUNTED)
    recent = min(max(year - FIRST_YEAR, 0), YEARS) if year is not None else 0
    chance = int.from_bytes(hashlib.blake2s(work_id.encode(), digest_size=4).digest())
    return ((LEVEL_MAX - level) << 40) | ((YEARS - recent) << 32) | chance


def _token(kind: str, value: str) -> str:
    return kind[0] + hashlib.blake2s(f"{kind}\n{value}".encode(), digest_size=6).hexdigest()
