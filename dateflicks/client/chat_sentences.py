"""What is said in a session, as lines: for line-by-line clients, screen readers and exports.

Names and texts are other people's own words: whoever prints a line cleans it first.
"""

from typing import Final, assert_never

from dateflicks.client.chat_updates import (
    ChangeFailed,
    ChatLine,
    ChatUpdate,
    DraftChanged,
    Rewritten,
    Said,
    Trouble,
)
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.chat import Message

ANSWERED_MAX: Final = 1_000  # authors that are remembered, for what answers them
BEGINNING_SECONDS: Final = 1.0  # a film that goes on from before this begins
_EXCERPT: Final = 40
_TIME_WIDTH: Final = 7  # 1:02:03


def spoken(message: Message, *, answered: str = "") -> str:
    """A message as one says it; `answered` is the name of whom it answers."""
    name = message.author_name or "somebody"
    if message.deleted_at is not None:
        return f"{name} took back what stood here."
    to = f" (to {answered})" if answered else ""
    edited = " (edited)" if message.edited_at is not None else ""
    match message.type:
        case "text":
            return f"{name}{to}: {message.content}{edited}"
        case "action":
            return f"* {name} {message.content}{edited}"
        case "reaction":
            return f"{name}{to} reacts: {message.content}"
        case "system":
            return f"- {told_by_service(message)}"
        case _:
            assert_never(message.type)


def told_by_service(message: Message) -> str:
    """What the service says of the film; one that goes on from its very beginning is begun."""
    begins = message.event == "resumed" and message.position is not None and message.position < BEGINNING_SECONDS
    if not begins:
        return message.content
    return f"{message.author_name} started the film" if message.author_name else "the film begins"


def at_film_time(message: Message, text: str) -> str:
    """A line with the film position before it, in a column of its own that is empty where there is none."""
    where = clock_text(message.position) if message.position is not None else ""
    return f"{where:>{_TIME_WIDTH}}  {text}"


class Answers:
    """Whom each message answers, as far as that was said here."""

    def __init__(self) -> None:
        self._authors: dict[str, str] = {}

    def spoken(self, message: Message) -> str:
        """A message as one says it; its author is remembered."""
        answered = self._authors.get(message.reply_to, "") if message.reply_to is not None else ""
        self._authors[message.id] = message.author_name or "somebody"
        if len(self._authors) > ANSWERED_MAX:
            del self._authors[next(iter(self._authors))]
        return spoken(message, answered=answered)


class ChatNarrator:
    """Turns updates into sentences; says nothing of what its person has just typed themselves, or did not notice."""

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self._answers = Answers()
        self._is_lost = False

    def sentence(self, update: ChatUpdate) -> str | None:
        """What to say of this update, or None."""
        match update:
            case Said(message=message):
                line = self._answers.spoken(message)
                return line if message.author != self._user_id or message.type == "system" else None
            case Rewritten(message=message) if message is not None and message.author != self._user_id:
                return self._answers.spoken(message)
            case DraftChanged(draft=draft) if draft.state == "failed":
                return f"Not sent ({draft.reason.rstrip('.')}): {_short(draft.content)}"
            case ChangeFailed(reason=reason):
                return f"Not changed: {reason}"
            case ChatLine(is_open=True):
                is_back, self._is_lost = self._is_lost, False
                return "The chat is back." if is_back else None
            case ChatLine(why=why):
                is_news, self._is_lost = not self._is_lost, True
                return f"The chat is away ({why}); what you say is sent when it is back." if is_news else None
            case Trouble(text=text):
                return text
            case _:
                return None


def _short(text: str) -> str:
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
