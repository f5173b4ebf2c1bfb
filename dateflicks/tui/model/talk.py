"""How the talk changes: what was said stands in order, once each; what is not on the server yet stands behind it."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from dateflicks.client import chat_updates as told
from dateflicks.client.chat_sentences import told_by_service
from dateflicks.protocol.chat import TYPING_SECONDS, Message
from dateflicks.tui.model.state import CHAT_KEPT, Chat, ChatEntry

KEPT_AT_MOST: Final = 2 * CHAT_KEPT  # with what was fetched again for somebody who scrolls back
_GHOSTS: Final = 100  # so far back a message is looked for that a draft became


def said(chat: Chat, message: Message, me: str) -> Chat:
    """A message of the talk."""
    entry = entry_of(message, me)
    typing = {name: until for name, until in chat.typing.items() if name != entry.name}
    chat = _placed(chat, [entry], max(CHAT_KEPT, min(_sent(chat.entries), KEPT_AT_MOST)))
    return chat if len(typing) == len(chat.typing) else replace(chat, typing=MappingProxyType(typing))


def older(chat: Chat, messages: Iterable[Message], me: str, *, is_all: bool) -> Chat:
    """A page from before what is known, as far as there is room."""
    room = KEPT_AT_MOST - len(chat.entries)
    entries = [entry_of(message, me) for message in messages]
    chat = _placed(chat, entries[-room:] if room > 0 else [], KEPT_AT_MOST)
    return replace(chat, has_older=False) if is_all and len(entries) <= room else chat


def rewritten(chat: Chat, message: Message, me: str) -> Chat:
    """A message says something else now, or nothing any more; one that is not kept here stays away."""
    sent = _sent(chat.entries)
    index = _index(chat.entries, sent, message.seq)
    if index >= sent or chat.entries[index].key != message.id or chat.entries[index].is_deleted:
        return chat
    return replace(chat, entries=(*chat.entries[:index], entry_of(message, me), *chat.entries[index + 1 :]))


def drafted(chat: Chat, draft: told.Draft, me: str) -> Chat:
    """Something that the own person said is new, or how it stands with it."""
    entries, sent = chat.entries, _sent(chat.entries)
    if any(one.client_id == draft.client_id for one in entries[max(0, sent - _GHOSTS) : sent]):
        return chat
    entry = ChatEntry(
        key=draft.client_id,
        client_id=draft.client_id,
        author=me,
        name="",
        is_mine=True,
        kind=draft.kind,
        content=draft.content,
        at=draft.written_at,
        position=draft.position,
        reply_to=draft.reply_to,
        state={"waiting": "sending", "sent": "sent", "failed": "failed"}[draft.state],  # type: ignore[arg-type]  # as is
        failure=draft.reason,
    )
    for index in range(sent, len(entries)):
        if entries[index].key == entry.key:
            return replace(chat, entries=(*entries[:index], entry, *entries[index + 1 :]))
    return replace(chat, entries=(*entries, entry))


def gone(chat: Chat, client_id: str) -> Chat:
    """A draft has become a message, or was thrown away."""
    entries, sent = chat.entries, _sent(chat.entries)
    unsent = tuple(one for one in entries[sent:] if one.key != client_id)
    return chat if len(unsent) == len(entries) - sent else replace(chat, entries=(*entries[:sent], *unsent))


def caught_up(chat: Chat, seq: int, *, is_anew: bool) -> Chat:
    """All up to `seq` has been told; anew: of what is shown, only what joins on to that is true any more."""
    sent = _sent(chat.entries)
    known, unsent = chat.entries[:sent], chat.entries[sent:]
    if is_anew:
        end = bisect_left(known, seq + 1, key=_seq)
        start = end
        while start and _seq(known[start - 1]) == seq - (end - start):
            start -= 1
        known = known[start:end]
    return replace(chat, entries=(*known, *unsent), has_older=_seq(known[0]) > 1 if known else seq > 0)


def read_by(chat: Chat, user_id: str, seq: int) -> Chat:
    """Somebody has read so far; nobody unreads."""
    if chat.read.get(user_id, -1) >= seq:
        return chat
    return replace(chat, read=MappingProxyType({**chat.read, user_id: seq}))


def typing(chat: Chat, people: Iterable[tuple[str, str]], now: float) -> Chat:
    """These are writing just now, and nobody else."""
    until = {name or user_id: now + TYPING_SECONDS for user_id, name in people}
    return replace(chat, typing=MappingProxyType(until))


def expired(chat: Chat, now: float) -> Chat:
    """Who has written nothing for a while is not writing."""
    kept = {name: until for name, until in chat.typing.items() if until > now}
    return chat if len(kept) == len(chat.typing) else replace(chat, typing=MappingProxyType(kept))


def entry_of(message: Message, me: str) -> ChatEntry:
    """A message as an entry."""
    return ChatEntry(
        key=message.id,
        client_id=message.client_id if message.author == me else None,
        author=message.author,
        name=message.author_name or "",
        is_mine=message.author == me,
        kind=message.type,
        content=told_by_service(message),
        at=_unix(message.time),
        position=message.position,
        seq=message.seq,
        reply_to=message.reply_to,
        event=message.event,
        to=message.to,
        is_edited=message.edited_at is not None,
        is_deleted=message.deleted_at is not None,
    )


# --- inside -----------------------------------------------------------------------------------------------------


def _placed(chat: Chat, new: list[ChatEntry], limit: int) -> Chat:
    """With new entries of the server's at their places; of more than `limit` the oldest go."""
    if not new:
        return chat
    sent = _sent(chat.entries)
    known, unsent = chat.entries[:sent], chat.entries[sent:]
    if len(new) == 1 and (not known or _seq(known[-1]) < _seq(new[0])):
        merged = (*known, new[0])
    else:
        by_seq = {_seq(one): one for one in known}
        for entry in new:
            before = by_seq.get(_seq(entry))
            if before is None or not before.is_deleted:  # a page may have been read before it was taken back
                by_seq[_seq(entry)] = entry
        merged = tuple(by_seq[seq] for seq in sorted(by_seq))
    names = {entry.client_id for entry in new if entry.client_id is not None}
    if names:
        unsent = tuple(one for one in unsent if one.key not in names)
    if len(merged) > limit:
        merged = merged[-limit:]
    return replace(chat, entries=(*merged, *unsent), has_older=_seq(merged[0]) > 1)


def _sent(entries: tuple[ChatEntry, ...]) -> int:
    """How many of them are in the talk: those after them are not yet."""
    count = len(entries)
    while count and entries[count - 1].seq is None:
        count -= 1
    return count


def _index(entries: tuple[ChatEntry, ...], sent: int, seq: int) -> int:
    return bisect_left(entries, seq, 0, sent, key=_seq)


def _seq(entry: ChatEntry) -> int:
    return entry.seq or 0


def _unix(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0
