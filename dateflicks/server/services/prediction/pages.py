"""Pages of a session's predictions, the newest first: they are few, so a page is cut from all of them."""

import re
from collections.abc import Sequence
from typing import Final

from dateflicks.server.services.prediction.records import Kept
from dateflicks.server.services.prediction.room import creation_key
from dateflicks.server.web.cursors import cursor_of, not_given_out, noted_in

_PLACE: Final = re.compile(r"t\d{14}:prd_[a-z2-7]{26}")


def page_of(newest_first: Sequence[Kept], cursor: str | None, limit: int) -> tuple[list[Kept], str | None]:
    """Those behind the cursor, so many at most, and the cursor of what follows. Raises Invalid."""
    place = _place(cursor)
    behind = [kept for kept in newest_first if place is None or creation_key(kept) < place]
    shown = behind[:limit]
    return shown, cursor_of(creation_key(shown[-1]).encode()) if len(behind) > limit else None


def _place(cursor: str | None) -> str | None:
    if not cursor:  # an empty one is how some clients ask for the first page
        return None
    place = noted_in(cursor).decode("ascii", "replace")
    if _PLACE.fullmatch(place) is None:
        raise not_given_out()
    return place
