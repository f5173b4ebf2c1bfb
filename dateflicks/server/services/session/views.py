"""A stored session as one of its people sees it: their own ticket, once it is accepted, and nobody else's."""

import msgspec

from dateflicks.protocol.bodies import HistoryEntry, InvitationFrame, SessionBody, SessionFrame, VideoRef
from dateflicks.protocol.times import rfc3339_from_unix, rfc3339_if_known
from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.services.session.progress import Mark
from dateflicks.server.services.session.records import handshake_of
from dateflicks.server.storage.records import Document, revealed


class Views:
    """Makes bodies and frames of documents; every one has a fresh ticket."""

    def __init__(self, signer: Signer, ticket_lifetime_seconds: float) -> None:
        self._signer = signer
        self._ticket_lifetime_seconds = ticket_lifetime_seconds

    def body(self, document: Document, viewer: Caller, *, invitation: str | None = None) -> SessionBody:
        """The session as this participant sees it; `invitation` is a link's code, shown when it is made."""
        return SessionBody(
            id=document["_id"],
            host_user_id=document["hostUserId"],
            guest_user_id=document["guestUserId"],
            video_id=document["videoId"],
            start_time=document["startTime"],
            is_accepted=document["isAccepted"],
            details=None if document["details"] is None else revealed(document["details"]),
            state=document["state"],
            host_name=document["hostName"],
            guest_name=document["guestName"],
            video=_video(document),
            created_at=rfc3339_from_unix(document["createdAt"]),
            answered_at=rfc3339_if_known(document["answeredAt"]),
            ended_at=rfc3339_if_known(document["endedAt"]),
            rev=document["rev"],
            invitation=invitation if invitation is not None else msgspec.UNSET,
            ticket=self._ticket(document, viewer),
        )

    def frame(self, document: Document, viewer: Caller) -> InvitationFrame | SessionFrame | None:
        """What this participant is told of the session's present state; None for the host who has just asked."""
        body = self.body(document, viewer)
        if document["state"] != "pending":
            return SessionFrame(session=body)
        return InvitationFrame(session=body) if document["guestUserId"] == viewer.user_id else None

    def history(self, document: Document, viewer_id: str, mark: Mark | None) -> HistoryEntry:
        """A line of this participant's history."""
        other = "guest" if document["hostUserId"] == viewer_id else "host"
        video = _video(document)
        length = (mark.length if mark else 0.0) or (video.length if video else 0.0)
        return HistoryEntry(
            session_id=document["_id"],
            video_id=document["videoId"],
            video=video,
            with_user_id=document[f"{other}UserId"],
            with_name=document[f"{other}Name"],
            started_at=rfc3339_from_unix(document["answeredAt"]),
            ended_at=rfc3339_if_known(document["endedAt"]),
            position=mark.position if mark else None,
            length=length or None,
        )

    def _ticket(self, document: Document, viewer: Caller) -> str | msgspec.UnsetType:
        handshake = handshake_of(document)
        role = handshake.role_of(viewer.user_id)
        if role is None or not handshake.is_live:
            return msgspec.UNSET
        return self._signer.issue_ticket(
            document["_id"],
            viewer.user_id,
            document[f"{role.value}Name"],
            role.value,
            lifetime_seconds=self._ticket_lifetime_seconds,
            token_id=viewer.token_id,
        )


def _video(document: Document) -> VideoRef | None:
    video = document["video"]
    return None if video is None else VideoRef(url=video["url"], title=video["title"], length=float(video["length"]))
