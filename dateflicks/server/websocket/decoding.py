"""From the text of a frame to a declared struct, and from what does not fit to the error frame that says so."""

from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec

from dateflicks.core.errors import Invalid, Malformed, RuleError, TooMany
from dateflicks.protocol.frames import ErrorFrame
from dateflicks.server.web.fitting import malformed, problem_of, require_json

T = TypeVar("T")

_DETAIL_MAX_CHARACTERS: Final = 400
_REPLY_MAX_CHARACTERS: Final = 64  # of a word given back; one that is longer is none that anybody looks for


class _Typed(msgspec.Struct):
    """Enough of a frame to say which one was wrong."""

    type: Any = None
    client_id: Any = msgspec.field(default=None, name="clientId")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A frame that cannot be used: what to answer, and whether to go on listening after it."""

    answer: ErrorFrame
    is_final: bool


class FrameDecoder(Generic[T]):
    """Decodes the frames of one feed; `kind` is the union of what a client may send there."""

    def __init__(self, kind: Any) -> None:
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._reply: msgspec.json.Decoder[_Typed] = msgspec.json.Decoder(_Typed)
        self._is_alone = isinstance(kind, type)  # msgspec asks for the type only where there is a choice

    def decode(self, text: bytes) -> T | Wrong:
        """The frame, or what is wrong with it: JSON of the wrong content is told, what is no JSON ends the feed."""
        try:
            found = self._decoder.decode(text)
            return self._unknown(text) if self._has_no_type(text) else found
        except msgspec.ValidationError as error:
            return self._wrong(text, error)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _final(malformed(error, "frame"))

    def reply_to(self, text: bytes) -> str | None:
        """What an error frame about this one says that it answers: its `clientId` where it has one, or its type."""
        try:
            found = self._reply.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        for word in (found.client_id, found.type):
            if isinstance(word, str) and 0 < len(word) <= _REPLY_MAX_CHARACTERS:
                return word
        return None

    def _wrong(self, text: bytes, error: msgspec.ValidationError) -> Wrong:
        try:
            require_json(text, "frame")
        except Malformed as error_of_json:
            return _final(error_of_json)
        problem = problem_of(error)
        if problem.field == "type" or self._has_no_type(text):
            return self._unknown(text)
        where = f"{problem.field} " if problem.field else "it "
        detail = f"The frame does not fit: {where}{problem.message}."[:_DETAIL_MAX_CHARACTERS]
        return Wrong(ErrorFrame(code="invalid", detail=detail, reply_to=self.reply_to(text)), is_final=False)

    def _unknown(self, text: bytes) -> Wrong:
        detail = "The frame's type is missing, or none that is known here. GET /docs says which there are."
        return Wrong(ErrorFrame(code="unknown-type", detail=detail, reply_to=self.reply_to(text)), is_final=False)

    def _has_no_type(self, text: bytes) -> bool:
        """Of an object alone: what is none is told otherwise."""
        if not self._is_alone:
            return False
        try:
            return self._reply.decode(text).type is None
        except msgspec.ValidationError:
            return False


def _final(error: Malformed) -> Wrong:
    return Wrong(ErrorFrame(code=error.code, detail=error.detail), is_final=True)


def error_frame(error: RuleError, reply_to: str | None) -> ErrorFrame:
    """What the rules refused, as a frame."""
    detail = error.detail
    if isinstance(error, Invalid) and error.problems:
        detail = f"{detail} {'; '.join(f'{one.field} {one.message}' for one in error.problems)}."
    retry_after = round(error.retry_after, 3) if isinstance(error, TooMany) else None
    return ErrorFrame(
        code=error.code, detail=detail[:_DETAIL_MAX_CHARACTERS], reply_to=reply_to, retry_after=retry_after
    )
