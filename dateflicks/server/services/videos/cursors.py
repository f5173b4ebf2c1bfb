"""Cursors: where a page ended, bound to what was asked, so that one of another question is not mistaken for it."""

import hashlib
import math
from typing import Annotated, Final

import msgspec

from dateflicks.server.services.videos.matching import Wanted
from dateflicks.server.services.videos.searching import BOLD, FEW, Spot
from dateflicks.server.web.cursors import cursor_of, not_given_out, noted_in

_KEY_MAX: Final = 100


class _Written(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    asked: str
    kind: Annotated[int, msgspec.Meta(ge=0, le=BOLD)]
    key: str | int | float
    place: Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
    seen: Annotated[int, msgspec.Meta(ge=0, le=FEW)]


def written(wanted: Wanted, spot: Spot) -> str:
    """A spot as it travels."""
    return cursor_of(msgspec.json.encode(_Written(_asked(wanted), spot.kind, spot.key, spot.place, spot.seen)))


def read(wanted: Wanted, cursor: str | None) -> Spot | None:
    """The spot that a cursor of this question names; None for the beginning. Raises Invalid."""
    if not cursor:  # an empty one is how some clients ask for the first page
        return None
    try:
        found = msgspec.json.decode(noted_in(cursor), type=_Written)
    except (ValueError, msgspec.DecodeError, RecursionError):
        found = None
    if found is None or found.asked != _asked(wanted) or not _fits(wanted, found.key):
        raise not_given_out("for this query")
    return Spot(found.kind, found.key, found.place, found.seen)


def _fits(wanted: Wanted, key: str | float) -> bool:
    if isinstance(key, str):
        return wanted.sort == "title" and len(key) <= _KEY_MAX
    return wanted.sort != "title" and math.isfinite(key) and abs(key) < 2**62


def _asked(wanted: Wanted) -> str:
    return hashlib.blake2s(msgspec.json.encode(wanted), digest_size=6).hexdigest()
