"""What can be wrong with a request, as the rules see it: one class per kind of answer.

The rules raise these and know nothing of HTTP or WebSockets; `server/web` turns them into RFC 9457 problems and
`server/websocket` into error frames or close codes. `detail` is shown to people: it says what happened, to which
thing, and what to do next, and never names internals.
"""

from dataclasses import dataclass


class DateflicksError(Exception):
    """Root of every error that this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field of a body that does not fit: its dotted path and what is wrong with it."""

    field: str
    message: str


class RuleError(DateflicksError):
    """A request that the rules do not allow; `code` is a stable word for programs, `detail` a sentence for people."""

    code = "refused"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class Malformed(RuleError):
    """Not JSON, not the right shape of request at all (400)."""

    code = "malformed"


class Unauthenticated(RuleError):
    """No token, or one that is wrong, expired or revoked (401)."""

    code = "unauthenticated"


class Forbidden(RuleError):
    """Known, but not the caller's to do (403)."""

    code = "forbidden"


class NotFound(RuleError):
    """Not there, or not the caller's to know of (404)."""

    code = "not-found"


class Conflict(RuleError):
    """At odds with the present state (409)."""

    code = "conflict"


class TooLarge(RuleError):
    """More bytes than the limit (413)."""

    code = "too-large"


class Invalid(RuleError):
    """Well-formed but wrong (422); `problems` lists the fields."""

    code = "invalid"

    def __init__(self, detail: str, problems: tuple[FieldProblem, ...] = (), *, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.problems = problems


class TooMany(RuleError):
    """Over a limit of rate or number (429); try again after `retry_after` seconds."""

    code = "too-many"

    def __init__(self, detail: str, retry_after: float, *, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Unavailable(RuleError):
    """The database is out of reach, or did not say in time whether a write happened (503)."""

    code = "unavailable"
