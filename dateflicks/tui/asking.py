"""The room's questions, asked on whatever screen there is; one that nobody wants to be answered any more goes."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from dateflicks.client import errors
from dateflicks.client.films import Film
from dateflicks.protocol.bodies import SessionBody
from dateflicks.tui.drawing.words import shown_name

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp
    from dateflicks.tui.screens.dialog import Dialog


class Asking:
    """The room's questions, asked on whatever screen there is; the room waits, the screens do not."""

    def __init__(self, app: "DateflicksApp") -> None:
        self._app = app

    async def which_film(self, missing: errors.FilmMissing, session: SessionBody) -> Film | None:
        """Their copy of a film that is not where films are looked for."""
        from dateflicks.tui.screens.ask_film import AskFilmScreen

        return cast("Film | None", await self._asked(AskFilmScreen(missing, session)))

    async def may_open(self, url: str, by: str) -> bool:
        """Whether to open an address that somebody else named."""
        from dateflicks.tui.screens.confirm import ConfirmScreen

        return bool(
            await self._asked(
                ConfirmScreen(f"{shown_name(by, 32)} wants to watch this address with you. Open it?", url)
            )
        )

    async def open_player_again(self) -> bool:
        """Whether a player that they closed is to be opened again."""
        from dateflicks.tui.screens.confirm import ConfirmScreen

        question = "Your player is closed. Open it again?"
        return bool(await self._asked(ConfirmScreen(question, "Without it you leave; the others go on.")))

    async def _asked(self, screen: "Dialog[Any]") -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def answered(value: Any) -> None:
            if not answer.done():
                answer.set_result(value)

        def ask() -> None:
            if not answer.done():  # cancelled meanwhile
                self._app.push_screen(screen, answered)

        self._app.call_later(ask)
        try:
            return await answer
        except asyncio.CancelledError:
            screen.withdraw()
            raise
