"""PlaybackControl: one session's playback, a status and a position, moved by what its participants say.

Theory of operation. The service owns one timeline G (`timeline.py`). Participants report where their players are and,
through acts, what they want. Acts go through the table of consent (`status.py`); positions only ever move the
timeline by the minimum rule and the waits (`review.py`). Every input first lets time catch up (so that a deadline
that passed is carried out before what came after it), then applies what was said, then looks again. Inputs return
the events to tell everybody, in order; `next_wake` says when `advance` must be called if nobody says anything. There
is no clock, no I/O and no randomness here: the same inputs give the same outputs.
"""

from dataclasses import replace

from dateflicks.core import limits
from dateflicks.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany
from dateflicks.core.playback import review
from dateflicks.core.playback.messages import (
    Cause,
    Member,
    OnLeave,
    PlaybackRules,
    Reason,
    SeekChange,
    Status,
    StatusChange,
    TimecodeEvent,
    TimecodeRecord,
    TimecodeRequest,
)
from dateflicks.core.playback.participant import Participant
from dateflicks.core.playback.patience import Wait, Why
from dateflicks.core.playback.position import Place, PlaybackPosition
from dateflicks.core.playback.state import PlaybackState, vacancy
from dateflicks.core.playback.status import Acted, Outcome, PlaybackStatus
from dateflicks.core.playback.timeline import Timeline

Events = tuple[TimecodeEvent, ...]

_REASONS = {status: Reason(status.value) for status in Status}
_STALE = "The state has changed meanwhile: look at the newest timecode and ask again."
_REVISION_LEAP = 1_000  # after a restart: more than could have been told between the last record and the end


class PlaybackControl:
    """One session's playback. All methods take `now` in seconds of the server's clock, which never goes back."""

    def __init__(self, session_id: str, length: float, now: float, rules: PlaybackRules | None = None) -> None:
        self.state = PlaybackState(
            session_id=session_id,
            rules=rules or PlaybackRules(),
            timeline=Timeline(at=now, length=length),
            status=PlaybackStatus(changed_at=now),
            position=PlaybackPosition(length),
        )

    @classmethod
    def from_record(cls, record: TimecodeRecord, now: float, rules: PlaybackRules | None = None) -> "PlaybackControl":
        """Go on from what was kept: play that went on a moment ago goes on, an older one waits to be told where."""
        control = cls(record.session_id, record.length, now, rules)
        state = control.state
        state.status = PlaybackStatus(
            record.status,
            record.settled,
            record.last_status_change,
            dict.fromkeys((member.user_id for member in record.members), record.settled),
            record.pending,
        )
        if isinstance(record.pending, StatusChange):
            state.status = replace(state.status, words={**state.status.words, record.pending.by: record.pending.target})
        state.revision = record.revision + _REVISION_LEAP
        may_be_old = review.DESERTED_SECONDS + limits.RECORD_INTERVAL_SECONDS
        recent = now - record.at <= may_be_old and bool(record.present)
        goes_on = record.status.moves and record.rate > 0 and recent
        for member in record.members:  # their players ran on with the timeline that goes on here, so they count at once
            in_step = goes_on and member.user_id in record.present
            state.participants[member.user_id] = Participant(member, in_step=in_step)
        state.anchor(record.current_position, now, 0.0)
        if goes_on:
            state.anchor(record.current_position, min(record.at, now + limits.LEAD_MAX_SECONDS), record.rate)
            state.deserted_at = now
        elif record.status.moves:
            state.recovering, state.goes_on = True, recent
        return control

    # --- what people do -----------------------------------------------------------------------------------------

    def join(self, member: Member, now: float) -> Events:
        """Somebody connects. Raises TooMany when the party is full."""
        state = self._caught_up(now)
        known = state.participants.get(member.user_id)
        if known is None:
            if len(state.participants) >= limits.PARTICIPANTS_MAX:
                full = f"This session is full: at most {limits.PARTICIPANTS_MAX} people can watch together."
                raise TooMany(full, retry_after=60.0)
            known = Participant(member)
        returns_to_us = known.in_step and not known.connected and known.reported_at is None
        state.participants[member.user_id] = Participant(
            member, connected=True, in_step=returns_to_us, delays=known.delays, excused_until=known.excused_until
        )
        state.status = state.status.joined(member.user_id, vacancy(member.role))
        state.deserted_at = None
        if state.recovering and state.wait is None:
            everybody = frozenset(state.participants)
            state.wait = Wait(Why.RECOVER, everybody, now + review.RECOVER_SECONDS)
            state.moved_on = {}
        state.tell(Reason.JOIN, member.user_id, now)
        return self._reviewed(now)

    def rename(self, user_id: str, name: str) -> bool:
        """Call a member otherwise from here on; False when that changes nothing."""
        known = self.state.participants.get(user_id)
        if known is None or known.member.name == name:
            return False
        self.state.participants[user_id] = replace(known, member=replace(known.member, name=name))
        return True

    def leave(self, user_id: str, now: float) -> Events:
        """The last connection of somebody is gone; their place is kept."""
        state = self._caught_up(now)
        was = self._participant(user_id)
        if not was.connected:
            return self._reviewed(now)
        holds = state.rules.on_leave is OnLeave.HOLD and was.in_step and state.timeline.moves_at(now)
        state.update(user_id, connected=False, in_step=False, buffering=False, stalled_since=None, revision=-1)
        if not any(state.present()) and state.status.value.moves and not state.recovering:
            state.deserted_at = now
        elif holds:
            state.stand_still(now)
            state.wait = Wait(Why.LEAVE, frozenset({user_id}), now + state.rules.wait_seconds)
        state.tell(Reason.LEAVE, user_id, now)
        return self._reviewed(now)

    def change_player(self, user_id: str, now: float) -> Events:
        """Another connection of somebody counts from now on: its player moves nobody before it is in step."""
        state = self._caught_up(now)
        self._participant(user_id)
        state.update(
            user_id, in_step=False, reported_at=None, measured_at=None, revision=-1, rate=0.0,
            buffering=False, stalled_since=None,
        )  # fmt: skip
        return self._reviewed(now)

    def receive(self, request: TimecodeRequest, now: float) -> Events:
        """A report: a position that may have a say, and a word that may be an act.

        Raises Invalid for another session's or a future report, Forbidden for a role that is not theirs, Conflict
        (code `stale`) for an act of the user that was made before its author had seen the present state.
        """
        self._caught_up(now)
        one = self._check(request)
        if self._is_old(request.revision):
            if request.cause is Cause.USER:
                raise Conflict(_STALE, code="stale")
            self._note_movement(request, now)
            return self._reviewed(now)
        self._note_movement(request, now)
        self._learn(one, request, now)
        if self._acts(request):
            self._ask(request.user_id, request.status, now)
        return self._reviewed(now)

    def ask(self, request: TimecodeRequest, now: float) -> Events:
        """An act that no player made: its status says what somebody wants, and nothing else of it counts.

        Raises NotFound for whoever has never had a player here; else as `receive`.
        """
        self._caught_up(now)
        self._check(request)
        if self._is_old(request.revision):
            raise Conflict(_STALE, code="stale")
        self._ask(request.user_id, request.status, now)
        return self._reviewed(now)

    def seek(self, user_id: str, to: float, now: float) -> Events:
        """Ask everyone to move to `to`, or agree to the move that is pending.

        Raises Conflict: code `pending` while a change of status waits for its answer, code `stale` for an agreement
        to a move that has been overtaken. Taken for a new wish, it would be asked of everybody in turn, for ever.
        """
        state = self._caught_up(now)
        self._participant(user_id)
        pending = state.status.pending
        target = min(to, state.position.length)
        if isinstance(pending, SeekChange) and abs(target - pending.target) <= limits.SEEK_TOLERANCE_SECONDS:
            acted, target = state.status.agree_to_seek(user_id, pending), pending.target
        elif state.answers_past_seek(user_id, target, now):
            raise Conflict("That move is no longer asked for: look at the newest timecode.", code="stale")
        elif isinstance(pending, StatusChange):
            raise Conflict(f"A change to {pending.target} waits for its answer: answer that first.", code="pending")
        else:
            deadline = now + state.rules.confirm_seconds
            here = state.timeline.position_at(now)
            acted = state.status.ask_seek(SeekChange(user_id, here, target, deadline, state.awaited(user_id)))
        state.status = acted.status
        if acted.outcome is Outcome.CONFIRMED:
            self._move(target, now)
        if acted.outcome in (Outcome.ASKED, Outcome.CONFIRMED):
            state.tell(Reason.SEEK, user_id, now)
        return self._reviewed(now)

    def refuse(self, user_id: str, now: float) -> Events:
        """Refuse what is pending, or take one's own request back. Raises Conflict when nothing is pending."""
        state = self._caught_up(now)
        self._participant(user_id)
        if state.status.pending is None:
            raise Conflict("Nothing is pending: it was answered or has run out meanwhile.", code="nothing-pending")
        self._carry_out(state.status.refuse(user_id, now), user_id, now)
        return self._reviewed(now)

    def set_length(self, length: float, now: float) -> Events:
        """The video's length becomes known, or is corrected; a position beyond it is cut."""
        state = self._caught_up(now)
        if length != state.position.length:
            line = state.timeline.anchored(now)
            state.position = state.position.with_length(length)
            state.anchor(line.position, line.at, line.rate)
            state.tell(Reason.START, None, now)
        return self._reviewed(now)

    def measured_one_way(self, user_id: str, seconds: float) -> None:
        """The transport has measured how long a frame takes to or from somebody."""
        self.state.participants[user_id] = self._participant(user_id).took(seconds)

    # --- what time does -----------------------------------------------------------------------------------------

    def advance(self, now: float) -> Events:
        """Carry out what is due by `now`."""
        return self._reviewed(now)

    def next_wake(self) -> float | None:
        """When `advance` must be called at the latest, or None."""
        return review.next_wake(self.state)

    # --- what can be seen ---------------------------------------------------------------------------------------

    def to_timecode_event(self, now: float) -> TimecodeEvent:
        """The present state, as it is told to one who connects or at the regular interval; no new revision."""
        return self.state.event(now)

    def places(self, now: float) -> dict[str, float]:
        """Where the players are of all who have said so of late, by user id."""
        return self.state.reported_places(now)

    def to_record(self, now: float) -> TimecodeRecord:
        """The present state, as it is kept."""
        return self.state.record(now)

    # --- inside -------------------------------------------------------------------------------------------------

    def _caught_up(self, now: float) -> PlaybackState:
        review.review(self.state, now)
        return self.state

    def _reviewed(self, now: float) -> Events:
        review.review(self.state, now)
        self.state.note_seek(now)
        if not self.state.told:
            return ()
        told = tuple(self.state.told)
        self.state.told.clear()
        return told

    def _check(self, request: TimecodeRequest) -> Participant:
        one = self._participant(request.user_id)
        if request.session_id != self.state.session_id:
            raise Invalid("The report names another session than this connection's.", code="wrong-session")
        if request.is_host != (one.member.role == "host"):
            raise Forbidden("isHost does not match the ticket.", code="wrong-role")
        return one

    def _is_old(self, revision: int | None) -> bool:
        """Whether there is a newer one. Raises Invalid for one that was never told."""
        if revision is not None and revision > self.state.revision:
            raise Invalid("The report names a revision that was never told.", code="unknown-revision")
        return revision is not None and revision < self.state.revision

    def _participant(self, user_id: str) -> Participant:
        one = self.state.participants.get(user_id)
        if one is None:
            raise NotFound("Nobody by this id takes part in this session.")
        return one

    def _learn(self, one: Participant, request: TimecodeRequest, now: float) -> None:
        """Take in where a player is; a report that overtook a newer one, or was long under way, says nothing new."""
        state = self.state
        user_id = one.member.user_id
        measured_at = now if request.sent_at is None else min(request.sent_at, now)
        if request.length and not state.position.length:
            state.position = state.position.with_length(request.length)
            state.anchor(state.timeline.position, state.timeline.at, state.timeline.rate)
            state.tell(Reason.START, user_id, now)
        delays = one.delays if request.sent_at is None else one.delays_with(now - measured_at)
        overtaken = one.measured_at is not None and measured_at < one.measured_at
        if overtaken or now - measured_at > limits.REPORT_FRESH_SECONDS:
            state.participants[user_id] = replace(one, delays=delays)
            return
        moves = state.timeline.moves_at(measured_at) and request.status.moves and not request.buffering
        rate = request.rate if request.rate is not None else (state.timeline.rate if moves else 0.0)
        state.position = state.position.reported(user_id, Place(request.current_position, measured_at, rate))
        distance = abs(request.current_position - state.timeline.position_at(measured_at))
        state.participants[user_id] = Participant(  # in full: `replace` takes thrice as long, for every report
            one.member,
            connected=one.connected,
            in_step=(one.in_step or distance <= state.rules.band_seconds) and not one.excused,
            reported_at=now,
            measured_at=measured_at,
            revision=state.revision,
            rate=rate,
            buffering=request.buffering,
            stalled_since=(one.stalled_since or now) if request.buffering else None,
            excused_until=one.excused_until,
            delays=delays,
        )

    def _note_movement(self, request: TimecodeRequest, now: float) -> None:
        """Where somebody comes back with a player that moves is remembered while all are asked: the asking stops it,
        and whoever takes the line as it stands for a place to be at goes back to it."""
        state = self.state
        if state.wait is None or state.wait.why is not Why.RECOVER or request.buffering:
            return
        if request.rate is None:  # of players that do not say so, one that has just been opened stands at the beginning
            kept = state.timeline.position_at(now) + state.rules.band_seconds
            moves = request.status.moves and request.current_position > kept
        else:
            moves = request.rate > 0
        if moves:
            state.moved_on[request.user_id] = min(request.current_position, state.position.length)

    def _acts(self, request: TimecodeRequest) -> bool:
        if request.cause is None:
            return request.status is not self.state.status.word(request.user_id)
        return request.cause is Cause.USER

    def _ask(self, user_id: str, to: Status, now: float) -> None:
        state = self.state
        deadline = now + state.rules.confirm_seconds
        acted = state.status.act(user_id, to, now, deadline=deadline, awaited=state.awaited(user_id))
        self._carry_out(acted, user_id, now)

    def _carry_out(self, acted: Acted, by: str, now: float) -> None:
        state = self.state
        before = state.status
        state.status = acted.status
        if acted.outcome in (Outcome.NOTHING, Outcome.AGREED):
            return  # one of several agreements is not told: it would make the others' stale while they are under way
        if acted.status.value.moves and not before.value.moves:
            state.start(now)
        elif before.value.moves and not acted.status.value.moves:
            state.stand_still(now, asker=by)
            state.recovering = False
        state.tell(_reason(acted), by, now)

    def _move(self, target: float, now: float) -> None:
        """A seek is settled: all go there; a film that played goes on when all are there."""
        state = self.state
        state.anchor(target, now, 0.0)
        state.recovering = False
        state.wait = None
        if state.status.value.moves:
            whom = frozenset(one.member.user_id for one in state.present() if not one.excused)
            state.wait = Wait(Why.SEEK, whom, now + limits.SEEK_READY_SECONDS)


def _reason(acted: Acted) -> Reason:
    if acted.outcome is Outcome.REFUSED:
        return Reason.REFUSED
    pending = acted.status.pending
    return _REASONS[pending.target if isinstance(pending, StatusChange) else acted.status.value]
