"""What is made of the key under which a caller may repeat a request: the commands by which a change knows itself."""

import hashlib
import secrets

from dateflicks.core.errors import Invalid


def key_of(given: str | None) -> str:
    """The key under which a request may be repeated; one that nobody has when none is given."""
    return secrets.token_hex(16) if given is None else given


def key_used() -> Invalid:
    """The key came before, with something else."""
    return Invalid("This Idempotency-Key was used for another request.", code="key-used")


def command_of(*words: str) -> str:
    """By what a change knows itself again."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()
