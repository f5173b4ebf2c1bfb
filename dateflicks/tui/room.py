"""One evening as the terminal client carries it: player, film, talk and predictions, on one worker of the app.

Everything that happens is handed to `post` as an event of the model; nothing here knows a widget. The room lives as
long as the evening does, whichever screen is looked at meanwhile.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

from dateflicks.client import errors
from dateflicks.client.chat import Conversation
from dateflicks.client.consent import ConsentSettings
from dateflicks.client.evening import Evening, consent_of
from dateflicks.client.films import Film, address_told, film_of, is_address
from dateflicks.client.http import ServiceClient
from dateflicks.client.news import changed
from dateflicks.client.overlay import Happening
from dateflicks.client.players.manual import ManualPlayer
from dateflicks.client.predictions import Predictions
from dateflicks.client.screen import Screen
from dateflicks.client.seals import Seals
from dateflicks.client.viewer import Notice
from dateflicks.protocol.bodies import SessionBody
from dateflicks.protocol.chat import PersonalKind
from dateflicks.protocol.frames import StatusWord
from dateflicks.settings.client import ClientSettings
from dateflicks.tui.kept import KeptEvening
from dateflicks.tui.model import events
from dateflicks.tui.model.state import Person
from dateflicks.tui.surroundings import AtSession, Surroundings

SAMPLE_SECONDS: Final = 0.25  # the clock on the screen ticks no oftener
_ENDED: Final = frozenset({"ended", "cancelled", "rejected"})
KEEP_SECONDS: Final = 5.0  # between two pictures of the evening, for whoever resumes it


class Questions(Protocol):
    """What only the person can say; each is asked on whatever screen is there."""

    async def which_film(self, missing: errors.FilmMissing, session: SessionBody) -> Film | None:
        """Their copy of a film that is not where films are looked for; None to watch without one."""

    async def may_open(self, url: str, by: str) -> bool:
        """Whether to open an address that somebody else named."""

    async def open_player_again(self) -> bool:
        """Whether a player that they closed is to be opened again."""


class Room:
    """Made for one session; `run` lasts until the evening is over or `leave`."""

    def __init__(
        self,
        surroundings: Surroundings,
        start: AtSession,
        post: Callable[[events.Event | events.Over], None],
        questions: Questions,
        *,
        kept: KeptEvening | None = None,
    ) -> None:
        self._surroundings = surroundings
        self._settings: ClientSettings = surroundings.settings
        self._client: ServiceClient = start.client
        self._start = start
        self._post = post
        self._questions = questions
        self._kept = kept
        self._seals = Seals(surroundings.home / "seals.json")
        self._left = asyncio.Event()
        self._draft = ""
        self._why = ""
        self.session = start.session
        self.is_cut = False  # whether the line is away on which the guest's answer comes
        self.screen: Screen | None = start.screen
        self.evening: Evening | None = None

    @property
    def conversation(self) -> Conversation | None:
        """The talk, once it is there."""
        return self.evening.conversation if self.evening is not None else None

    @property
    def predictions(self) -> Predictions | None:
        """The predictions, once they are there."""
        return self.evening.predictions if self.evening is not None else None

    # --- life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """The evening from the guest's yes to its end; whatever ends it is told as `Over`."""
        try:
            async with contextlib.AsyncExitStack() as stack:
                if self.screen is not None and self._start.closes_screen:
                    await stack.enter_async_context(self.screen)
                if self.screen is None:
                    self.screen = await stack.enter_async_context(
                        await Screen.open(self._settings, self._told_by_player)
                    )
                await self._until_accepted()
                await self._open_film(self.screen)
                await self._attend(self.screen)
                await self._watch()
        except errors.ClientError as error:
            self._post(events.Over(why=error.detail))
        except asyncio.CancelledError:
            self._post(events.Over())
            raise
        else:
            self._post(events.Over(why=self._why))

    def leave(self) -> None:
        """End it here; the others go on."""
        self._left.set()
        if self.evening is not None:
            self.evening.stop()

    # --- what the person does -----------------------------------------------------------------------------------

    def ask(self, status: StatusWord) -> None:
        """Ask for a status, or agree to one."""
        if self.evening is not None:
            self._post(events.Wished(kind=status))
            self.evening.watching.ask(status)

    def seek(self, to: float) -> None:
        """Ask everybody to move to `to` seconds."""
        if self.evening is not None:
            self._post(events.Wished(kind="seek", target=to))
            self.evening.watching.seek(to)

    def answer(self, *, agreed: bool) -> None:
        """Say yes or no to what is pending."""
        if self.evening is not None:
            self._post(events.Answered(agreed=agreed))
            watching = self.evening.watching
            watching.confirm() if agreed else watching.refuse()

    def about_to_seek(self, to: float) -> None:
        """Show what is being asked for, while more presses may follow."""
        self._post(events.Wished(kind="seek", target=to))

    def is_at(self, position: float) -> bool:
        """The person says where the film is; whether their player is one that has to be told."""
        player = self.evening.watching.player if self.evening is not None else None
        if not isinstance(player, ManualPlayer):
            return False
        player.i_am_at(position)
        return True

    def reconnect(self) -> None:
        """Try every line again now."""
        if self.evening is not None:
            self.evening.reconnect()

    def resync(self) -> None:
        """Measure and get in step anew."""
        if self.evening is not None:
            self.evening.viewer.may_jump = True
        self.reconnect()

    def choose_consent(self, settings: ClientSettings) -> None:
        """Agree to other things by itself from now on."""
        if self.evening is not None:
            self.evening.viewer.consent = consent_of(settings)
            self._post(events.ConsentChosen(consent=self.evening.viewer.consent))

    def here(self) -> float | None:
        """Where the film is for everybody now, where that is known."""
        return None if self.evening is None else self.evening.here()

    # --- what the person says -----------------------------------------------------------------------------------

    def say(self, content: str, *, kind: PersonalKind = "text", reply_to: str | None = None) -> None:
        """Say something at the place where the film is; without a line it waits."""
        if self.conversation is None:
            self._post(events.Toasted(text="There is no talk on this server.", is_trouble=True))
        elif self.conversation.say(content, kind=kind, position=self.here(), reply_to=reply_to) is None:
            self._post(events.Toasted(text="Too much waits to be sent: that was not kept.", is_trouble=True))

    async def older(self) -> None:
        """The page of the talk before what is shown."""
        if self.conversation is not None:
            with contextlib.suppress(errors.ClientError):  # asked again when somebody scrolls there again
                await self.conversation.older()

    def choose_draft(self, text: str) -> None:
        """What is being written, to be put down with the rest of the evening."""
        self._draft = text

    # --- inside -------------------------------------------------------------------------------------------------

    def _told_by_player(self, text: str) -> None:
        self._post(events.PlayerSaid(text=text))

    def _heard(self, update: Happening) -> None:
        """What happens in the evening; why it ended for everybody is said once more at its end."""
        if isinstance(update, Notice) and update.kind in _ENDED:
            self._why = update.text
        self._post(update)

    async def _until_accepted(self) -> None:
        if self.session.state != "pending":
            return
        self._post(self._opened(self.session))
        if self.screen is not None and self.screen.film is not None:
            self._post(events.PlayerAttached(name=self.screen.player.name))
        self.session = await changed(self._client, self.session, cut=self._cut)
        if self.session.state != "accepted":
            guest = self.session.guest_name or "Your guest"
            raise errors.AtOdds(
                f"{guest} said no." if self.session.state == "rejected" else "The invitation was taken back."
            )

    def _cut(self, is_cut: bool) -> None:
        self.is_cut = is_cut

    async def _open_film(self, screen: Screen) -> None:
        if screen.film is not None:
            return
        # Something may have to be asked before it is known who is who here: the title is known.
        self._post(replace(self._opened(self.session), session_id="", me="", people=()))
        length = self.session.video.length if self.session.video is not None else 0.0
        film = self._start.film or await self._find_film(screen)
        if film is not None:
            await screen.load(film, told_length=length)

    async def _find_film(self, screen: Screen) -> Film | None:
        is_elsewhere = screen.player.name != "mpv"
        folders = [*map(Path, self._settings.films), Path()]
        try:
            film = film_of(self.session.video, folders, is_elsewhere=is_elsewhere)
        except errors.FilmMissing as missing:
            return await self._questions.which_film(missing, self.session)
        if is_address(film.source) and not is_elsewhere:
            told = address_told(film.source)
            if not await self._questions.may_open(told, self.session.host_name):
                raise errors.FilmMissing("The address was not opened.")
        return film

    async def _attend(self, screen: Screen) -> None:
        kept_as = self._start.kept_as or self._surroundings.server

        def keep(ticket: str) -> None:
            self._surroundings.credentials.put_ticket(kept_as, self.session.id, ticket)

        if isinstance(self.session.ticket, str):
            keep(self.session.ticket)
        kept = self._kept.chat if self._kept is not None and self._kept.session_id == self.session.id else None
        self.evening = await Evening.attend(
            self._client,
            self.session,
            screen,
            self._settings,
            keep=keep,
            kept_talk=kept,
            sealed=self._seals.read(),
        )
        self._post(self._opened(self.session))
        self._post(events.PlayerAttached(name=screen.player.name))
        screen.be_heard_by(self._told_by_player)
        for warning in self.evening.warnings:
            self._post(events.Toasted(text=warning, is_trouble=True))
        self.evening.listen(self._heard)

    async def _watch(self) -> None:
        assert self.evening is not None
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(self._sample()), group.create_task(self._keep())]
                try:
                    if not self._left.is_set():
                        await self.evening.run(may_reopen=self._questions.open_player_again)
                finally:
                    for task in beside:
                        task.cancel()
        except BaseExceptionGroup as failed:  # what failed first made all else end
            raise failed.exceptions[0] from None
        finally:
            self._put_down()

    async def _sample(self) -> None:
        assert self.evening is not None
        viewer, watching = self.evening.viewer, self.evening.watching
        while True:
            now = time.monotonic()
            head = watching.player.playhead(now)
            told, clock = viewer.timecode, viewer.clock
            fits = told is not None and clock.ready and clock.clock_id == told.clock_id
            self._post(
                events.Sampled(
                    position=None if head is None else head.carried(now),
                    error=viewer.error(now, head),
                    round_trip=clock.round_trip if clock.ready else None,
                    line=viewer.line(now),
                    offset=clock.server(now) - now if fits else None,
                )
            )
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            self._put_down()

    def _put_down(self) -> None:
        """A picture of the evening, from which it can be gone on with after a crash."""
        if self.predictions is not None:
            self._seals.keep(self.predictions.sealed, waits=False)
        chat = self.conversation.kept() if self.conversation is not None else None
        open_here = self.screen.film if self.screen is not None else None
        film = open_here.source if open_here is not None else None
        if open_here is not None and not is_address(open_here.source):
            film = str(Path(open_here.source).absolute())  # gone on with from whichever folder
        elif open_here is not None and open_here.url != open_here.source:
            film = None  # an address that was made for this person, with their key in it: asked for again
        KeptEvening(
            server=self._start.kept_as or self._surroundings.server,
            own_server=self._start.own_server,
            session_id=self.session.id,
            film=film,
            position=self.here(),
            chat=chat,
            draft=self._draft,
        ).write(self._surroundings.resume_file)

    def _opened(self, session: SessionBody) -> events.SessionOpened:
        me = self.evening.viewer.user_id if self.evening is not None else session.host_user_id
        pairs = [
            (session.host_user_id, session.host_name, "host"),
            (session.guest_user_id, session.guest_name, "guest"),
        ]
        people = tuple(
            Person(user_id=user_id, name=name or role, role="host" if role == "host" else "guest", is_me=user_id == me)
            for user_id, name, role in pairs
            if user_id is not None
        )
        video = session.video
        return events.SessionOpened(
            session_id=session.id,
            me=me,
            title=(video.title or video.url) if video is not None else "",
            length=(self.evening.timecode.length if self.evening else 0.0) or (video.length if video else 0.0),
            people=people,
            player=self.screen.player.name if self.screen is not None else self._settings.player,
            consent=self.evening.viewer.consent if self.evening is not None else ConsentSettings(),
            invitation=self._start.invitation if session.state == "pending" else "",
        )
