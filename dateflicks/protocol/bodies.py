"""REST bodies of the session and timecode services, as msgspec structs; camelCase on the wire."""

from typing import Annotated, Any, Final, Literal

import msgspec

from dateflicks.core import limits
from dateflicks.protocol.frames import Frame, OpaqueId, Position, StatusWord

NAME_PATTERN: Final = r"^[A-Za-z0-9_\-]+(?!\n)$"  # by itself, $ lets a last newline pass
Name = Annotated[
    str,
    msgspec.Meta(
        min_length=limits.NAME_MIN_CHARACTERS,
        max_length=limits.NAME_MAX_CHARACTERS,
        pattern=NAME_PATTERN,
    ),
]
Password = Annotated[
    str,
    msgspec.Meta(min_length=limits.PASSWORD_MIN_CHARACTERS, max_length=limits.PASSWORD_MAX_CHARACTERS),
]
SessionState = Literal["pending", "accepted", "rejected", "cancelled", "ended"]


class Body(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Root of all bodies."""


class Credentials(Body, frozen=True, kw_only=True):
    """`POST /users`."""

    name: Name
    password: Password


class SignIn(Body, frozen=True, kw_only=True):
    """`POST /tokens`: what nobody can have registered is a wrong name or password like any other."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PASSWORD_MAX_CHARACTERS)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PASSWORD_MAX_CHARACTERS)]


class UserBody(Body, frozen=True, kw_only=True):
    """A person, as others see them."""

    id: str
    name: str


class SignedIn(Body, frozen=True, kw_only=True):
    """A person and the token that proves it until `expiresAt`."""

    user: UserBody
    token: str
    expires_at: str
    needs_password: bool | msgspec.UnsetType = msgspec.UNSET  # true: the one that was given works no second time


class Me(UserBody, frozen=True, kw_only=True):
    """`GET /users/me`: the caller, also wrapped as everywhere else; without a password only a token opens it."""

    user: UserBody
    has_password: bool = True


class ChangePassword(Body, frozen=True, kw_only=True):
    """`PUT /users/me/password`: an account without a password has no `old` one."""

    old: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.PASSWORD_MAX_CHARACTERS)] | None = None
    new: Password


class Friend(Body, frozen=True, kw_only=True):
    """Somebody on one's list: since when, how many sessions with them were accepted, and when the last one was."""

    user_id: str
    name: str
    since: str
    evenings: int
    last_evening_at: str | None


class FriendAnswer(Body, frozen=True, kw_only=True):
    """One friend, wrapped."""

    friend: Friend


class FriendPage(Body, frozen=True, kw_only=True):
    """A page of one's list, by name."""

    items: list[Friend]
    next: str | None


class VideoRef(Body, frozen=True, kw_only=True):
    """A film that is named by where it is: `url` may be a bare file name that each side finds by itself.

    `length` is in seconds, 0 while nobody knows it.
    """

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.URL_MAX_CHARACTERS)]
    title: Annotated[str, msgspec.Meta(max_length=limits.TITLE_MAX_CHARACTERS)] = ""
    length: Position


class SessionRequest(Body, frozen=True, kw_only=True):
    """What a host asks for: a guest by id or name (or a link), and a film by id or address."""

    guest_user_id: OpaqueId | None = None
    guest_name: Name | None = None
    host_user_id: OpaqueId | None = None
    video_id: OpaqueId | None = None
    video: VideoRef | None = None
    start_time: Annotated[str, msgspec.Meta(max_length=40, extra_json_schema={"format": "date-time"})] | None = None
    details: Any = None
    link: bool = False


class CreateSession(Body, frozen=True, kw_only=True):
    """`POST /sessions`; `link` may stand here or inside the session."""

    session: SessionRequest
    link: bool = False


class Redeem(Body, frozen=True, kw_only=True):
    """`POST /invitations/{code}/redeem`; `name` is for someone without an account."""

    name: Name | None = None


class EndSession(Body, frozen=True, kw_only=True):
    """`POST /sessions/{id}/end`: how far the film came, in seconds, from whoever knows."""

    position: Position | None = None
    length: Position | None = None


class SessionBody(Body, omit_defaults=False, frozen=True, kw_only=True):
    """A session as one of its participants sees it; `ticket` is theirs alone, once accepted."""

    id: str
    host_user_id: str
    guest_user_id: str | None
    video_id: str | None
    start_time: str | None
    is_accepted: bool | None
    details: Any
    state: SessionState
    host_name: str
    guest_name: str | None
    video: VideoRef | None
    created_at: str
    answered_at: str | None = None
    ended_at: str | None = None
    rev: int = 0
    invitation: str | msgspec.UnsetType | None = msgspec.UNSET
    ticket: str | msgspec.UnsetType | None = msgspec.UNSET


class SessionAnswer(Body, frozen=True, kw_only=True):
    """One session, wrapped."""

    session: SessionBody


class Redeemed(Body, frozen=True, kw_only=True):
    """The session whose guest one has become, and a token when an account was made."""

    session: SessionBody
    token: str | msgspec.UnsetType = msgspec.UNSET
    user: UserBody | msgspec.UnsetType = msgspec.UNSET
    expires_at: str | msgspec.UnsetType = msgspec.UNSET


class SessionPage(Body, frozen=True, kw_only=True):
    """A page of sessions; `next` is the cursor of the following page."""

    items: list[SessionBody]
    next: str | None


class HistoryEntry(Body, frozen=True, kw_only=True):
    """One film watched: with whom, when, and how far (seconds; null when nobody told)."""

    session_id: str
    video_id: str | None
    video: VideoRef | None
    with_user_id: str | None
    with_name: str | None
    started_at: str
    ended_at: str | None
    position: float | None
    length: float | None


class HistoryPage(Body, frozen=True, kw_only=True):
    """A page of history, newest first."""

    items: list[HistoryEntry]
    next: str | None


class InvitationFrame(Frame, tag="invitation", frozen=True, kw_only=True):
    """To the guest: somebody asks."""

    session: SessionBody


class SessionFrame(Frame, tag="session", frozen=True, kw_only=True):
    """To both, at each change of state."""

    session: SessionBody


class TimecodeRequestBody(Body, frozen=True, kw_only=True):
    """The session and the length of its film in seconds."""

    session_id: OpaqueId
    length: Position


class CreateTimecode(Body, frozen=True, kw_only=True):
    """`POST /timecodes`."""

    timecode: TimecodeRequestBody


class LengthBody(Body, frozen=True, kw_only=True):
    """A length in seconds."""

    length: Position


class PatchTimecode(Body, frozen=True, kw_only=True):
    """`PATCH /timecodes/{sessionId}`; the length may stand inside the timecode or by itself."""

    timecode: LengthBody | None = None
    length: Position | None = None


class TimecodeBody(Body, frozen=True, kw_only=True):
    """The record of a session's playback."""

    session_id: str
    length: float
    current_position: float
    status: StatusWord
    last_status_change: str
    revision: int


class TimecodeAnswer(Body, frozen=True, kw_only=True):
    """One timecode, wrapped."""

    timecode: TimecodeBody
