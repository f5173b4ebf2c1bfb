"""Who is calling, as the services see it: the statements of a verified token, and nothing that is not in it."""

from dataclasses import dataclass

from dateflicks.protocol.frames import Role


@dataclass(frozen=True, slots=True)
class UserToken:
    """One sign-in of a person; `token_id` is what signing out revokes. Times are Unix seconds."""

    token_id: str
    user_id: str
    name: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """One person's place in one accepted session, by which that session's services know them.

    `token_id` is the sign-in that it was given to: it ends with it.
    """

    session_id: str
    user_id: str
    name: str
    role: Role
    expires_at: float
    token_id: str = ""

    @property
    def is_host(self) -> bool:
        """Whether the place is the host's."""
        return self.role == "host"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a bearer token belongs to, with a ticket when that is what they showed; `token_id` is their sign-in."""

    user_id: str
    name: str
    expires_at: float
    token_id: str = ""
    ticket: Ticket | None = None

    @classmethod
    def with_token(cls, token: UserToken) -> "Caller":
        """A person who is signed in."""
        return cls(token.user_id, token.name, token.expires_at, token_id=token.token_id)

    @classmethod
    def with_ticket(cls, ticket: Ticket) -> "Caller":
        """A participant of one session."""
        return cls(ticket.user_id, ticket.name, ticket.expires_at, ticket.token_id, ticket)
