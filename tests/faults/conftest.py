"""Deployments that tests of one file share, where what is broken is whole again at their end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.town import Town, town


@pytest.fixture
async def alone(tmp_path: Path) -> AsyncIterator[Town]:
    """Everything in one process."""
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
async def several(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Town]:
    """Workers behind one port, joined by a Redis: three unless the test says how many."""
    async with town(tmp_path, getattr(request, "param", 3)) as made:
        yield made
