"""Lists put together: what runs made for somebody, what was watched since, and what there is when a run made nothing.

Where a place comes from, the best first: a list of one's own (of the arm, of everybody's algorithm, of any other that
is live), for two what was made for the pair or is made of both lists; what is like the films that one has watched; what
most people watch; what is newest. What is refused, seen, or gone is out of all of them. Lists are remembered for a
moment, and told again as they were for as long as the database is away.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from dateflicks.core.errors import Unavailable
from dateflicks.core.experiments.assignment import Unit
from dateflicks.core.experiments.interleaving import team_draft
from dateflicks.core.ranking.interactions import Bond, Interaction, bonds_of
from dateflicks.core.ranking.pairs import for_two
from dateflicks.protocol.recommendations import Basis
from dateflicks.server.recommendation.history import Histories
from dateflicks.server.recommendation.records import EVERYBODY, LIST_MAX, list_id, pair_of
from dateflicks.server.recommendation.runs import Listing, Run
from dateflicks.server.services.recommendation.choosing import Arm, Choosing, Plan
from dateflicks.server.services.recommendation.filling import Filling, Source, made_by, of_pair, scored_of
from dateflicks.server.services.recommendation.films import Films
from dateflicks.server.services.recommendation.folding import (
    Scored,
    folded,
    fresh_weights,
    from_rows,
    recent_weights,
)
from dateflicks.server.services.recommendation.ranking import Pick, Ranking
from dateflicks.server.services.recommendation.stored import Stored
from dateflicks.server.services.recommendation.written import Written

FRESH_SECONDS: Final = 0.5  # how long a list is told again without looking: an evening counts within a second
KEPT_MAX: Final = 500  # lists that are remembered; about 25 MB
WATCHED_MAX: Final = 50  # films of a person that are looked up among the neighbours
FILL_TO: Final = 50  # shorter lists are filled up with what comes next
POPULARITY: Final = "popularity"
CONTENT: Final = "content"
NEWEST: Final = "newest"  # what made a place that nobody has made

ALL_SEEN: Final = "You have seen everything there is here; these are films to see again."
ALL_REFUSED: Final = "All that there is here has been hidden or rated down; what is taken back is in lists again."
NOTES: Final[Mapping[Basis, str]] = {
    "content": "Nobody has learned your taste yet: these are like what you have watched.",
    "popular": "Nobody has learned your taste yet: these are the films that most people here watch.",
    "new": "Nobody has learned your taste yet: these are the newest films.",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and what they did; a film that turned out to be another is that other one."""

    id: str
    acts: Sequence[Interaction]
    bonds: Mapping[str, Bond]

    @property
    def weights(self) -> dict[str, float]:
        """What counts for them."""
        return recent_weights(self.bonds, WATCHED_MAX)


class Rankings:
    """One process's lists; `now` is Unix time, `evenly` a clock that is never stepped."""

    def __init__(
        self,
        histories: Histories,
        stored: Stored,
        written: Written,
        choosing: Choosing,
        films: Films,
        *,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._histories = histories
        self._stored = stored
        self._written = written
        self._choosing = choosing
        self._films = films
        self._now = now
        self._evenly = evenly
        self._kept: OrderedDict[tuple[tuple[str, ...], bool], Ranking] = OrderedDict()
        self._changes: Counter[str] = Counter()

    def changed(self, user_id: str) -> None:
        """Somebody said something of a film: lists that were made before are old."""
        self._changes[user_id] += 1

    def last(self, people: tuple[str, ...]) -> Ranking | None:
        """The list that these people were told last, if it is remembered."""
        found = [one for seen in (False, True) if (one := self._kept.get((people, seen))) is not None]
        return max(found, key=lambda one: one.built_at, default=None)

    async def of(self, people: tuple[str, ...], *, shows_seen: bool = False) -> Ranking:
        """The list for these people, by their ids in order. Raises Unavailable when there is none to tell again."""
        key = (people, shows_seen)
        known = self._kept.get(key)
        if known is not None and self._is_fresh(known):
            return known
        try:
            await self._choosing.ready()
            ranking = await self._build(people, shows_seen=shows_seen)
        except Unavailable:
            if known is None:
                raise
            return replace(known, note="The database is out of reach: this is the list as it was a moment ago.")
        self._kept[key] = ranking
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return ranking

    def _is_fresh(self, ranking: Ranking) -> bool:
        is_young = self._evenly() - ranking.built_at <= FRESH_SECONDS
        return is_young and ranking.changes == self._changes_of(ranking.people)

    def _changes_of(self, people: Sequence[str]) -> tuple[int, ...]:
        return tuple(self._changes[one] for one in people)

    # --- one list -----------------------------------------------------------------------------------------------

    async def _build(self, people: tuple[str, ...], *, shows_seen: bool) -> Ranking:
        changes, built_at = self._changes_of(people), self._evenly()
        unit = people[0] if len(people) == 1 else pair_of(*people)
        plan = self._choosing.plan(Unit.USER if len(people) == 1 else Unit.PAIR, unit)
        found, joint = await asyncio.gather(
            asyncio.gather(*(self.person(one) for one in people)), self._together(people)
        )
        ranking = Ranking(
            people=people,
            picks=(),
            experiment=plan.experiment_name,
            variant="" if plan.is_drafted else plan.arms[0].variant,
            label=self._label(plan),
            generated_at=None,
            refused={one.id: _films(one, lambda bond: bond.is_refused) for one in found},
            seen={one.id: _films(one, lambda bond: bond.is_seen) for one in found},
            liked={one.id: _films(one, lambda bond: bond.weight > 0 and not bond.is_watched) for one in found},
            built_at=built_at,
            changes=changes,
            seen_by=max(len(people) - 1, 1) if shows_seen else 0,  # of two, one may have seen it
        )
        filling = Filling(ranking, self._films)
        await self._fill(filling, plan, found, joint)
        picks = filling.picks
        if not picks:
            again = Filling(replace(ranking, seen_by=len(people)), self._films)
            await self._fill(again, plan, found, joint)
            picks = again.picks
            note = ALL_SEEN if picks else ALL_REFUSED if any(ranking.refused.values()) else None
        else:
            note = NOTES.get(picks[0].basis) if picks and not picks[0].is_new else None
        return replace(
            ranking,
            picks=tuple(picks),
            known=max(len(picks), filling.known),
            generated_at=filling.generated_at,
            note=note,
            took_ms=(self._evenly() - built_at) * 1_000,
        )

    async def _fill(self, filling: Filling, plan: Plan, people: Sequence[Person], joint: Person | None) -> None:
        if plan.is_drafted:
            await self._draft(filling, plan, people, joint)
        else:
            await filling.add(await self._best(plan.arms[0], people, joint, seen_by=filling.ranking.seen_by))
        if len(filling.picks) < FILL_TO and len(people) == 1:
            await filling.add(await self._alike(plan.arms[0], people[0]))
        if len(filling.picks) < FILL_TO:
            await filling.add(await self._popular(plan.arms[0]))
        if len(filling.picks) < FILL_TO:
            newest = [Scored(one, 0.0) for one in await self._films.newest()]
            await filling.add(Source(newest, "new", NEWEST))

    async def _draft(self, filling: Filling, plan: Plan, people: Sequence[Person], joint: Person | None) -> None:
        """A list out of those of all arms, in which each film knows whose it is."""
        assert plan.experiment is not None
        teams: dict[str, dict[str, Pick]] = {}
        for arm in plan.arms:
            own = Filling(filling.ranking, self._films)
            await own.add(await self._best(arm, people, joint, seen_by=filling.ranking.seen_by))
            teams[arm.variant] = {pick.video_id: pick for pick in own.picks}
            filling.generated_at = filling.generated_at or own.generated_at
            filling.known = max(filling.known, own.known)
        lists = {name: list(picks) for name, picks in teams.items()}
        unit = people[0].id if joint is None else joint.id
        day = datetime.fromtimestamp(self._now(), UTC).date().isoformat()
        for place in team_draft(lists, LIST_MAX, salt=plan.experiment.effective_salt, unit=unit, day=day):
            team = place.team or next(name for name, picks in teams.items() if place.item in picks)
            filling.put(replace(teams[team][place.item], team=place.team or ""))

    def _label(self, plan: Plan) -> str:
        """What is told of who made the list: an arm of an experiment, or an algorithm and its version."""
        if plan.experiment is not None:
            return f"{plan.experiment.name}/{plan.arms[0].variant if not plan.is_drafted else 'interleaved'}"
        run = self._choosing.run_of(plan.arms[0])
        return made_by(run) if run is not None else plan.arms[0].algorithm

    # --- what people did ----------------------------------------------------------------------------------------

    async def person(self, user_id: str) -> Person:
        """Somebody and what they did. Raises Unavailable."""
        acts = await self._as_they_are(await self._histories.of(user_id))
        return Person(user_id, acts, bonds_of(acts))

    async def _together(self, people: Sequence[str]) -> Person | None:
        """Two as one, and what they did as such; None for one alone."""
        if len(people) == 1:
            return None
        acts = await self._as_they_are(await self._histories.together(*people))
        return Person(pair_of(*people), acts, bonds_of(acts))

    async def _as_they_are(self, acts: Sequence[Interaction]) -> list[Interaction]:
        films = await self._films.of({act.video_id for act in acts})
        return [replace(act, video_id=films[act.video_id].id) if act.video_id in films else act for act in acts]

    # --- where places come from ---------------------------------------------------------------------------------

    async def _best(self, arm: Arm, people: Sequence[Person], joint: Person | None, *, seen_by: int) -> Source | None:
        if joint is None:
            return await self._own(arm, people[0])
        return await self._for_two(arm, people, joint, is_anew=seen_by > 0)

    async def _own(self, arm: Arm, person: Person) -> Source | None:
        """The list that somebody has: of this arm, else of everybody's algorithm, else of any that is live."""
        default = self._choosing.default
        for wanted in (arm,) if arm == default else (arm, default):
            run = self._choosing.run_of(wanted)
            if run is None and (source := await self._written_of(person.id, wanted.algorithm)) is not None:
                return source
            if run is not None and (found := await self._stored.listing(run, person.id)) is not None:
                return await self._folded(run, found, person)
        others = sorted(self._choosing.runs(), key=lambda run: run.algorithm in (POPULARITY, CONTENT))
        lists = await asyncio.gather(*(self._stored.listing(run, person.id) for run in others))
        for run, found in zip(others, lists, strict=True):
            if found is not None:
                return await self._folded(run, found, person)
        return await self._written_of(person.id, None)

    async def _for_two(self, arm: Arm, people: Sequence[Person], couple: Person, *, is_anew: bool) -> Source | None:
        """The list that was made for a pair, or one that is made now, out of what each of them has.

        It is made anew where films may stand in it that one has seen: runs leave those out of what they make for two.
        """
        run = self._choosing.run_of(arm) or self._choosing.run_of(self._choosing.default)
        weight = self._choosing.lower_weight(arm)
        stored = await self._stored.listing(run, couple.id) if run is not None else None
        is_news = stored is None or any(fresh_weights(one.acts, stored.data_cut) for one in people)
        if run is not None and stored is not None and not (is_news or is_anew or weight):
            return of_pair(run, stored)
        sources = await asyncio.gather(*(self._of_member(arm, person) for person in people))
        told = [source for source in sources if source is not None]
        if not told:
            return of_pair(run, stored) if run is not None and stored is not None else None
        weights = couple.weights
        joint = from_rows(weights, await self._stored.rows(run, list(weights))) if run is not None else []
        members = [source.items if source is not None else () for source in sources]
        made = for_two(
            *({item.video_id: item.score for item in items} for items in members),
            joint={item.video_id: item.score for item in joint},
            joint_films=len(couple.bonds),
            lower_weight=weight,
            limit=LIST_MAX,
        )
        whys = [{item.video_id: item.why for item in items} for items in members]
        return Source(
            items=[Scored(film.video_id, film.score) for film in made],
            basis="pair",
            made_by=told[0].made_by,
            known=max(source.known for source in told),
            generated_at=min((at for source in told if (at := source.generated_at) is not None), default=None),
            of_two={film.video_id: (film.fits, tuple(why.get(film.video_id, ()) for why in whys)) for film in made},
        )

    async def _of_member(self, arm: Arm, person: Person) -> Source | None:
        return await self._own(arm, person) or await self._alike(arm, person)

    async def _alike(self, arm: Arm, person: Person) -> Source | None:
        """What is like the films that somebody has watched, by the rows of the arm's run or of one that knows more."""
        weights = person.weights
        if not weights:
            return None
        default, content = self._choosing.default, Arm(CONTENT)
        runs = {run.id: run for one in (arm, content, default) if (run := self._choosing.run_of(one)) is not None}
        for run in runs.values():
            if items := from_rows(weights, await self._stored.rows(run, list(weights))):
                return Source(items, "content", made_by(run), run.videos)
        return None

    async def _popular(self, arm: Arm) -> Source | None:
        """What most people watch."""
        wanted = (Arm(POPULARITY), arm, self._choosing.default)
        runs = {run.id: run for one in wanted if (run := self._choosing.run_of(one)) is not None}
        runs |= {run.id: run for run in self._choosing.runs()}
        for run in runs.values():
            found = await self._stored.listing(run, EVERYBODY)
            if found is not None and found.items:
                items = [Scored(one.video_id, one.score) for one in found.items]
                return Source(items, "popular", made_by(run), run.videos, list_id(run.id, EVERYBODY))
        return None

    async def _folded(self, run: Run, listing: Listing, person: Person) -> Source:
        items = [scored_of(entry) for entry in listing.items]
        fresh = fresh_weights(person.acts, listing.data_cut)
        items = folded(items, fresh, await self._stored.rows(run, list(fresh)[-WATCHED_MAX:])) if fresh else items
        basis: Basis = "popular" if run.algorithm == POPULARITY else "content" if run.algorithm == CONTENT else "own"
        where = list_id(run.id, person.id)
        return Source(items, basis, made_by(run), run.videos, where, listing.generated_at)

    async def _written_of(self, unit: str, algorithm: str | None) -> Source | None:
        lists = await self._written.of(unit)
        name = algorithm if algorithm is not None else next(iter(sorted(lists)), None)
        if name is None or name not in lists:
            return None
        return Source(lists[name], "own", name, len(lists[name]))


def _films(person: Person, is_wanted: Callable[[Bond], bool]) -> frozenset[str]:
    return frozenset(video_id for video_id, bond in person.bonds.items() if is_wanted(bond))
