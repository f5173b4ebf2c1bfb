"""Who listens to session events in this process, and what each of them has been told.

A seat is taken before the present state is read, and holds back what happens meanwhile: so nothing falls between the
two. Each seat knows the newest revision that it was told of every session, so nothing old follows something new.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.signed_out import REASON, TOKEN_CODE, tokens_of
from dateflicks.server.services.session.views import Views
from dateflicks.server.storage.records import Document

log = logging.getLogger(__name__)

SESSIONS_KNOWN: Final = 500  # of one seat: beyond it the one that was told of longest ago may be told of again
HELD_MAX: Final = 200  # sessions that change while the present state of one person is read
SNAPSHOT_BYTES: Final = 128 * 1024  # half of what a peer may be behind; the rest is found with GET /sessions


class Listener(Protocol):
    """One connection."""

    def send(self, frame: bytes) -> bool:
        """Send a text frame; False when the peer is gone or too far behind."""

    def close(self, code: int, reason: str = "") -> None:
        """End the connection."""


@dataclass(slots=True, eq=False)
class Seat:
    """One connection of one person; without a listener it holds back what it hears."""

    caller: Caller
    listener: Listener | None = None
    held: dict[str, Document] = field(default_factory=dict)
    known: OrderedDict[str, int] = field(default_factory=OrderedDict)
    dismissed: tuple[int, str] | None = None


class Hub:
    """All seats of this process, by person."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._seats: dict[str, list[Seat]] = {}
        self._encode = msgspec.json.Encoder().encode

    def __iter__(self) -> Iterator[Seat]:
        return iter([seat for seats in self._seats.values() for seat in seats])

    def take(self, caller: Caller) -> Seat:
        """A seat that holds back what it hears until it is opened; `leave` gives it up."""
        seat = Seat(caller)
        self._seats.setdefault(caller.user_id, []).append(seat)
        return seat

    def open(self, seat: Seat, listener: Listener, present: Iterable[Document]) -> None:
        """Say what is, newest last, then what has happened since, and from here on everything as it happens.

        Who was dismissed meanwhile is told nothing else.
        """
        if seat.dismissed is not None:
            listener.close(*seat.dismissed)
            return
        chosen: list[tuple[Document, bytes]] = []
        size = 0
        for document in present:
            frame = self._frame(document, seat)
            size += len(frame or b"")
            if size > SNAPSHOT_BYTES:
                break
            if frame is not None:
                chosen.append((document, frame))
        seat.listener = listener
        for document, frame in reversed(chosen):
            if document["rev"] > seat.known.get(document["_id"], 0):
                self._remember(seat, document)
                listener.send(frame)
        held, seat.held = seat.held, {}
        for document in held.values():
            self._tell(seat, document)

    def leave(self, seat: Seat) -> None:
        """Nobody listens there any more."""
        seats = self._seats.get(seat.caller.user_id, [])
        if seat in seats:
            seats.remove(seat)
        if not seats:
            self._seats.pop(seat.caller.user_id, None)

    def people(self) -> list[str]:
        """Who listens here."""
        return list(self._seats)

    def known(self, user_id: str) -> list[str]:
        """The sessions that a person was told of, those of late last."""
        return list(dict.fromkeys(one for seat in self._seats.get(user_id, ()) for one in seat.known))

    def tell(self, user_id: str, document: Document) -> None:
        """Tell one person of a session, unless they know it so already."""
        for seat in tuple(self._seats.get(user_id, ())):
            self._tell(seat, document)

    def hear_session(self, _: str, hint: Mapping[str, Any]) -> None:
        """A session has changed: both of its people are told."""
        document: Document = hint["document"]
        for user_id in (document["hostUserId"], document["guestUserId"]):
            for seat in tuple(self._seats.get(user_id, ())):
                self._tell(seat, document)

    def hear_sign_out(self, _: str, hint: Mapping[str, Any]) -> None:
        """Tokens were revoked: their connections end."""
        revoked = set(tokens_of(hint))
        for seat in self:
            if seat.caller.token_id in revoked:
                self.dismiss(seat, TOKEN_CODE, REASON)

    def dismiss(self, seat: Seat, code: int, reason: str) -> None:
        """End a seat's connection."""
        self.leave(seat)
        seat.dismissed = (code, reason)
        if seat.listener is not None:
            seat.listener.close(code, reason)

    def _tell(self, seat: Seat, document: Document) -> None:
        if document["rev"] <= seat.known.get(document["_id"], 0):
            return
        if seat.listener is None:
            held = seat.held.get(document["_id"])
            if len(seat.held) < HELD_MAX if held is None else held["rev"] < document["rev"]:
                seat.held[document["_id"]] = document
            return
        self._remember(seat, document)
        if (frame := self._frame(document, seat)) is not None:
            seat.listener.send(frame)

    def _frame(self, document: Document, seat: Seat) -> bytes | None:
        frame = self._views.frame(document, seat.caller)
        return None if frame is None else self._encode(frame)

    def _remember(self, seat: Seat, document: Document) -> None:
        seat.known[document["_id"]] = document["rev"]
        seat.known.move_to_end(document["_id"])
        while len(seat.known) > SESSIONS_KNOWN:
            seat.known.popitem(last=False)
