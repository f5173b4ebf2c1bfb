"""One session's talk as one person's client knows it: the list, the outbox, who reads and who writes.

Pure: frames and the monotonic clock come in as arguments, what is to be sent and told is fetched with `outputs`. After
each opening of the line it asks for what it missed, and counts as news only what comes behind that.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

import msgspec

from dateflicks.client.chat_kept import KeptTalk, kept_drafts, read_kept
from dateflicks.client.chat_outbox import Outbox
from dateflicks.client.chat_transcript import KEPT_MESSAGES, Transcript
from dateflicks.client.chat_updates import (
    CaughtUp,
    Change,
    ChangeFailed,
    ChatLine,
    ChatUpdate,
    Draft,
    DraftChanged,
    DraftGone,
    HasRead,
    Older,
    Rewritten,
    Said,
    Trouble,
    TypingNow,
)
from dateflicks.core.limits import FRAME_MAX_BYTES
from dateflicks.protocol import chat
from dateflicks.protocol.frames import ErrorFrame
from dateflicks.protocol.text import clean_text

READ_SECONDS: Final = 1.0  # between two read marks
TYPING_AGAIN_SECONDS: Final = chat.TYPING_SECONDS / 2
RESUME_SECONDS: Final = 10.0  # without its end it is asked for again
RESUME_AGAIN_SECONDS: Final = 1.0
RESUME_TRIES: Final = 3  # that end behind a gap; then the gap is let be, and older messages can be asked for
TYPING_MAX: Final = 8  # people
_ENCODER: Final = msgspec.json.Encoder()
_NOTHING_TO_SAY: Final = "There is nothing in it that can be shown."
_TOO_LONG: Final = "It is too long for one message."


@dataclass(frozen=True, slots=True)
class SendChat:
    """Say this to the service."""

    frame: chat.ChatClientFrame


Output = SendChat | ChatUpdate


class Talk:
    """`kept` is what `Talk.kept` gave at another time; what makes no sense in it is as if it were not there."""

    def __init__(self, user_id: str, *, kept: Any = None, keep_messages: int = KEPT_MESSAGES) -> None:
        self.user_id = user_id
        self.transcript = Transcript(keep=keep_messages)
        self.reads: dict[str, int] = {}
        self._outbox = Outbox()
        self._outputs: list[Output] = []
        self._is_open = False
        self._is_placed = False  # it is known behind which message this client is
        self._is_caught_up = False
        self._is_anew = False
        self._changes: int | None = None
        self._resume_at = math.inf
        self._resumes = 0
        self._read = self._read_told = 0
        self._read_at = self._typed_at = -math.inf
        self._typing: dict[str, tuple[str, float]] = {}
        self._take_back(read_kept(kept))

    def outputs(self) -> list[Output]:
        """What is to be sent and told since the last call, in order."""
        found, self._outputs = self._outputs, []
        return found

    # --- what is known ------------------------------------------------------------------------------------------

    @property
    def needs_start(self) -> bool:
        """Whether somebody has to find out what the newest message is, and say so with `start`."""
        return self._is_open and not self._is_placed

    @property
    def is_caught_up(self) -> bool:
        """Whether nothing is missing: what comes now is new."""
        return self._is_open and self._is_caught_up

    @property
    def drafts(self) -> list[Draft]:
        """What this person said and is not in the list yet, in the order in which it goes out; failed ones last."""
        return self._outbox.drafts

    @property
    def typing(self) -> tuple[tuple[str, str], ...]:
        """Who else is writing: user ids and names."""
        return tuple((user_id, name) for user_id, (name, _) in self._typing.items())

    def kept(self) -> dict[str, Any]:
        """What to keep for another time, as plain data."""
        seq = self.transcript.last if self._is_placed else None
        return KeptTalk(seq=seq, changes=self._changes, read=self._read, drafts=kept_drafts(self.drafts)).plain()

    def _take_back(self, kept: KeptTalk) -> None:
        if kept.seq is not None and kept.seq >= 0:
            self.transcript.start(kept.seq)
            self._is_placed = True
            self._changes = kept.changes
        self._read = max(0, kept.read)
        for one in kept.drafts:
            self._outbox.add(one.draft(_clean(one.content)))

    # --- what the person does -----------------------------------------------------------------------------------

    def say(self, draft: Draft, now: float) -> bool:
        """Send it as soon as it is its turn; False when too many wait already."""
        if self._outbox.is_full:
            self._tell(Trouble("outbox-full", "Too much waits to be sent already; this was not taken."))
            return False
        content = _clean(draft.content)
        draft = replace(draft, content=content, state="waiting", reason="")
        if why := _wrong(draft, content):
            draft = replace(draft, state="failed", reason=why)
        self._outbox.add(draft)
        self._tell(DraftChanged(draft))
        self._flush(now)
        return True

    def change(self, change: Change, now: float) -> None:
        """Edit or delete what this person said."""
        if change.content is not None:
            change = replace(change, content=_clean(change.content))
            if why := _wrong(change, change.content or ""):
                self._tell(ChangeFailed(change, why))
                return
        if self._outbox.is_full:
            self._tell(ChangeFailed(change, "Too much waits to be sent already."))
            return
        self._outbox.add(change)
        self._flush(now)

    def retry(self, client_id: str, now: float) -> None:
        """Send a failed draft again."""
        if not self._outbox.is_full and (draft := self._outbox.failed(client_id)) is not None:
            self.say(draft, now)

    def discard(self, client_id: str) -> None:
        """Throw away a draft that has failed, or has not been sent yet."""
        if self._outbox.discard(client_id) is not None:
            self._tell(DraftGone(client_id, None))

    def read(self, seq: int, now: float) -> None:
        """This person has read everything up to `seq`."""
        self._read = max(self._read, min(seq, self.transcript.last))
        self._tell_read(now)

    def typed(self, now: float) -> None:
        """This person is writing something; told every few seconds at most."""
        if self._is_open and now >= self._typed_at + TYPING_AGAIN_SECONDS:
            self._typed_at = now
            self._send(chat.TypingFrame())

    # --- the line -----------------------------------------------------------------------------------------------

    def opened(self, now: float) -> None:
        """The line stands."""
        self._is_open, self._is_caught_up, self._resumes = True, False, 0
        self._read_told = 0
        self._tell(ChatLine(True))
        if self._is_placed:
            self._resume(now)
            self._outbox.opened()
        self._flush(now)

    def lost(self, why: str, retry_in: float) -> None:
        """The line is gone."""
        self._is_open = self._is_caught_up = False
        self._resume_at = math.inf
        self._outbox.lost()
        self._tell(ChatLine(False, why, retry_in))
        if self._typing:
            self._typing.clear()
            self._tell(TypingNow(()))

    def start(self, last: int, now: float) -> None:
        """The newest message is `last`: what comes behind it will be told, what stands before it can be asked for."""
        if not self._is_placed:
            self._place(last)
            if self._is_open:
                self._resume(now)
                self._outbox.opened()  # not before: what this person says is to be told to them in its place
            self._flush(now)

    def tick(self, now: float) -> None:
        """Let time pass."""
        gone = [user_id for user_id, (_, until) in self._typing.items() if until <= now]
        for user_id in gone:
            del self._typing[user_id]
        if gone:
            self._tell(TypingNow(self.typing))
        if now >= self._resume_at:
            self._resume(now)
        self._tell_read(now)
        if (change := self._outbox.given_up(now)) is not None:
            self._tell(ChangeFailed(change, "The service did not say that it was done."))
        self._flush(now)

    def next_wake(self) -> float:
        """When `tick` has something to do."""
        typing = min((until for _, until in self._typing.values()), default=math.inf)
        read = self._read_at + READ_SECONDS if self._is_caught_up and self._read > self._read_told else math.inf
        return min(typing, read, self._resume_at, self._outbox.next_wake())

    # --- what comes in ------------------------------------------------------------------------------------------

    def received(self, frame: chat.ChatServerFrame, now: float) -> None:
        """A frame has come."""
        match frame:
            case chat.MessageFrame(message=message):
                self._message(message, now)
            case chat.AckFrame(client_id=client_id, seq=seq):
                self._acknowledged(client_id, seq)
            case chat.EditedFrame() | chat.DeletedFrame():
                self._rewritten(frame)
            case chat.ResumedFrame():
                self._resumed(frame, now)
            case chat.ReadTold(by=by, seq=seq):
                if seq > self.reads.get(by, 0):
                    self.reads[by] = seq
                    self._tell(HasRead(by, seq))
            case chat.TypingTold(by=by, name=name):
                self._others_typing(by, name, now)
            case ErrorFrame():
                self._error(frame, now)
            case _:
                assert_never(frame)
        self._flush(now)

    def older(self, page: Iterable[chat.Message]) -> tuple[chat.Message, ...]:
        """A page of older messages has come, in order; they come back as they are by now."""
        messages = self.transcript.prepend(page)
        self._tell(Older(messages, is_all=not messages or messages[0].seq <= 1))
        return messages

    def _message(self, message: chat.Message, now: float) -> None:
        """Only the next one counts: others were here before, or come again in their turn."""
        if not self._is_placed or message.seq <= self.transcript.last:
            return
        if message.seq > self.transcript.last + 1:
            if self._is_caught_up:
                self._is_caught_up = False
                self._resume(now)
            return
        self.transcript.append(message)
        if message.author is not None and self._typing.pop(message.author, None) is not None:
            self._tell(TypingNow(self.typing))
        self._tell(Said(message, self._is_caught_up))
        is_own = message.author == self.user_id and message.client_id is not None
        if is_own and self._outbox.told(message.client_id or ""):
            self._tell(DraftGone(message.client_id or "", message.seq))

    def _acknowledged(self, client_id: str, seq: int) -> None:
        if (draft := self._outbox.acknowledged(client_id, seq)) is not None:
            self._tell(DraftChanged(draft))
            self._let_go()

    def _rewritten(self, frame: chat.EditedFrame | chat.DeletedFrame) -> None:
        if self._changes is not None:
            self._changes = max(self._changes, frame.change)
        message = self.transcript.change(frame)
        self._outbox.changed(frame.id, is_deleted=isinstance(frame, chat.DeletedFrame))
        self._tell(Rewritten(frame.id, frame.seq, message))

    def _resumed(self, frame: chat.ResumedFrame, now: float) -> None:
        if not self._is_placed:
            return
        if frame.seq > self.transcript.last and self._resumes < RESUME_TRIES:
            self._resume(now)  # something is missing that should not be
            return
        if frame.seq != self.transcript.last:
            self._place(frame.seq)  # this place is of another talk, or has a gap that does not close
        self._resume_at, self._resumes = math.inf, 0
        self._changes = frame.changes
        self._is_caught_up = True
        self._tell(CaughtUp(self.transcript.last, self._is_anew))
        self._is_anew = False
        self._tell_read(now)

    def _place(self, last: int) -> None:
        """Begin behind this message; what was before does not join on."""
        self.transcript.start(last)
        self._read = min(self._read, last)
        self._is_placed = self._is_anew = True
        self._let_go()

    def _let_go(self) -> None:
        """Drafts whose message is in the list, or before its beginning, are drafts no more."""
        if self._is_placed:
            for client_id, seq in self._outbox.passed(self.transcript.last):
                self._tell(DraftGone(client_id, seq))

    def _others_typing(self, by: str, name: str, now: float) -> None:
        if by == self.user_id or (by not in self._typing and len(self._typing) >= TYPING_MAX):
            return
        before = self.typing
        self._typing[by] = (name, now + chat.TYPING_SECONDS)
        if self.typing != before:
            self._tell(TypingNow(self.typing))

    def _error(self, frame: ErrorFrame, now: float) -> None:
        if frame.reply_to == "resume":
            if frame.code == "unavailable" or frame.retry_after is not None:
                self._resume_at = now + max(RESUME_AGAIN_SECONDS, frame.retry_after or 0.0)
            else:  # this place is of another talk
                self._is_placed, self._resume_at, self._changes = False, math.inf, None
                self._outbox.lost()
            return
        if frame.reply_to in ("typing", "read"):
            return  # neither matters enough to be told
        if self._is_told(frame.reply_to):
            return  # it was kept before the line broke: that saying it again came to nothing does not matter
        is_ours = self._outbox.is_under_way(frame.reply_to)
        if frame.retry_after is not None and (is_ours or frame.reply_to is None):
            self._outbox.wait(now, frame.retry_after)
        elif is_ours and frame.code == "unavailable":
            self._outbox.unavailable(now)
        elif is_ours:
            self._refused(frame.detail)
        else:
            self._tell(Trouble(frame.code, frame.detail))

    def _is_told(self, client_id: str | None) -> bool:
        """Whether a message of this person's with this name is in the list."""
        if client_id is None:
            return False
        return any(one.client_id == client_id and one.author == self.user_id for one in self.transcript)

    def _refused(self, reason: str) -> None:
        item = self._outbox.refused(reason)
        if isinstance(item, Draft):
            self._tell(DraftChanged(item))
            return
        found = self.transcript.find(item.id)
        if item.content is not None or found is None or found.deleted_at is None:  # what is gone is gone
            self._tell(ChangeFailed(item, reason))

    # --- what goes out ------------------------------------------------------------------------------------------

    def _resume(self, now: float) -> None:
        self._resumes += 1
        self._resume_at = now + RESUME_SECONDS
        self._send(chat.ResumeFrame(after=self.transcript.last, changes=self._changes))

    def _tell_read(self, now: float) -> None:
        if self._is_caught_up and self._read > self._read_told and now >= self._read_at + READ_SECONDS:
            self._read_told, self._read_at = self._read, now
            self._send(chat.ReadFrame(seq=self._read))

    def _flush(self, now: float) -> None:
        if (item := self._outbox.due(now)) is not None:
            self._send(_frame(item))

    def _send(self, frame: chat.ChatClientFrame) -> None:
        self._outputs.append(SendChat(frame))

    def _tell(self, update: ChatUpdate) -> None:
        self._outputs.append(update)


def _frame(item: Draft | Change) -> chat.SendFrame | chat.EditFrame | chat.DeleteFrame:
    if isinstance(item, Draft):
        return chat.SendFrame(
            client_id=item.client_id, kind=item.kind, content=item.content, position=item.position,
            reply_to=item.reply_to,
        )  # fmt: skip
    return chat.DeleteFrame(id=item.id) if item.content is None else chat.EditFrame(id=item.id, content=item.content)


def _clean(content: str) -> str:
    """As the service would make it, so that what is shown of a draft is what will be."""
    return clean_text(content, FRAME_MAX_BYTES, lines_max=FRAME_MAX_BYTES)


def _wrong(item: Draft | Change, content: str) -> str:
    """What the line does not carry, in words; everything else is the service's to judge."""
    if not content.strip():
        return _NOTHING_TO_SAY
    return _TOO_LONG if len(_ENCODER.encode(_frame(item))) > FRAME_MAX_BYTES else ""
