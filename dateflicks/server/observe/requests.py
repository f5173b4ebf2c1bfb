"""Request ids: the caller's own when it is harmless, else a new one; bound to everything that is logged meanwhile."""

import re
from typing import Final

import structlog

from dateflicks.protocol.ids import new_id

HEADER: Final = "X-Request-Id"
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}")


def accepted_id(offered: str | None) -> str:
    """The id that a caller offers when it is short and plain, else a new one."""
    if offered is not None and _SANE.fullmatch(offered):
        return offered
    return new_id("req")


def bind_request(request_id: str) -> None:
    """Put this id on every log line of the present task; replaces that of an earlier request on its connection."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=request_id)
