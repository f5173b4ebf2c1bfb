"""Two people's conversations on a real messages service: what each sees and sends, whatever becomes of the line."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from dateflicks.client import errors
from dateflicks.client.chat import Conversation, typed
from dateflicks.client.chat_updates import (
    CaughtUp,
    ChangeFailed,
    ChatLine,
    ChatUpdate,
    DraftChanged,
    DraftGone,
    Older,
    Rewritten,
    Said,
)
from dateflicks.client.http import ServiceClient
from dateflicks.client.tickets import Tickets
from dateflicks.protocol.chat import Message
from dateflicks.settings.services import MessagesSettings
from tests.server.services.messages.deployment import Deployment, Person, Talk, deployed
from tests.waiting import until as wait_until

SECONDS = 30.0
U = TypeVar("U")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Deployment]:
    async with deployed(tmp_path / "data") as found:
        yield found


@pytest.fixture
async def client(service: Deployment) -> AsyncIterator[ServiceClient]:
    async with ServiceClient(service.address.url) as found:
        yield found


class Member:
    """One in the conversation, with every update in the order in which it came."""

    def __init__(self, client: ServiceClient, base: str, talk: Talk, person: Person, **more: Any) -> None:
        self.updates: list[ChatUpdate] = []
        self.person = person
        tickets = Tickets(client, talk.id, person.ticket)
        self.chat = Conversation(client, talk.id, tickets, person.id, base, self.updates.append, **more)

    def of(self, kind: type[U]) -> list[U]:
        return [update for update in self.updates if isinstance(update, kind)]

    @property
    def heard(self) -> list[str]:
        """What was told as said, in the order in which it was told."""
        return [update.message.content for update in self.of(Said)]

    @property
    def breaks(self) -> int:
        """How often the line was lost."""
        return len([update for update in self.of(ChatLine) if not update.is_open])

    @property
    def shown(self) -> list[Message]:
        return list(self.chat.transcript)

    async def until(self, predicate: Callable[[], bool]) -> None:
        await wait_until(predicate, seconds=SECONDS)

    async def until_told(self, kind: type[U], count: int = 1) -> U:
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def until_heard(self, count: int) -> None:
        await self.until(lambda: len(self.heard) >= count)

    async def until_broken(self, count: int) -> None:
        await self.until(lambda: self.breaks >= count)

    async def until_all_is_said(self) -> None:
        await self.until(lambda: not self.chat.drafts)


@contextlib.asynccontextmanager
async def present(
    service: Deployment, client: ServiceClient, talk: Talk, person: Person, **more: Any
) -> AsyncIterator[Member]:
    """Somebody who is in the conversation for as long as the block runs, and has missed nothing."""
    member = Member(client, service.address.url, talk, person, **more)
    running = asyncio.create_task(member.chat.run())
    try:
        await member.until_told(CaughtUp)
        yield member
    finally:
        member.chat.stop()
        await running


@pytest.mark.parametrize(
    ("text", "kind", "content"),
    [
        ("/me laughs", "action", "laughs"),
        ("/me ", "text", "/me "),
        ("/met her", "text", "/met her"),
        ("hi", "text", "hi"),
    ],
)
def test_what_is_typed_is_text_or_an_action(text: str, kind: str, content: str) -> None:
    assert typed(text) == (kind, content)


async def test_both_see_the_same_in_the_same_order(service: Deployment, client: ServiceClient) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.ana) as ana, present(service, client, talk, talk.bea) as bea:
        for number in range(20):
            ana.chat.say(f"a{number}", position=float(number))
            bea.chat.say(f"b{number}")
        ana.chat.react("🎉", position=61.5)
        await ana.until(lambda: len(ana.heard) == len(bea.heard) == 41)
        assert ana.shown == bea.shown
        assert [one.seq for one in ana.shown] == list(range(1, 42))
        assert [text for text in ana.heard if text[0] == "a"] == [f"a{number}" for number in range(20)]
        assert [text for text in ana.heard if text[0] == "b"] == [f"b{number}" for number in range(20)]
        reaction = next(one for one in bea.shown if one.type == "reaction")
        assert (reaction.content, reaction.position, reaction.author_name) == ("🎉", 61.5, "ana")
        await ana.until_all_is_said()
        states = [(update.draft.client_id, update.draft.state) for update in ana.of(DraftChanged)]
        assert len([one for one in states if one[1] == "waiting"]) == 21
        assert sorted(update.seq or 0 for update in ana.of(DraftGone)) == [
            one.seq for one in ana.shown if one.author == talk.ana.id
        ]


async def test_edits_deletions_answers_read_marks_and_typing_reach_the_other(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.ana) as ana, present(service, client, talk, talk.bea) as bea:
        ana.chat.typed()
        await bea.until(lambda: bea.chat.typing == ((talk.ana.id, "ana"),))
        ana.chat.say("helo")
        ana.chat.say("gone soon")
        await bea.until(lambda: len(bea.heard) == 2)
        assert bea.chat.typing == ()
        first, second = bea.shown
        bea.chat.say("what?", reply_to=first.id)
        bea.chat.read(2)
        await ana.until(lambda: ana.chat.reads == {talk.bea.id: 2})
        ana.chat.edit(first.id, "hello")
        ana.chat.delete(second.id)
        await bea.until_told(Rewritten, 2)
        assert [one.content for one in bea.shown] == ["hello", "", "what?"]
        assert bea.shown[2].reply_to == first.id
        bea.chat.edit(first.id, "never")
        failed = await bea.until_told(ChangeFailed)
        assert failed.change.id == first.id
        assert failed.reason
        await ana.until(lambda: ana.shown == bea.shown)


async def test_nothing_is_lost_doubled_or_out_of_order_while_the_line_breaks_again_and_again(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.ana) as ana, present(service, client, talk, talk.bea) as bea:
        for number in range(60):
            ana.chat.say(f"a{number}")
            bea.chat.say(f"b{number}")
            if number % 12 == 6:
                await ana.until_heard(number)
                await ana.until(lambda: ana.chat.is_caught_up and bea.chat.is_caught_up)
                service.service.close_feeds(1013 if ana.breaks % 2 else 1012, "a restart")
                await ana.until_broken(ana.breaks + 1)
        await ana.until_heard(120)
        await bea.until_heard(120)
        assert min(ana.breaks, bea.breaks) >= 5
        await ana.until_all_is_said()
        await bea.until_all_is_said()
        assert ana.heard == bea.heard
        for who in "ab":
            assert [text for text in ana.heard if text[0] == who] == [f"{who}{number}" for number in range(60)]
        assert [one["content"] for one in await service.documents(talk, 200)] == ana.heard


async def test_what_was_changed_while_the_line_was_away_is_seen_afterwards(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.ana) as ana:
        ana.chat.say("helo")
        await ana.until_all_is_said()
        async with present(service, client, talk, talk.bea) as bea:
            await bea.until_told(Older)
            kept = bea.chat.kept()
        ana.chat.edit(ana.shown[0].id, "hello")
        await ana.until_told(Rewritten)
        async with present(service, client, talk, talk.bea, kept=kept) as bea:
            assert [(update.seq, update.message) for update in bea.of(Rewritten)] == [(1, None)]
            older = await bea.until_told(Older)
            assert [one.content for one in older.messages] == ["hello"]


async def test_what_is_said_while_the_database_stands_still_is_said_when_it_goes_on(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.ana) as ana:
        ana.chat.say("before")
        await ana.until_all_is_said()
        with service.stopped_engine():
            ana.chat.say("during")
            ana.chat.say("still")
            await asyncio.to_thread(lambda: None)
            await ana.until(lambda: ana.chat._talk._outbox._refusals > 0)
        await ana.until_all_is_said()
        assert ana.heard == ["before", "during", "still"]


async def test_more_than_the_limit_is_said_in_its_time_and_in_order(tmp_path: Path) -> None:
    settings = MessagesSettings(chat_per_second=20.0, chat_burst=5)
    async with deployed(tmp_path / "data", settings) as service, ServiceClient(service.address.url) as client:
        talk = service.talk()
        async with present(service, client, talk, talk.ana) as ana:
            for number in range(20):
                ana.chat.say(str(number))
            await ana.until_all_is_said()
            assert ana.heard == [str(number) for number in range(20)]


async def test_one_message_that_is_not_taken_fails_and_the_others_go_on(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.ana) as ana:
        too_long = ana.chat.say("x" * 5_000)
        ana.chat.say("short")
        await ana.until(lambda: ana.heard == ["short"] and len(ana.chat.drafts) == 1)
        (failed,) = ana.chat.drafts
        assert (failed.client_id, failed.state) == (too_long, "failed")
        assert "4000" in failed.reason
        assert too_long is not None
        ana.chat.discard(too_long)
        assert ana.chat.drafts == []


async def test_a_newcomer_is_shown_the_newest_page_and_asks_for_what_was_before(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    for number in range(1, 131):
        await service.post(talk, talk.ana, {"content": str(number)})
    async with present(service, client, talk, talk.bea) as bea:
        page = await bea.until_told(Older)
        assert ([one.seq for one in page.messages], page.is_all) == (list(range(81, 131)), False)
        await bea.chat.older(60)
        last = await bea.chat.older(60)
        assert (last[0].seq, bea.of(Older)[-1].is_all) == (1, True)
        assert [one.content for one in bea.shown] == [str(number) for number in range(1, 131)]
        assert await bea.chat.older() == ()


async def test_what_is_kept_here_is_bounded_and_older_ones_can_be_read_all_the_same(
    service: Deployment, client: ServiceClient
) -> None:
    talk = service.talk()
    async with present(service, client, talk, talk.bea, keep_messages=10) as bea:
        for number in range(1, 31):
            await service.post(talk, talk.ana, {"content": str(number)})
        await bea.until(lambda: len(bea.heard) == 30)
        assert [one.seq for one in bea.shown] == list(range(21, 31))
        page = await bea.chat.older(10, before=16)
        assert [one.seq for one in page] == list(range(6, 16))
        assert [one.seq for one in bea.shown] == list(range(21, 31))


async def test_unsent_drafts_go_on_in_another_process(service: Deployment, client: ServiceClient) -> None:
    talk = service.talk()
    member = Member(client, service.address.url, talk, talk.ana)
    member.chat.say("written without a line", position=5.0)
    kept = json.loads(json.dumps(member.chat.kept()))
    async with present(service, client, talk, talk.ana, kept=kept) as ana:
        await ana.until(lambda: ana.heard == ["written without a line"] and not ana.chat.drafts)
        assert ana.shown[0].position == 5.0
        kept = json.loads(json.dumps(ana.chat.kept()))
    await service.post(talk, talk.bea, {"content": "meanwhile"})
    async with present(service, client, talk, talk.ana, kept=kept) as ana:
        assert ana.heard == ["meanwhile"]


async def test_a_listener_may_act_on_what_it_is_told(service: Deployment, client: ServiceClient) -> None:
    talk = service.talk()
    member = Member(client, service.address.url, talk, talk.ana)

    def answer(update: ChatUpdate) -> None:
        member.updates.append(update)
        if isinstance(update, Said):
            member.chat.read(update.message.seq)
            if update.message.content == "ping":
                member.chat.say("pong")

    member.chat._listener = answer
    running = asyncio.create_task(member.chat.run())
    await member.until_told(CaughtUp)
    await service.post(talk, talk.bea, {"content": "ping"})
    await member.until(lambda: member.heard == ["ping", "pong"] and not member.chat.drafts)
    member.chat.stop()
    await running


async def test_whoever_is_no_member_is_told_so(service: Deployment, client: ServiceClient) -> None:
    talk, other = service.talk(), service.talk()
    member = Member(client, service.address.url, talk, other.ana)
    with pytest.raises(errors.NotAllowed):
        await asyncio.wait_for(member.chat.run(), SECONDS)


async def test_joining_finds_the_service(service: Deployment, client: ServiceClient) -> None:
    talk = service.talk()
    tickets = Tickets(client, talk.id, talk.ana.ticket)
    found = await Conversation.join(client, talk.id, tickets, lambda _: None, user_id=talk.ana.id)
    assert found.user_id == talk.ana.id
