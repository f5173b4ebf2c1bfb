"""UserRecommendationDb: lists of runs, the runs themselves, experiments, what was shown, what people said of films.

A run writes its lists under its own name, beside those that are live, and goes live by one update of its document; who
reads takes the newest live run of an algorithm, and never sees half of one. A document with `videoId` and `score` of
its own and no `run` was written by somebody else's program: such ones are taken together as an algorithm, by their
`algorithm` or as `written`. Times are Unix seconds as numbers.
"""

import hashlib
from typing import Final

from dateflicks.server.storage.records import Collection, Index

DATABASE: Final = "UserRecommendationDb"

RECOMMENDATIONS: Final = Collection(
    DATABASE, "recommendations", (Index(("userId",)), Index(("userId", "score")), Index(("run",)))
)
RUNS: Final = Collection(
    DATABASE, "runs", (Index(("algorithm",)), Index(("algorithm", "startedAt")), Index(("startedAt",)))
)
NEIGHBOURS: Final = Collection(DATABASE, "neighbours", (Index(("run",)),))
EXPERIMENTS: Final = Collection(DATABASE, "experiments", (Index(("kind",)),))
EXPOSURES: Final = Collection(
    DATABASE,
    "exposures",
    (
        Index(("experiment",)),
        Index(("experiment", "shownAt")),
        Index(("unitId",)),
        Index(("unitId", "shownAt")),
    ),
)
RATINGS: Final = Collection(DATABASE, "ratings", (Index(("userId",)), Index(("userId", "at"))))
COLLECTIONS: Final = (RECOMMENDATIONS, RUNS, NEIGHBOURS, EXPERIMENTS, EXPOSURES, RATINGS)

LIST_MAX: Final = 200  # films in one list
EVERYBODY: Final = "everybody"  # whose list a run keeps for people of whom it knows nothing
DEFAULT_ID: Final = "choice:default"  # the document of EXPERIMENTS that names the algorithm for everybody else
EXPERIMENT_KIND: Final = "experiment"


def pair_of(user: str, other: str) -> str:
    """Two people as one unit, whichever is named first."""
    return ":".join(sorted((user, other)))


def list_id(run: str, unit: str) -> str:
    """The id of the list that a run made for a person, for a pair, or for everybody."""
    return f"{run}:{unit}"


def neighbours_id(run: str, video_id: str) -> str:
    """The id of what having watched a film adds to the scores of others, as a run saw it."""
    return f"{run}:{video_id}"


def rating_id(user_id: str, video_id: str) -> str:
    """The id of what a person said of a film."""
    return f"rating:{user_id}:{video_id}"


def exposure_id(experiment: str, unit: str, day: str, video_id: str) -> str:
    """The id of the first time that a film was shown to a unit on a day (`2026-11-25`) within an experiment."""
    return f"exp:{hashlib.sha256(chr(0).join((experiment, unit, day, video_id)).encode()).hexdigest()[:32]}"
