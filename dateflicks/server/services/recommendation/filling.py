"""A list that grows from one source after the other: what may stand in it, and each place with where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dateflicks.protocol.recommendations import Basis
from dateflicks.server.recommendation.records import LIST_MAX, list_id
from dateflicks.server.recommendation.runs import Entry, Listing, Run
from dateflicks.server.services.recommendation.films import Films
from dateflicks.server.services.recommendation.folding import Reasons, Scored
from dateflicks.server.services.recommendation.ranking import Pick, Ranking, worth_of


@dataclass(frozen=True, slots=True)
class Source:
    """Films for a unit with their scores, the best first, of films that are there; `known` films were compared."""

    items: Sequence[Scored]
    basis: Basis
    made_by: str
    known: int = 0
    list_id: str = ""
    generated_at: float | None = None
    of_two: Mapping[str, tuple[tuple[float | None, ...], tuple[Reasons, ...]]] | None = None


class Filling:
    """A list that grows from one source after the other."""

    def __init__(self, ranking: Ranking, films: Films) -> None:
        self.ranking = ranking
        self.picks: list[Pick] = []
        self.generated_at: float | None = None
        self.known = 0
        self._films = films
        self._there: set[str] = set()

    async def add(self, source: Source | None) -> None:
        """Take what may be shown. Raises Unavailable."""
        if source is None:
            return
        films = await self._films.of([one.video_id for one in source.items])
        if not self.picks:
            self.generated_at, self.known = source.generated_at, source.known
        of = max(len(source.items), source.known)
        for place, one in enumerate(source.items):
            film = films.get(one.video_id)
            if film is not None and film.is_active:
                self.put(self._pick(film.id, one, source, place, of))

    def put(self, pick: Pick) -> None:
        """One film, unless it is there, or is not to be shown, or the list is full."""
        if len(self.picks) < LIST_MAX and pick.video_id not in self._there and self.ranking.may_show(pick.video_id):
            self._there.add(pick.video_id)
            self.picks.append(pick)

    def _pick(self, video_id: str, one: Scored, source: Source, place: int, of: int) -> Pick:
        count = len(self.ranking.people)
        is_known = source.basis in ("own", "content") and count == 1 and not one.is_new
        fits: tuple[float | None, ...] = (worth_of(place, of) if is_known else None,) * count
        whys: tuple[Reasons, ...] = (one.why,) * count if count == 1 else ((),) * count
        if source.of_two is not None:
            fits, whys = source.of_two[one.video_id]
        return Pick(
            video_id=video_id,
            basis=source.basis,
            made_by=source.made_by,
            fits=fits,
            whys=whys,
            is_new=one.is_new,
            list_id=source.list_id,
        )


def made_by(run: Run) -> str:
    """What made a place, as it is told."""
    return f"{run.algorithm} {run.version}"


def scored_of(entry: Entry) -> Scored:
    """A stored place."""
    return Scored(entry.video_id, entry.score, reasons_of(entry.why, entry.shares), entry.is_new)


def reasons_of(films: Sequence[str], shares: Sequence[float]) -> Reasons:
    """The films that weigh most and how much; where that was not kept, none counts more than another."""
    known = list(shares[: len(films)]) + [0.0] * (len(films) - len(shares))
    return tuple(zip(films, known, strict=True))


def of_pair(run: Run, listing: Listing) -> Source:
    """A stored list for two; how well a film fits each, and why, only where the run has told it of both."""
    two: dict[str, tuple[tuple[float | None, ...], tuple[Reasons, ...]]] = {}
    for entry in listing.items:
        fits = entry.fits if len(entry.fits) == 2 else (None, None)
        whys = entry.whys if len(entry.whys) == 2 else ((), ())
        two[entry.video_id] = (fits, tuple(reasons_of(why, ()) for why in whys))
    return Source(
        items=[Scored(one.video_id, one.score, is_new=one.is_new) for one in listing.items],
        basis="pair",
        made_by=made_by(run),
        known=run.videos,
        list_id=list_id(run.id, listing.user_id),
        generated_at=listing.generated_at,
        of_two=two,
    )
