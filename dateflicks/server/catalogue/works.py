"""Films made of offers: for what has changed and its neighbours, or for the whole collection, with the same result.

One step takes some offers, puts their keys in order, finds all that they have to do with, lets the rules group these,
and writes what is different: first keys, then films that lose offers, then offers (which film each belongs to), then
all other films. So a step that broke off is done again by the next one and nothing is lost. A film keeps its id for as
long as most of its offers stay together; what becomes of another's offers points to it (`mergedInto`).
"""

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dateflicks.core.catalogue.choosing import TRUST
from dateflicks.core.catalogue.identity import Decision, Group, grouped
from dateflicks.core.errors import NotFound, Unavailable
from dateflicks.server.catalogue.deciding import Decisions
from dateflicks.server.catalogue.keys import Keys
from dateflicks.server.catalogue.making import claims, ended, work_of
from dateflicks.server.catalogue.neighbours import Circle, Neighbours
from dateflicks.server.catalogue.paging import pages_from, those
from dateflicks.server.catalogue.records import (
    MARKS,
    VIDEOS,
    WORKS,
    identity_of,
    is_linkable,
    near_keys,
    new_work_id,
    own_keys,
    salted_work_id,
    stamps,
)
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document, Place
from dateflicks.server.storage.table import MANY_MAX

SEEDS: Final = 200  # offers in one step; their neighbours come on top
OVERLAP_SECONDS: Final = 60.0  # how far the clocks of those who write offers may be apart
TRIES: Final = 8
_MARK: Final = "mark:works"


@dataclass(slots=True)
class Made:
    """What was done: offers looked at, offers that belong to another film now, films written, films that ended."""

    looked_at: int = 0
    relinked: int = 0
    written: int = 0
    ended: int = 0


class Works:
    """Makes films of offers. `now` is Unix time; `trust` says whose facts are believed. Raises Unavailable."""

    def __init__(
        self, database: Database, *, now: Callable[[], float] = time.time, trust: Mapping[str, int] = TRUST
    ) -> None:
        self._videos = database.table(VIDEOS)
        self._works = database.table(WORKS)
        self._marks = database.table(MARKS)
        self._decisions = Decisions(database, now=now)
        self._keys = Keys(database)
        self._neighbours = Neighbours(self._videos, self._keys)
        self._now = now
        self._trust = trust
        self._stamp = 0.0
        self._posted: dict[str, set[str]] = {}  # keys of offers that do not say so themselves yet

    async def update(self) -> Made:
        """Take in what sources have changed since the last time."""
        made = Made()
        await self._decisions.load()
        mark = ((await self._marks.get(_MARK)) or {}).get("at", 0.0)
        async for page in pages_from(self._videos, "changedAt", max(mark - OVERLAP_SECONDS, 0.0), limit=SEEDS):
            undone = await self._undone(page)
            await self._step([one["_id"] for one in undone], made, read=undone)
            mark = page[-1]["changedAt"]
            await self._marks.upsert({"_id": _MARK, "rev": 1, "at": mark})
        return made

    async def rebuild(self) -> Made:
        """Make all films anew, whatever was derived before; films whose offers are all gone from them end."""
        made = Made()
        await self._decisions.load()
        async for page in pages_from(self._videos, "changedAt", 0.0, limit=SEEDS):
            await self._step([one["_id"] for one in page], made, read=page)
        async for page in pages_from(self._works, "updatedAt", 0.0, limit=SEEDS):
            await self._end_orphans([one for one in page if one["endedAt"] is None], made)
        return made

    async def relink(self, offers: Iterable[str]) -> Made:
        """Work out anew what these offers belong to, whether or not they have changed."""
        made = Made()
        await self._decisions.load()
        await self._step(list(offers), made)
        return made

    async def forget(self, offers: Sequence[Document]) -> Made:
        """Delete these offers (200 at most) and make the films anew that had them."""
        made = Made()
        await self._decisions.load()
        self._keys.forget()
        keys = {key for one in offers for key in one["linkKeys"]}
        await self._keys.load(keys)
        gone = {one["_id"] for one in offers}
        near = {holder for key in keys for holder in self._keys.holders(key)} - gone
        films = await those(self._works, list({one["workId"] for one in offers if one["workId"]}))
        near |= {key for film in films.values() for key in film["members"]} - gone
        await self._videos.delete_many(sorted(gone))
        near |= await self._keys.change({}, dict.fromkeys(keys, gone)) - gone
        await self._step(sorted(near), made)
        await self._end_orphans([one for one in films.values() if one["endedAt"] is None], made)
        return made

    # --- what people say ----------------------------------------------------------------------------------------

    async def decide(self, offer: str, other: str, *, is_same: bool, by: str | None = None) -> Made:
        """Take a person's word that two offers are the same film, or that `offer` is not the film of `other`.

        Raises NotFound when there is no such offer.
        """
        if len(await self._videos.get_many([offer, other])) < 2:
            raise NotFound("There is no such offer, or both are one.")
        await self._decisions.say(offer, other, is_same=is_same, by=by)
        return await self.relink([offer, other])

    async def undo(self, offer: str, other: str) -> Made:
        """Forget what was said of these two: the rules hold again. Raises NotFound when nothing was."""
        if not await self._decisions.unsay(offer, other):
            raise NotFound("Nobody has said anything of these two.")
        return await self.relink([offer, other])

    async def decisions(self) -> list[Decision]:
        """All that people have said."""
        await self._decisions.load()
        return list(self._decisions.all)

    async def conflicts(self, after: Place | None = None, limit: int = 50) -> list[Document]:
        """Films that may be one of several others (`candidates`), or whose ids contradict another's; newest first."""
        found: list[Document] = []
        for kind in ("several", "disagree"):
            page = await self._works.page("conflict", kind, order_by="updatedAt", after=after, limit=limit)
            found += page
        return sorted(found, key=lambda one: (-one["updatedAt"], one["_id"]))[:limit]

    # --- one step -----------------------------------------------------------------------------------------------

    async def _undone(self, page: Sequence[Document]) -> list[Document]:
        """Those of which the films do not know this version yet."""
        films = await those(self._works, list({one["workId"] for one in page if one["workId"]}))
        return [one for one in page if not _is_done(one, films.get(one["workId"] or ""))]

    async def _step(self, seeds: Sequence[str], made: Made, *, read: Sequence[Document] = ()) -> None:
        """Make films of these; what was `read` of them just now need not be read again."""
        known = {one["_id"]: one for one in read}
        for _ in range(TRIES):
            for start in range(0, len(seeds), SEEDS):
                some = seeds[start : start + SEEDS]
                there = known if known.keys() >= set(some) else await those(self._videos, some)
                left = await self._try({key: there[key] for key in some if key in there}, made)
                if left:
                    known = {}
                    break
            else:
                return
            seeds = [*left, *seeds[start:]]
        raise Unavailable("Sources keep changing what is to be made films of. Try again in a moment.")

    async def _try(self, stored: dict[str, Document], made: Made) -> list[str]:
        """Returns the offers that somebody else has changed meanwhile."""
        self._keys.forget()
        made.looked_at += len(stored)
        roots = await self._in_order(stored)
        roots |= {said for key in stored for one in self._decisions.of(key) for said in (one.offer, one.other)}
        while True:
            circle, films = await self._around(roots, stored)
            late = {
                key: one
                for key, one in circle.documents.items()
                if key not in stored and one["linkKeys"] != near_keys(identity_of(one))
            }
            if not late:
                break
            stored |= late
            roots |= await self._in_order(late)
        stale = [key for key, one in stored.items() if circle.documents.get(key, one)["rev"] != one["rev"]]
        if stale:
            return stale
        groups = grouped(list(circle.identities.values()), self._decisions.all)
        return await self._write(circle, groups, films, stored, made)

    async def _around(self, roots: Iterable[str], stored: Mapping[str, Document]) -> tuple[Circle, dict[str, Document]]:
        """All that these have to do with, and the films that any of it belongs to, with all of their offers."""
        circle = Circle()
        films: dict[str, Document] = {}
        following = set(roots)
        while following:
            await self._neighbours.around(circle, following, self._decisions.same)
            named = {one["workId"] for one in (*circle.documents.values(), *stored.values()) if one["workId"]}
            films |= await those(self._works, sorted(named - films.keys()))
            members = {key for film in films.values() for key in film["members"]} - circle.documents.keys()
            following = {key for key, one in (await those(self._videos, sorted(members))).items() if is_linkable(one)}
        return circle, films

    async def _in_order(self, stored: Mapping[str, Document]) -> set[str]:
        """Put the keys of these in order; who may be affected, themselves among them."""
        added: dict[str, set[str]] = defaultdict(set)
        removed: dict[str, set[str]] = defaultdict(set)
        near: set[str] = set()
        for key, document in stored.items():
            own = own_keys(identity_of(document)) if is_linkable(document) else []
            for name in own:
                added[name].add(key)
            before = {*document["linkKeys"], *self._posted.get(key, ())}
            for name in before - set(own):
                removed[name].add(key)
            near |= before
            self._posted.setdefault(key, set()).update(own)
        await self._keys.load(near)
        neighbours = {holder for name in near for holder in self._keys.holders(name)}
        return neighbours | await self._keys.change(added, removed) | stored.keys()

    async def _write(
        self,
        circle: Circle,
        groups: Sequence[Group],
        films: dict[str, Document],
        stored: Mapping[str, Document],
        made: Made,
    ) -> list[str]:
        ids = await self._named(circle, groups, films)
        work_ids = {key: ids[at] for at, group in enumerate(groups) for key in group.members}
        relinked: list[Document] = []
        for key, document in circle.documents.items():
            links = near_keys(identity_of(document))
            if document["workId"] != work_ids[key] or document["linkKeys"] != links:
                linked = {"workId": work_ids[key], "linkKeys": links, "rev": document["rev"] + 1}
                relinked.append(document | linked)
        relinked += [
            {**one, "workId": None, "linkKeys": [], "rev": one["rev"] + 1}
            for one in stored.values()
            if not is_linkable(one) and (one["workId"] or one["linkKeys"])
        ]
        now = self._now()
        found = [
            work_of(ids[at], group, circle.documents, work_ids, now, self._trust) for at, group in enumerate(groups)
        ]
        gone = [film for work_id, film in films.items() if work_id not in ids and film["endedAt"] is None]
        works = [*found, *(ended(film, now, _heir(film, work_ids)) for film in gone)]
        losing = {work["_id"] for work in works if _loses(films.get(work["_id"]), work)}
        # Before the offers point elsewhere: afterwards nothing leads to a film that has still to let go of one.
        await self._put([work for work in works if work["_id"] in losing], films, made)
        for start in range(0, len(relinked), MANY_MAX):
            if left := await self._videos.replace_many(relinked[start : start + MANY_MAX]):
                return left
        self._posted.clear()
        made.relinked += len(relinked)
        made.ended += len(gone)
        await self._put([work for work in works if work["_id"] not in losing], films, made)
        return []

    async def _named(self, circle: Circle, groups: Sequence[Group], films: dict[str, Document]) -> list[str]:
        """The id of each group: the one that most of its offers had, or a new one."""
        ids: dict[int, str] = {}
        for work_id, at in claims(groups, circle.documents):
            if at not in ids and work_id not in ids.values():
                ids[at] = work_id
        taken = set(ids.values())
        usual = {
            at: new_work_id([circle.identities[key] for key in group.members])
            for at, group in enumerate(groups)
            if at not in ids
        }
        films |= await those(self._works, [one for one in dict.fromkeys(usual.values()) if one not in films])
        for at, group in enumerate(groups):
            if at in ids:
                continue
            for work_id in _possible(usual[at], group.members[0]):
                film = films.get(work_id)
                if film is None and work_id != usual[at]:
                    film = await self._works.get(work_id)
                if film is not None:
                    films[work_id] = film
                if work_id not in taken and (film is None or not set(film["members"]) - circle.documents.keys()):
                    ids[at] = work_id
                    taken.add(work_id)
                    break
        return [ids[at] for at in range(len(groups))]

    async def _end_orphans(self, films: Sequence[Document], made: Made) -> None:
        """End the films none of whose offers belongs to them any more."""
        members = await those(self._videos, sorted({key for film in films for key in film["members"]}))
        over: list[Document] = []
        for film in films:
            belong = {key: members[key]["workId"] for key in film["members"] if key in members}
            if film["_id"] not in belong.values():
                over.append(ended(film, self._now(), _heir(film, belong)))
        made.ended += len(over)
        await self._put(over, {film["_id"]: film for film in films}, made)

    async def _put(self, works: Sequence[Document], stored: Mapping[str, Document], made: Made) -> None:
        """Write the films that are not as they were."""
        over: list[Document] = []
        for work in works:
            before = stored.get(work["_id"])
            if before is None or before["contentHash"] != work["contentHash"]:
                over.append({**work, "rev": before["rev"] + 1 if before else 1})
        for work, stamp in zip(over, stamps(self._now(), self._stamp, len(over)), strict=True):
            work["updatedAt"] = self._stamp = stamp
        fresh = [work for work in over if work["_id"] not in stored]
        for start in range(0, len(fresh), MANY_MAX):  # the engine inserts twice as fast as it upserts
            taken = set(await self._works.insert_many(fresh[start : start + MANY_MAX]))
            await self._works.upsert_many([work for work in fresh if work["_id"] in taken])
        known = [work for work in over if work["_id"] in stored]
        for start in range(0, len(known), MANY_MAX):
            await self._works.upsert_many(known[start : start + MANY_MAX])
        made.written += len(over)


def _is_done(offer: Document, film: Document | None) -> bool:
    if not is_linkable(offer):
        return offer["workId"] is None and not offer["linkKeys"]
    return film is not None and (offer["_id"], offer["changedAt"]) in zip(
        film["members"], film["memberStamps"], strict=True
    )


def _possible(usual: str, member: str) -> Iterator[str]:
    """The ids that a new film may have, the usual one first: others may have it, and those of before, by now."""
    yield usual
    yield salted_work_id(member)
    for number in itertools.count(2):
        yield salted_work_id(f"{member} {number}")


def _loses(before: Document | None, work: Document) -> bool:
    """Whether a film has to let go of offers that it has."""
    return before is not None and not set(before["members"]) <= set(work["members"])


def _heir(film: Document, work_ids: Mapping[str, str | None]) -> str | None:
    """The film that most of its offers are now."""
    heirs = Counter(heir for key in film["members"] if (heir := work_ids.get(key)) and heir != film["_id"])
    return min(heirs, key=lambda one: (-heirs[one], one)) if heirs else None
