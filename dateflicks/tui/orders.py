"""What is typed in place of something to say: each command, carried out. What there is to type is in `commands.py`."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, assert_never

from dateflicks.client.errors import ClientError
from dateflicks.client.predictions import Predictions
from dateflicks.client.sentences import clock_text
from dateflicks.protocol.predictions import PredictionBody
from dateflicks.protocol.printable import printable
from dateflicks.tui import commands
from dateflicks.tui.speech import Speech
from dateflicks.tui.wishes import Wishes

if TYPE_CHECKING:
    from dateflicks.tui.app import DateflicksApp

Begin = Callable[[Coroutine[Any, Any, None]], object]


class Orders:
    """Carries commands out by what keys do too: by `wishes`, by `speech`, by the room and the app.

    `begin` starts what has to wait for a service, `complain` tells what is wrong with it.
    """

    def __init__(
        self, app: "DateflicksApp", wishes: Wishes, speech: Speech, begin: Begin, complain: Callable[[str], None]
    ) -> None:
        self._app = app
        self._wishes = wishes
        self._speech = speech
        self._begin = begin
        self._complain = complain

    def obey(self, command: commands.Command | commands.Mistake) -> None:
        """Carry it out; without a room there is nothing to be done."""
        room = self._app.room
        if room is None:
            return
        match command:
            case commands.Mistake(sentence=sentence):
                self._app.tell(sentence, is_trouble=True)
            case commands.Say(text=text):
                room.say(text)
            case commands.Act(text=text):
                room.say(text, kind="action")
            case commands.React(reaction=reaction):
                room.say(reaction, kind="reaction")
            case commands.Reply(text=text):
                room.say(text, reply_to=self._speech.last_of_others())
            case commands.Edit(text=text):
                self._speech.edit_last(text)
            case commands.Delete():
                self._speech.take_back_last()
            case commands.Play():
                self._wishes.ask("play")
            case commands.Pause():
                self._wishes.ask("pause")
            case commands.Stop():
                self._wishes.ask("stop")
            case commands.Seek(to=moment) if moment.is_relative:
                self._wishes.move(moment.seconds)
            case commands.Seek(to=moment):
                self._wishes.seek(moment.seconds)
            case commands.Accept():
                self._wishes.answer(agreed=True)
            case commands.Refuse():
                self._wishes.answer(agreed=False)
            case commands.Where():
                self._app.tell(self._where())
            case commands.At(position=position):
                if not room.is_at(position):
                    self._app.tell("Your player tells where it is by itself.")
            case commands.Predict() | commands.Call():
                self._begin(self._bet(command))
            case commands.Quit():
                self._app.action_quit()
            case commands.Help():
                self._app.action_help()
            case _:
                assert_never(command)

    def _where(self) -> str:
        state = self._app.state
        parts = [f"The film is at {clock_text(state.film.position_at(state.now))}"]
        for one in state.people:
            if one.position is not None and one.is_here:
                drift = "" if one.drift is None else f" ({one.drift * 1000:+.0f} ms)"
                parts.append(f"{'you' if one.is_me else printable(one.name)} at {clock_text(one.position)}{drift}")
        return ", ".join(parts) + "."

    async def _bet(self, command: commands.Predict | commands.Call) -> None:
        room = self._app.room
        if room is None or room.predictions is None:
            return
        try:
            if isinstance(command, commands.Predict):
                await make(room.predictions, command, room.here())
            elif isinstance(found := await call(room.predictions, command), commands.Mistake):
                self._complain(found.sentence)
        except ClientError as error:
            self._complain(error.detail)


async def make(bets: Predictions, wish: commands.Predict, here: float | None) -> PredictionBody:
    """Make what was typed; a moment that is relative counts from where the film is."""
    locks_at = None
    if wish.locks_at is not None:
        locks_at = (here or 0.0) + wish.locks_at.seconds if wish.locks_at.is_relative else wish.locks_at.seconds
    return await bets.make(wish.details, wish.options, locks_at=locks_at)


async def call(bets: Predictions, wish: commands.Call) -> PredictionBody | commands.Mistake:
    """Make the call that was typed, on the newest open prediction or the one of that number (1 is the oldest)."""
    oldest_first = bets.items[::-1]
    items = (
        [one for one in bets.items if one.status == "open"] if wish.number is None else oldest_first[wish.number - 1 :]
    )
    if not items or wish.number == 0:
        return commands.Mistake(
            "There is no such prediction." if wish.number is not None else "No prediction is open for calls."
        )
    one = items[0]
    option = next((known for known in one.options if known.casefold() == wish.option.casefold()), None)
    if option is None:
        return commands.Mistake(f"Call one of: {', '.join(one.options)}.")
    return await bets.call(one.id, option, max(wish.confidence or 0.7, 1 / len(one.options)))
