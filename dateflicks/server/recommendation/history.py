"""What people did with films: their evenings from the session service's database, what they said, what they predicted.

Read, never written. An evening is an accepted session that played a film of the collection; how far it came is known as
often as the session service puts it down. What a person says (`ratings`) has one document for each film: `rating` (up,
down, hide, or null) since `at`, and `watchedAt`, when their client told that the film came to its end, which counts as
finished before the session does. To dismiss a film is to say `hide`.

An evening of two counts for each of them, and once more for both together, under the name of the pair.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dateflicks.core.ranking.interactions import Act, Interaction, act_of_watching
from dateflicks.protocol.ids import is_id
from dateflicks.server.catalogue.paging import pages_from_text, those
from dateflicks.server.recommendation.records import RATINGS, pair_of
from dateflicks.server.services.prediction.records import OUTCOMES
from dateflicks.server.services.prediction.records import pair_key as outcomes_of
from dateflicks.server.services.session.records import PROGRESS, SESSIONS, TOKENS, USERS
from dateflicks.server.storage.database import Database
from dateflicks.server.storage.records import Document
from dateflicks.server.storage.table import Table

COLLECTIONS: Final = (USERS, TOKENS, SESSIONS, PROGRESS, OUTCOMES, RATINGS)
EVENINGS_MAX: Final = 1_000  # of one person as host, and as guest, that are looked at for their list
SAID: Final = {"up": Act.UP, "down": Act.DOWN, "hide": Act.HIDDEN}


@dataclass(frozen=True, slots=True)
class Met:
    """Two who have accepted a session with each other, and how each was called there, by id."""

    names: dict[str, str]


@dataclass(slots=True)
class Acts:
    """What some people did: each for themselves, and as pairs (`records.pair_of` as the id of the user).

    `pairs` are all who ever asked one another, whatever was answered.
    """

    own: list[Interaction] = field(default_factory=list)
    joint: list[Interaction] = field(default_factory=list)
    pairs: set[str] = field(default_factory=set)


class Histories:
    """Reads them. All raise Unavailable when the database is away; the collections have to be ensured."""

    def __init__(self, database: Database) -> None:
        self._users = database.table(USERS)
        self._tokens = database.table(TOKENS)
        self._sessions = database.table(SESSIONS)
        self._progress = database.table(PROGRESS)
        self._outcomes = database.table(OUTCOMES)
        self._ratings = database.table(RATINGS)

    # --- one person, one pair -----------------------------------------------------------------------------------

    async def of(self, user_id: str) -> list[Interaction]:
        """Everything that a person did, but for predictions, which weigh too little to be looked for each time."""
        hosted, joined, said = await asyncio.gather(
            _all(self._sessions, "hostUserId", user_id, "order", EVENINGS_MAX),
            _all(self._sessions, "guestUserId", user_id, "order", EVENINGS_MAX),
            _all(self._ratings, "userId", user_id, "at", None),
        )
        evenings = [one for one in (*hosted, *joined) if _is_evening(one)]
        marks = await those(self._progress, [one["_id"] for one in evenings])
        watched = _watched(evenings, marks)
        return [Interaction(user_id, video, act, at) for video, act, at, _ in watched] + list(acts_said(said))

    async def together(self, one: str, other: str) -> list[Interaction]:
        """What two watched with each other, under the name of the pair."""
        pair = pair_of(one, other)
        found = await _all(self._sessions, "pair", pair, "order", EVENINGS_MAX)
        evenings = [session for session in found if _is_evening(session)]
        marks = await those(self._progress, [session["_id"] for session in evenings])
        return [Interaction(pair, video, act, at) for video, act, at, _ in _watched(evenings, marks)]

    async def met(self, one: str, other: str) -> Met | None:
        """Whether these two have accepted a session with each other, ever."""
        async for page in self._sessions.pages("pair", pair_of(one, other), order_by="order"):
            for session in page:
                if session.get("isAccepted") is True:
                    roles = [(session[f"{role}UserId"], session.get(f"{role}Name") or "") for role in ("host", "guest")]
                    return Met(dict(roles))
        return None

    async def is_signed_out(self, user_id: str, token_id: str) -> bool:
        """Whether a sign-in is over. Nobody can tell of people whose accounts are kept elsewhere: they are believed."""
        return await self._tokens.get(token_id) is None and await self._users.get(user_id) is not None

    # --- everybody ----------------------------------------------------------------------------------------------

    async def everybody(self) -> AsyncIterator[Acts]:
        """All acts of all people, a few people at a time; each evening is met once, with its host."""
        async for page in pages_from_text(self._users, "nameKey", "name:"):
            acts = Acts()
            for user in page:
                await self._read(user["_id"], acts)
            yield acts

    async def _read(self, host: str, acts: Acts) -> None:
        hosted, said = await asyncio.gather(
            _all(self._sessions, "hostUserId", host, "order", None),
            _all(self._ratings, "userId", host, "at", None),
        )
        acts.own += acts_said(said)
        acts.pairs |= {pair_of(host, one["guestUserId"]) for one in hosted if one.get("guestUserId")}
        evenings = [one for one in hosted if _is_evening(one)]
        if not evenings:
            return
        marks = await those(self._progress, [one["_id"] for one in evenings])
        for video, act, at, session in _watched(evenings, marks):
            guest = session["guestUserId"]
            acts.own += [Interaction(host, video, act, at), Interaction(guest, video, act, at)]
            acts.joint.append(Interaction(pair_of(host, guest), video, act, at))
        films = {one["_id"]: one["videoId"] for one in evenings}
        for guest in sorted({one["guestUserId"] for one in evenings}):
            for outcome in await _all(self._outcomes, "pairKey", outcomes_of(host, guest), "order", None):
                acts.own += _predicted(outcome, films)


def acts_said(documents: Iterable[Document]) -> Iterator[Interaction]:
    """What a person said of films, as acts."""
    for one in documents:
        if one.get("rating") in SAID:
            yield Interaction(one["userId"], one["videoId"], SAID[one["rating"]], _time(one.get("at")))
        if one.get("watchedAt") is not None:
            yield Interaction(one["userId"], one["videoId"], Act.FINISHED, _time(one["watchedAt"]))


def _is_evening(session: Document) -> bool:
    film, guest = session.get("videoId"), session.get("guestUserId")
    return session.get("isAccepted") is True and isinstance(film, str) and is_id(film, "vid") and bool(guest)


def _watched(sessions: Sequence[Document], marks: dict[str, Document]) -> Iterator[tuple[str, Act, float, Document]]:
    """The film of each evening that came anywhere, what that makes of it, and when."""
    for session in sessions:
        mark = marks.get(session["_id"])
        position = _time(mark.get("position")) if mark is not None else 0.0
        if mark is None or position <= 0:
            continue
        length = _time(mark.get("length")) or _time((session.get("video") or {}).get("length"))
        has_ended = session.get("state") == "ended"
        at = session.get("endedAt") or session.get("answeredAt") or session.get("createdAt")
        yield session["videoId"], act_of_watching(position, length, has_ended=has_ended), _time(at), session


def _predicted(outcome: Document, films: dict[str, str]) -> Iterator[Interaction]:
    film = films.get(outcome.get("sessionId") or "")
    if film is not None:
        for person in outcome.get("people") or ():
            yield Interaction(person["userId"], film, Act.PREDICTED, _time(outcome.get("settledAt")))


def _time(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


async def _all(table: Table, by: str, value: str, order: str, most: int | None) -> list[Document]:
    """The documents of a field's value, the newest first; all of them, or so many."""
    found: list[Document] = []
    async for page in table.pages(by, value, order_by=order):
        found += page
        if most is not None and len(found) >= most:
            break
    return found
