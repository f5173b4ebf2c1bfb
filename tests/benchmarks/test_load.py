"""The load bench: its pairs on each kind of server make changes that both hear of, and nobody is refused."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmarks.loadbench import measuring
from benchmarks.loadbench.crowd import Kind
from benchmarks.loadbench.processes import Served, compiler, null_relay, ours, relay, syncplay_server
from tests.conftest import require

KEY = secrets.token_hex(32)
PAIRS = 2


async def changes(served: Served, kind: Kind) -> measuring.Load:
    """What a few pairs cost for a moment."""
    async with measuring.gathered(served, kind, PAIRS, 1, KEY) as here:
        found = await measuring.saturated(here, kind, 0.2)
        lived = await measuring.lived(here, PAIRS, 0.2, 0.1)
    assert lived.errors == 0
    return found


@contextlib.asynccontextmanager
async def served_by(name: str, folder: Path) -> AsyncIterator[Served]:
    """One of the servers that are measured."""
    if name == "floor":
        if compiler() is None:
            pytest.skip("there is no C compiler")
        made = null_relay(folder)
    elif name == "syncplay":
        require("syncplay-server")
        made = syncplay_server(folder)
    elif name in ("websockets", "sanic"):
        made = relay(name)
    else:
        made = ours(name, folder, KEY)
    async with made as served:
        yield served


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("floor", "relay"),
        ("timecode", "timecode"),
        pytest.param("websockets", "relay", marks=pytest.mark.long),
        pytest.param("sanic", "relay", marks=pytest.mark.long),
        pytest.param("syncplay", "syncplay", marks=pytest.mark.long),
        pytest.param("syncplay", "syncplay-chat", marks=pytest.mark.long),
        pytest.param("messages", "messages", marks=pytest.mark.long),
        pytest.param("messages", "typing", marks=pytest.mark.long),
    ],
)
async def test_pairs_make_changes_that_both_hear_of(name: str, kind: Kind, tmp_path: Path) -> None:
    async with asyncio.timeout(90), served_by(name, tmp_path) as served:
        found = await changes(served, kind)
    assert found.errors == 0
    assert found.cpu > 0
    assert found.per_second > 0
    assert found.p99 >= found.p50 > 0


async def test_sockets_that_are_idle_are_counted_and_asked_whether_they_are_well(tmp_path: Path) -> None:
    async with asyncio.timeout(90), served_by("timecode", tmp_path) as served:
        found = await measuring.idle(served, "timecode", 16, 2, hold=0.1, key=KEY)
    assert found.errors == 0
    assert found.answered * 2 >= found.sockets == 16
    assert all(one > 0 for one in found.join_ms)
