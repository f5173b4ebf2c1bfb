"""The state of one playback and the primitive moves on it: anchor, start, stand still, excuse, tell.

`control.py` moves it when somebody says something, `review.py` when time has passed. Each move that people can notice
raises the revision by one and leaves one event in `told`; nothing else here has an effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dateflicks.core import limits
from dateflicks.core.playback.messages import (
    ParticipantView,
    PlaybackRules,
    Reason,
    Role,
    SeekChange,
    TimecodeEvent,
    TimecodeRecord,
)
from dateflicks.core.playback.participant import Participant
from dateflicks.core.playback.patience import Outside, PullBacks, Wait, Why
from dateflicks.core.playback.position import PlaybackPosition
from dateflicks.core.playback.status import PlaybackStatus
from dateflicks.core.playback.timeline import Timeline

_ROLES = frozenset(Role)
AGREEMENT_LATE_SECONDS = 4.0  # there and back on the slowest line that is borne, two seconds each way


@dataclass(slots=True, kw_only=True)
class PlaybackState:
    """Everything that is known of one session's playback; plain values, so that equal inputs give equal states."""

    session_id: str
    rules: PlaybackRules
    timeline: Timeline
    status: PlaybackStatus
    position: PlaybackPosition
    participants: dict[str, Participant] = field(default_factory=dict)
    revision: int = 0
    reason: Reason = Reason.START
    by: str | None = None
    wait: Wait | None = None
    outside: Outside | None = None
    pull_backs: PullBacks = field(default_factory=PullBacks)
    last_minimum: float = float("-inf")
    deserted_at: float | None = None
    recovering: bool = False  # where the film is will be said by those who come back
    moved_on: dict[str, float] = field(default_factory=dict)  # while recovering: where the players are that went on
    goes_on: bool = False  # while recovering: play went on a moment ago, so it goes on also when all stand
    open_seek: SeekChange | None = None
    past_seeks: tuple[tuple[float, SeekChange], ...] = ()  # moves that ended a moment ago, and when
    told: list[TimecodeEvent] = field(default_factory=list)
    told_at: float = float("-inf")

    # --- who is there -------------------------------------------------------------------------------------------

    def present(self) -> Iterator[Participant]:
        """The participants that are connected now."""
        return (participant for participant in self.participants.values() if participant.connected)

    def standing(self, now: float) -> list[str]:
        """Those whose position has a say where the film goes on from."""
        return [user for user, one in self.participants.items() if one.stands_with_us(now, self.revision)]

    def counted(self, now: float) -> list[str]:
        """Those whose position has a say in the minimum of a moving film: not one who waits for their own request."""
        asker = self.status.pending.by if self.status.pending is not None else None
        return [user for user, one in self.participants.items() if one.counted(now, self.revision) and user != asker]

    def awaited(self, by: str) -> frozenset[str]:
        """Who has to agree when `by` asks: all others that are there, and a role that nobody has taken yet."""
        others = {user for user, one in self.participants.items() if one.connected and user != by}
        missing = _ROLES.difference([one.member.role for one in self.participants.values()])
        return frozenset(others | {vacancy(role) for role in missing} if missing else others)

    def update(self, user_id: str, **changes: object) -> Participant:
        """Replace fields of one participant."""
        changed: Participant = replace(self.participants[user_id], **changes)  # type: ignore[arg-type]  # field names are checked by the tests
        self.participants[user_id] = changed
        return changed

    # --- primitive moves ----------------------------------------------------------------------------------------

    def tell(self, reason: Reason, by: str | None, now: float) -> None:
        """One change that people can notice: a new revision and an event that says so."""
        self.revision += 1
        self.reason, self.by = reason, by
        self.told_at = now
        self.told.append(self.event(now))

    def anchor(self, position: float, at: float, rate: float) -> None:
        """A new timeline; what was known about the old one's band is forgotten."""
        self.timeline = Timeline(position, at, rate, self.position.length)
        self.outside = None

    def lead(self) -> float:
        """How far ahead a start must lie so that it reaches everybody in time, in seconds."""
        slowest = max((one.one_way for one in self.present()), default=0.0)
        wanted = limits.LEAD_FACTOR * slowest + limits.LEAD_EXTRA_SECONDS
        return min(max(wanted, limits.LEAD_MIN_SECONDS), limits.LEAD_MAX_SECONDS)

    def start(self, now: float) -> None:
        """Motion is agreed: start at one instant for all, or wait for those who are still loading."""
        self.wait = None
        if not any(self.present()):
            self.deserted_at = now  # a status came back by itself after all had gone
        loading = frozenset(one.member.user_id for one in self.present() if one.buffering and not one.excused)
        if loading:
            self.anchor(self.timeline.position_at(now), now, 0.0)
            self.wait = Wait(Why.START, loading, now + self.rules.wait_seconds)
        else:
            self.schedule(now)

    def schedule(self, now: float) -> None:
        """Start or resume from the minimum of where all stand, at one instant a little ahead."""
        self.wait = None
        here = self.timeline.position_at(now)
        lowest = here
        for user in self.standing(now):
            place = self.position.of(user, now)
            if place is None or place >= lowest:
                continue
            if here - place > self.rules.band_seconds and not self.pull_backs.allows(now, here - place):
                self.excuse(user, now)
            else:
                lowest = place
        if here - lowest > self.rules.band_seconds:
            self.pull_backs = self.pull_backs.after(now, here - lowest)
        self.anchor(lowest, now + self.lead(), 1.0)

    def stand_still(self, now: float, asker: str | None = None) -> None:
        """Stop the timeline where the one who asked is, or where the last of those who count is."""
        here = self.timeline.position_at(now)
        if self.timeline.moves_at(now):
            among = set(self.counted(now))
            if asker is not None and self.participants[asker].stands_with_us(now, self.revision):
                among.add(asker)
            smallest = self.position.minimum(now, among)
            here = here if smallest is None else min(here, smallest[0])
        self.wait = None
        self.anchor(here, now, 0.0)

    def excuse(self, user_id: str, now: float) -> None:
        """The others go on without this one for a while."""
        self.update(user_id, excused_until=now + limits.EXCUSE_SECONDS, in_step=False, stalled_since=None)
        if self.wait is not None:
            self.wait = self.wait.without(user_id)

    def note_seek(self, now: float) -> None:
        """Remember for a while which move was asked for and is no more: agreements to it are still under way."""
        pending = self.status.pending
        seek = pending if isinstance(pending, SeekChange) else None
        was = self.open_seek
        if seek is was:
            return
        if was is not None and (seek is None or replace(seek, awaited=was.awaited) != was):
            recent = (one for one in self.past_seeks if now - one[0] <= AGREEMENT_LATE_SECONDS)
            self.past_seeks = (*recent, (now, was))
        if was is None or seek is None or replace(seek, awaited=was.awaited) != was:
            self.open_seek = seek

    def answers_past_seek(self, user_id: str, to: float, now: float) -> bool:
        """Whether somebody asks for what they were asked a moment ago: an agreement that came too late, no wish."""
        return any(
            now - ended <= AGREEMENT_LATE_SECONDS
            and user_id in seek.awaited
            and abs(to - seek.target) <= limits.SEEK_TOLERANCE_SECONDS
            for ended, seek in self.past_seeks
        )

    # --- what is told and kept ----------------------------------------------------------------------------------

    def event(self, now: float) -> TimecodeEvent:
        """The state as it is told to everybody."""
        line, here = self.timeline, self.timeline.position_at(now)
        return TimecodeEvent(
            session_id=self.session_id,
            length=self.position.length,
            current_position=here,
            status=self.status.value,
            last_status_change=self.status.changed_at,
            at=max(now, line.at),
            rate=line.rate,
            revision=self.revision,
            reason=self.reason,
            by=self.by,
            waiting_for=tuple(sorted(self.wait.whom)) if self.wait else (),
            pending=self.status.pending,
            participants={user: self._view(user, one, now, here) for user, one in self.participants.items()},
        )

    def record(self, now: float) -> TimecodeRecord:
        """The state as it is kept."""
        line = self.timeline
        return TimecodeRecord(
            session_id=self.session_id,
            length=self.position.length,
            current_position=line.position_at(now),
            status=self.status.value,
            last_status_change=self.status.changed_at,
            at=max(now, line.at),
            rate=line.rate,
            revision=self.revision,
            settled=self.status.settled,
            pending=self.status.pending,
            members=tuple([one.member for one in self.participants.values()]),
            present=tuple([user for user, one in self.participants.items() if one.connected]),
        )

    def reported_places(self, now: float) -> dict[str, float]:
        """Where those are who are there and have said so of late, carried forward to `now`."""
        places, length = self.position.places, self.position.length
        return {
            user: min(places[user].carried(now), length)
            for user, one in self.participants.items()
            if user in places and _is_recent(one, now)
        }

    def _view(self, user_id: str, one: Participant, now: float, here: float) -> ParticipantView:
        place = self.position.places.get(user_id)
        position = drift = None
        if place is not None:
            position = place.position
            if _is_recent(one, now):
                position = min(place.carried(now), self.position.length)
                drift = position - here
        return ParticipantView(
            one.member.role,
            one.member.name,
            one.connected,
            one.buffering,
            one.excused_until is not None,
            self.status.word(user_id),
            position,
            drift,
        )


def _is_recent(one: Participant, now: float) -> bool:
    return one.connected and one.reported_at is not None and now - one.reported_at <= limits.REPORT_FRESH_SECONDS


def vacancy(role: Role) -> str:
    """What stands in for a member who has not come yet, where somebody is asked to agree."""
    return f"?{role.value}"
