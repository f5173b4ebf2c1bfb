"""How an evening ends from outside: as by Ctrl-C, whatever sends the signal and however it was started."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from dateflicks.cli.attending import ending_as_by_ctrl_c


@pytest.fixture
def left_in_the_background() -> Iterator[None]:
    """As a shell without job control starts `dateflicks join … &`."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


async def evening(ended: list[str]) -> None:
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("with all that it had to do")


def check_ends() -> None:
    ended: list[str] = []
    with pytest.raises(KeyboardInterrupt), ending_as_by_ctrl_c():
        asyncio.run(evening(ended))
    assert ended == ["with all that it had to do"]


def test_a_polite_kill_ends_it() -> None:
    check_ends()


@pytest.mark.usefixtures("left_in_the_background")
def test_a_polite_kill_ends_it_also_where_ctrl_c_is_for_others() -> None:
    check_ends()
