"""One scene for the tests of a module, in both set-ups."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.strangers.scene import Scene, staged


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["all in one process", pytest.param("each alone", marks=pytest.mark.long)],
)
async def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with staged(tmp_path_factory.mktemp("scene"), is_alone=request.param == "each alone") as found:
        yield found
