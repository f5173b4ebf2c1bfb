"""The offers that a few offers have to do with: those that may be the same film, those that may be the same film as
these, and so on to the end.

What comes of the rules for them depends on nothing else, so that working out all of them gives the same as working out
the whole collection.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dateflicks.core.catalogue.identity import Decision, Identity, are_alike
from dateflicks.server.catalogue.keys import Keys
from dateflicks.server.catalogue.paging import those
from dateflicks.server.catalogue.records import identity_of, is_linkable, near_keys, own_keys, title_key_id
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table


@dataclass(slots=True)
class Circle:
    """Offers with all that they have to do with."""

    documents: dict[str, Document] = field(default_factory=dict)
    identities: dict[str, Identity] = field(default_factory=dict)


class Neighbours:
    """Finds them in `videos` by their keys."""

    def __init__(self, videos: Table, keys: Keys) -> None:
        self._videos = videos
        self._keys = keys

    async def around(
        self,
        circle: Circle,
        roots: Iterable[str],
        same: Mapping[str, Iterable[Decision]],
    ) -> None:
        """Put these offers and all that they have to do with into the circle; `same` is what people said, by offer."""
        seen: dict[str, tuple[Document, Identity]] = {}
        frontier = [key for key in dict.fromkeys(roots) if key not in circle.documents]
        await self._see(frontier, seen)
        while frontier := [key for key in dict.fromkeys(frontier) if key in seen and key not in circle.documents]:
            for key in frontier:
                circle.documents[key], circle.identities[key] = seen[key]
            await self._keys.load(near for key in frontier for near in near_keys(circle.identities[key]))
            by_id = {key: self._by_id(circle.identities[key], same.get(key, ())) for key in frontier}
            by_title = {key: self._by_title(circle.identities[key]) for key in frontier}
            await self._see({one for found in (*by_id.values(), *by_title.values()) for one in found}, seen)
            following = {one for found in by_id.values() for one in found}
            for key, found in by_title.items():
                mine = circle.identities[key]
                following |= {one for one in found if one in seen and are_alike(mine, seen[one][1])}
            for key in frontier:
                circle.identities[key] = self._telling(circle.identities[key])
            frontier = sorted(following)

    async def _see(self, keys: Iterable[str], seen: dict[str, tuple[Document, Identity]]) -> None:
        missing = [key for key in keys if key not in seen]
        for key, document in (await those(self._videos, missing)).items():
            if is_linkable(document):
                seen[key] = document, identity_of(document)

    def _by_id(self, identity: Identity, decisions: Iterable[Decision]) -> set[str]:
        found = {one for key in own_keys(identity) if not key.startswith("ttl:") for one in self._keys.holders(key)}
        for said in decisions:
            found |= {said.offer, said.other}
        return found - {identity.key}

    def _by_title(self, identity: Identity) -> set[str]:
        found = {one for key in near_keys(identity) if key.startswith("ttl:") for one in self._keys.holders(key)}
        return found - {identity.key}

    def _telling(self, identity: Identity) -> Identity:
        """Without the titles that so many have that they say nothing."""
        if identity.year is None:
            return identity
        year = identity.year
        telling = {title for title in identity.title_keys if not self._keys.is_common(title_key_id(title, year))}
        return replace(identity, title_keys=frozenset(telling))
