"""Everything that is kept of a person, told to them: no secrets, and nothing that others have said or called.

Times are RFC 3339, positions and lengths seconds.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

from dateflicks.core.limits import PAGE_MAX
from dateflicks.protocol.times import rfc3339_if_known
from dateflicks.server.recommendation import records as recommendation
from dateflicks.server.recommendation.records import pair_of
from dateflicks.server.services.messages import records as messages
from dateflicks.server.services.messages.sequence import DenseSequence
from dateflicks.server.services.prediction import records as prediction
from dateflicks.server.services.session import records as session
from dateflicks.server.storage.records import Document, revealed
from dateflicks.server.storage.table import Table
from dateflicks.server.upkeep.people import Accounts, Everywhere

KINDS: Final = (
    "account", "sign_ins", "friends", "sessions", "messages", "reading", "predictions", "calls", "scores", "ratings",
    "shown", "lists",
)  # fmt: skip
Told = tuple[str, dict[str, Any]]


async def exported(everywhere: Everywhere, user: Document) -> AsyncIterator[Told]:
    """Kinds and records, each kind's in one order. Raises Unavailable, StorageFault."""
    user_id: str = user["_id"]
    details = await Accounts(everywhere).details(user)
    yield (
        "account",
        {
            "id": details.id,
            "name": details.name,
            "state": details.state,
            "has_password": user["passwordHash"] is not None,
            "created_at": details.created_at,
            "disabled_at": details.disabled_at,
        },
    )
    for one in await everywhere.table(session.TOKENS).find("userId", user_id, limit=PAGE_MAX):
        yield "sign_ins", {"at": rfc3339_if_known(one["createdAt"]), "expires_at": rfc3339_if_known(one["expiresAt"])}
    for one in await everywhere.table(session.FRIENDS).find("userId", user_id, limit=PAGE_MAX):
        yield "friends", {"name": one["name"], "user_id": one["friendId"], "since": rfc3339_if_known(one["since"])}
    partners: set[str] = set()
    for field in ("hostUserId", "guestUserId"):
        async for page in everywhere.table(session.SESSIONS).pages(field, user_id, order_by="order"):
            marks = await everywhere.table(session.PROGRESS).get_many([one["_id"] for one in page])
            for one in page:
                yield "sessions", _session(one, user_id, marks.get(one["_id"]))
                partners |= {one["guestUserId" if field == "hostUserId" else "hostUserId"]} - {None}
                async for told in _of_session(everywhere, one["_id"], user_id):
                    yield told
    async for told in _scores(everywhere, user_id, partners):
        yield told
    async for told in _films(everywhere, user_id, partners):
        yield told


def _session(document: Document, user_id: str, mark: Document | None) -> dict[str, Any]:
    is_host = document["hostUserId"] == user_id
    details = document["details"] if is_host else None
    return {
        "id": document["_id"],
        "role": "host" if is_host else "guest",
        "with_name": document["guestName" if is_host else "hostName"],
        "with_user_id": document["guestUserId" if is_host else "hostUserId"],
        "state": document["state"],
        "video_id": document["videoId"],
        "video": document["video"],
        "details": None if details is None else revealed(details),
        "start_time": document["startTime"],
        "created_at": rfc3339_if_known(document["createdAt"]),
        "answered_at": rfc3339_if_known(document["answeredAt"]),
        "ended_at": rfc3339_if_known(document["endedAt"]),
        "position": None if mark is None else mark["position"],
    }


async def _of_session(everywhere: Everywhere, session_id: str, user_id: str) -> AsyncIterator[Told]:
    if everywhere.has(messages.DATABASE):
        async for one in _said(everywhere.table(messages.MESSAGES), session_id, user_id):
            yield "messages", one
        marks = await everywhere.table(messages.MARKS).get(session_id)
        for mark in marks["people"] if marks is not None else ():
            if mark["userId"] == user_id:
                yield "reading", {"session_id": session_id, "seq": mark["seq"]}
    if everywhere.has(prediction.DATABASE):
        table = everywhere.table(prediction.PREDICTIONS)
        for one in await table.find("sessionId", session_id, limit=PAGE_MAX):
            if one["author"] == user_id:
                yield "predictions", _prediction(one)
            for call in one["calls"]:
                if call["author"] == user_id:
                    yield "calls", _call(one, call)


async def _said(table: Table, session_id: str, user_id: str) -> AsyncIterator[dict[str, Any]]:
    sequence = DenseSequence(table, session_id, lambda _: None)
    await sequence.find_head()
    for first in range(1, sequence.head + 1, PAGE_MAX):
        for one in await sequence.page(first, min(first + PAGE_MAX - 1, sequence.head)):
            if one.get("author") == user_id:
                yield {
                    "id": one["messageId"],
                    "session_id": session_id,
                    "seq": one["seq"],
                    "time": rfc3339_if_known(one["time"]),
                    "type": one["type"],
                    "content": one["content"],
                    "position": one.get("position"),
                    "reply_to": one.get("replyTo"),
                    "edited_at": rfc3339_if_known(one.get("editedAt")),
                    "deleted_at": rfc3339_if_known(one.get("deletedAt")),
                }


def _prediction(document: Document) -> dict[str, Any]:
    return {
        "id": document["_id"],
        "session_id": document["sessionId"],
        "details": document["details"],
        "options": document["options"],
        "status": document["status"],
        "outcome": document["outcome"],
        "created_at": rfc3339_if_known(document["createdAt"]),
    }


def _call(document: Document, call: Document) -> dict[str, Any]:
    return {
        "prediction_id": document["_id"],
        "session_id": document["sessionId"],
        "option": call["option"],
        "confidence": call["confidence"],
        "at": rfc3339_if_known(call["calledAt"]),
        "position": call["atPosition"],
    }


async def _scores(everywhere: Everywhere, user_id: str, partners: set[str]) -> AsyncIterator[Told]:
    if not everywhere.has(prediction.DATABASE):
        return
    told: set[str] = set()
    for other in sorted(partners):
        key = prediction.pair_key(user_id, other)
        async for one in _paged(everywhere.table(prediction.OUTCOMES), "pairKey", key, "order"):
            for person in one["people"]:
                if person["userId"] == user_id and one["predictionId"] not in told:
                    told.add(one["predictionId"])
                    yield (
                        "scores",
                        {
                            "prediction_id": one["predictionId"],
                            "brier": person["brier"],
                            "points": person["points"],
                            "right": person["right"],
                            "settled_at": rfc3339_if_known(one["settledAt"]),
                        },
                    )


async def _films(everywhere: Everywhere, user_id: str, partners: set[str]) -> AsyncIterator[Told]:
    if not everywhere.has(recommendation.DATABASE):
        return
    async for one in _paged(everywhere.table(recommendation.RATINGS), "userId", user_id, "at"):
        yield (
            "ratings",
            {
                "video_id": one["videoId"],
                "rating": one.get("rating"),
                "at": rfc3339_if_known(one.get("at") or None),
                "watched_at": rfc3339_if_known(one.get("watchedAt")),
            },
        )
    for unit in (user_id, *(pair_of(user_id, other) for other in sorted(partners))):
        async for one in _paged(everywhere.table(recommendation.EXPOSURES), "unitId", unit, "shownAt"):
            yield (
                "shown",
                {
                    "to": one.get("unit"),
                    "video_id": one["videoId"],
                    "at": rfc3339_if_known(one["shownAt"]),
                    "experiment": one.get("experiment"),
                    "variant": one.get("variant"),
                    "events": [event["event"] for event in one.get("events", ()) if event.get("userId") == user_id],
                },
            )
        for one in await everywhere.table(recommendation.RECOMMENDATIONS).find("userId", unit, limit=PAGE_MAX):
            yield (
                "lists",
                {
                    "to": "person" if unit == user_id else "pair",
                    "run": one.get("run"),
                    "video_ids": [item.get("videoId") for item in one.get("items") or [one]],
                },
            )


async def _paged(table: Table, field: str, value: str, order_by: str) -> AsyncIterator[Document]:
    async for page in table.pages(field, value, order_by=order_by):
        for one in page:
            yield one
