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


class Services(msgspec.Struct, frozen=True):
    """`GET /services`: the base address of each service of the deployment."""

    services: dict[str, str]
