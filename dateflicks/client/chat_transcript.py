"""What was said, as far as it is kept here: a run of messages without gaps that ends with the newest one.

Bounded: where there are more, the oldest are let go and are asked for again when somebody looks there.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from dateflicks.protocol.chat import DeletedFrame, EditedFrame, Message

KEPT_MESSAGES: Final = 5_000
KEPT_CHANGES: Final = 500  # told while an older page is under way that was read before them


class Transcript:
    """Messages by `seq`; `last` is the newest one known, which need not be kept."""

    def __init__(self, *, keep: int = KEPT_MESSAGES) -> None:
        self._keep = keep
        self._messages: deque[Message] = deque()
        self._seqs: dict[str, int] = {}
        self._changes: dict[int, EditedFrame | DeletedFrame] = {}
        self.last = 0

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        """The kept messages, in order."""
        return iter(self._messages)

    @property
    def first(self) -> int:
        """The `seq` of the oldest one that is kept, or of the one to come."""
        return self.last - len(self._messages) + 1

    @property
    def has_older(self) -> bool:
        """Whether more was said than is kept."""
        return self.first > 1

    def get(self, seq: int) -> Message | None:
        """The message, when it is kept."""
        index = seq - self.first
        return self._messages[index] if 0 <= index < len(self._messages) else None

    def find(self, message_id: str) -> Message | None:
        """The message of this id, when it is kept."""
        seq = self._seqs.get(message_id)
        return None if seq is None else self.get(seq)

    def start(self, last: int) -> None:
        """Begin anew behind message `last`, with nothing kept."""
        self._messages.clear()
        self._seqs.clear()
        self._changes.clear()
        self.last = last

    def append(self, message: Message) -> None:
        """The next one; the caller has seen to it that it is the next."""
        assert message.seq == self.last + 1
        self._messages.append(message)
        self._seqs[message.id] = message.seq
        self.last = message.seq
        if len(self._messages) > self._keep:
            del self._seqs[self._messages.popleft().id]

    def prepend(self, page: Iterable[Message]) -> tuple[Message, ...]:
        """A page of older ones, in order, as they are by now; kept as far as it joins on and there is room."""
        messages = tuple(self._as_now(message) for message in page)
        for message in reversed(messages):
            if message.seq == self.first - 1 and len(self._messages) < self._keep:
                self._messages.appendleft(message)
                self._seqs[message.id] = message.seq
        return messages

    def change(self, frame: EditedFrame | DeletedFrame) -> Message | None:
        """Put an edit or a deletion into effect; the message as it is now, when it is kept."""
        self._changes.pop(frame.seq, None)
        self._changes[frame.seq] = frame
        if len(self._changes) > KEPT_CHANGES:
            del self._changes[next(iter(self._changes))]
        found = self.get(frame.seq)
        if found is None or found.id != frame.id:
            return None
        changed = self._messages[frame.seq - self.first] = changed_by(found, frame)
        return changed

    def _as_now(self, message: Message) -> Message:
        frame = self._changes.get(message.seq)
        return message if frame is None or frame.id != message.id else changed_by(message, frame)


def changed_by(message: Message, frame: EditedFrame | DeletedFrame) -> Message:
    """The message after an edit or a deletion; one that comes late changes nothing."""
    if message.deleted_at is not None:
        return message
    if isinstance(frame, DeletedFrame):
        return msgspec.structs.replace(message, content="", deleted_at=frame.deleted_at)
    if message.edited_at is not None and message.edited_at > frame.edited_at:
        return message
    return msgspec.structs.replace(message, content=frame.content, edited_at=frame.edited_at)
