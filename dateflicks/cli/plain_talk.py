"""The talk line by line: what the others say as plain sentences with their film time, and what becomes of one's own.

What the film itself has just told (who paused, who came) is not told a second time by its line in the talk.
"""

import asyncio
import contextlib
import re
import time
from typing import Final

from dateflicks.cli.telling import Teller
from dateflicks.client.chat_sentences import Answers, ChatNarrator
from dateflicks.client.chat_updates import (
    CaughtUp,
    ChatLine,
    ChatUpdate,
    DraftChanged,
    DraftGone,
    Older,
    Rewritten,
    Said,
)
from dateflicks.client.evening import Evening
from dateflicks.client.sentences import clock_text
from dateflicks.core.limits import TEXT_MAX_CHARACTERS
from dateflicks.protocol.chat import Message, PersonalKind
from dateflicks.tui.commands import Act, Mistake, React, parse

HELP: Final = "Talk: say TEXT or > TEXT, me waves, react joy."
EARLIER_MAX: Final = 10  # of what was said before one came
SLOW_SECONDS: Final = 3.0  # what is not kept by then is told as not sent
LOOK_SECONDS: Final = 0.5
_EXCERPT: Final = 40
_NO_TALK: Final = "There is no chat on this server."
_SLASHED: Final = re.compile(r"(?<!\S)/(?=[a-z])")


class PlainTalk:
    """One person's side of the talk; `mind_drafts` runs beside the evening."""

    def __init__(self, evening: Evening, teller: Teller) -> None:
        self._evening = evening
        self._teller = teller
        self._narrator = ChatNarrator(evening.viewer.user_id)
        self._answers = Answers()
        self._said: dict[
            str, tuple[str, float]
        ] = {}  # what was typed here and is not in the talk: words, and since when
        self._told_unsent: set[str] = set()
        self._is_lost = False
        self._has_caught_up = False
        self._news = asyncio.Event()

    # --- what happens -------------------------------------------------------------------------------------------

    def heard(self, update: ChatUpdate) -> None:
        """Tell it; what is told is read."""
        self._news.set()
        match update:
            case Said(message=message):
                self._teller.update(update, self._spoken(message, is_news=update.is_news))
                self._read(message.seq)
            case Older(messages=messages):
                self._teller.update(update, *self._earlier(messages))
                self._read(max((message.seq for message in messages), default=0))
            case Rewritten(message=message):
                self._teller.update(update, self._rewritten(message))
            case DraftGone(client_id=client_id, seq=seq):
                words, _ = self._said.pop(client_id, ("", 0.0))
                was_told = client_id in self._told_unsent
                self._told_unsent.discard(client_id)
                self._teller.update(update, f"Sent: {words}" if was_told and seq is not None else None)
            case DraftChanged(draft=draft) if draft.state == "failed":
                self._said.pop(draft.client_id, None)
                self._told_unsent.discard(draft.client_id)
                self._teller.update(update, self._narrator.sentence(update))
            case _:
                self._has_caught_up |= isinstance(update, CaughtUp)
                if isinstance(update, ChatLine):
                    self._is_lost = not update.is_open
                self._teller.update(update, self._narrator.sentence(update))

    async def mind_drafts(self) -> None:
        """Tell what is not kept after a while though there is a line. Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            late = time.monotonic() - SLOW_SECONDS
            for client_id, (_, since) in list(self._said.items()):
                if since <= late:
                    self._tell_unsent(client_id, "no answer yet")

    async def is_sent(self, seconds: float) -> None:
        """Wait until all that was typed is in the talk, or for so long, or until there is no line for it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._said and not self._is_lost:
                    self._news.clear()
                    await self._news.wait()

    def tell_lost(self) -> None:
        """At the end: what was typed and was not sent."""
        for words, _ in self._said.values():
            self._teller.say(f"Not sent: {words}", "unsent")

    # --- what is typed ------------------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Say this."""
        text = text.strip()
        if not text:
            self._teller.say("Say what? Type say TEXT, or > TEXT.", "help")
        elif len(text) > TEXT_MAX_CHARACTERS:
            length = f"that is {len(text):,} characters, and a message holds {TEXT_MAX_CHARACTERS:,}"
            self._teller.say(f"Not sent, {length}: {excerpt(text)}", "unsent")
        else:
            self._send(text, "text")

    def act(self, text: str) -> None:
        """Tell what one does."""
        match typed("me", text):
            case Act(text=does):
                self._send(does, "action")
            case Mistake(sentence=sentence):
                self._teller.say(sentence, "help")

    def react(self, text: str) -> None:
        """React to this moment of the film."""
        match typed("react", text):
            case React(reaction=reaction):
                self._send(reaction, "reaction")
            case Mistake(sentence=sentence):
                self._teller.say(sentence, "help")

    # --- inside -------------------------------------------------------------------------------------------------

    def _send(self, content: str, kind: PersonalKind) -> None:
        talk = self._evening.conversation
        if talk is None:
            self._teller.say(_NO_TALK, "help")
            return
        client_id = talk.say(content, kind=kind, position=self._evening.here())
        if client_id is None or all(draft.client_id != client_id or draft.state == "failed" for draft in talk.drafts):
            return  # not taken, which was told
        self._said[client_id] = excerpt(content), time.monotonic()
        if self._is_lost:
            self._tell_unsent(client_id, "no line")

    def _tell_unsent(self, client_id: str, why: str) -> None:
        if client_id not in self._told_unsent:
            self._told_unsent.add(client_id)
            self._teller.say(f"Queued ({why}): {self._said[client_id][0]}", "queued", client_id=client_id)

    def _read(self, seq: int) -> None:
        if self._evening.conversation is not None and seq:
            self._evening.conversation.read(seq)

    def _spoken(self, message: Message, *, is_news: bool) -> str | None:
        line = at_place(message, self._answers.spoken(message))
        if message.type == "system":
            is_known = is_news or not self._has_caught_up or message.author == self._evening.viewer.user_id
            return None if is_known and self._evening.viewer.connected else line
        return None if message.client_id in self._said else line

    def _rewritten(self, message: Message | None) -> str | None:
        if message is None or message.author == self._evening.viewer.user_id:
            return None
        if message.deleted_at is not None:
            return at_place(message, f"{message.author_name or 'somebody'} took back what they said.")
        return at_place(message, self._answers.spoken(message))

    def _earlier(self, messages: tuple[Message, ...]) -> list[str]:
        spoken = [one for one in messages if one.type != "system" and one.deleted_at is None]
        lines = [at_place(one, self._answers.spoken(one)) for one in spoken]
        more = "" if len(lines) <= EARLIER_MAX else f", the last {EARLIER_MAX} of it"
        return [f"Said earlier{more}:", *lines[-EARLIER_MAX:]] if lines else []


def typed(word: str, rest: str) -> object:
    """A command of the terminal client, as it is typed here: without its slash."""
    found = parse(f"/{word} {rest}")
    return Mistake(_SLASHED.sub("", found.sentence)) if isinstance(found, Mistake) else found


def at_place(message: Message, text: str) -> str:
    """A line with the place in the film that it is about, where there is one."""
    return text if message.position is None else f"{clock_text(message.position)} {text}"


def excerpt(text: str) -> str:
    """So much of a text that its author knows which it is."""
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
