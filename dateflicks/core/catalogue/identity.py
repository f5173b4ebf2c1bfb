"""Which offers are one film.

1. The same IMDb, Wikidata or TMDB id: the same film; so is one item of one source in several regions.
2. Different values of the same id: never the same film, whatever the title.
3. Else a known title in common, years at most one apart, and lengths that agree when both are known; and one candidate
   only. Where several fit nothing is linked, and a person is asked.
A person's "same" and "different" win over all of these.

What comes out depends on the offers and the decisions alone, not on their order, and an offer matters to those only
that it is connected with: so it can be worked out anew for a few offers and their neighbours (`are_alike`,
`Offer.hard_ids`), with the result that working out all of them would have.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from dateflicks.core.catalogue.facts import HARD_IDS

SECONDS_APART: Final = 180.0  # credits, a logo, PAL against film speed is 4 %:
SHARE_APART: Final = 0.05  # whichever is more
YEARS_APART: Final = 1  # festival and release

Conflict = Literal["several", "disagree"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What of an offer says which film it is. `item` is the same for one item of one source in several regions."""

    key: str
    item: str
    ids: tuple[tuple[str, str], ...] = ()
    title_keys: frozenset[str] = frozenset()
    year: int | None = None
    duration_seconds: float | None = None
    kind: str = "film"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person has said of two offers; `offer` is the one that leaves where they are different."""

    offer: str
    other: str
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The offers of one film, in order; `confidence` from 0 to 1 says how sure each of them belongs.

    With a `conflict` some of it may belong to one of `candidates`, named by their offers: `several` films fit it, or
    ids `disagree`.
    """

    members: tuple[str, ...]
    confidence: Mapping[str, float]
    conflict: Conflict | None = None
    candidates: tuple[str, ...] = ()


def are_alike(one: Identity, other: Identity) -> bool:
    """Whether the third rule may make these two one film."""
    if one.kind != other.kind or one.year is None or other.year is None:
        return False
    if abs(one.year - other.year) > YEARS_APART or one.title_keys.isdisjoint(other.title_keys):
        return False
    if not do_lengths_agree(one.duration_seconds, other.duration_seconds):
        return False
    ids = dict(one.ids)
    return all(ids.get(kind, value) == value for kind, value in other.ids)


def do_lengths_agree(one: float | None, other: float | None) -> bool:
    """Whether two lengths in seconds may be the same film's; unknown ones may."""
    if one is None or other is None:
        return True
    return abs(one - other) <= max(SECONDS_APART, SHARE_APART * max(one, other))


def grouped(offers: Collection[Identity], decisions: Iterable[Decision] = ()) -> list[Group]:
    """These offers as films, in the order of their first offers. Decisions about others are not looked at."""
    return _Sorting(offers, decisions).groups()


@dataclass(eq=False, slots=True)
class _Cluster:
    """Offers that are one film already; the first of them is its name."""

    name: str
    members: list[Identity]
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    conflict: Conflict | None = None
    candidates: set[str] = field(default_factory=set)


class _Sorting:
    """One working out: clusters that grow by one rule after the other."""

    def __init__(self, offers: Collection[Identity], decisions: Iterable[Decision]) -> None:
        self._offers = {one.key: one for one in sorted(offers, key=lambda one: one.key)}
        self._confidence = dict.fromkeys(self._offers, 1.0)
        self._of = {key: _Cluster(key, [one]) for key, one in self._offers.items()}
        for key, one in self._offers.items():
            for kind, value in one.ids:
                self._of[key].ids[kind].add(value)
        known = [one for one in decisions if one.offer in self._offers and one.other in self._offers]
        known = sorted(known, key=lambda one: (one.offer, one.other))
        self._same = [one for one in known if one.same]
        self._different = [one for one in known if not one.same]

    def groups(self) -> list[Group]:
        for one in self._same:
            self._merge_if(self._of[one.offer], self._of[one.other])
        offers = self._offers.values()
        self._by_value((one.key, one.item) for one in offers)
        self._by_value((one.key, repr(sorted(one.ids))) for one in offers if one.ids)  # these cannot disagree
        for hard in HARD_IDS:
            self._by_value((one.key, value) for one in offers for kind, value in one.ids if kind == hard)
        self._by_title()
        return [
            Group(
                members=tuple(sorted(member.key for member in one.members)),
                confidence={member.key: self._confidence[member.key] for member in one.members},
                conflict=one.conflict,
                candidates=tuple(sorted(one.candidates)),
            )
            for one in self._clusters()
        ]

    # --- ids ----------------------------------------------------------------------------------------------------

    def _by_value(self, held: Iterable[tuple[str, str]]) -> None:
        holders: dict[str, list[str]] = defaultdict(list)
        for key, value in held:
            holders[value].append(key)
        for value in sorted(holders):
            self._settle(self._distinct(holders[value]))

    def _settle(self, holders: Sequence[_Cluster]) -> None:
        """Make those one who hold the same value, unless they contradict one another."""
        if len(holders) < 2:
            return
        leaving = [one for one in holders if self._leaves(one, holders)]
        staying = [one for one in holders if one not in leaving]
        if all(self._may_be_one(one, other) for at, one in enumerate(staying) for other in staying[:at]):
            self._merge_all(staying)
            return
        for one in staying:
            others = [other for other in staying if other is not one and not self._may_be_one(one, other)]
            self._note(one, "disagree", others or [other for other in staying if other is not one])

    def _leaves(self, one: _Cluster, holders: Sequence[_Cluster]) -> bool:
        keys = {member.key for member in one.members}
        others = {member.key for other in holders if other is not one for member in other.members}
        return any(said.offer in keys and said.other in others for said in self._different)

    # --- titles -------------------------------------------------------------------------------------------------

    def _by_title(self) -> None:
        known = [one for one in self._clusters() if one.ids]
        self._merge_twins(known)
        loose: list[_Cluster] = []
        near = self._neighbours(self._clusters())
        attached: list[tuple[_Cluster, _Cluster]] = []
        for one in self._clusters():
            if one.ids:
                continue
            films = [other for other in near[one.name] if other.ids]
            if not films:
                loose.append(one)
            elif len(films) == 1:
                attached.append((films[0], one))
            else:
                self._note(one, "several", films)
        for film, one in attached:
            if self._may_be_one(film, one):  # what was attached before may be what a person has set it apart from
                self._link(film, one)
        self._merge_twins(loose)

    def _merge_twins(self, clusters: Sequence[_Cluster]) -> None:
        """Link those among them that all fit one another; who fits two that do not fit each other is linked to none."""
        near = self._neighbours(clusters)
        circles = {name: {name, *(other.name for other in others)} for name, others in near.items()}
        clear = {name for name, circle in circles.items() if all(circle <= circles[other] for other in circle)}
        done: set[str] = set()
        for one in clusters:
            name = one.name
            if name in done or not near[name]:
                continue
            if name not in clear:
                self._note(one, "several", near[name])
                continue
            for other in near[name]:
                if other.name in clear:
                    done.add(other.name)
                    self._link(one, other)

    def _neighbours(self, clusters: Sequence[_Cluster]) -> dict[str, list[_Cluster]]:
        """Which of these fit which by the third rule, by the names they have now."""
        among = {id(one) for one in clusters}
        blocks: dict[tuple[str, int], list[Identity]] = defaultdict(list)
        for one in clusters:
            for member in one.members:
                for key in member.title_keys:
                    if member.year is not None:
                        blocks[key, member.year].append(member)
        found: dict[str, list[_Cluster]] = {one.name: [] for one in clusters}
        for one in clusters:
            met: dict[int, _Cluster] = {id(one): one}
            for member in one.members:
                for other in _alike(member, blocks):
                    cluster = self._of[other.key]
                    if id(cluster) not in among or id(cluster) in met:
                        continue
                    if self._may_be_one(one, cluster) and _do_lengths_agree(one, cluster):
                        met[id(cluster)] = cluster
            found[one.name] = sorted((other for other in met.values() if other is not one), key=lambda it: it.name)
        return found

    # --- clusters -----------------------------------------------------------------------------------------------

    def _clusters(self) -> list[_Cluster]:
        return self._distinct(self._offers)

    def _distinct(self, keys: Iterable[str]) -> list[_Cluster]:
        return list({id(self._of[key]): self._of[key] for key in keys}.values())

    def _may_be_one(self, one: _Cluster, other: _Cluster) -> bool:
        for kind in one.ids.keys() & other.ids.keys():
            if one.ids[kind].isdisjoint(other.ids[kind]):
                return False
        if not self._different:
            return True
        here, there = ({member.key for member in each.members} for each in (one, other))
        return not any(
            (said.offer in here and said.other in there) or (said.offer in there and said.other in here)
            for said in self._different
        )

    def _merge_if(self, one: _Cluster, other: _Cluster) -> None:
        """As a person has said, ids or no ids; but not against what they have said of others."""
        ids, one.ids = one.ids, defaultdict(set)
        allowed = one is not other and self._may_be_one(one, other)
        one.ids = ids
        if allowed:
            self._merge_all([one, other])

    def _merge_all(self, clusters: Sequence[_Cluster]) -> None:
        first = clusters[0] if clusters else None
        for other in clusters[1:]:
            assert first is not None
            first.members += other.members
            first.name = min(first.name, other.name)
            for kind, values in other.ids.items():
                first.ids[kind] |= values
            first.conflict = first.conflict or other.conflict
            first.candidates |= other.candidates
            for member in other.members:
                self._of[member.key] = first

    def _link(self, film: _Cluster, other: _Cluster) -> None:
        sure = [one for one in film.members if one.ids] or film.members
        for member in other.members:
            link = max(_confidence(member, one) for one in sure)
            self._confidence[member.key] = min(self._confidence[member.key], link)
        self._merge_all([film, other])

    def _note(self, one: _Cluster, conflict: Conflict, others: Iterable[_Cluster]) -> None:
        one.conflict = one.conflict or conflict
        one.candidates |= {other.name for other in others}


def _alike(one: Identity, blocks: Mapping[tuple[str, int], Sequence[Identity]]) -> Iterable[Identity]:
    if one.year is None:
        return
    for key in one.title_keys:
        for year in range(one.year - YEARS_APART, one.year + YEARS_APART + 1):
            for other in blocks.get((key, year), ()):
                if other is not one and are_alike(one, other):
                    yield other


def _do_lengths_agree(one: _Cluster, other: _Cluster) -> bool:
    """Whether any of the lengths that are known of one fits any of the other's; unknown ones of both may."""
    here, there = ([it.duration_seconds for it in each.members if it.duration_seconds] for each in (one, other))
    return not here or not there or any(do_lengths_agree(mine, theirs) for mine in here for theirs in there)


def _confidence(one: Identity, other: Identity) -> float:
    """How sure a link by title is: an exact year and a known length say more."""
    sure = 0.95 if one.year == other.year else 0.85
    both_known = one.duration_seconds is not None and other.duration_seconds is not None
    return sure if both_known else round(sure - 0.1, 2)
