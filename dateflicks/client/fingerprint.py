"""Whether two copies of a film are the same file: name, size, and a hash of samples; a difference is told, no more.

The sampled hash is SHA-256 over the size and over 64 KiB from five places: a whole film would take minutes to read,
and two cuts differ in their size or in most places of the file.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dateflicks.client.sentences import clock_text
from dateflicks.core.limits import LENGTH_TOLERANCE_SECONDS

SAMPLES: Final = 5
SAMPLE_BYTES: Final = 64 * 1024
_KEY: Final = "file"  # in a session's details
_NAME_MAX: Final = 255
_HASH_DIGITS: Final = 64


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One file: its bare name, its bytes, and the sampled hash in hex."""

    name: str
    size: int
    sample: str


def fingerprint_of(path: Path) -> Fingerprint:
    """Read the samples; blocks for some milliseconds. Raises OSError."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for number in range(SAMPLES):
            file.seek(max(0, (size - SAMPLE_BYTES) * number // (SAMPLES - 1)))
            digest.update(file.read(SAMPLE_BYTES))
    return Fingerprint(path.name, size, digest.hexdigest())


def as_details(own: Fingerprint, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A session's details with the host's file in them."""
    return {**(details or {}), _KEY: {"name": own.name, "size": own.size, "sample": own.sample}}


def from_details(details: Any) -> Fingerprint | None:
    """The host's file as a session tells it, or None when it tells nothing that makes sense."""
    told = details.get(_KEY) if isinstance(details, dict) else None
    if not isinstance(told, dict):
        return None
    name, size, sample = told.get("name"), told.get("size"), told.get("sample")
    if not isinstance(name, str) or not isinstance(sample, str) or len(sample) != _HASH_DIGITS:
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or len(name) > _NAME_MAX:
        return None
    return Fingerprint(name, size, sample)


def differences(
    own: Fingerprint | None, theirs: Fingerprint | None, own_length: float = 0.0, their_length: float = 0.0
) -> list[str]:
    """Sentences about what differs between the own copy and the other's, the weightiest first; nothing when alike.

    Lengths are seconds, 0 where unknown. The name alone says nothing.
    """
    found: list[str] = []
    if own_length and their_length and abs(own_length - their_length) > LENGTH_TOLERANCE_SECONDS:
        found.append(
            f"Your film is {clock_text(own_length)} long, the session's is {clock_text(their_length)}: "
            "perhaps another cut, where scenes come at other times."
        )
    if own is None or theirs is None or (own.size, own.sample) == (theirs.size, theirs.sample):
        return found
    if own.size != theirs.size:
        found.append(f"Your file has {_size(own.size)}, the host's has {_size(theirs.size)}: another copy.")
    else:
        found.append("Your file and the host's have the same size and are not the same inside: another copy.")
    return found


def _size(size: int) -> str:
    """Bytes, as people say it; exactly where rounding would hide the difference."""
    return f"{size / 1e6:,.1f} MB ({size:,} bytes)"
