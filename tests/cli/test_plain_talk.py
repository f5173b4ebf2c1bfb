"""Talking line by line: what the others say, what becomes of what is typed, and what a program reads of it."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from dateflicks.cli import plain_talk
from dateflicks.cli.output import record_of
from dateflicks.cli.telling import JsonLines
from dateflicks.client import chat_updates
from dateflicks.client.chat import Conversation
from dateflicks.protocol.chat import ChatServerFrame, Message
from dateflicks.settings.client import ClientSettings
from tests.cli.desk import ANA, BEA, Desk, at_desk, told
from tests.client.talking import ack, deleted, edited, message, refusal, resumed, said
from tests.waiting import until


class Talker:
    """Bea at her terminal, and the line of the talk in our hands."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.talk: Conversation = desk.talks()
        desk.hear(told(1))

    def opens(self) -> str:
        heard = self._does(self.talk._talk.opened)
        self._does(lambda now: self.talk._talk.start(0, now))
        self.hears(resumed(self.talk.transcript.last))
        return heard

    def loses(self) -> str:
        return self._does(lambda _: self.talk._talk.lost("the line is gone", 2.0))

    def hears(self, frame: ChatServerFrame) -> str:
        return self._does(lambda now: self.talk._talk.received(frame, now))

    def says(self, seq: int, **changes: Any) -> str:
        return self.hears(said(seq, **{"author": ANA, "author_name": "ana", **changes}))

    def types(self, line: str) -> str:
        return self.desk.type(line)

    def _does(self, act: Any) -> str:
        before = len(self.desk.stdout.getvalue())
        with self.talk._acting() as now:
            act(now)
        return self.desk.stdout.getvalue()[before:].rstrip("\n")

    @property
    def typed(self) -> list[tuple[str, str, float | None]]:
        return [(draft.kind, draft.content, draft.position) for draft in self.talk.drafts]


@pytest.fixture
async def bea() -> AsyncIterator[Talker]:
    async with at_desk(ClientSettings(player="simulated")) as desk:
        yield Talker(desk)


async def test_what_the_others_say_is_one_line_each_with_its_place_in_the_film(bea: Talker) -> None:
    bea.opens()
    assert bea.says(1, content="did you\nsee that", position=2472.0) == "41:12 ana: did you see that"
    assert bea.says(2, type="reaction", content="scream", position=2473.0) == "41:13 ana reacts: scream"
    assert bea.says(3, type="action", content="hides") == "* ana hides"
    assert bea.says(4, content="you", reply_to="msg_1") == "ana (to ana): you"


async def test_what_is_changed_is_said_as_it_is_now_and_what_is_taken_back_is_not_said_again(bea: Talker) -> None:
    bea.opens()
    bea.says(1, content="secret", position=60.0)
    assert bea.hears(edited(1, "open")) == "1:00 ana: open (edited)"
    assert bea.hears(deleted(1, 2)) == "1:00 ana took back what they said."
    assert bea.hears(deleted(9, 3)) == ""


async def test_what_the_film_has_told_is_not_told_again_by_the_talk_unless_the_film_s_own_line_is_away(
    bea: Talker,
) -> None:
    bea.opens()
    bea.desk.evening.viewer.opened(0.0)
    line = {"type": "system", "author": ANA, "event": "paused", "content": "ana paused", "position": 60.0}
    assert bea.says(1, **line) == ""
    bea.desk.evening.viewer.lost()
    assert bea.says(2, **line) == "1:00 - ana paused"


async def test_what_was_said_meanwhile_is_told_with_its_film_lines(bea: Talker) -> None:
    bea.opens()
    bea.loses()
    bea._does(bea.talk._talk.opened)
    system = {"type": "system", "event": "left", "content": "ana left", "position": 60.0}
    assert bea.says(1, **system) == "1:00 - ana left"
    bea.desk.evening.viewer.opened(0.0)
    assert bea.says(2, **{**system, "author": BEA, "content": "bea left"}) == ""
    assert bea.says(3, **system) == "1:00 - ana left"
    assert bea.says(4, content="back") == "ana: back"


async def test_of_what_was_said_before_the_last_is_told_and_all_of_it_is_read(bea: Talker) -> None:
    bea.talk._talk.opened(0.0)
    bea.talk._talk.start(30, 0.0)
    before = [message(seq, author=ANA, author_name="ana", position=float(seq)) for seq in range(1, 30)]
    before.append(message(30, type="system", content="ana joined"))
    heard = bea._does(lambda _: bea.talk._talk.older(before)).splitlines()
    assert heard[0] == "Said earlier, the last 10 of it:"
    assert heard[1:] == [f"0:{seq} ana: line {seq}" for seq in range(20, 30)]
    assert bea.talk.kept()["read"] == 30
    assert bea._does(lambda _: bea.talk._talk.older([message(1, type="system", content="x")])) == ""


async def test_what_is_told_is_read(bea: Talker) -> None:
    bea.opens()
    bea.says(1)
    bea.says(2, type="system", content="ana paused", event="paused")
    assert bea.talk.kept()["read"] == 2


@pytest.mark.parametrize(
    ("line", "kind", "content"),
    [
        ("say Play it again", "text", "Play it again"),
        ("> play", "text", "play"),
        (">play", "text", "play"),
        ("SAY Loud", "text", "Loud"),
        ("/say slashed", "text", "slashed"),
        ("> /me is no action here", "text", "/me is no action here"),
        ("me waves", "action", "waves"),
        ("react joy", "reaction", "joy"),
        ("react :joy:", "reaction", "joy"),
        ("react 😂", "reaction", "joy"),
    ],
)
async def test_each_way_to_say_something_says_it_at_the_place_where_the_film_is(
    line: str, kind: str, content: str, bea: Talker
) -> None:
    bea.opens()
    assert bea.types(line) == ""
    assert bea.typed == [(kind, content, 60.0)]
    assert bea.desk.done == []


@pytest.mark.parametrize("line", ["say", ">", "me", "react", "react nosuchthing", "> \t"])
async def test_what_says_nothing_is_answered_with_what_does(line: str, bea: Talker) -> None:
    answer = bea.types(line)
    assert answer.count("\n") == 0
    assert "/" not in answer
    assert bea.typed == []


async def test_what_is_said_without_a_line_is_told_as_queued_and_again_once_it_is_sent(bea: Talker) -> None:
    bea.opens()
    assert "what you say is sent when it is back" in bea.loses()
    assert bea.types("say are you there") == "Queued (no line): are you there"
    (draft,) = bea.talk.drafts
    assert bea.opens() == "The chat is back."
    bea.hears(ack(draft.client_id, 1))
    own = {"author": BEA, "author_name": "bea", "client_id": draft.client_id, "content": "are you there"}
    assert bea.hears(said(1, **own)) == "Sent: are you there"


async def test_what_is_sent_at_once_needs_no_words(bea: Talker) -> None:
    bea.opens()
    assert bea.types("say hello") == ""
    (draft,) = bea.talk.drafts
    assert bea.hears(said(1, author=BEA, author_name="bea", client_id=draft.client_id, content="hello")) == ""


async def test_what_one_says_elsewhere_is_told_here(bea: Talker) -> None:
    bea.opens()
    assert bea.says(1, author=BEA, author_name="bea", client_id="x", content="from my phone") == "bea: from my phone"


async def test_what_the_service_does_not_keep_for_long_is_told_as_queued(
    bea: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain_talk, "SLOW_SECONDS", 0.0)
    monkeypatch.setattr(plain_talk, "LOOK_SECONDS", 0.01)
    bea.opens()
    minding = asyncio.create_task(bea.desk.watch._talk.mind_drafts())
    bea.types("say hello")
    await until(lambda: "Queued (no answer yet): hello" in bea.desk.stdout.getvalue())
    minding.cancel()


async def test_what_is_refused_says_why_and_what_is_too_long_says_so(bea: Talker) -> None:
    bea.opens()
    bea.types("say hello")
    (draft,) = bea.talk.drafts
    assert bea.hears(refusal("invalid", draft.client_id, detail="Too rude.")) == "Not sent (Too rude): hello"
    assert bea.types(f"say {'x' * 5_000}").startswith(
        "Not sent, that is 5,000 characters, and a message holds 4,000: xxx"
    )


async def test_at_the_end_it_is_told_what_was_never_sent(bea: Talker) -> None:
    bea.opens()
    bea.loses()
    bea.types("say are you there")
    before = len(bea.desk.stdout.getvalue())
    await bea.desk.watch._talk.is_sent(30.0)  # without a line there is nothing to wait for
    bea.desk.watch._talk.tell_lost()
    assert bea.desk.stdout.getvalue()[before:] == "Not sent: are you there\n"


async def test_quit_waits_until_what_was_typed_before_it_is_kept(bea: Talker) -> None:
    bea.opens()
    bea.types("say goodbye")
    (draft,) = bea.talk.drafts
    waiting = asyncio.create_task(bea.desk.watch._talk.is_sent(30.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    bea.hears(said(1, author=BEA, author_name="bea", client_id=draft.client_id, content="goodbye"))
    await waiting
    bea.desk.watch._talk.tell_lost()
    assert "Not sent" not in bea.desk.stdout.getvalue()


async def test_without_a_talk_on_the_server_it_is_said_that_there_is_none() -> None:
    async with at_desk(ClientSettings(player="simulated")) as desk:
        desk.hear(told(1))
        assert desk.type("say hello") == "There is no chat on this server."
        assert "say" not in desk.type("help")
        desk.talks()
        assert "say TEXT" in desk.type("help")


async def test_hostile_words_stay_on_their_line_and_move_no_cursor(bea: Talker) -> None:
    bea.opens()
    heard = bea.says(
        1, author_name="\x1b[31mana\u202e", content="a\x1b]0;x\x07\r\nana asks to play\u2028; $(reboot)\x9b2J"
    )
    assert heard.isprintable()
    assert heard.count("\n") == 0
    assert bea.says(2, author_name="ana", content="\u200b", type="reaction").isprintable()


MESSAGE = message(7, position=1.0)
DRAFT = chat_updates.Draft(client_id="c1", content="hi")


@pytest.mark.parametrize(
    ("update", "event", "some"),
    [
        (chat_updates.Said(MESSAGE, True), "message", {"is_news": True}),
        (chat_updates.Rewritten("msg_7", 7, None), "rewritten", {"id": "msg_7", "message": None}),
        (chat_updates.Rewritten("msg_7", 7, MESSAGE), "rewritten", {"seq": 7}),
        (chat_updates.Older((MESSAGE,), True), "older", {"is_all": True}),
        (chat_updates.DraftChanged(DRAFT), "draft", {"client_id": "c1", "state": "waiting", "type": "text"}),
        (chat_updates.DraftGone("c1", 8), "draft", {"state": "said", "seq": 8}),
        (chat_updates.DraftGone("c1", None), "draft", {"state": "discarded", "seq": None}),
        (chat_updates.ChatLine(False, "gone", 1.0), "chat-line", {"is_open": False, "why": "gone"}),
        (chat_updates.CaughtUp(7), "caught-up", {"seq": 7, "is_anew": False}),
        (chat_updates.HasRead("usr_x", 7), "read", {"user_id": "usr_x", "seq": 7}),
        (chat_updates.TypingNow((("usr_x", "ana"),)), "typing", {"people": [{"user_id": "usr_x", "name": "ana"}]}),
        (
            chat_updates.ChangeFailed(chat_updates.Change(id="msg_7", content=None), "No."),
            "chat-trouble",
            {"code": "delete-failed", "text": "No.", "id": "msg_7"},
        ),
        (chat_updates.Trouble("outbox-full", "Too much."), "chat-trouble", {"code": "outbox-full"}),
    ],
)  # fmt: skip
def test_a_program_reads_an_object_of_each(update: chat_updates.ChatUpdate, event: str, some: dict[str, Any]) -> None:
    stdout = io.StringIO()
    JsonLines(stdout).update(update, "a sentence", "and another")
    (line,) = stdout.getvalue().splitlines()
    found = msgspec.json.decode(line)
    assert found["event"] == event
    assert {name: found[name] for name in some} == some


def test_a_message_is_the_same_object_as_in_the_tail_of_a_chat() -> None:
    stdout = io.StringIO()
    JsonLines(stdout).update(chat_updates.Said(MESSAGE, False))
    found = msgspec.json.decode(stdout.getvalue())
    assert (found["event"], found["is_news"]) == ("message", False)
    assert found["message"] == msgspec.to_builtins(record_of(MESSAGE))
    assert set(found["message"]) == set(Message.__struct_fields__)
