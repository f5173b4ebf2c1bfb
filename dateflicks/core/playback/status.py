"""PlaybackStatus: each participant's word, the last change, what is pending, and the value in force.

The whole rule of consent is here as one table in `act`. What makes still takes effect when it is asked and *stays*
when it is confirmed; what makes move takes effect when all have confirmed. Nothing here knows positions or players.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from types import MappingProxyType

from dateflicks.core.playback.messages import Change, SeekChange, Status, StatusChange
from dateflicks.core.values import value

_NO_WORDS: Mapping[str, Status] = MappingProxyType({})


class Outcome(StrEnum):
    """What came of an act."""

    NOTHING = "nothing"  # it says what is already so
    ASKED = "asked"  # a new change is pending
    AGREED = "agreed"  # one of several confirmations that are still missing
    CONFIRMED = "confirmed"  # all agree: the change is settled
    REFUSED = "refused"  # the previous status is back


@value
class PlaybackStatus:
    """The statuses of a session. `value` is in force, `settled` the last one that all agreed on."""

    value: Status = Status.STOP
    settled: Status = Status.STOP
    changed_at: float = 0.0
    words: Mapping[str, Status] = field(default_factory=lambda: _NO_WORDS)
    pending: Change | None = None

    def word(self, user_id: str) -> Status:
        """The status that a participant last asked for or agreed to."""
        return self.words.get(user_id, self.settled)

    def act(self, user_id: str, to: Status, now: float, *, deadline: float, awaited: frozenset[str]) -> "Acted":
        """What comes of `user_id` asking for `to`: `awaited` are the others who would have to agree."""
        pending = self.pending
        if isinstance(pending, StatusChange):
            if to is pending.target:
                return self._agree(user_id, pending, now)
            if to is pending.origin:
                return self.refuse(user_id, now)
        elif to is self.value:
            return Acted(self, Outcome.NOTHING)
        return self._ask(user_id, to, now, deadline, awaited)

    def ask_seek(self, change: SeekChange) -> "Acted":
        """A move becomes what is pending, in the place of a move that was; with nobody to ask it is settled."""
        if not change.awaited:
            return Acted(self._settled_at(self.value, self.changed_at), Outcome.CONFIRMED)
        return Acted(replace(self, pending=change), Outcome.ASKED)

    def agree_to_seek(self, user_id: str, change: SeekChange) -> "Acted":
        """One agrees to the pending move."""
        left = change.awaited - {user_id}
        if left == change.awaited:
            return Acted(self, Outcome.NOTHING)
        if left:
            return Acted(replace(self, pending=replace(change, awaited=left)), Outcome.AGREED)
        return Acted(self._settled_at(self.value, self.changed_at), Outcome.CONFIRMED)

    def refuse(self, user_id: str, now: float) -> "Acted":
        """Refuse what is pending, or take one's own request back: what was settled is in force again."""
        del user_id  # anybody's refusal counts the same
        if self.pending is None:
            return Acted(self, Outcome.NOTHING)
        changed_at = self.changed_at if self.value is self.settled else now
        return Acted(self._settled_at(self.settled, changed_at), Outcome.REFUSED)

    def expire(self, now: float) -> "PlaybackStatus":
        """The deadline has passed without an answer: what was settled comes back by itself."""
        return self.refuse("", now).status

    def forced(self, value: Status, now: float) -> "PlaybackStatus":
        """A status that nobody asked for (the film's end), in force and settled at once."""
        return self._settled_at(value, now if value is not self.value else self.changed_at)

    def joined(self, user_id: str, in_place_of: str) -> "PlaybackStatus":
        """Somebody is there for the first time: they agreed to what is settled, and are asked what `in_place_of` was.

        A change that was asked before the guest ever came waits for a placeholder; whoever takes the place is asked.
        """
        words = MappingProxyType({**self.words, user_id: self.words.get(user_id, self.settled)})
        pending = self.pending
        if pending is not None and in_place_of in pending.awaited:
            pending = replace(pending, awaited=pending.awaited - {in_place_of} | {user_id})
        return replace(self, words=words, pending=pending)

    def _ask(self, user_id: str, to: Status, now: float, deadline: float, awaited: frozenset[str]) -> "Acted":
        if not awaited:
            return Acted(self._settled_at(to, now if to is not self.value else self.changed_at), Outcome.CONFIRMED)
        change = StatusChange(user_id, self.settled, to, deadline, awaited)
        words = MappingProxyType({**self.words, user_id: to})
        value = self.value if to.moves else to  # motion waits for everybody, stillness for nobody
        changed_at = now if value is not self.value else self.changed_at
        return Acted(replace(self, value=value, changed_at=changed_at, words=words, pending=change), Outcome.ASKED)

    def _agree(self, user_id: str, change: StatusChange, now: float) -> "Acted":
        left = change.awaited - {user_id}
        if left == change.awaited:
            return Acted(self, Outcome.NOTHING)
        if left:
            words = MappingProxyType({**self.words, user_id: change.target})
            return Acted(replace(self, words=words, pending=replace(change, awaited=left)), Outcome.AGREED)
        changed_at = now if change.target is not self.value else self.changed_at
        return Acted(self._settled_at(change.target, changed_at), Outcome.CONFIRMED)

    def _settled_at(self, value: Status, changed_at: float) -> "PlaybackStatus":
        words = MappingProxyType(dict.fromkeys(self.words, value))
        return PlaybackStatus(value, value, changed_at, words, None)


@value
class Acted:
    """The status after an act, and what came of it."""

    status: PlaybackStatus
    outcome: Outcome
