"""What the terminal client knows of what is recommended: for whom, the films of each list, and what this person said.

One list is asked for oneself, one for the two: what suits the other is the list of both in the other's order, for
nobody is shown what is recommended to somebody else alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from dateflicks.client.recommendations import fit_of
from dateflicks.protocol.recommendations import Rating, RecommendationBody, RecommendationPage

Whom = Literal["me", "them", "both"]
WHOM: Final[tuple[Whom, ...]] = ("me", "them", "both")
SEEN_SHOWN: Final = 10  # films that one of two has finished
_AWAY: Final = ("down", "hide")


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as far as it was read; `seen` are films that one of two has finished and the other has not."""

    items: tuple[RecommendationBody, ...] = ()
    seen: tuple[RecommendationBody, ...] = ()
    variant: str = ""
    generated_at: str | None = None
    note: str = ""
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """A film as it stands here: `number` is its place in the list as it was made, if it is in it; `fit` what its bar
    shows, where anybody can tell how well it fits.
    """

    film: RecommendationBody
    number: int | None
    fit: float | None
    rating: Rating | None
    is_seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Picks:
    """Everything that the screen shows; `lists` are by the other's id, the own one by none."""

    me: str = ""
    my_name: str = ""
    partners: Mapping[str, str] = field(default_factory=dict)  # id to name, whoever it was last first
    partner: str = ""
    whom: Whom = "me"
    lists: Mapping[str, Listing] = field(default_factory=dict)
    ratings: Mapping[str, Rating] = field(default_factory=dict)
    problem: str = ""  # why what is shown may be old, or nothing is
    is_asking: bool = False

    @property
    def other(self) -> str | None:
        """The other's id, where the list is about two."""
        return self.partner if self.whom != "me" and self.partner else None

    @property
    def listing(self) -> Listing | None:
        """The list that is looked at, if it has come."""
        return self.lists.get(self.other or "")

    def name_of(self, user_id: str) -> str:
        """How somebody is called here."""
        return self.my_name if user_id == self.me else self.partners.get(user_id, "the other")

    # --- what changes -------------------------------------------------------------------------------------------

    def known_as(self, me: str, name: str, partners: Mapping[str, str]) -> "Picks":
        """Who asks, and with whom they may; somebody else begins anew, and a couple is shown what suits both."""
        if me != self.me:
            first = next(iter(partners), "")
            return Picks(me=me, my_name=name, partners=partners, partner=first, whom="both" if first else "me")
        partner = self.partner if self.partner in partners else next(iter(partners), "")
        whom = self.whom if partner else "me"
        if partner and not self.partner:
            whom = "both"
        return replace(self, my_name=name, partners=partners, partner=partner, whom=whom)

    def next_whom(self) -> "Picks":
        """For the next of: this person, the other, both."""
        if not self.partner:
            return self
        return replace(self, whom=WHOM[(WHOM.index(self.whom) + 1) % len(WHOM)])

    def with_partner(self, user_id: str) -> "Picks":
        """For this person and another one."""
        return replace(self, partner=user_id, whom="both") if user_id in self.partners else self

    def told(self, other: str | None, page: RecommendationPage, seen: Iterable[RecommendationBody] = ()) -> "Picks":
        """The beginning of a list has come; of `seen`, what one of the two has finished stays."""
        found = Listing(
            items=tuple(page.items),
            seen=tuple(one for one in seen if _is_seen_by_one(one))[:SEEN_SHOWN],
            variant=page.variant,
            generated_at=page.generated_at,
            note=page.note or "",
            cursor=page.next,
        )
        return replace(self, lists={**self.lists, other or "": found}, problem="", is_asking=False)

    def told_more(self, other: str | None, page: RecommendationPage) -> "Picks":
        """The next page of a list has come; what is there already is not shown twice."""
        known = self.lists.get(other or "")
        if known is None:
            return self
        ids = {one.video_id for one in known.items}
        more = tuple(one for one in page.items if one.video_id not in ids)
        longer = replace(known, items=known.items + more, cursor=page.next if more else None)
        return replace(self, lists={**self.lists, other or "": longer})

    def rated(self, video_id: str, rating: Rating | None) -> "Picks":
        """This person has said what they think of a film."""
        ratings = {name: known for name, known in self.ratings.items() if name != video_id}
        return replace(self, ratings=ratings if rating is None else {**ratings, video_id: rating})

    # --- what is shown ------------------------------------------------------------------------------------------

    def rows(self) -> list[Pick]:
        """The films in their order here, those that one has seen at the end; none that this person wants no more of."""
        listing = self.listing
        if listing is None:
            return []
        known = {one.video_id for one in listing.items}
        beside = [one for one in listing.seen if one.video_id not in known]
        found = [self._pick(one, number) for number, one in enumerate(listing.items)]
        found += [self._pick(one, None) for one in beside]
        if self.whom == "them":
            found.sort(key=lambda one: -(one.fit or 0.0))
        found.sort(key=lambda one: one.is_seen)
        return [one for one in found if one.rating not in _AWAY]

    def _pick(self, film: RecommendationBody, number: int | None) -> Pick:
        fit: float | None = film.score if any(one.fit is not None for one in film.fits) else None
        if self.whom == "them" and fit is not None:
            theirs = fit_of(film, self.partner)
            fit = theirs.fit if theirs is not None else None
        fit = None if fit is None else max(0.0, min(1.0, fit))
        rating = self.ratings.get(film.video_id)
        return Pick(film, number, fit, rating, self.other is not None and _is_seen_by_one(film))


def _is_seen_by_one(film: RecommendationBody) -> bool:
    """Whether one of two has finished it, and the other has not."""
    return sum(fit.has_seen for fit in film.fits) == 1
