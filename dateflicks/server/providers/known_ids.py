"""Sets of numeric ids, packed small enough to be kept in a source's state: the gaps between them, compressed. What came
or went since the last run is told by them without a look at what is stored.
"""

import base64
import zlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

PACKED_MAX: Final = 48 * 1024  # characters of all sets together; a state may have 64 KiB
_UNPACKED_MAX: Final = 4 * 1024 * 1024


def packed(ids: Iterable[int]) -> str:
    """These ids, none below zero, as text."""
    ordered = [0, *sorted(set(ids))]
    gaps = bytearray()
    for one, other in pairwise(ordered):
        gap = other - one
        while gap > 127:
            gaps.append(gap & 127 | 128)
            gap >>= 7
        gaps.append(gap)
    return base64.b85encode(zlib.compress(bytes(gaps), 9)).decode()


def unpacked(text: str) -> set[int]:
    """What `packed` made into this text. Raises ValueError when it is none of that."""
    try:
        opener = zlib.decompressobj()
        gaps = opener.decompress(base64.b85decode(text), _UNPACKED_MAX)
    except (ValueError, zlib.error) as error:
        raise ValueError(f"these are no packed ids: {error}") from None
    if not opener.eof:
        raise ValueError("these packed ids are cut off, or without end")
    ids: set[int] = set()
    last = gap = shift = 0
    for byte in gaps:
        gap |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            last += gap
            ids.add(last)
            gap = shift = 0
    return ids
