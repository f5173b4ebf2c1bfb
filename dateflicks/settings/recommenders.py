"""What can be set for recommenders: which run and when, with what, and how much a run may take. The structs of the
built-in ones are their `config`; a plug-in brings its own, and is set below `[plugins.NAME]`.
"""

from typing import Annotated, Final

import msgspec

from dateflicks.settings.providers import Plugins, Schedule
from dateflicks.settings.services import Count, MongoSettings, Seconds

Regularization = Annotated[float, msgspec.Meta(gt=0, le=1e7)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class AlgorithmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every recommender has: whether it runs by itself, and when (five cron fields, in UTC)."""

    enabled: bool = True
    schedule: Schedule = "12 * * * *"


class PopularitySettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`popularity`: what many watched, the recent counting more."""

    half_life_days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] = 90.0


class EdlaeSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`edlae`: the closed form with emphasized denoising, on the films that are watched most."""

    regularization: Regularization = 300.0
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.3
    films: Annotated[int, msgspec.Meta(ge=2, le=12_000)] = 6_000


class AlsSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`als`: factors of people and films by alternating least squares; needs the extra `als`."""

    enabled: bool = False
    factors: Annotated[int, msgspec.Meta(ge=1, le=1_024)] = 64
    regularization: Regularization = 10.0
    confidence: Regularization = 5.0
    iterations: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 15


class NeighbourhoodSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`neighbourhood`: films watched by the same people."""

    enabled: bool = False
    neighbours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    shrinkage: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 10.0


class ContentSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`content`: films that are like one's own, by what may be learned from: one's own library and open data."""

    neighbours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200


class BlendSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`blend`: `edlae` and `als` as one, by the mean of what each thinks in its own measure; the default.

    Where the extra `als` is missing it is `edlae` alone.
    """

    edlae: EdlaeSettings = EdlaeSettings()
    als: AlsSettings = AlsSettings()


class RecommenderRunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may take, and how long its lists are."""

    timeout_seconds: Seconds = 3_600.0
    memory_mib: Annotated[int, msgspec.Meta(ge=64, le=1_048_576)] = 2_048
    threads: Annotated[int, msgspec.Meta(ge=1, le=1_024)] = 1
    list_length: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100
    runs_kept: Count = 2


class RecommendersSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    allow: list[str] = []
    deny: list[str] = []
    data: str = ""
    half_life_films: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 12.0
    arrivals_share: Share = 0.1
    arrivals_days: Annotated[float, msgspec.Meta(ge=0, le=3_650)] = 30.0
    plugins: Plugins = {}
    run: RecommenderRunSettings = RecommenderRunSettings()
    blend: BlendSettings = BlendSettings()
    edlae: EdlaeSettings = EdlaeSettings(enabled=False)
    als: AlsSettings = AlsSettings()
    neighbourhood: NeighbourhoodSettings = NeighbourhoodSettings()
    popularity: PopularitySettings = PopularitySettings()
    content: ContentSettings = ContentSettings()
    mongo: MongoSettings = MongoSettings()


SCHEDULE_KEYS: Final = AlgorithmSettings.__struct_fields__
