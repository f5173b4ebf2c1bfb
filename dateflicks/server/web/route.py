"""Declared calls: one declaration of a route validates, dispatches and documents it. Knows no web framework.

A handler is given a `Call`, with its body and query decoded and its caller known, and returns the struct to answer
with, or None. What is wrong it raises, as one of `core.errors`.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal

import msgspec

from dateflicks.core import limits

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Auth = Literal["none", "optional", "user", "user-or-ticket"]

Authenticator = Callable[[str], Awaitable[object]]
"""Tells whose a bearer token is, as an object that the service's handlers understand; raises Unauthenticated."""

PARAMETER_MAX_CHARACTERS: Final = 128  # of a name in a path: ids have 30, invitation codes fewer
_PARAMETER: Final = re.compile(r"\{([a-z][A-Za-z]*)\}")


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`?limit=&cursor=`, as every list takes them."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as a handler sees it."""

    path: Mapping[str, str]
    query: Any = None
    body: Any = None
    caller: Any = None
    address: str = ""
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def header(self, name: str) -> str | None:
        """A header of the request, by its lower-case name, such as `idempotency-key`."""
        return self.headers.get(name)


Handler = Callable[[Call], Awaitable[msgspec.Struct | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """One call of a service: `path` names its parameters in braces, `/sessions/{id}`.

    `errors` are the statuses that the handler itself may answer with; those that follow from the declaration (401 of
    `auth`, 422 of `body`, …) are added. With `body_required` False an empty body counts as an empty object.
    """

    method: Method
    path: str
    handler: Handler
    summary: str
    auth: Auth = "none"
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    answer: type[msgspec.Struct] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    body_required: bool = True
    description: str = ""

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself when it is made, not when somebody calls."""
        if not self.path.startswith("/") or "<" in self.path:
            raise ValueError(f"{self.path!r} is no path: it starts with / and names parameters as {{this}}")
        if self.method == "GET" and self.body is not None:
            raise ValueError(f"GET {self.path} cannot have a body")
        if (self.answer is None) != (self.status == 204):
            raise ValueError(f"{self.method} {self.path}: an answer has a struct, and 204 has none")

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every error status that this call may answer with, in order."""
        found = {*self.errors, 400, 413, 429, 500, 503}  # a head may be too large, whatever is asked
        if self.auth != "none":
            found.add(401)
        if self.body is not None:
            found |= {415, 422}
        if self.query is not None:
            found.add(422)
        if self.parameters:
            found.add(404)
        return tuple(sorted(found))
