"""What one process tells the others of the playbacks: a deletion only once it is one."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, cast

import pytest

from dateflicks.core.errors import NotFound, Unavailable
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.clock import ServerClock
from dateflicks.server.services.timecode.house import KEPT_TOPIC, House
from dateflicks.server.storage.records import StorageFault

SESSION = "ses_a"


class Handler:
    """One whose deletion ends in this way."""

    def __init__(self, outcome: BaseException | None) -> None:
        self._outcome = outcome

    async def delete(self, session_id: str) -> None:
        if self._outcome is not None:
            raise self._outcome


@pytest.mark.parametrize(
    ("outcome", "is_told"),
    [
        (None, True),
        (NotFound("not here"), True),  # here: another one may still keep it
        (Unavailable("away"), False),
        (StorageFault("may not"), False),
        (asyncio.CancelledError(), False),  # whoever asked has hung up, or the service stops
    ],
    ids=["done", "not found", "unavailable", "refused", "called off"],
)
async def test_others_end_a_film_only_when_it_is_known_to_be_deleted(
    outcome: BaseException | None, *, is_told: bool
) -> None:
    bus, told = LocalBus(), list[Mapping[str, Any]]()
    bus.subscribe(KEPT_TOPIC, lambda _, hint: told.append(hint))
    nothing = cast("Any", None)
    house = House(cast("Any", Handler(outcome)), nothing, bus, ServerClock(), nothing, nothing)
    with contextlib.nullcontext() if outcome is None else pytest.raises(type(outcome)):
        await house.delete(SESSION)
    assert [hint["deleted"] for hint in told] == [True] * is_told
