"""What is not acknowledged yet: sent one after the other, so that it arrives in the order in which it was written.

One thing is under way at a time. What the service does not answer, has no time for or can not keep just now is sent
again under the same name, which the service knows; what it does not take is put aside with its reason. Pure: no clock.
"""

import math
from collections import deque
from dataclasses import replace
from typing import Final

from dateflicks.client.chat_updates import Change, Draft

OUTBOX_MAX: Final = 500  # more than anybody writes during an outage; then the writer is told
FAILED_MAX: Final = 100
ANSWER_SECONDS: Final = 10.0  # without a word in this time it is sent again
RETRY_MIN_SECONDS: Final = 0.05
RETRY_MAX_SECONDS: Final = 60.0
UNAVAILABLE_SECONDS: Final = (0.25, 0.5, 1.0, 2.0, 4.0, 5.0)
CHANGE_TRIES: Final = 3  # a change that is never told of was not made, for whatever reason

Outgoing = Draft | Change


class Outbox:
    """In order; the head is what is under way or next."""

    def __init__(self) -> None:
        self._queue: deque[Outgoing] = deque()
        self._failed: dict[str, Draft] = {}
        self._sent: dict[str, tuple[Draft, int]] = {}
        self._is_open = False
        self._under_way_until: float | None = None
        self._not_before = -math.inf
        self._refusals = 0
        self._tries = 0  # of the head

    @property
    def drafts(self) -> list[Draft]:
        """All drafts: on the server, then waiting, then failed ones."""
        waiting = [item for item in self._queue if isinstance(item, Draft)]
        return [*(draft for draft, _ in self._sent.values()), *waiting, *self._failed.values()]

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another one."""
        return len(self._queue) >= OUTBOX_MAX

    def add(self, item: Outgoing) -> None:
        """Put it at the end; what has failed before is put aside again."""
        if isinstance(item, Draft) and item.state == "failed":
            self._set_aside(item)
        else:
            self._queue.append(item)

    def discard(self, client_id: str) -> Draft | None:
        """Throw away a failed draft, or one that has not been under way yet."""
        if client_id in self._failed:
            return self._failed.pop(client_id)
        for index, item in enumerate(self._queue):
            if isinstance(item, Draft) and item.client_id == client_id and (index or not self._tries):
                del self._queue[index]
                return item
        return None

    def failed(self, client_id: str) -> Draft | None:
        """A draft that has failed; it is here no more."""
        return self._failed.pop(client_id, None)

    # --- the line -----------------------------------------------------------------------------------------------

    def opened(self) -> None:
        """The line stands: what was under way is sent again."""
        self._is_open = True
        self._under_way_until = None

    def lost(self) -> None:
        """The line is gone."""
        self._is_open = False
        self._under_way_until = None

    def due(self, now: float) -> Outgoing | None:
        """What to send now, or None; it is under way from here on."""
        if not self._queue or not self._is_open or now < self._wake():
            return None
        self._under_way_until = now + ANSWER_SECONDS
        self._tries += 1
        return self._queue[0]

    def next_wake(self) -> float:
        """When there is something to send again, if nothing happens before; never while the line is gone."""
        return self._wake() if self._queue and self._is_open else math.inf

    def _wake(self) -> float:
        return self._not_before if self._under_way_until is None else self._under_way_until

    # --- answers ------------------------------------------------------------------------------------------------

    def acknowledged(self, client_id: str, seq: int) -> Draft | None:
        """It is on the server as message `seq`; that it is told in its place is still to come."""
        found = self._take(client_id)
        if found is None:
            return None
        sent = replace(found, state="sent")
        self._sent[client_id] = (sent, seq)
        return sent

    def passed(self, last: int) -> list[tuple[str, int]]:
        """The messages up to `last` will not be told any more: the names and numbers of those that were drafts here."""
        gone = [(client_id, seq) for client_id, (_, seq) in self._sent.items() if seq <= last]
        for client_id, _ in gone:
            del self._sent[client_id]
        return gone

    def told(self, client_id: str) -> bool:
        """Its message has come; whether there was a draft of that name."""
        return (self._sent.pop(client_id, None) or self._take(client_id)) is not None

    def changed(self, message_id: str, *, is_deleted: bool) -> None:
        """A message was edited or deleted: if that was asked for here, it is done."""
        head = self._queue[0] if self._queue else None
        if isinstance(head, Change) and head.id == message_id and self._tries and (is_deleted or head.content):
            self._pop()

    def is_under_way(self, reply_to: object) -> bool:
        """Whether an answer to this is about the head; one about nothing in particular is."""
        head = self._queue[0] if self._queue and self._tries else None
        if head is None:
            return False
        names = (head.client_id, "message") if isinstance(head, Draft) else (head.id, head.verb)
        return reply_to in names

    def wait(self, now: float, seconds: float) -> None:
        """The service has no time: nothing is sent before that."""
        self._under_way_until = None
        self._not_before = now + min(max(seconds, RETRY_MIN_SECONDS), RETRY_MAX_SECONDS)

    def unavailable(self, now: float) -> None:
        """The service can not keep it just now: later, and later again."""
        self.wait(now, UNAVAILABLE_SECONDS[min(self._refusals, len(UNAVAILABLE_SECONDS) - 1)])
        self._refusals += 1

    def refused(self, reason: str) -> Outgoing:
        """The service does not take the head: it is put aside, and the others go on."""
        head = self._queue[0]
        self._pop()
        return head if isinstance(head, Change) else self._set_aside(replace(head, state="failed", reason=reason))

    def given_up(self, now: float) -> Change | None:
        """A change that was asked for again and again without an answer; it is asked for no more."""
        head = self._queue[0] if self._queue else None
        if not isinstance(head, Change) or self._tries < CHANGE_TRIES or not self._is_open or now < self._wake():
            return None
        self._pop()
        return head

    def _set_aside(self, draft: Draft) -> Draft:
        self._failed[draft.client_id] = draft
        if len(self._failed) > FAILED_MAX:
            del self._failed[next(iter(self._failed))]
        return draft

    def _take(self, client_id: str) -> Draft | None:
        for index, item in enumerate(self._queue):
            if isinstance(item, Draft) and item.client_id == client_id:
                if index:
                    del self._queue[index]
                else:
                    self._pop()
                return item
        return None

    def _pop(self) -> None:
        self._queue.popleft()
        self._under_way_until = None
        self._not_before = -math.inf
        self._refusals = self._tries = 0
