"""The checker of the fault bench finds what it is there to find, its plain client's rules too, and its line cuts."""

import asyncio
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from rich.console import Console

from benchmarks.chat_faults import show
from benchmarks.faultbench.account import Account, Findings, Promise, Told, check
from benchmarks.faultbench.evening import Result
from benchmarks.faultbench.line import CUTS, Cut, MortalLine
from benchmarks.faultbench.plain import _Order

SESSION = "ses_x"


@dataclass
class Scene:
    """Two who said three things each, in turns; all was acknowledged, and both lists are the database's."""

    ana: Account = field(init=False)
    bea: Account = field(init=False)
    stored: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ana = Account("ana", SESSION, "usr_ana", is_one_by_one=True)
        self.bea = Account("bea", SESSION, "usr_bea", is_one_by_one=False)
        for number in range(3):
            for one in (self.ana, self.bea):
                seq = len(self.stored) + 1
                told = Told(seq, f"msg_{seq}", one.user_id, f"{one.name}-{number}", f"{one.name} says {number}")
                assert told.client_id is not None
                one.said[told.client_id] = told.content
                one.acknowledged[told.client_id] = Promise(seq, told.message_id)
                self.stored.append(told)
        self.ana.shown, self.bea.shown = list(self.stored), list(self.stored)

    @property
    def all_lists(self) -> tuple[list[Told], ...]:
        return self.stored, self.ana.shown, self.bea.shown

    def check(self) -> Findings:
        return check([self.ana, self.bea], {SESSION: self.stored})


def drop(messages: list[Told]) -> None:
    del messages[2]


def double(messages: list[Told]) -> None:
    messages.insert(3, messages[2])


def swap(messages: list[Told]) -> None:
    messages[2], messages[3] = messages[3], messages[2]


def renumbered(messages: list[Told]) -> None:
    messages[:] = [replace(one, seq=seq) for seq, one in enumerate(messages, start=1)]


def test_nothing_is_wrong_with_what_is_right() -> None:
    findings = Scene().check()

    assert findings.is_good
    assert not findings.wrongs
    assert (findings.said, findings.acknowledged) == (6, 6)


@pytest.mark.parametrize(("mutation", "count"), [(drop, "lost"), (double, "doubled"), (swap, "out_of_order")])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_one_message_that_is_dropped_doubled_or_swapped_anywhere_is_found(
    which: int, mutation: Callable[[list[Told]], None], count: str
) -> None:
    scene = Scene()
    mutation(scene.all_lists[which])

    findings = scene.check()
    assert not findings.is_good
    assert getattr(findings, count) == 1
    assert findings.lists_that_differ == (2 if which == 0 else 1)
    assert findings.wrongs


def test_a_message_that_everybody_lost_is_found_by_its_acknowledgement() -> None:
    scene = Scene()
    for messages in scene.all_lists:
        drop(messages)
        renumbered(messages)

    findings = scene.check()
    assert findings.lost == 4  # the one, and what stands elsewhere than promised
    assert findings.lists_that_differ == 0


def test_a_message_that_is_stored_twice_under_two_names_is_found_though_all_agree() -> None:
    scene = Scene()
    again = replace(scene.stored[-1], seq=7, message_id="msg_7", client_id="bea-again")
    for messages in scene.all_lists:
        messages.append(again)

    findings = scene.check()
    assert findings.doubled == 3
    assert findings.altered == 1


def test_other_words_than_were_said_are_found_though_all_agree() -> None:
    scene = Scene()
    for messages in scene.all_lists:
        messages[0] = replace(messages[0], content="ana says something else")

    assert scene.check().altered == 1


def test_what_one_said_one_by_one_must_be_stored_in_that_order() -> None:
    scene = Scene()
    for messages in scene.all_lists:
        messages[0], messages[2] = messages[2], messages[0]
        renumbered(messages)
    for account in (scene.ana, scene.bea):
        account.acknowledged = {client_id: Promise() for client_id in account.acknowledged}
    assert scene.check().out_of_order == 1

    scene.ana.is_one_by_one = False
    assert scene.check().is_good


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_was_not_acknowledged_may_be_kept_or_not(is_kept: bool) -> None:
    scene = Scene()
    del scene.bea.acknowledged["bea-2"]
    if not is_kept:
        for messages in scene.all_lists:
            del messages[-1]

    findings = scene.check()
    assert findings.is_good
    assert (findings.unacknowledged_kept, findings.unacknowledged_absent) == ((1, 0) if is_kept else (0, 1))


def test_a_fault_of_the_service_that_a_client_has_seen_is_one() -> None:
    scene = Scene()
    scene.ana.faults.append("refused")

    assert not scene.check().is_good


@pytest.mark.parametrize(
    ("heard", "is_right"),
    [
        ([3, 4, "resumed", 5, 6], True),
        ([7, 8, 3, 4, 5, 6, 7, 8, "resumed", 9], True),  # said between connecting and resuming, and again in its turn
        ([3, 4, 3, 4, 5, "resumed", 6], True),
        (["resumed", 3], True),
        ([3, 5], False),
        ([3, 3], True),
        ([3, 3, 3], False),
        ([2], False),
        ([7, 8, 3, 4, 3], False),
        ([3, 4, "resumed", 3], False),
        ([3, 4, "resumed", 6], False),
    ],
)
def test_a_connection_may_hear_some_news_and_then_everything_once_and_in_order(
    heard: list[Any], is_right: bool
) -> None:
    faults: list[str] = []
    order = _Order(2)
    last = 2
    for one in heard:
        if one == "resumed":
            order.resumed(last, faults)
        else:
            order.heard(one, faults)
            last = one

    assert (not faults) == is_right


@pytest.mark.parametrize("how", CUTS)
async def test_a_cut_line_ends_at_both_ends(how: Cut) -> None:
    ended = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            ended.set()

    server = await asyncio.start_server(echo, "127.0.0.1")
    async with MortalLine(random.Random(1)) as line, asyncio.timeout(30.0):
        line.target = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"

        await line.cut(how)
        try:
            while True:
                writer.write(b"behind")
                if not await reader.read(100):
                    break
        except OSError:
            pass
        writer.transport.abort()
        await ended.wait()
        assert line.cuts == 1
    server.close()
    await server.wait_closed()


def test_the_table_has_a_row_for_each_run_and_what_was_wrong_in_words() -> None:
    scene = Scene()
    good = Result(seed=7, findings=scene.check())
    drop(scene.stored)
    bad = Result(seed=8, findings=scene.check())
    output = io.StringIO()
    show([good, bad], Console(file=output, width=200))

    text = output.getvalue()
    assert "good" in text
    assert "BAD" in text
    assert "is not in the database" in text
    assert "seed 8: " in text
