"""What a host asks for, checked and cleaned before anything is looked up: everything that is wrong, at once."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from dateflicks.core import limits
from dateflicks.core.errors import FieldProblem, Forbidden, Invalid, NotFound
from dateflicks.protocol.bodies import CreateSession, SessionRequest, VideoRef
from dateflicks.protocol.text import clean_line, clean_text, is_clean_line
from dateflicks.protocol.times import rfc3339
from dateflicks.server.storage.records import opaque

DEPTH_MAX: Final = 8
_ID_MAX: Final = 64
_KEY_MAX: Final = 100
_INTEGER_MAX: Final = 2**53  # beyond it JSON's readers disagree
_UNCUT: Final = 4 * limits.BODY_MAX_BYTES  # longer than a text in a body gets by cleaning: too long is refused
_YEARS: Final = range(1970, 9_999)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that makes sense; the guest may still not exist. `details` is JSON as text."""

    guest_user_id: str | None
    guest_name: str | None
    is_link: bool
    video_id: str | None
    video: dict[str, Any] | None
    start_time: str | None
    details: str | None

    @property
    def fingerprint(self) -> str:
        """The same for the same request: tells a repeated one from another under the same key."""
        return msgspec.json.encode(self).decode()


def checked(body: CreateSession, caller_id: str) -> Asked:
    """The request, cleaned. Raises Forbidden for another host, Invalid with all fields that do not fit."""
    request = body.session
    if request.host_user_id is not None and request.host_user_id != caller_id:
        raise Forbidden("You can only host a session yourself: leave hostUserId out.")
    problems: list[FieldProblem] = []
    is_link = body.link or request.link
    _check_guest(request, caller_id, is_link, problems)
    asked = Asked(
        guest_user_id=request.guest_user_id,
        guest_name=request.guest_name,
        is_link=is_link,
        video_id=request.video_id,
        video=_video(request.video, problems),
        start_time=_start_time(request.start_time, problems),
        details=_details(request.details, problems),
    )
    if request.video_id is None and request.video is None:
        problems.append(FieldProblem("session.videoId", "is required, or a video with its url"))
    elif request.video_id is not None and not is_clean_line(request.video_id, _ID_MAX):
        problems.append(FieldProblem("session.videoId", "has characters that no id has"))
    if problems:
        raise Invalid("The session does not fit.", tuple(problems))
    return asked


def _check_guest(request: SessionRequest, caller_id: str, is_link: bool, problems: list[FieldProblem]) -> None:
    given = [name for name in (request.guest_user_id, request.guest_name) if name is not None]
    if is_link and given:
        problems.append(FieldProblem("session.link", "is for whoever holds the code: name no guest with it"))
    elif not is_link and len(given) != 1:
        problems.append(FieldProblem("session.guestUserId", "is required, or guestName, or link; exactly one"))
    elif request.guest_user_id == caller_id:
        problems.extend(own_guest("session.guestUserId").problems)


def no_such_guest() -> NotFound:
    """Nobody is called this."""
    return NotFound("There is nobody of this name or id. Check it, or send a link.", code="no-such-guest")


def own_guest(field: str) -> Invalid:
    """Somebody invites themselves."""
    return Invalid("You cannot be your own guest.", (FieldProblem(field, "is yourself"),))


def _video(video: VideoRef | None, problems: list[FieldProblem]) -> dict[str, Any] | None:
    if video is None:
        return None
    if not is_clean_line(video.url, limits.URL_MAX_CHARACTERS):
        problems.append(FieldProblem("session.video.url", "has characters that no address has"))
    return {
        "url": video.url,
        "title": clean_line(video.title, limits.TITLE_MAX_CHARACTERS),
        "length": float(video.length),
    }


def _start_time(text: str | None, problems: list[FieldProblem]) -> str | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 takes t and z as well
        if "T" in text.upper() and moment.tzinfo is not None and moment.year in _YEARS:
            return rfc3339(moment)
    except (ValueError, OverflowError):
        pass
    problems.append(FieldProblem("session.startTime", "must be a time such as 2026-11-24T20:00:00Z"))
    return None


def _details(details: Any, problems: list[FieldProblem]) -> str | None:
    if details is None:
        return None
    if not isinstance(details, str | dict):
        problems.append(FieldProblem("session.details", "must be text or an object"))
        return None
    try:
        text = opaque(_clean(details, 0))
    except _Unfit as unfit:
        problems.append(FieldProblem("session.details", str(unfit)))
        return None
    if len(text.encode()) > limits.DETAILS_MAX_BYTES:
        problems.append(FieldProblem("session.details", f"must have at most {limits.DETAILS_MAX_BYTES} bytes"))
        return None
    return text


class _Unfit(ValueError):
    """Something in the details cannot be kept."""


def _clean(value: Any, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise _Unfit(f"must not be nested deeper than {DEPTH_MAX} levels")
    if isinstance(value, str):
        return clean_text(value, _UNCUT)
    if isinstance(value, dict):
        return {clean_line(key, _KEY_MAX): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise _Unfit("has a number that is not finite")
    if isinstance(value, int) and abs(value) > _INTEGER_MAX:
        raise _Unfit("has a whole number that is too large")
    return value
