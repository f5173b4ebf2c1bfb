"""The own screen: the player that its person chose with the film in it, and another one when it is gone."""

from collections.abc import Callable
from typing import Final, Self, assert_never

from dateflicks.client.errors import FilmUnplayable, NoPlayer
from dateflicks.client.films import Film
from dateflicks.client.players.base import Player, PlayerError
from dateflicks.settings.client import ClientSettings

SIMULATED_SECONDS: Final = 5_400.0  # what a simulated film lasts when nobody has said


class _Voice:
    """What a player has to tell, to whoever hears it now."""

    def __init__(self, hears: Callable[[str], None]) -> None:
        self.hears = hears
        self.last = ""

    def __call__(self, text: str) -> None:
        self.last = text
        self.hears(text)


class Screen:
    """One person's player over an evening; made by `open`."""

    def __init__(self, settings: ClientSettings, voice: _Voice, player: Player) -> None:
        self._settings = settings
        self._say = voice
        self._told_length = 0.0
        self.player = player
        self.film: Film | None = None
        self.length = 0.0

    @classmethod
    async def open(cls, settings: ClientSettings, say: Callable[[str], None] = lambda _: None) -> "Screen":
        """Start the player, without a film; an async context manager that ends it. Raises NoPlayer.

        `say` gets what a player that is steered by hand has to tell its person.
        """
        voice = _Voice(say)
        return cls(settings, voice, await _started(settings, voice, 0.0))

    def be_heard_by(self, say: Callable[[str], None]) -> None:
        """From now on `say` gets what the player has to tell, the last of it at once."""
        self._say.hears = say
        if self._say.last:
            say(self._say.last)

    @property
    def is_silent(self) -> bool:
        """Whether a film can be opened without anything for its person to do."""
        return self.player.name != "manual"

    @property
    def can_show_text(self) -> bool:
        """Whether text over the film is seen by its person, and is not what they are told anyhow."""
        return self.player.name == "mpv"

    async def load(self, film: Film, *, told_length: float = 0.0) -> None:
        """Open the film, paused at its beginning; `told_length` is for players that cannot find out.

        Raises FilmUnplayable, NoPlayer.
        """
        if told_length and self.player.name != "mpv":
            await self.player.close()
            self.player = await _started(self._settings, self._say, told_length)
        self.film, self._told_length = film, told_length
        self.length = await _loaded(self.player, film, 0.0)

    async def replace(self, position: float) -> Player:
        """Another player of the same kind, with the film open at `position`. Raises FilmUnplayable, NoPlayer."""
        assert self.film is not None
        await self.player.close()
        self.player = await _started(self._settings, self._say, self._told_length)
        await _loaded(self.player, self.film, position)
        return self.player

    async def reload(self, position: float) -> None:
        """The same film at `position` in the same player, which has something else in it. Raises FilmUnplayable."""
        assert self.film is not None
        await _loaded(self.player, self.film, position)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.player.close()


async def _started(settings: ClientSettings, say: Callable[[str], None], length: float) -> Player:
    try:
        match settings.player:
            case "mpv":
                from dateflicks.client.players.mpv import MpvPlayer
                from dateflicks.client.players.process import MpvOptions

                options = MpvOptions(arguments=tuple(settings.mpv_arguments))
                return await MpvPlayer.start(options, trim=settings.trim_seconds)
            case "manual":
                from dateflicks.client.players.manual import ManualPlayer

                return ManualPlayer(say, length=length)
            case "none":
                from dateflicks.client.players.none import NoFilm

                return NoFilm(length=length)
            case "simulated":
                from dateflicks.client.players.physics import SimulatedPhysics
                from dateflicks.client.players.simulated import SimulatedPlayer

                return SimulatedPlayer(SimulatedPhysics(length=length or SIMULATED_SECONDS))
            case _:
                assert_never(settings.player)
    except PlayerError as error:
        raise NoPlayer(str(error)) from None


async def _loaded(player: Player, film: Film, position: float) -> float:
    try:
        return await player.load(film.source, start=position)
    except PlayerError as error:
        raise FilmUnplayable(str(error)) from None
