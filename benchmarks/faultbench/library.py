"""A client of the talk as the project has it: its library's conversation, and what a person would see of it."""

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from benchmarks.faultbench.account import Account, Promise, Told
from benchmarks.faultbench.diary import Diary
from benchmarks.faultbench.pace import Pace
from dateflicks.client.chat import Conversation
from dateflicks.client.chat_updates import CaughtUp, ChatLine, ChatUpdate, DraftChanged, DraftGone, Said, Trouble
from dateflicks.client.http import ServiceClient
from dateflicks.client.tickets import Tickets
from dateflicks.protocol.chat import PersonalKind

AHEAD: Final = 10  # written and not kept yet
RESTARTS: Final = 0.5  # the share of clients that end once in the middle, and begin again with what they kept
KINDS: Final[tuple[PersonalKind, ...]] = ("text", "text", "text", "reaction", "action")


class LibraryClient:
    """One person's; `run` lasts until it is cancelled, `is_finished` says that it waits for nothing of its own."""

    def __init__(
        self,
        url: str,
        ticket: str,
        texts: Sequence[str],
        account: Account,
        chance: random.Random,
        settled: Callable[[], None],
        diary: Diary | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._url = url
        self._ticket = ticket
        self._texts = texts
        self._account = account
        self._settled = settled
        self._diary = diary or Diary(account.name)
        self._pace = pace or Pace()
        self._restart_at = chance.randrange(len(texts)) if texts and chance.random() < RESTARTS else -1
        self._sent: set[str] = set()
        self._conversation: Conversation | None = None

    @property
    def is_finished(self) -> bool:
        """Whether all was said and kept."""
        return len(self._account.acknowledged) == len(self._texts)

    async def run(self) -> None:
        """Talk until cancelled; begin anew, from what was kept, where that is to be tried."""
        kept: Any = {"seq": 0, "changes": 0}
        async with ServiceClient(self._url) as client:
            while True:
                tickets = Tickets(client, self._account.session_id, self._ticket)
                conversation = Conversation(
                    client, self._account.session_id, tickets, self._account.user_id, self._url, self._heard,
                    kept=kept, first_page=0,
                )  # fmt: skip
                self._watch_what_is_sent(conversation)
                self._conversation = conversation
                running = asyncio.create_task(conversation.run())
                try:
                    self._say_more()
                    await running
                finally:
                    running.cancel()
                    await asyncio.wait([running])
                kept = json.loads(json.dumps(conversation.kept()))

    def _say_more(self) -> None:
        conversation, account = self._conversation, self._account
        assert conversation is not None
        while len(account.said) < len(self._texts) and len(account.said) < len(account.acknowledged) + AHEAD:
            if not self._pace.is_due(self._say_more):
                return
            number = len(account.said)
            kind = KINDS[number % len(KINDS)]
            text = self._texts[number]
            content = text[:32] if kind == "reaction" else text
            client_id = conversation.say(content, kind=kind)
            assert client_id is not None
            account.said[client_id] = content

    def _heard(self, update: ChatUpdate) -> None:
        account = self._account
        match update:
            case Said(message=message):
                told = Told(message.seq, message.id, message.author, message.client_id, message.content)
                account.shown.append(told)
            case DraftChanged(draft=draft) if draft.state == "sent":
                self._kept(draft.client_id, None)
            case DraftChanged(draft=draft) if draft.state == "failed":
                account.faults.append(f"refused: {draft}")
            case DraftGone(client_id=client_id, seq=seq):
                self._kept(client_id, seq)
            case ChatLine(is_open=True):
                account.openings += 1
                self._diary.note("the line stands")
            case ChatLine(why=why, retry_in=retry_in):
                self._diary.lost(why, retry_in)
            case CaughtUp(is_anew=True):
                account.faults.append(f"what was shown does not join on to {update.seq}")
            case Trouble():
                account.faults.append(f"trouble: {update}")

    def _kept(self, client_id: str, seq: int | None) -> None:
        """What a person takes for an acknowledgement: it is a draft no more."""
        account = self._account
        if client_id not in account.acknowledged:
            account.acknowledged[client_id] = Promise(seq)
            self._diary.acknowledged(client_id)
            self._settled()
            if len(account.acknowledged) == self._restart_at and self._conversation is not None:
                self._conversation.stop()
            elif self._conversation is not None:
                asyncio.get_running_loop().call_soon(self._say_more)

    def _watch_what_is_sent(self, conversation: Conversation) -> None:
        """Count what goes out more than once, and note what is put off; the conversation itself tells nobody."""
        send, wait = conversation._feed.send, conversation._talk._outbox.wait

        def counted(data: bytes) -> bool:
            frame = json.loads(data)
            if frame["type"] == "message":
                if frame["clientId"] in self._sent:
                    self._account.resends += 1
                self._sent.add(frame["clientId"])
                self._diary.sent(frame["clientId"])
            return send(data)

        def noted(now: float, seconds: float) -> None:
            self._diary.note(f"refused, the next try in {seconds:.2f} s")
            wait(now, seconds)

        conversation._feed.send = counted  # type: ignore[method-assign]  # it is to be seen, not changed
        conversation._talk._outbox.wait = noted  # type: ignore[method-assign]  # as above
