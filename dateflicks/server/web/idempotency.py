"""The Idempotency-Key: what a caller may send so that a request can be repeated, and is carried out once."""

from typing import Final

from dateflicks.core.errors import FieldProblem, Invalid
from dateflicks.server.web.route import Call

KEY: Final = "idempotency-key"
KEY_MAX_CHARACTERS: Final = 200


def key_in(call: Call) -> str | None:
    """The key of a call, if it has one. Raises Invalid."""
    given = call.header(KEY)
    if given is not None and (not 0 < len(given) <= KEY_MAX_CHARACTERS or not given.isprintable()):
        message = f"must have 1 to {KEY_MAX_CHARACTERS} printable characters"
        raise Invalid("The Idempotency-Key does not fit.", (FieldProblem("Idempotency-Key", message),))
    return given
