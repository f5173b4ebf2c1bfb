"""What a conversation tells whoever shows it: one frozen value for each thing that happened.

Names and texts are other people's own words: whoever shows them makes them printable.
"""

from dataclasses import dataclass
from typing import Literal

from dateflicks.protocol.chat import Message, PersonalKind

DraftState = Literal["waiting", "sent", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What this person said and nobody has been told yet; `client_id` is its name until it has an id.

    waiting: not on the server yet, as far as is known. sent: on the server, its place in the talk comes in a moment.
    failed: the server does not take it, `reason` says why; it stays until it is tried again or thrown away.
    """

    client_id: str
    content: str
    kind: PersonalKind = "text"
    position: float | None = None
    reply_to: str | None = None
    written_at: float = 0.0  # Unix seconds
    state: DraftState = "waiting"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What this person wants changed of what they said: another `content`, or none at all."""

    id: str
    content: str | None

    @property
    def verb(self) -> Literal["edit", "delete"]:
        """The frame that asks for it."""
        return "delete" if self.content is None else "edit"


@dataclass(frozen=True, slots=True)
class ChatLine:
    """The line to the service came or went; `why` and `retry_in` when it went."""

    is_open: bool
    why: str = ""
    retry_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """The next message of the talk, once and in order; `is_news` unless it was said before this line stood."""

    message: Message
    is_news: bool


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A message was edited or taken back; `message` is as it is now, None where it is not kept here."""

    id: str
    seq: int
    message: Message | None


@dataclass(frozen=True, slots=True)
class DraftChanged:
    """A draft is new, or its state is another one."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class DraftGone:
    """A draft has become the message `seq`, or was thrown away (None)."""

    client_id: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class ChangeFailed:
    """An edit or a deletion that the service does not take."""

    change: Change
    reason: str


@dataclass(frozen=True, slots=True)
class HasRead:
    """Somebody else has read everything up to `seq`."""

    user_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class TypingNow:
    """Who else is writing just now: user ids and names."""

    people: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """All that was said while the line was away has been told; the newest message is `seq`.

    `is_anew`: what came before it does not join on to what is shown; nothing of that is kept any more.
    """

    seq: int
    is_anew: bool = False


@dataclass(frozen=True, slots=True)
class Older:
    """A page of older messages, in order, as it was asked for; `is_all` when the talk begins with it."""

    messages: tuple[Message, ...]
    is_all: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something went wrong that belongs to no draft."""

    code: str
    text: str


ChatUpdate = (
    ChatLine | Said | Rewritten | DraftChanged | DraftGone | ChangeFailed | HasRead | TypingNow | CaughtUp | Older
    | Trouble
)  # fmt: skip
