"""RFC 9457 problem documents: the one shape of every error answer."""

import msgspec


class ProblemField(msgspec.Struct, frozen=True):
    """A field of the body that does not fit, and why."""

    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """`application/problem+json`; `errors` is there when a body did not fit."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ProblemField] = []
