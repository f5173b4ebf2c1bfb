"""The handshake: the life of a session, as one table of who may do what, when, and what comes of it.

    pending ── accept, redeem ──▶ accepted ── end ──▶ ended
       ├────── reject ──────────▶ rejected
       └────── cancel ──────────▶ cancelled

Pure and immutable: an action makes a new handshake or is refused. Redeeming a link takes the guest's place and is a
yes by itself; that guest may still say yes in words, once, which changes nothing.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from dateflicks.core.errors import Conflict, Forbidden, NotFound
from dateflicks.core.playback.messages import Role


class State(StrEnum):
    """Where a session is in its life."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    ENDED = "ended"


class Action(StrEnum):
    """What a participant may ask for."""

    ACCEPT = "accept"
    REJECT = "reject"
    CANCEL = "cancel"
    END = "end"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table: from a state, by whom, to a state; `otherwise` says what to do when it cannot be."""

    origin: State
    roles: frozenset[Role]
    target: State
    otherwise: str


TABLE: Final[dict[Action, Transition]] = {
    Action.ACCEPT: Transition(
        State.PENDING, frozenset({Role.GUEST}), State.ACCEPTED, "Only the guest answers an invitation."
    ),
    Action.REJECT: Transition(
        State.PENDING, frozenset({Role.GUEST}), State.REJECTED, "Only the guest answers an invitation."
    ),
    Action.CANCEL: Transition(
        State.PENDING, frozenset({Role.HOST}), State.CANCELLED, "Only the host takes an invitation back."
    ),
    Action.END: Transition(State.ACCEPTED, frozenset({Role.HOST, Role.GUEST}), State.ENDED, ""),
}
_PAST: Final = {
    State.PENDING: "has not been answered yet",
    State.ACCEPTED: "has been accepted",
    State.REJECTED: "has been rejected",
    State.CANCELLED: "has been cancelled",
    State.ENDED: "has ended",
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """One session's; `guest_id` is None until somebody redeems its link, `by_link` while that is their only yes."""

    host_id: str
    guest_id: str | None
    state: State = State.PENDING
    by_link: bool = False

    @property
    def is_accepted(self) -> bool | None:
        """The guest's answer: None while there is none, and when the host took the question back."""
        if self.state in (State.PENDING, State.CANCELLED):
            return None
        return self.state is not State.REJECTED

    @property
    def is_live(self) -> bool:
        """Whether it is accepted and not over: tickets are given for it."""
        return self.state is State.ACCEPTED

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.state in (State.REJECTED, State.CANCELLED, State.ENDED)

    def role_of(self, user_id: str) -> Role | None:
        """Their place in it, or None for a stranger."""
        if user_id == self.host_id:
            return Role.HOST
        return Role.GUEST if user_id == self.guest_id else None

    def after(self, action: Action, user_id: str) -> "Handshake":
        """The handshake once this person has done this.

        Raises NotFound for a stranger, Forbidden for the wrong one of the two, Conflict when it is not the time.
        """
        role = self.role_of(user_id)
        if role is None:
            raise NotFound("There is no such session, or it is not yours.")
        row = TABLE[action]
        if role not in row.roles:
            raise Forbidden(row.otherwise)
        if action is Action.ACCEPT and self.state is State.ACCEPTED and self.by_link:
            return replace(self, by_link=False)
        if self.state is not row.origin:
            raise Conflict(f"The session {_PAST[self.state]}.", code=f"is-{self.state.value}")
        return replace(self, state=row.target)

    def redeemed(self, user_id: str) -> "Handshake":
        """The handshake once whoever holds its link has taken the guest's place.

        Raises Forbidden for the host, NotFound when the place is taken or the question is over: a code works once.
        """
        if user_id == self.host_id:
            raise Forbidden("This is your own invitation: send its code to whom you want to watch with.")
        if self.state is not State.PENDING or self.guest_id is not None:
            raise NotFound("This code is wrong, used or expired. Ask for a new one.", code="no-such-code")
        return replace(self, guest_id=user_id, state=State.ACCEPTED, by_link=True)
