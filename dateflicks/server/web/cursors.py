"""Cursors as they travel: what a service notes of where a page ended, as one word that means nothing to others.

They hold no secret and are not signed: whoever makes one up asks for another place of what they may see anyway. So what
is noted has to be looked at by the service before it is believed.
"""

import base64

from dateflicks.core.errors import FieldProblem, Invalid


def cursor_of(noted: bytes) -> str:
    """What was noted, as a cursor."""
    return base64.urlsafe_b64encode(noted).decode().rstrip("=")


def noted_in(cursor: str) -> bytes:
    """What was noted in a cursor; nothing, where it is none."""
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        return b""


def not_given_out(where: str = "here") -> Invalid:
    """What to raise for a cursor that was never given out `where` it is shown, such as `for this query`."""
    return Invalid("The query does not fit.", (FieldProblem("cursor", f"is none that was given out {where}"),))
