"""What a messages service says, for tests of the client: frames with only what matters named."""

from typing import Any

from dateflicks.protocol.chat import AckFrame, DeletedFrame, EditedFrame, Message, MessageFrame, ResumedFrame
from dateflicks.protocol.frames import ErrorFrame

SESSION = "ses_x"
ME = "usr_me"
OTHER = "usr_other"


def message(seq: int, **changes: Any) -> Message:
    """What the other one said as message `seq`, unless told otherwise."""
    values: dict[str, Any] = {
        "id": f"msg_{seq}", "session_id": SESSION, "seq": seq, "time": f"2026-11-24T01:43:{seq % 60:02d}.000Z",
        "author": OTHER, "author_name": "Bea", "type": "text", "content": f"line {seq}", "position": None,
    }  # fmt: skip
    return Message(**{**values, **changes})


def said(seq: int, **changes: Any) -> MessageFrame:
    return MessageFrame(message=message(seq, **changes))


def mine(seq: int, client_id: str, content: str = "hello") -> MessageFrame:
    return said(seq, author=ME, author_name="Ana", client_id=client_id, content=content)


def ack(client_id: str, seq: int) -> AckFrame:
    return AckFrame(client_id=client_id, id=f"msg_{seq}", seq=seq)


def resumed(seq: int, changes: int = 0) -> ResumedFrame:
    return ResumedFrame(seq=seq, changes=changes)


def edited(seq: int, content: str, change: int = 1, *, at: str = "2026-11-24T02:00:00.000Z") -> EditedFrame:
    return EditedFrame(id=f"msg_{seq}", seq=seq, content=content, edited_at=at, change=change)


def deleted(seq: int, change: int = 1) -> DeletedFrame:
    return DeletedFrame(id=f"msg_{seq}", seq=seq, deleted_at="2026-11-24T02:00:00.000Z", change=change)


def refusal(code: str, reply_to: str | None, *, retry_after: float | None = None, detail: str = "No.") -> ErrorFrame:
    return ErrorFrame(code=code, detail=detail, reply_to=reply_to, retry_after=retry_after)
