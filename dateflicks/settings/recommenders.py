"""What can be set for recommenders: which run and when, with what, and how much a run may take. The structs of the
built-in ones are their `config`; a plug-in brings its own, and is set below `[plugins.NAME]`.
"""

from typing import Annotated, Final

import msgspec

from dateflicks.settings.providers import Plugins, Schedule
from dateflicks.settings.services import Count, Seconds

Regularization = Annotated[float, msgspec.Meta(gt=0, le=1e7)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
HOURLY: Final = "12 * * * *"


class AlgorithmSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every recommender has: whether it runs by itself, and when (five cron fields, in UTC)."""

    enabled: bool = True
    schedule: Schedule = HOURLY


class PopularitySettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`popularity`: what many watched, the recent counting more."""

    half_life_days: Annotated[float, msgspec.Meta(gt=0, le=36_500)] = 90.0


class EdlaeTuning(msgspec.Struct, frozen=True, kw_only=True):
    """What the closed form is fitted with."""

    regularization: Regularization = 300.0
    dropout: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.5
    films: Annotated[int, msgspec.Meta(ge=2, le=12_000)] = 6_000


class EdlaeSettings(EdlaeTuning, frozen=True, kw_only=True):
    """`edlae`: the closed form with emphasized denoising, on the films that are watched most."""

    enabled: bool = False
    schedule: Schedule = HOURLY


class AlsTuning(msgspec.Struct, frozen=True, kw_only=True):
    """What factors are fitted with; `regularization` is in units of what chance makes of so many people and films."""

    factors: Annotated[int, msgspec.Meta(ge=1, le=1_024)] = 64
    regularization: Regularization = 2.0
    confidence: Regularization = 5.0
    iterations: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 15


class AlsSettings(AlsTuning, frozen=True, kw_only=True):
    """`als`: factors of people and films by alternating least squares; needs the extra `als`."""

    enabled: bool = False
    schedule: Schedule = HOURLY


class NeighbourhoodSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`neighbourhood`: films watched by the same people."""

    neighbours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    shrinkage: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 10.0


class ContentSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`content`: films that are like one's own, by what may be learned from: one's own library and open data."""

    neighbours: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200


class BlendSettings(AlgorithmSettings, frozen=True, kw_only=True):
    """`blend`: `edlae` and `als` as one, by the mean of what each thinks in its own measure; the default.

    Where the extra `als` is missing it is `edlae` alone.
    """

    als_share: Share = 0.5
    edlae: EdlaeTuning = EdlaeTuning()
    als: AlsTuning = AlsTuning()


Section = AlgorithmSettings | EdlaeSettings | AlsSettings


class RecommenderRunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run may take, and how long its lists are."""

    timeout_seconds: Seconds = 3_600.0
    memory_mib: Annotated[int, msgspec.Meta(ge=64, le=1_048_576)] = 2_048
    threads: Annotated[int, msgspec.Meta(ge=1, le=1_024)] = 1
    list_length: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100
    runs_kept: Count = 2


class RecommendersSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Where the data are is said once for all jobs, in `providers.toml`."""

    allow: list[str] = []
    deny: list[str] = []
    half_life_films: Annotated[float, msgspec.Meta(ge=0, le=1e6)] = 12.0
    arrivals_share: Share = 0.1
    arrivals_days: Annotated[float, msgspec.Meta(ge=0, le=3_650)] = 30.0
    plugins: Plugins = {}
    run: RecommenderRunSettings = RecommenderRunSettings()
    blend: BlendSettings = BlendSettings()
    edlae: EdlaeSettings = EdlaeSettings()
    als: AlsSettings = AlsSettings()
    neighbourhood: NeighbourhoodSettings = NeighbourhoodSettings(enabled=False)
    popularity: PopularitySettings = PopularitySettings()
    content: ContentSettings = ContentSettings()

    def section(self, recommender: str) -> Section | None:
        """The settings of a built-in recommender. None for a plug-in."""
        found = getattr(self, recommender, None) if recommender in self.__struct_fields__ else None
        return found if isinstance(found, Section) else None

    def scheduled(self, recommender: str) -> Section:
        """Whether and when it runs, a plug-in too. Raises msgspec.ValidationError for what does not fit."""
        found = self.section(recommender)
        if found is not None:
            return found
        own = {key: value for key, value in self.plugins.get(recommender, {}).items() if key in SCHEDULE_KEYS}
        return msgspec.convert(own, AlgorithmSettings)


SCHEDULE_KEYS: Final = AlgorithmSettings.__struct_fields__
