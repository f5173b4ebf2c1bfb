"""Idempotency keys: what a caller may send so that a request can be repeated, and the commands made of them."""

import hashlib
import secrets
from typing import Final

from dateflicks.core.errors import FieldProblem, Invalid

KEY_MAX_CHARACTERS: Final = 128


def key_of(given: str | None) -> str:
    """The key under which a request may be repeated; one that nobody has when none is given. Raises Invalid."""
    if given is None:
        return secrets.token_hex(16)
    if not 0 < len(given) <= KEY_MAX_CHARACTERS or not given.isprintable():
        message = f"must have 1 to {KEY_MAX_CHARACTERS} printable characters"
        raise Invalid("The Idempotency-Key does not fit.", (FieldProblem("Idempotency-Key", message),))
    return given


def key_used() -> Invalid:
    """The key came before, with something else."""
    return Invalid("This Idempotency-Key was used for another request.", code="key-used")


def command_of(*words: str) -> str:
    """By what a change knows itself again."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
