"""Sealed calls remembered from one run of a program to the next, so that what is unsealed later can be held to them.

A commitment tells nothing of its call, so the file holds no secret. It is a help and no more: a file that is lost, or
cannot be written, keeps nobody from anything.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from dateflicks.client.ledger import Sealed
from dateflicks.client.private_file import alone_with, replace_private
from dateflicks.protocol.decoding import UNREADABLE

SEALS_MAX: Final = 500  # predictions, the newest: five evenings of the most that one can have


class Seals:
    """The file at `path`; every call reads or writes the whole of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Sealed]:
        """What was seen of the calls of each prediction, by its id."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, Sealed])
        except (OSError, *UNREADABLE):
            return {}

    def keep(self, sealed: Mapping[str, Sealed], *, waits: bool = True) -> None:
        """Remember these too; of two sights of one prediction the later.

        While somebody else writes, whoever does not wait keeps nothing, and comes again.
        """
        with contextlib.suppress(OSError), alone_with(self._path, waits=waits):
            self._replace(sealed)

    def _replace(self, sealed: Mapping[str, Sealed]) -> None:
        before = self.read()
        kept = dict(before)
        for prediction_id, seen in sealed.items():
            if prediction_id not in kept or kept[prediction_id].revision < seen.revision:
                kept.pop(prediction_id, None)
                kept[prediction_id] = seen
        if kept != before:
            newest = dict(list(kept.items())[-SEALS_MAX:])
            replace_private(self._path, msgspec.json.encode(newest))
