"""One person's evening: a session, the own screen, the watching, the talk and the predictions, in one place.

Whoever shows an evening (plain lines, the terminal client, the demo) opens a `Screen`, attends with it, listens to its
updates and says what its person does; nothing is printed here.
"""

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from dateflicks.client import errors
from dateflicks.client.chat import Conversation
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.feed import FeedEnded
from dateflicks.client.films import is_address
from dateflicks.client.fingerprint import differences, fingerprint_of, from_details
from dateflicks.client.http import ServiceClient
from dateflicks.client.ledger import Sealed
from dateflicks.client.listening import feed_url
from dateflicks.client.news import changed
from dateflicks.client.overlay import Happening, Overlay
from dateflicks.client.players.base import Player, PlayerError, Playhead
from dateflicks.client.predictions import Predictions
from dateflicks.client.screen import Screen
from dateflicks.client.tickets import Tickets
from dateflicks.client.trust import trust
from dateflicks.client.viewer import Notice, Viewer
from dateflicks.client.watched import tell_when_watched
from dateflicks.client.watching import PlayerChanged, Watching
from dateflicks.protocol.bodies import SessionBody, TimecodeBody
from dateflicks.settings.client import ClientSettings

SHOWN_WAITING: Final = 8  # texts for the film that wait for their turn; older ones are no longer true
_RANDOM: Final = random.SystemRandom()

Listener = Callable[[Happening], None]


class Evening:
    """Made by `attend`; `run` lasts until `stop`, a final no of the service, or a player that is closed for good."""

    def __init__(
        self,
        session: SessionBody,
        timecode: TimecodeBody,
        base: str,
        tickets: Tickets,
        screen: Screen,
        settings: ClientSettings,
        user_id: str,
        *,
        client: ServiceClient | None = None,
    ) -> None:
        self.session = session
        self._client = client
        self.timecode = timecode
        self.screen = screen
        self.viewer = Viewer(
            session.id,
            user_id,
            is_host=user_id == session.host_user_id,
            consent=consent_of(settings),
            spread=_RANDOM.uniform,
            gentle=settings.gentle,
            length=screen.length,
        )
        self.watching = Watching(
            feed_url(base, session.id),
            tickets.fresh,
            self.viewer,
            screen.player,
            self._tell,
            replace_player=self._another_player,
            reopen_player=self._reopened,
            reload_film=self._film_again,
            trust=self._trust,
        )
        self._base = base
        self._listeners: list[Listener] = []
        self._may_reopen: Callable[[], Awaitable[bool]] | None = None
        self._overlay = Overlay(self.viewer)
        self._gave_up = False
        self.warnings: list[str] = []  # what is odd about the own film
        self.conversation: Conversation | None = None  # where the server has a talk
        self.predictions: Predictions | None = None
        self._shown: asyncio.Queue[tuple[str, float]] = asyncio.Queue(SHOWN_WAITING)

    @classmethod
    async def attend(
        cls,
        client: ServiceClient,
        session: SessionBody,
        screen: Screen,
        settings: ClientSettings,
        *,
        keep: Callable[[str], None] = lambda _: None,
        kept_talk: Any = None,
        sealed: Mapping[str, Sealed] | None = None,
    ) -> "Evening":
        """Take part in an accepted session with a screen that has its film; `keep` is told each new ticket.

        `kept_talk` is what `Conversation.kept` gave in an earlier run, `sealed` what `Predictions.sealed` was there.
        Raises ClientError.
        """
        if not isinstance(session.ticket, str):
            raise errors.AtOdds(f"There is nothing to watch: the session is {session.state}.")
        user = await client.me()
        timecode = await _timecode(client, session, session.ticket, screen.length)
        base = await client.address_of("timecode")
        tickets = Tickets(client, session.id, session.ticket, keep)
        evening = cls(session, timecode, base, tickets, screen, settings, user.id, client=client)
        evening.warnings = await _compared(screen, session, timecode.length)
        services = await client.services()
        if "messages" in services:
            evening.conversation = await Conversation.join(
                client, session.id, tickets, evening._tell, user_id=user.id, kept=kept_talk
            )
        if "prediction" in services:
            evening.predictions = Predictions(
                client, session.id, tickets, user.id, evening._tell, playhead=evening._playhead, sealed=sealed
            )
        return evening

    def listen(self, listener: Listener) -> None:
        """Have `listener` called with each update, in the loop's thread; it must not block."""
        self._listeners.append(listener)

    async def run(self, *, may_reopen: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Watch; `may_reopen` is asked whether to open a player again that its person closed. Raises ClientError."""
        self._may_reopen = may_reopen
        beside = [asyncio.create_task(self._write_over_film()), asyncio.create_task(self._hear_end())]
        beside.append(asyncio.create_task(self._tell_when_watched()))
        beside += [asyncio.create_task(self._apart(part.run)) for part in (self.conversation, self.predictions) if part]
        try:
            await self.watching.run()
        except FeedEnded as ended:
            raise errors.of_close_code(ended.code, str(ended), url=self._base) from ended
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        if self._gave_up:
            raise errors.NoPlayer("The player died again and again, so it is not started any more.")

    def stop(self) -> None:
        """Leave; the others go on."""
        self.watching.stop()

    def reconnect(self) -> None:
        """Try every line again now."""
        for part in (self.watching, self.conversation, self.predictions):
            if part is not None:
                part.reconnect()

    def here(self) -> float | None:
        """Where the film is for everybody now, in seconds, where that is known."""
        now = time.monotonic()
        line = self.viewer.line(now)
        return None if line is None else line.position_at(now)

    # --- inside -------------------------------------------------------------------------------------------------

    async def _apart(self, run: Callable[[], Awaitable[None]]) -> None:
        """What ends for the talk or the predictions ends nothing else: the film goes on."""
        try:
            await run()
        except errors.ClientError as error:
            self._tell(Notice("error", error.detail))

    def _playhead(self, now: float) -> Playhead | None:
        return self.watching.player.playhead(now)

    def _tell(self, update: Happening) -> None:
        self._gave_up = self._gave_up or (isinstance(update, PlayerChanged) and update.kind == "gave-up")
        for listener in self._listeners:
            listener(update)
        if self.screen.can_show_text and (text := self._overlay.text(update, time.monotonic())) is not None:
            if self._shown.full():
                self._shown.get_nowait()
            self._shown.put_nowait(text)

    async def _write_over_film(self) -> None:
        while True:
            text, seconds = await self._shown.get()
            with contextlib.suppress(PlayerError):
                await self.screen.player.show(text, seconds)

    async def _hear_end(self) -> None:
        """When somebody ends the session for everybody, it is over here too; not knowing keeps nobody from watching."""
        if self._client is None:
            return
        with contextlib.suppress(errors.ClientError):
            session = await changed(self._client, self.session)
            self._tell(Notice(session.state, f"The session was {session.state} for everybody."))
            self.stop()

    async def _tell_when_watched(self) -> None:
        if self._client is not None:
            viewer = self.viewer
            await tell_when_watched(self._client, self.session, viewer.user_id, lambda: viewer.line(time.monotonic()))

    def _trust(self) -> ssl.SSLContext:
        return self._client.trust if self._client is not None else trust()

    async def _another_player(self) -> Player:
        return await self.screen.replace(self._where())

    async def _film_again(self) -> None:
        await self.screen.reload(self._where())

    def _where(self) -> float:
        return self.here() or 0.0

    async def _reopened(self) -> Player | None:
        if self._may_reopen is None or not await self._may_reopen():
            return None
        return await self._another_player()


async def _timecode(client: ServiceClient, session: SessionBody, ticket: str, length: float) -> TimecodeBody:
    """The session's timecode: whoever comes first makes it."""
    agreed = (session.video.length if session.video is not None else 0.0) or length
    try:
        return await client.create_timecode(session.id, agreed, ticket=ticket)
    except errors.AtOdds:
        found = await client.timecode(session.id, ticket=ticket)
    if not found.length and agreed:
        found = await client.set_length(session.id, agreed, ticket=ticket)
    return found


async def _compared(screen: Screen, session: SessionBody, agreed: float) -> list[str]:
    """What differs between the own film and the host's; that it can't be read is the player's to say."""
    own = None
    if screen.film is not None and not is_address(screen.film.source):
        with contextlib.suppress(OSError, ValueError):
            own = await asyncio.to_thread(fingerprint_of, Path(screen.film.source))
    return differences(own, from_details(session.details), screen.length, agreed)


def consent_of(settings: ClientSettings) -> ConsentSettings:
    """What is agreed to on a person's behalf, by their settings."""
    chosen = settings.consent
    return ConsentSettings(
        play=Consent(chosen.play), pause=Consent(chosen.pause), stop=Consent(chosen.stop), seek=Consent(chosen.seek)
    )
