"""What a client keeps of a talk for another time: where it was, and what was not acknowledged. Plain data, no files."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from dateflicks.client.chat_updates import Draft
from dateflicks.protocol import chat


class KeptDraft(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """A draft that outlives the process."""

    client_id: str
    content: str
    kind: chat.PersonalKind = "text"
    position: float | None = None
    reply_to: str | None = None
    written_at: float = 0.0
    reason: str | None = None  # of a failed one

    def draft(self, content: str) -> Draft:
        """It again, with this content: by now it may be cleaned otherwise."""
        state: Literal["waiting", "failed"] = "waiting" if self.reason is None else "failed"
        return Draft(
            client_id=self.client_id, content=content, kind=self.kind, position=self.position, reply_to=self.reply_to,
            written_at=self.written_at, state=state, reason=self.reason or "",
        )  # fmt: skip


class KeptTalk(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What a caller may keep and hand back; without `seq` it is not known behind which message this client was."""

    seq: int | None = None
    changes: int | None = None
    read: int = 0
    drafts: list[KeptDraft] = []

    def plain(self) -> dict[str, Any]:
        """As it is written down."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def kept_drafts(drafts: Iterable[Draft]) -> list[KeptDraft]:
    """All but those that have been sent: they come back with the list."""
    return [
        KeptDraft(
            client_id=draft.client_id, content=draft.content, kind=draft.kind, position=draft.position,
            reply_to=draft.reply_to, written_at=draft.written_at,
            reason=draft.reason if draft.state == "failed" else None,
        )
        for draft in drafts if draft.state != "sent"
    ]  # fmt: skip


def read_kept(plain: Any) -> KeptTalk:
    """What was written down; what makes no sense is as if it were not there."""
    try:
        return msgspec.convert(plain, KeptTalk) if plain is not None else KeptTalk()
    except msgspec.ValidationError:
        return KeptTalk()
