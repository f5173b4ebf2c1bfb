"""Invitation codes: a hundred bits that a person can read out and type; only their hash is kept."""

import hashlib
import re
from typing import Final

BITS: Final = 100
_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u
_LENGTH: Final = BITS // 5
_GROUP: Final = 5
_MEANT: Final = str.maketrans("ilo", "110")
_CODE: Final = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")


def code_of(secret: bytes) -> str:
    """The code made of the first hundred bits, in groups: `k3v9x-…`."""
    number = int.from_bytes(secret, "big") >> (len(secret) * 8 - BITS)
    text = "".join(_ALPHABET[number >> shift & 31] for shift in range(BITS - 5, -1, -5))
    return "-".join(text[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def hash_of(code: str) -> str | None:
    """What a code is kept as and looked up by, however it was typed; None for what cannot be one."""
    plain = re.sub(r"[\s\-]", "", code).lower().translate(_MEANT)
    if not _CODE.fullmatch(plain):
        return None
    return "h" + hashlib.sha256(f"dateflicks invitation {plain}".encode()).hexdigest()
