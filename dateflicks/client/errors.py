"""What can go wrong between a client and the services: one class per thing that a person would do next.

Standard library only, so that the command line can tell these apart without loading an HTTP client.
"""

from dateflicks.core.errors import DateflicksError, FieldProblem


class ClientError(DateflicksError):
    """Root: `detail` is a sentence for people, from the service where it gave one."""

    def __init__(self, detail: str, *, url: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.url = url


class Unreachable(ClientError):
    """No connection, or it broke before the answer was whole."""


class TimedOut(Unreachable):
    """Connected, but no answer in time: what was asked may or may not have happened."""


class Untrusted(Unreachable):
    """It shows a certificate that nothing here vouches for, and nothing was asked."""


class ServiceDown(Unreachable):
    """The service answers that it, or its database, cannot do it now (502, 503, 504)."""


class NotSignedIn(ClientError):
    """No token, or one that is no longer good (401)."""


class NotAllowed(ClientError):
    """Known, but not this person's to do (403)."""


class NotThere(ClientError):
    """Not there, or not this person's to know of (404)."""


class AtOdds(ClientError):
    """At odds with the present state (409)."""


class DoesNotFit(ClientError):
    """The request is malformed or wrong (400, 413, 422); `problems` names the fields."""

    def __init__(self, detail: str, *, url: str = "", problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(detail, url=url)
        self.problems = problems


class AskedTooOften(ClientError):
    """Over a limit (429); try again after `retry_after` seconds, when the service said."""

    def __init__(self, detail: str, *, url: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail, url=url)
        self.retry_after = retry_after


class ServiceFailed(ClientError):
    """An answer that no service of this kind should give: a fault there, or something else listens there."""


class NoInvitation(NotThere):
    """A code that is wrong, used or expired."""


class FilmMissing(ClientError):
    """The session's film is not here; `looked_in` are the folders that were looked through."""

    def __init__(self, detail: str, *, looked_in: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.looked_in = looked_in


class NoPlayer(ClientError):
    """The player is not there, or does not start."""


class FilmUnplayable(ClientError):
    """The player does not take the film."""


class ServerFailed(ClientError):
    """A server that was to be started here did not start; `why` are its last words."""

    def __init__(self, detail: str, *, why: str = "") -> None:
        super().__init__(detail)
        self.why = why


_BY_CLOSE_CODE: dict[int, type[ClientError]] = {
    4401: NotSignedIn,
    4403: NotAllowed,
    4404: NotThere,
    4409: AtOdds,
}


def of_close_code(code: int, reason: str, *, url: str = "") -> ClientError:
    """The end of a feed that will not come back, as an error; `reason` is a sentence without its full stop."""
    return _BY_CLOSE_CODE.get(code, ServiceFailed)(f"{reason[:1].upper()}{reason[1:]}.", url=url)
