"""One session's talk, live: a line that comes back, what was said in order, and what is not acknowledged yet.

Whoever shows it (the terminal client, plain lines) gives a `listener` that is called, in the loop's thread, with each
update; it must not block. What this person says is shown at once as a draft, and becomes a message when the service has
it. Looking once, without a line, is `chat_history.ChatHistory`.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, assert_never

import msgspec

from dateflicks.client import errors
from dateflicks.client.address import feed_address
from dateflicks.client.chat_history import SERVICE, ChatHistory
from dateflicks.client.chat_talk import SendChat, Talk
from dateflicks.client.chat_transcript import KEPT_MESSAGES, Transcript
from dateflicks.client.chat_updates import Change, ChatUpdate, Draft
from dateflicks.client.feed import Feed, FeedEnded, Lost, Opened, Received
from dateflicks.client.http import ServiceClient
from dateflicks.client.tickets import Tickets
from dateflicks.core.limits import PAGE_DEFAULT
from dateflicks.protocol.chat import ChatServerFrame, Message, PersonalKind
from dateflicks.protocol.decoding import UNREADABLE

SILENCE_SECONDS: Final = 24.0  # in which a ping is answered, or the line is dead; the film's own line is quicker
START_AGAIN_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 30.0

_DECODER: Final[msgspec.json.Decoder[ChatServerFrame]] = msgspec.json.Decoder(ChatServerFrame)
_ENCODER: Final = msgspec.json.Encoder()

Listener = Callable[[ChatUpdate], None]


def typed(text: str) -> tuple[PersonalKind, str]:
    """What somebody typed, as a kind and its content: `/me laughs` is an action, everything else is text."""
    word, _, rest = text.partition(" ")
    return ("action", rest) if word == "/me" and rest.strip() else ("text", text)


class Conversation:
    """Made by `join`; `run` lasts until `stop`, or a final no of the service.

    `kept` is what an earlier conversation of the same session gave as `kept()`: unsent drafts, and how far it had come.
    Once nothing is missing the page before is told too (`first_page` messages), so that there is something to see.
    """

    def __init__(
        self,
        client: ServiceClient,
        session_id: str,
        tickets: Tickets,
        user_id: str,
        base: str,
        listener: Listener,
        *,
        kept: Any = None,
        first_page: int = PAGE_DEFAULT,
        keep_messages: int = KEPT_MESSAGES,
    ) -> None:
        self._base = base
        self._listener = listener
        self._first_page = first_page
        self._talk = Talk(user_id, kept=kept, keep_messages=keep_messages)
        self._history = ChatHistory(session_id, tickets)
        url = feed_address(base, "messages", session_id)
        self._feed = Feed(
            url, tickets.fresh, silence_seconds=SILENCE_SECONDS, is_quiet=True, trust=lambda: client.trust
        )
        self._changed = asyncio.Event()
        self._moved = asyncio.Event()
        self._stopped = asyncio.Event()
        self._is_telling = False

    @classmethod
    async def join(
        cls,
        client: ServiceClient,
        session_id: str,
        tickets: Tickets,
        listener: Listener,
        *,
        user_id: str | None = None,
        kept: Any = None,
    ) -> "Conversation":
        """Take part in a session's talk; without `user_id` the server is asked who this is. Raises ClientError."""
        base = await client.address_of(SERVICE)
        user_id = user_id or (await client.me()).id
        return cls(client, session_id, tickets, user_id, base, listener, kept=kept)

    # --- what is known ------------------------------------------------------------------------------------------

    @property
    def user_id(self) -> str:
        """Whose client this is."""
        return self._talk.user_id

    @property
    def transcript(self) -> Transcript:
        """What was said, as far as it is kept here."""
        return self._talk.transcript

    @property
    def drafts(self) -> list[Draft]:
        """What this person said and is not in the transcript yet, as it goes out; failed ones last."""
        return self._talk.drafts

    @property
    def reads(self) -> dict[str, int]:
        """How far the others have read: `seq` by user id."""
        return self._talk.reads

    @property
    def typing(self) -> tuple[tuple[str, str], ...]:
        """Who else is writing just now: user ids and names."""
        return self._talk.typing

    @property
    def is_caught_up(self) -> bool:
        """Whether the line stands and nothing is missing."""
        return self._talk.is_caught_up

    def kept(self) -> dict[str, Any]:
        """What to keep for another time, as plain data that JSON can hold."""
        return self._talk.kept()

    # --- life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Talk. Raises ClientError when the service does not want this client back."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self._listen, self._begin, self._look, self._end_when_stopped):
                    group.create_task(part())
        except* _Stopped:
            pass
        except* FeedEnded as group_of_one:
            ended = group_of_one.exceptions[0]
            assert isinstance(ended, FeedEnded)
            raise errors.of_close_code(ended.code, str(ended), url=self._base) from None
        except* errors.ClientError as group_of_one:
            raise group_of_one.exceptions[0] from None

    def stop(self) -> None:
        """End `run`; what is not acknowledged is in `kept`."""
        self._stopped.set()

    def reconnect(self) -> None:
        """Try the line again now."""
        self._feed.retry()

    # --- what the person does -----------------------------------------------------------------------------------

    def say(
        self,
        content: str,
        *,
        kind: PersonalKind = "text",
        position: float | None = None,
        reply_to: str | None = None,
    ) -> str | None:
        """Say something, at `position` (seconds of film) in reply to a message's id; its name as a draft comes back.

        None when too much waits already.
        """
        draft = Draft(
            client_id=secrets.token_hex(16), content=content, kind=kind, position=position, reply_to=reply_to,
            written_at=time.time(),
        )  # fmt: skip
        with self._acting() as now:
            return draft.client_id if self._talk.say(draft, now) else None

    def react(self, name: str, *, position: float | None = None, reply_to: str | None = None) -> str | None:
        """React with an emoji or a short name."""
        return self.say(name, kind="reaction", position=position, reply_to=reply_to)

    def edit(self, message_id: str, content: str) -> None:
        """Put this in place of what this person said."""
        with self._acting() as now:
            self._talk.change(Change(id=message_id, content=content), now)

    def delete(self, message_id: str) -> None:
        """Take back what this person said."""
        with self._acting() as now:
            self._talk.change(Change(id=message_id, content=None), now)

    def retry(self, client_id: str) -> None:
        """Send a failed draft again."""
        with self._acting() as now:
            self._talk.retry(client_id, now)

    def discard(self, client_id: str) -> None:
        """Throw away a draft that has failed, or was not sent yet."""
        with self._acting():
            self._talk.discard(client_id)

    def read(self, seq: int) -> None:
        """This person has read everything up to `seq`."""
        with self._acting() as now:
            self._talk.read(seq, now)

    def typed(self) -> None:
        """This person has pressed a key in what they are writing; told now and then."""
        with self._acting() as now:
            self._talk.typed(now)

    async def older(self, limit: int = PAGE_DEFAULT, *, before: int | None = None) -> tuple[Message, ...]:
        """A page of messages before what is kept, or before `before`; they are told as an update too.

        None come back where the talk begins. Raises ClientError.
        """
        page = await self._history.before(self._talk.transcript.first if before is None else before, limit)
        with self._acting():
            return self._talk.older(page)

    # --- inside -------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async with contextlib.aclosing(self._feed.events()) as events:
            async for event in events:
                with self._acting():
                    match event:
                        case Opened():
                            self._talk.opened(event.at)
                        case Received():
                            self._receive(event.data, event.at)
                        case Lost():
                            self._talk.lost(event.why, event.retry_in)
                        case _:
                            assert_never(event)

    def _receive(self, data: bytes, at: float) -> None:
        try:
            frame = _DECODER.decode(data)
        except UNREADABLE:
            return  # a newer service may say things that this client does not know
        self._talk.received(frame, at)

    async def _begin(self) -> None:
        """Find out where the talk is whenever that is not known, and fetch the page that stands before the news."""
        is_first = True
        while True:
            await self._until(lambda: self._talk.needs_start or self._talk.is_caught_up)
            if self._talk.needs_start:
                try:
                    head = await self._history.head()
                except (errors.Unreachable, errors.AskedTooOften):
                    await asyncio.sleep(START_AGAIN_SECONDS)
                    continue
                is_first = True
                with self._acting() as now:
                    self._talk.start(head, now)
            elif is_first:
                is_first = False
                if self._first_page and self._talk.transcript.has_older:
                    with contextlib.suppress(errors.Unreachable, errors.AskedTooOften):  # it can be asked for later
                        await self.older(self._first_page)
            else:
                await self._until(lambda: self._talk.needs_start)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._moved.clear()
            await self._moved.wait()

    async def _look(self) -> None:
        while True:
            with self._acting() as now:
                self._talk.tick(now)
            self._changed.clear()
            wait = min(self._talk.next_wake() - time.monotonic(), LOOK_SECONDS)
            with contextlib.suppress(TimeoutError):  # wait_for would lose a cancellation that comes with a change
                async with asyncio.timeout(max(0.0, wait)):
                    await self._changed.wait()

    async def _end_when_stopped(self) -> None:
        await self._stopped.wait()
        raise _Stopped

    @contextlib.contextmanager
    def _acting(self) -> Iterator[float]:
        """Let something happen to the talk, at the moment given, and carry out what comes of it."""
        yield time.monotonic()
        for event in (self._changed, self._moved):
            event.set()
        if self._is_telling:
            return  # a listener acts: what comes of it is told after what it was told of
        self._is_telling = True
        try:
            while outputs := self._talk.outputs():
                for output in outputs:
                    if isinstance(output, SendChat):
                        self._feed.send(_ENCODER.encode(output.frame))
                    else:
                        self._listener(output)
        finally:
            self._is_telling = False


class _Stopped(Exception):
    """Ends the group of tasks from inside."""
