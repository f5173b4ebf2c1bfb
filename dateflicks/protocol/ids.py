"""Identifiers: a type prefix and 128 random bits in lower-case base 32 (RFC 4648), opaque to every reader."""

import base64
import re
import secrets
from typing import Final, Literal

Prefix = Literal["usr", "ses", "vid", "prd", "msg", "tok", "inv", "clk", "req", "run", "wrk"]

_BYTES: Final = 16
_PATTERN: Final = re.compile(r"[a-z]{3}_[a-z2-7]{26}")


def new_id(prefix: Prefix) -> str:
    """A new identifier such as `ses_k3l…` (30 characters), from the operating system's random source."""
    return id_of(prefix, secrets.token_bytes(_BYTES))


def id_of(prefix: Prefix, secret: bytes) -> str:
    """The identifier made of the first 128 bits of a secret: the same for the same secret."""
    return f"{prefix}_{base64.b32encode(secret[:_BYTES]).decode().rstrip('=').lower()}"


def is_id(text: str, prefix: Prefix) -> bool:
    """Whether `text` has the shape of an identifier of this type."""
    return text.startswith(f"{prefix}_") and _PATTERN.fullmatch(text) is not None
