"""The rules of the session service, without a web framework: asking, answering, links, lists, and who is told.

Every change is one compare-and-set that carries a command, so that a repeated one knows itself. Whoever sends no
Idempotency-Key gets one of ours, which still covers our own repeats. A write whose outcome is unknown is looked up
again when the database is back, so that both people are told of it if it happened.
"""

import contextlib
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dateflicks.core import limits
from dateflicks.core.errors import NotFound, RuleError, Unavailable
from dateflicks.core.handshake import Action, Handshake
from dateflicks.protocol.bodies import CreateSession, Redeemed, SessionBody
from dateflicks.protocol.ids import id_of, is_id
from dateflicks.server.auth.caller import Caller
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import Bus
from dateflicks.server.services.session.asking import Asked, checked, no_such_guest, own_guest
from dateflicks.server.services.session.codes import code_of, hash_of
from dateflicks.server.services.session.keys import command_of, key_of, key_used
from dateflicks.server.services.session.people import People
from dateflicks.server.services.session.progress import Progress
from dateflicks.server.services.session.records import handshake_fields, handshake_of, name_key, order_key
from dateflicks.server.services.session.views import Views
from dateflicks.server.storage.records import Document, Duplicate, OutcomeUnknown, Stale, StorageFault
from dateflicks.server.storage.table import Table
from dateflicks.server.web.limiter import Limiter

log = logging.getLogger(__name__)

TOPIC: Final = "session"
TRIES: Final = 8  # at one change: after as many others were first, something is wrong with the session
DOUBTS_MAX: Final = 1_000  # sessions with an unknown outcome: those that one outage leaves behind
LOOKS: Final = 5  # at a session in doubt, a second apart: what was sent before an outage may be carried out after it
REPLAY_SECONDS: Final = 600.0  # for so long a repeated redemption gets its account's token again
SESSIONS_PER_WINDOW: Final = 600  # that one person may ask for; more than any person, less than a nuisance
CODES_PER_WINDOW: Final = 60  # wrong ones from one address
WINDOW_SECONDS: Final = 600.0
_NOT_YOURS: Final = "There is no such session, or it is not yours."
_NO_CODE: Final = "This code is wrong, used or expired. Ask for a new one."


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things last, in seconds."""

    ticket: float = limits.TICKET_LIFETIME_SECONDS
    invitation: float = limits.INVITATION_LIFETIME_SECONDS


@dataclass(slots=True)
class Doubt:
    """A session that may have been changed: the revision it had before, and how often it is still looked at."""

    rev: int
    looks: int = LOOKS


class SessionHandler:
    """One process's rules over the sessions of all; `now` is Unix time, `evenly` a clock for limits."""

    def __init__(
        self,
        sessions: Table,
        people: People,
        progress: Progress,
        signer: Signer,
        bus: Bus,
        lifetimes: Lifetimes,
        *,
        now: Callable[[], float] = time.time,
        evenly: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._people = people
        self._progress = progress
        self._signer = signer
        self._bus = bus
        self._lifetimes = lifetimes
        self._now = now
        self._evenly = evenly
        self._doubts: dict[str, Doubt] = {}
        self.asking = Limiter(
            SESSIONS_PER_WINDOW, WINDOW_SECONDS, "You have asked for too many sessions. Wait a while."
        )
        self._guessing = Limiter(CODES_PER_WINDOW, WINDOW_SECONDS, "Too many wrong codes. Wait a while.")
        self.views = Views(signer, lifetimes.ticket)

    # --- asking -------------------------------------------------------------------------------------------------

    async def create(self, caller: Caller, body: CreateSession, key: str | None) -> SessionBody:
        """Ask a guest, or make a link. Raises Forbidden, NotFound (no such guest), Invalid, TooMany."""
        asked = checked(body, caller.user_id)
        self.asking.take(caller.user_id, self._evenly())
        guest = None if asked.is_link else await self._guest(asked, caller)
        words = (caller.user_id, key_of(key))
        session_id = id_of("ses", self._signer.derived("session id", *words))
        code = code_of(self._signer.derived("invitation", session_id)) if asked.is_link else None
        document = self._new(session_id, caller, asked, guest, code)
        try:
            stored = await self._sessions.insert(document)
        except Duplicate:
            stored = await self._repeated(session_id, asked)
        except OutcomeUnknown:
            self._doubt(session_id, 0)
            raise
        self._tell(stored)
        return self.views.body(stored, caller, invitation=code)

    async def _guest(self, asked: Asked, caller: Caller) -> Document:
        if asked.guest_name is not None:
            guest, field = await self._people.named(asked.guest_name), "session.guestName"
        else:
            guest, field = await self._people.known(asked.guest_user_id or ""), "session.guestUserId"
        if guest is None:
            raise no_such_guest()
        if guest["_id"] == caller.user_id:
            raise own_guest(field)
        return guest

    def _new(self, session_id: str, caller: Caller, asked: Asked, guest: Document | None, code: str | None) -> Document:
        now = self._now()
        return {
            "_id": session_id,
            "id": session_id,
            **handshake_fields(Handshake(caller.user_id, guest["_id"] if guest else None)),
            "hostName": caller.name,
            "guestName": guest["name"] if guest else None,
            "videoId": asked.video_id or self._video_id(caller.user_id, asked),
            "video": asked.video,
            "startTime": asked.start_time,
            "details": asked.details,
            "createdAt": now,
            "answeredAt": None,
            "endedAt": None,
            "order": order_key(now, session_id),
            "invitationHash": hash_of(code) if code else None,
            "invitationExpiresAt": now + self._lifetimes.invitation if code else None,
            "asked": hashlib.sha256(asked.fingerprint.encode()).hexdigest(),
        }

    def _video_id(self, user_id: str, asked: Asked) -> str:
        """The id of a film that is only named by its address: the same whenever this host shows it."""
        return id_of("vid", self._signer.derived("video id", user_id, asked.video["url"] if asked.video else ""))

    async def _repeated(self, session_id: str, asked: Asked) -> Document:
        """The session that an earlier request with the same key made."""
        stored = await self._sessions.get(session_id)
        if stored is None or stored["asked"] != hashlib.sha256(asked.fingerprint.encode()).hexdigest():
            raise key_used()
        return stored

    # --- answering ----------------------------------------------------------------------------------------------

    async def act(self, caller: Caller, session_id: str, action: Action, key: str | None) -> SessionBody:
        """Accept, reject, cancel or end. Raises NotFound, Forbidden, Conflict, OutcomeUnknown."""
        command = command_of(caller.user_id, action.value, key_of(key))

        def following(document: Document) -> dict[str, Any]:
            before = handshake_of(document)
            after = before.after(action, caller.user_id)
            if before.state is after.state:
                return handshake_fields(after)
            is_answer = action in (Action.ACCEPT, Action.REJECT)
            return {**handshake_fields(after), "answeredAt" if is_answer else "endedAt": self._now()}

        stored = await self._change(await self._own(caller, session_id), following, command)
        return self.views.body(stored, caller)

    async def end(
        self, caller: Caller, session_id: str, position: float | None, length: float | None, key: str | None
    ) -> SessionBody:
        """End it, and keep how far the film came, as the caller says or as was heard last."""
        body = await self.act(caller, session_id, Action.END, key)
        if position is not None:
            if length is None:
                with contextlib.suppress(Unavailable):
                    await self._progress.recall(session_id)
            self._progress.tell(session_id, position, length)
        self._progress.write(session_id)
        return body

    async def redeem(
        self, caller: Caller | None, code: str, name: str | None, key: str | None, address: str
    ) -> Redeemed:
        """Take the guest's place by a code, which is a yes. Raises NotFound, Forbidden (one's own), Conflict (name)."""
        document = await self._guessed(code, address)
        seed = key_of(key)
        command = command_of(document["_id"], "redeem", caller.user_id if caller else "", seed)
        if caller is None and command in document.get("cmds", ()):
            return await self._redeemed_before(document, name)
        if command not in document.get("cmds", ()):
            self._check_open(document, caller.user_id if caller else "")
        guest = {"_id": caller.user_id, "name": caller.name} if caller else None
        made = guest is None
        if guest is None:
            guest = await self._people.make_without_password(name, f"{document['_id']} {seed}", address)
        guest_id, guest_name = guest["_id"], guest["name"]

        def following(current: Document) -> dict[str, Any]:
            after = self._check_open(current, guest_id)
            return {**handshake_fields(after), "guestName": guest_name, "answeredAt": self._now()}

        try:
            stored = await self._change(document, following, command)
        except OutcomeUnknown:
            raise  # it may be the guest's account by now
        except RuleError:
            if made:
                with contextlib.suppress(Unavailable):
                    await self._people.remove(guest_id)
            raise
        if caller is not None:
            return Redeemed(session=self.views.body(stored, caller))
        return await self._signed_in(guest, stored)

    async def _guessed(self, code: str, address: str) -> Document:
        """The session of a code; only a wrong one uses up a try of the address."""
        self._guessing.take(address, self._evenly())
        try:
            document = await self._by_code(code)
        except Unavailable:
            self._guessing.give_back(address, self._evenly())
            raise
        self._guessing.give_back(address, self._evenly())
        return document

    async def _by_code(self, code: str) -> Document:
        hashed = hash_of(code)
        document = await self._sessions.find_one("invitationHash", hashed) if hashed else None
        if document is None:
            raise NotFound(_NO_CODE, code="no-such-code")
        return document

    def _check_open(self, document: Document, user_id: str) -> Handshake:
        after = handshake_of(document).redeemed(user_id)
        if self._now() >= document["invitationExpiresAt"]:
            raise NotFound(_NO_CODE, code="no-such-code")
        return after

    async def _redeemed_before(self, document: Document, name: str | None) -> Redeemed:
        """The same redemption once more, by somebody who never heard of its success: their token again."""
        guest = await self._people.known(document["guestUserId"] or "")
        is_recent = self._now() < (document["answeredAt"] or 0.0) + REPLAY_SECONDS
        if guest is None or guest["passwordHash"] is not None or not is_recent:
            raise NotFound(_NO_CODE, code="no-such-code")
        if name is not None and name_key(name) != guest["nameKey"]:
            raise key_used()
        return await self._signed_in(guest, document)

    async def _signed_in(self, guest: Document, document: Document) -> Redeemed:
        signed = await self._people.sign_in_without_password(guest)
        body = self.views.body(document, Caller.with_token(self._signer.verify_user_token(signed.token)))
        return Redeemed(session=body, token=signed.token, user=signed.user, expires_at=signed.expires_at)

    # --- looking ------------------------------------------------------------------------------------------------

    async def read(self, caller: Caller, session_id: str) -> SessionBody:
        """One session of one's own. Raises NotFound."""
        return self.views.body(await self._own(caller, session_id), caller)

    # --- who is told --------------------------------------------------------------------------------------------

    async def settle_doubts(self) -> None:
        """Look up what became of writes whose outcome was unknown, and tell. Raises Unavailable."""
        for session_id, doubt in tuple(self._doubts.items()):
            try:
                document = await self._sessions.get(session_id)
            except StorageFault:  # those behind it are looked up all the same
                log.exception("nobody knows what became of a session", extra={"session": session_id})
                document = None
            doubt.looks -= 1
            has_changed = document is not None and document["rev"] > doubt.rev
            if document is not None and has_changed:
                self._tell(document)
            if (has_changed or not doubt.looks) and self._doubts.get(session_id) is doubt:
                del self._doubts[session_id]

    def _tell(self, document: Document) -> None:
        self._bus.publish(TOPIC, {"document": document})

    def _doubt(self, session_id: str, rev: int) -> None:
        if len(self._doubts) < DOUBTS_MAX:
            self._doubts[session_id] = Doubt(rev)

    # --- inside -------------------------------------------------------------------------------------------------

    async def _own(self, caller: Caller, session_id: str) -> Document:
        document = await self._sessions.get(session_id) if is_id(session_id, "ses") else None
        if document is None or handshake_of(document).role_of(caller.user_id) is None:
            raise NotFound(_NOT_YOURS)
        return document

    async def _change(
        self, document: Document, following: Callable[[Document], dict[str, Any]], command: str
    ) -> Document:
        """Change a session by the rules, which are asked again whenever somebody else was first; then tell both."""
        for _ in range(TRIES):
            if command in document.get("cmds", ()):
                break
            try:
                document = await self._sessions.compare_and_set(
                    document["_id"], document["rev"], following(document), command=command
                )
            except Stale as stale:
                document = stale.current
                continue
            except OutcomeUnknown:
                self._doubt(document["_id"], document["rev"])
                raise
            break
        else:
            raise Unavailable("Too much happens to this session at once. Try again in a moment.")
        self._tell(document)
        return document
