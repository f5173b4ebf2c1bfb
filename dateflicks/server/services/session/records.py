"""What the session service keeps: its collections, and the words in their documents.

The state stands in each session twice more, joined to each person's id (`hostState`, `guestState`), so that a page of
one's pending sessions costs the same whatever else one has. It is one document, so the three never disagree. The two
people stand there once more as `pair`, whoever asked whom, so that what two have watched together is a page as well.
"""

import re
from typing import Any, Final

from dateflicks.core import limits
from dateflicks.core.handshake import Handshake, State
from dateflicks.server.auth.signed_out import ERASED_NAME
from dateflicks.server.storage.records import Collection, Document, Index

DATABASE: Final = "SessionDb"

USERS: Final = Collection(DATABASE, "users", (Index(("nameKey",), unique=True),))
TOKENS: Final = Collection(DATABASE, "tokens", (Index(("expiresAt",)), Index(("userId",))))
SESSIONS: Final = Collection(
    DATABASE,
    "sessions",
    (
        Index(("hostUserId",)),
        Index(("hostUserId", "order")),
        Index(("guestUserId",)),
        Index(("guestUserId", "order")),
        Index(("hostState",)),
        Index(("hostState", "order")),
        Index(("guestState",)),
        Index(("guestState", "order")),
        Index(("pair",)),
        Index(("pair", "order")),
        Index(("invitationHash",)),
    ),
)
PROGRESS: Final = Collection(DATABASE, "progress")
FRIENDS: Final = Collection(DATABASE, "friends", (Index(("userId",)), Index(("friendId",))))
NOTICES: Final = Collection(DATABASE, "notices", (Index(("at",)),))
COLLECTIONS: Final = (USERS, TOKENS, SESSIONS, PROGRESS, FRIENDS, NOTICES)
ERASED: Final = ERASED_NAME
_NAME: Final = re.compile(rf"[A-Za-z0-9_\-]{{{limits.NAME_MIN_CHARACTERS},{limits.NAME_MAX_CHARACTERS}}}")


def can_be_name(text: str) -> bool:
    """Whether anybody can be called this; what cannot be is not looked for."""
    return _NAME.fullmatch(text) is not None


def name_key(name: str) -> str:
    """What is unique about a name: case does not count."""
    return f"name:{name.casefold()}"


def friend_id(user_id: str, name: str) -> str:
    """The id of a name on somebody's list."""
    return f"friend:{user_id}:{name.casefold()}"


def list_id(user_id: str) -> str:
    """The id of what says who takes a place on somebody's list at this moment."""
    return f"list:{user_id}"


def is_disabled(user: Document) -> bool:
    """Whether nobody may sign in to this account, for now or, because it was erased, for ever."""
    return user.get("disabledAt") is not None or is_erased(user)


def is_erased(user: Document) -> bool:
    """Whether only the id is left, so that nothing that still names it is taken for somebody else's."""
    return user.get("erasedAt") is not None


def is_going(user: Document) -> bool:
    """Whether somebody is being erased, or was: nothing new may name them."""
    return is_erased(user) or user.get("erasingAt") is not None


def order_key(created_at: float, session_id: str) -> str:
    """Where a session stands among all others: by time, and by id within one millisecond."""
    return f"t{round(created_at * 1000):014d}:{session_id}"


def person_state(user_id: str, state: str) -> str:
    """What a person's sessions in one state are looked up by."""
    return f"{user_id}:{state}"


def pair_of(user_id: str, other_id: str) -> str:
    """What the sessions of two people are looked up by, whoever is the host."""
    return ":".join(sorted((user_id, other_id)))


def handshake_of(document: Document) -> Handshake:
    """Where a stored session is in its life."""
    return Handshake(
        document["hostUserId"], document["guestUserId"], State(document["state"]), by_link=document["byLink"]
    )


def handshake_fields(handshake: Handshake) -> dict[str, Any]:
    """A handshake as it is stored."""
    state, guest = handshake.state.value, handshake.guest_id
    return {
        "hostUserId": handshake.host_id,
        "guestUserId": guest,
        "isAccepted": handshake.is_accepted,
        "state": state,
        "byLink": handshake.by_link,
        "hostState": person_state(handshake.host_id, state),
        "guestState": None if guest is None else person_state(guest, state),
        "pair": None if guest is None else pair_of(handshake.host_id, guest),
    }
