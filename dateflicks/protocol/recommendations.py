"""REST bodies of the recommendation service: what to watch next, for one or for two, why, and what became of it."""

from typing import Annotated, Literal

import msgspec

from dateflicks.core import limits
from dateflicks.protocol.bodies import Body
from dateflicks.protocol.frames import OpaqueId

Event = Literal["shown", "opened", "invited", "watched", "dismissed"]
Rating = Literal["up", "down", "hide"]
Basis = Literal["own", "pair", "content", "popular", "new", "none"]


class RecommendationsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`?limit=&cursor=&with=`: for the caller, or for the caller and one with whom they have accepted a session."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=limits.PAGE_MAX)] = limits.PAGE_DEFAULT
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    other: Annotated[str, msgspec.Meta(max_length=64)] | None = msgspec.field(default=None, name="with")
    seen: bool = False


class WhyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """`?with=`, as for a list."""

    other: Annotated[str, msgspec.Meta(max_length=64)] | None = msgspec.field(default=None, name="with")


class Reason(Body, frozen=True, kw_only=True):
    """One of the watched films that weigh most for a recommendation; `weight` is its share, 0 to 1."""

    video_id: str
    title: str
    weight: float


class Fit(Body, frozen=True, kw_only=True):
    """How well a film suits one person: 0 to 1, beside everything that they could be shown; null where unknown."""

    user_id: str
    fit: float | None
    reasons: list[Reason]
    has_seen: bool


class RecommendationBody(Body, frozen=True, kw_only=True):
    """A film to watch next. `why` is a sentence for people; `fits` has the same for each of those who asked.

    `score` is 0 to 1 and falls along the list; `variant` names what made the list, `algorithm version` or an arm of an
    experiment; `isNew` marks a place kept for what has just arrived.
    """

    user_id: str
    video_id: str
    score: float
    why: str
    variant: str
    fits: list[Fit]
    basis: Basis
    is_new: bool
    title: str
    year: int | None
    duration_seconds: float | None
    playable: bool


class RecommendationPage(Body, frozen=True, kw_only=True):
    """A page of a list, computed at `generatedAt` (null where nothing was); `note` says what a person should know."""

    items: list[RecommendationBody]
    next: str | None
    variant: str
    generated_at: str | None
    note: str | None = None


class RecommendationAnswer(Body, frozen=True, kw_only=True):
    """`GET /recommendations/{videoId}/why?with=`: one film, as it would stand in a list, with all reasons."""

    recommendation: RecommendationBody


class EventBody(Body, frozen=True, kw_only=True):
    """`POST /recommendations/events`: what became of a film that was recommended; `with` where the list was for two."""

    video_id: OpaqueId
    event: Event
    position: Annotated[int, msgspec.Meta(ge=0, le=limits.PAGE_MAX)] | None = None
    other: OpaqueId | None = msgspec.field(default=None, name="with")


class RatingBody(Body, frozen=True, kw_only=True):
    """`PUT /recommendations/ratings/{videoId}`: what the caller thinks of a film; null takes it back."""

    rating: Rating | None


class RatingAnswer(Body, frozen=True, kw_only=True):
    """What the caller thinks of a film."""

    video_id: str
    rating: Rating | None
    rated_at: str | None


class RatingPage(Body, frozen=True, kw_only=True):
    """`GET /recommendations/ratings`: what the caller has said, the newest first."""

    items: list[RatingAnswer]
    next: str | None
