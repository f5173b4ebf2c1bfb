"""Whether the checkers would notice: one after the other, what keeps the promises is taken out, and must be missed.

Two processes in the test's own loop, a real database, a real Redis of whose hints one in four is lost, and lines that
are cut.
"""

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faultbench.account import Account, Findings, check
from benchmarks.faultbench.evening import stored_talk
from benchmarks.faultbench.history import check_sessions
from benchmarks.faultbench.line import MortalLine
from benchmarks.faultbench.plain import PlainClient
from dateflicks.client.errors import ClientError
from dateflicks.client.http import ServiceClient
from dateflicks.protocol.bodies import SessionBody, SessionRequest, VideoRef
from dateflicks.protocol.ids import new_id
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.redis import RedisBus
from dateflicks.server.runner import running
from dateflicks.server.services.messages import others as others_module
from dateflicks.server.services.messages import records as messages_records
from dateflicks.server.services.messages.app import MessagesService
from dateflicks.server.services.messages.catching import CatchingUp
from dateflicks.server.services.messages.others import Others
from dateflicks.server.services.messages.records import Draft
from dateflicks.server.services.session import records as session_records
from dateflicks.server.services.session.app import SessionService
from dateflicks.server.storage.database import Database, DatabaseSettings
from dateflicks.server.storage.records import Collection, Stale
from dateflicks.server.storage.table import Table
from tests.faults.town import until
from tests.redis_server import redis_server
from tests.server.services.messages.deployment import KEY, PLENTY

SESSIONS = 4
TEXTS = 60
QUIET_SECONDS = 12.0
LOST = 0.25  # of the hints between the two

Make = Callable[[Database, Signer, RedisBus], Any]


@contextlib.asynccontextmanager
async def two(folder: Path, collections: Sequence[Collection], make: Make) -> AsyncIterator[list[int]]:
    """The ports of two processes of one service."""
    signer = Signer(KEY)
    async with (
        redis_server(folder) as redis,
        Database.open(DatabaseSettings(), folder / "data", collections) as database,
        contextlib.AsyncExitStack() as stack,
    ):
        buses, ports = [], []
        for _ in range(2):
            buses.append(await stack.enter_async_context(RedisBus(redis.uri).open()))
            server = await stack.enter_async_context(running([make(database, signer, buses[-1])]))
            ports.append(server.port)
        await until(lambda: all(len(bus.workers) == 2 and bus.is_up for bus in buses), "both of them")
        yield ports


async def talked(folder: Path) -> Findings:
    """Talk over lines that are cut, and hold what everybody knows to what is kept."""
    chance = random.Random(1)
    accounts: list[Account] = []
    async with (
        two(
            folder,
            messages_records.COLLECTIONS,
            lambda database, signer, bus: MessagesService(database, signer, bus, PLENTY),
        ) as ports,
        MortalLine(random.Random(2)) as first,
        MortalLine(random.Random(3)) as second,
    ):
        first.target, second.target = ports
        clients = []
        for number in range(SESSIONS):
            session_id = new_id("ses")
            for line, role in ((first, "host"), (second, "guest")):
                account = Account(f"{role} {number}", session_id, new_id("usr"), is_one_by_one=False)
                ticket = Signer(KEY).issue_ticket(
                    session_id, account.user_id, role, "host" if line is first else "guest"
                )
                texts = [f"{account.name} says {each}" for each in range(TEXTS)]
                own = random.Random(chance.random())
                clients.append(PlainClient(line.port, ticket, texts, account, own, lambda: None))
                accounts.append(account)
        tasks = [asyncio.create_task(one.run()) for one in clients]
        cutting = [asyncio.create_task(line.cut_at_random(0.15)) for line in (first, second)]
        try:
            await until(lambda: all(one.is_finished for one in clients), "all of it said")
            for task in cutting:
                task.cancel()
            ends = time.monotonic() + QUIET_SECONDS
            while time.monotonic() < ends and not _is_even(accounts):  # noqa: ASYNC110 - or never, when it is broken
                await asyncio.sleep(0.05)
        finally:
            for task in (*tasks, *cutting):
                task.cancel()
            await asyncio.wait([*tasks, *cutting])
    return check(accounts, await stored_talk(folder / "data", {one.session_id for one in accounts}))


def _is_even(accounts: Sequence[Account]) -> bool:
    counts: dict[str, set[int]] = {}
    for one in accounts:
        counts.setdefault(one.session_id, set()).add(len(one.shown))
    return all(len(found) == 1 and min(found) >= TEXTS for found in counts.values())


async def answered(folder: Path) -> list[str]:
    """Have hosts cancel at one process what their guests reject at the other, at once, and hold it to what is kept."""
    wrongs: list[str] = []
    async with (
        two(folder, session_records.COLLECTIONS, SessionService) as ports,
        ServiceClient(f"http://127.0.0.1:{ports[0]}") as host,
        ServiceClient(f"http://127.0.0.1:{ports[1]}") as guest,
    ):
        await host.register(f"host-{secrets.token_hex(4)}", "seven small foxes")
        invited = await guest.register(f"guest-{secrets.token_hex(4)}", "seven small foxes")
        video = VideoRef(url="film.mkv", title="A film", length=60.0)
        for _ in range(20):
            session = await host.create_session(SessionRequest(guest_user_id=invited.user.id, video=video))
            told = await asyncio.gather(host.cancel(session.id), guest.reject(session.id), return_exceptions=True)
            seen = {}
            for name, client, answer in zip(("host", "guest"), (host, guest), told, strict=True):
                assert isinstance(answer, SessionBody | ClientError), answer
                documents = [answer] if isinstance(answer, SessionBody) else []
                seen[name] = [_plain(one) for one in (*documents, await client.session(session.id))]
            wrongs += check_sessions(seen, _plain(await host.session(session.id)))
    return wrongs


def _plain(session: SessionBody) -> dict[str, Any]:
    return {name: getattr(session, name) for name in ("id", "state", "answered_at", "ended_at")}


@pytest.fixture(autouse=True)
def hints_that_are_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    chance, receive = random.Random(4), RedisBus._receive

    def sometimes(self: RedisBus, data: bytes) -> None:
        if b'"message"' not in data or chance.random() >= LOST:
            receive(self, data)

    monkeypatch.setattr(RedisBus, "_receive", sometimes)
    monkeypatch.setattr(others_module, "AWAY_SECONDS", 0.2)
    monkeypatch.setattr(others_module, "LOOK_SECONDS", 0.4)


@pytest.mark.long
async def test_with_everything_in_its_place_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "talk").mkdir()
    findings = await talked(tmp_path / "talk")
    assert findings.is_good, findings.wrongs
    assert findings.acknowledged > SESSIONS * TEXTS
    assert await answered(tmp_path) == []


@pytest.mark.long
async def test_names_that_are_not_known_again_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draft, "id_in", lambda *_: new_id("msg"))
    findings = await talked(tmp_path)
    assert findings.doubled, findings


@pytest.mark.long
async def test_a_gap_that_is_not_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def blindly(self: Others, room: Any, document: Any, seq: int) -> None:
        if seq > room.messages.head:
            room.messages.head = seq
            room.tell_message(document)

    monkeypatch.setattr(Others, "_hear_message", blindly)
    findings = await talked(tmp_path)
    assert findings.faults or findings.lists_that_differ, findings


@pytest.mark.long
async def test_what_is_said_between_looking_and_listening_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_messages = CatchingUp._tell_messages

    async def late(self: CatchingUp, seat: Any, asked: Any) -> bool:
        goes_on = await tell_messages(self, seat, asked)
        await asyncio.sleep(0.02)
        seat.told = seat.room.messages.head  # what came meanwhile is taken to have been told
        return goes_on

    monkeypatch.setattr(CatchingUp, "_tell_messages", late)
    findings = await talked(tmp_path)
    assert findings.faults or findings.lists_that_differ, findings


@pytest.mark.long
async def test_changes_that_are_not_compared_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare_and_set = Table.compare_and_set

    async def whatever(self: Table, id: str, rev: int, changes: Any, *, command: str) -> Any:  # noqa: A002
        while True:
            try:
                return await compare_and_set(self, id, rev, changes, command=command)
            except Stale as stale:
                rev = stale.current["rev"]

    monkeypatch.setattr(Table, "compare_and_set", whatever)
    assert await answered(tmp_path)
