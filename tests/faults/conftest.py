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
async def several(tmp_path: Path) -> AsyncIterator[Town]:
    """Three workers behind one port, joined by a Redis."""
    async with town(tmp_path, 3) as made:
        yield made
