"""Pages of a session's predictions, the newest first: they are few, so a page is cut from all of them."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Final

from dateflicks.core.errors import FieldProblem, Invalid
from dateflicks.server.services.prediction.records import Kept
from dateflicks.server.services.prediction.room import creation_key

_PLACE: Final = re.compile(r"t\d{14}:prd_[a-z2-7]{26}")


def page_of(newest_first: Sequence[Kept], cursor: str | None, limit: int) -> tuple[list[Kept], str | None]:
    """Those behind the cursor, so many at most, and the cursor of what follows. Raises Invalid."""
    place = _place(cursor)
    behind = [kept for kept in newest_first if place is None or creation_key(kept) < place]
    shown = behind[:limit]
    return shown, _cursor(shown[-1]) if len(behind) > limit else None


def _cursor(kept: Kept) -> str:
    return base64.urlsafe_b64encode(creation_key(kept).encode()).decode().rstrip("=")


def _place(cursor: str | None) -> str | None:
    if not cursor:  # an empty one is how some clients ask for the first page
        return None
    try:
        place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        place = ""
    if _PLACE.fullmatch(place) is None:
        raise Invalid("The query does not fit.", (FieldProblem("cursor", "is none that was given out here"),))
    return place
