"""What can be set for the recommendation service: which algorithm makes the lists that people see, and experiments."""

from typing import Annotated, Literal

import msgspec

from dateflicks.settings.services import HostingSettings, ServerSettings

RECOMMENDATION_PORT = 8706
Weight = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]


class VariantSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One arm of an experiment: an algorithm and its weight; `options` change how lists are put together."""

    algorithm: str
    weight: Weight = 1.0
    options: dict[str, float] = {}


class ExperimentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment: arms by name, who is one unit, and which share of all units takes part."""

    variants: dict[str, VariantSettings]
    unit: Literal["user", "pair"] = "user"
    mode: Literal["ab", "interleave"] = "ab"
    coverage: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    namespace: str = ""
    salt: str = ""
    planned_units: Annotated[int, msgspec.Meta(ge=2, le=1_000_000_000)] = 2_000
    enabled: bool = True


Experiments = Annotated[dict[str, ExperimentSettings], msgspec.Meta(max_length=100)]


class RecommendationSettings(HostingSettings, frozen=True, kw_only=True):
    """The recommendation service: what to watch next, for one and for two."""

    server: ServerSettings = ServerSettings(port=RECOMMENDATION_PORT)
    algorithm: str = "blend"
    poll_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=60)] = 2.0  # what is retired stays for two minutes
    lower_weight: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    experiments: Experiments = msgspec.field(default_factory=dict)
