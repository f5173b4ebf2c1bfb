"""The life of a prediction, as one table of who may do what, when, and what comes of it.

    open ── lock, film ──▶ locked ── confirm ──▶ settled
      │                      ├────── object, silence ──▶ void
      └────── void ──────────┴─▶ void

Pure and immutable: an action makes a new prediction, or is refused. An action that has been carried out already changes
nothing when its own person repeats it (`is` the same prediction), so whoever never heard an answer may ask again. A
proposal never changes: whoever confirms, confirms what they have read.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from dateflicks.core.errors import Conflict, FieldProblem, Forbidden, Invalid
from dateflicks.core.scoring import Score, least_confidence, rounded, score_of


class State(StrEnum):
    """Where a prediction is in its life."""

    OPEN = "open"
    LOCKED = "locked"
    SETTLED = "settled"
    VOID = "void"


class Action(StrEnum):
    """What can be done to one: by its people, by the film (`lock` too), or by nobody's answer."""

    CALL = "call"
    LOCK = "lock"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    OBJECT = "object"
    VOID = "void"
    SILENCE = "silence"


class VoidReason(StrEnum):
    """Why there will be no outcome."""

    CALLED_OFF = "called-off"
    OBJECTION = "objection"
    SILENCE = "silence"


class Who(StrEnum):
    """Whose an action is."""

    ANYBODY = "anybody"  # in the session
    OTHERS = "others"  # than the one who proposed the outcome
    NOBODY = "nobody"  # time alone


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from these states, by whom, to a state; `otherwise` says to the wrong person what to do."""

    origins: frozenset[State]
    who: Who
    target: State
    otherwise: str = ""


TABLE: Final[dict[Action, Transition]] = {
    Action.CALL: Transition(frozenset({State.OPEN}), Who.ANYBODY, State.OPEN),
    Action.LOCK: Transition(frozenset({State.OPEN}), Who.ANYBODY, State.LOCKED),
    Action.PROPOSE: Transition(frozenset({State.LOCKED}), Who.ANYBODY, State.LOCKED),
    Action.CONFIRM: Transition(
        frozenset({State.LOCKED}), Who.OTHERS, State.SETTLED, "Your own proposal is for somebody else to confirm."
    ),
    Action.OBJECT: Transition(
        frozenset({State.LOCKED}), Who.OTHERS, State.VOID, "This is your own proposal: void the prediction instead."
    ),
    Action.VOID: Transition(frozenset({State.OPEN, State.LOCKED}), Who.ANYBODY, State.VOID),
    Action.SILENCE: Transition(frozenset({State.LOCKED}), Who.NOBODY, State.VOID),
}
_NOT_NOW: Final = {
    State.OPEN: "This prediction is still open: lock it first.",
    State.LOCKED: "This prediction is locked: its calls stay as they are.",
    State.SETTLED: "This prediction is settled.",
    State.VOID: "This prediction is void.",
}
_NOTHING_PROPOSED: Final = "Nobody has proposed an outcome yet: propose one."


@dataclass(frozen=True, slots=True)
class Call:
    """What one person called, how sure they are, and the salt of its commitment. Times are Unix seconds.

    `share` is how much of the film was still to come, `at_position` where it was, in seconds, when anybody knew.
    """

    user_id: str
    name: str
    option: str
    confidence: float
    salt: str
    called_at: float
    at_position: float | None = None
    share: float = 0.0

    def says(self, other: "Call") -> bool:
        """Whether the same person calls the same."""
        mine = (self.user_id, self.option, self.confidence)
        return mine == (other.user_id, other.option, other.confidence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One session's prediction. Positions are seconds of film, times Unix seconds."""

    id: str
    session_id: str
    author: str
    author_name: str
    details: str
    options: tuple[str, ...]
    created_at: float
    at_position: float | None = None
    locks_at_position: float | None = None
    state: State = State.OPEN
    calls: tuple[Call, ...] = ()
    locked_at: float | None = None
    proposed_outcome: str | None = None
    proposed_by: str | None = None
    confirmations: tuple[str, ...] = ()
    outcome: str | None = None
    settled_at: float | None = None
    void_reason: VoidReason | None = None
    voided_by: str | None = None

    # --- what it is ---------------------------------------------------------------------------------------------

    @property
    def is_live(self) -> bool:
        """Whether something can still happen to it."""
        return self.state in (State.OPEN, State.LOCKED)

    @property
    def is_sealed(self) -> bool:
        """Whether what somebody called is still their own: until the lock, and for good if that never came."""
        return self.locked_at is None

    @property
    def is_proposed(self) -> bool:
        """Whether an outcome waits for its confirmation."""
        return self.state is State.LOCKED and self.proposed_by is not None

    @property
    def awaited(self) -> frozenset[str]:
        """Who has called and has not said yet whether the proposed outcome is right; empty without a proposal."""
        if not self.is_proposed:
            return frozenset()
        return frozenset(call.user_id for call in self.calls) - {self.proposed_by} - set(self.confirmations)

    @property
    def people(self) -> frozenset[str]:
        """Everybody who had a part in it."""
        found = {self.author, self.proposed_by, *self.confirmations, *(call.user_id for call in self.calls)}
        return frozenset(one for one in found if one is not None)

    def call_of(self, user_id: str) -> Call | None:
        """What this person called, or None."""
        return next((call for call in self.calls if call.user_id == user_id), None)

    def option_named(self, text: str, field: str) -> str:
        """The option that this is, whatever its case. Raises Invalid, which names the field."""
        named = next((option for option in self.options if option.casefold() == text.casefold()), None)
        if named is None:
            message = f"must be one of: {', '.join(self.options)}"
            raise Invalid("This is no option of the prediction.", (FieldProblem(field, message),))
        return named

    def score(self, call: Call) -> Score | None:
        """What a call was worth, or None as long as there is no outcome."""
        if self.state is not State.SETTLED or self.outcome is None:
            return None
        return score_of(self.options, call.option, call.confidence, self.outcome, call.share)

    # --- what is done to it -------------------------------------------------------------------------------------

    def called(self, call: Call) -> "Prediction":
        """With this call in place of an earlier one of the same person; the same call again changes nothing.

        Raises Conflict when it is not open, Invalid for what is no option or no confidence.
        """
        before = self.call_of(call.user_id)
        option = self.option_named(call.option, "option")
        call = replace(call, option=option, confidence=rounded(call.confidence))
        self._check_confidence(call.confidence)
        if before is not None and before.says(call):
            return self
        self._check(Action.CALL, call.user_id)
        others = tuple(one for one in self.calls if one.user_id != call.user_id)
        return replace(self, calls=(*others, call))

    def locked(self, now: float, by: str | None = None) -> "Prediction":
        """With its calls as they are for good, by somebody or by the film. Raises Conflict when it is void."""
        if self.state in (State.LOCKED, State.SETTLED):
            return self
        self._check(Action.LOCK, by)
        return replace(self, state=TABLE[Action.LOCK].target, locked_at=now)

    def proposed(self, user_id: str, outcome: str, now: float) -> "Prediction":
        """With an outcome that waits for its confirmation; what another proposed already, this confirms.

        Raises Conflict (not locked, or another outcome is proposed), Invalid for what is no option.
        """
        option = self.option_named(outcome, "outcome")
        if self.state in (State.LOCKED, State.SETTLED) and self.proposed_outcome == option:
            return self if self.proposed_by == user_id else self.confirmed(user_id, now)
        self._check(Action.PROPOSE, user_id)
        if self.proposed_outcome is not None:
            todo = "void it if that was a mistake" if self.proposed_by == user_id else "confirm or object"
            detail = f"Another outcome is proposed already, {self.proposed_outcome}: {todo}."
            raise Conflict(detail, code="is-proposed")
        return replace(self, proposed_outcome=option, proposed_by=user_id)

    def confirmed(self, user_id: str, now: float) -> "Prediction":
        """With this person's yes; settled once all others who called have said it, and one at least.

        Raises Forbidden for the one who proposed, Conflict without a proposal.
        """
        if user_id in self.confirmations and self.state in (State.LOCKED, State.SETTLED):
            return self
        self._check(Action.CONFIRM, user_id)
        said = replace(self, confirmations=(*self.confirmations, user_id))
        if said.awaited:
            return said
        return replace(said, state=TABLE[Action.CONFIRM].target, outcome=self.proposed_outcome, settled_at=now)

    def objected(self, user_id: str) -> "Prediction":
        """Void, because somebody sees it otherwise. Raises Forbidden for the one who proposed, Conflict."""
        if self.void_reason is VoidReason.OBJECTION and self.voided_by == user_id:
            return self
        self._check(Action.OBJECT, user_id)
        return self._void(Action.OBJECT, VoidReason.OBJECTION, user_id)

    def called_off(self, user_id: str) -> "Prediction":
        """Void, because somebody wants it no more. Raises Conflict once it is settled or void."""
        if self.void_reason is VoidReason.CALLED_OFF and self.voided_by == user_id:
            return self
        self._check(Action.VOID, user_id)
        return self._void(Action.VOID, VoidReason.CALLED_OFF, user_id)

    def silenced(self) -> "Prediction":
        """Void, because nobody answered the proposal. Unchanged when none waits any more."""
        return self._void(Action.SILENCE, VoidReason.SILENCE, None) if self.is_proposed else self

    # --- inside -------------------------------------------------------------------------------------------------

    def _void(self, action: Action, reason: VoidReason, by: str | None) -> "Prediction":
        return replace(self, state=TABLE[action].target, void_reason=reason, voided_by=by)

    def _check(self, action: Action, user_id: str | None) -> None:
        """Ask the table. Raises Conflict, Forbidden."""
        row = TABLE[action]
        if self.state not in row.origins:
            raise Conflict(_NOT_NOW[self.state], code=f"is-{self.state.value}")
        if row.who is not Who.OTHERS:
            return
        if self.proposed_by is None:
            raise Conflict(_NOTHING_PROPOSED, code="nothing-proposed")
        if user_id == self.proposed_by:
            raise Forbidden(row.otherwise)

    def _check_confidence(self, confidence: float) -> None:
        least = least_confidence(len(self.options))
        if not least <= confidence <= 1.0:
            message = f"must be from {least:g} (knowing nothing) to 1"
            raise Invalid("This is no confidence.", (FieldProblem("confidence", message),))
