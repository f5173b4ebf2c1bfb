"""What every app answers about itself, as structs."""

from typing import Literal

import msgspec


class ServiceHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """One service of several."""

    status: Literal["ok", "degraded"]
    database: Literal["ok", "down"]
    note: str = ""


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """`GET /health`; `services` has each one's own when the app carries several, `note` what else it has to say."""

    status: Literal["ok", "degraded", "stopping"]
    service: str
    database: Literal["ok", "down"]
    services: dict[str, ServiceHealth] = {}
    note: str = ""


class Liveness(msgspec.Struct, frozen=True):
    """`GET /livez`: whether the process is worth keeping; `lag` is how late its event loop was of late, in seconds."""

    status: Literal["ok", "stuck"]
    lag: float


class Readiness(msgspec.Struct, frozen=True):
    """`GET /readyz`: whether to send people here. What joins processes is told, and not needed for it."""

    status: Literal["ready", "not-ready", "stopping"]
    database: Literal["ok", "down"]
    bus: Literal["up", "away"]


class Services(msgspec.Struct, frozen=True):
    """`GET /services`: the base address of each service of the deployment."""

    services: dict[str, str]
