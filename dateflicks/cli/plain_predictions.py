"""Predictions line by line: what becomes of each as a sentence with its number and what to type, and what is typed.

A number counts the session's predictions from its first, so it stays what it is; without one the newest is meant that
fits. What is typed is carried out in its turn, beside the film's own commands, which wait for nothing.
"""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from dateflicks.cli.plain_talk import typed
from dateflicks.cli.telling import Teller
from dateflicks.client.errors import ClientError
from dateflicks.client.evening import Evening
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.predicting import call_of
from dateflicks.client.prediction_sentences import percent, prediction_sentence, said
from dateflicks.client.predictions import Predictions, PredictionsLine, PredictionsUpdate
from dateflicks.client.sentences import clock_text
from dateflicks.core.scoring import least_confidence, rounded
from dateflicks.protocol.predictions import PredictionBody, ScoreBody
from dateflicks.tui.commands import Call, Mistake, Predict

HELP: Final = (
    "Predictions: predict TEXT; option; option @ 1:20:00, call yes 80%, lock, propose yes, confirm, object, void, "
    "predictions, score; #2 before the rest means that one."
)
WORDS: Final = frozenset(
    {"predict", "call", "lock", "propose", "confirm", "object", "void", "predictions", "score"}
)  # fmt: skip
QUEUE_MAX: Final = 32  # typed and not carried out yet; what comes beyond it is not taken, and told so
OPEN_SECONDS: Final = 10.0  # for the first line to stand
TOLD_SECONDS: Final = 2.0  # for it to tell what there is
GATHERED_SECONDS: Final = 0.3  # without another of those that there were: all are here, and can be counted
F = TypeVar("F")
_NUMBER: Final = re.compile(r"#(\d{1,4})(?:\s+|$)")


class Wrong(Exception):
    """What was typed does not fit; the text says what would."""


class PlainPredictions:
    """One person's side of a session's predictions; `run` runs beside the evening."""

    def __init__(self, evening: Evening, teller: Teller) -> None:
        self._evening = evening
        self._teller = teller
        self._me = evening.viewer.user_id
        self._typed: asyncio.Queue[tuple[str, str]] = asyncio.Queue(QUEUE_MAX)
        self._news = asyncio.Event()
        self._known_by = time.monotonic() + OPEN_SECONDS
        self._was_open = False
        self._is_lost = False
        self._is_settling = False
        self._warned: set[str] = set()
        self._arriving: list[Changed] = []  # those that there were already, which come in an order of the service's own
        self._gathered: asyncio.TimerHandle | None = None

    # --- what happens -------------------------------------------------------------------------------------------

    def heard(self, update: PredictionsUpdate) -> None:
        """Tell it."""
        if isinstance(update, Changed) and update.reason == "present" and update.before is None:
            self._gather(update)
            self._news.set()
            return
        self._tell_gathered()
        match update:
            case Changed():
                self._is_settling = update.reason == "settled"
                sentence = self._changed(update)
            case ScoresChanged(scores=scores):
                sentence = f"Score: {self._standing(scores)}." if self._is_settling else None
            case Unproven(prediction=prediction):
                sentence = f"WARNING, {self._named(prediction)}: {prediction_sentence(update, self._me)}"
            case PredictionsLine():
                sentence = self._line(update)
            case _:
                sentence = prediction_sentence(update, self._me)
        self._teller.update(update, sentence)
        self._news.set()

    def _changed(self, update: Changed) -> str | None:
        prediction = update.prediction
        if update.reason == "present":
            return None
        sentence = prediction_sentence(update, self._me)
        if sentence is None or prediction.waits:
            return sentence
        return " ".join([self._named(prediction), f"{sentence.rstrip('.')}.", *self._next(update)])

    def _gather(self, update: Changed) -> None:
        """Keep it until all are here: before, nobody knows its number."""
        if self._gathered is not None:
            self._gathered.cancel()
        self._arriving.append(update)
        self._gathered = asyncio.get_running_loop().call_later(GATHERED_SECONDS, self._tell_gathered)

    def _tell_gathered(self) -> None:
        """Tell what there was already, by number; what is over is told to programs only."""
        if self._gathered is not None:
            self._gathered.cancel()
            self._gathered = None
        arrived, self._arriving = self._arriving, []
        for update in sorted(arrived, key=lambda one: self._number(one.prediction)):
            is_live = update.prediction.status in ("open", "locked")
            self._teller.update(update, self._described(update.prediction) if is_live else None)

    def _next(self, update: Changed) -> list[str]:
        """What to type next."""
        prediction, name = update.prediction, self._named(update.prediction)
        match update.reason:
            case "made" | "shown" if prediction.status == "open":
                at = prediction.locks_at_position
                closes = [] if at is None else [f"Calls close at {clock_text(at)}."]
                return [*closes, f"Type call {name} {prediction.options[0]} 80%."]
            case "locked":
                return [f"When it is known, type propose {name} and what came true."]
            case "proposed" if prediction.proposed_by != self._me:
                return [f"Type confirm {name} or object {name}."]
            case _:
                return []

    def _line(self, update: PredictionsLine) -> str | None:
        """An outage is told once, and its end."""
        if update.is_open:
            was_lost, self._is_lost = self._is_lost, False
            if not self._was_open:
                self._was_open, self._known_by = True, time.monotonic() + TOLD_SECONDS
            return "The predictions are back." if was_lost else None
        if self._is_lost or update.retry_in < 0.5:
            return None
        self._is_lost = True
        return prediction_sentence(update, self._me)

    # --- what is typed ------------------------------------------------------------------------------------------

    def asked(self, word: str, rest: str) -> None:
        """Carry it out in its turn."""
        self._tell_gathered()
        if self._evening.predictions is None:
            self._teller.say("There are no predictions on this server.", "help")
            return
        try:
            self._typed.put_nowait((word, rest))
        except asyncio.QueueFull:
            self._teller.say(f"Too much at once: '{word}' was not taken.", "refused")

    async def run(self) -> None:
        """Carry out what is typed, until cancelled."""
        try:
            while True:
                word, rest = await self._typed.get()
                try:
                    await self._carry_out(word, rest)
                except Wrong as wrong:
                    self._teller.say(str(wrong), "help")
                except ClientError as error:
                    self._teller.say(error.detail, "refused")
                finally:
                    self._typed.task_done()
        finally:
            self._tell_gathered()  # nothing is told once the evening is over

    async def is_done(self, seconds: float) -> None:
        """Wait until all that was typed is carried out, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._typed.join()

    async def _carry_out(self, word: str, rest: str) -> None:
        predictions = self._evening.predictions
        assert predictions is not None
        match word:
            case "predict":
                await self._predict(predictions, rest)
            case "call":
                await self._call(predictions, rest)
            case "predictions":
                for one in await self._found(lambda: self._all(predictions)):
                    self._teller.say(self._described(one), "listed", number=self._number(one), id=one.id)
            case "score":
                text = f"Score: {self._standing(predictions.scores)}." if predictions.scores else "Nothing is settled."
                self._teller.say(text, "score")
            case "propose":
                number, option = _numbered(rest)
                one = await self._found(lambda: self._one(number, lambda each: each.status == "locked", "is locked"))
                chosen = _option(one, option, f"propose {self._named(one)}")
                await self._act(one, lambda: predictions.propose(one.id, chosen))
            case "confirm" | "object":
                await self._answer(predictions, word, rest)
            case "lock":
                one = await self._found(
                    lambda: self._one(_alone(word, rest), lambda each: each.status == "open", "is open")
                )
                await self._act(one, lambda: predictions.lock(one.id))
            case "void":
                one = await self._found(
                    lambda: self._one(_alone(word, rest), lambda each: each.status in ("open", "locked"), "is in play")
                )
                await self._act(one, lambda: predictions.void(one.id))

    async def _predict(self, predictions: Predictions, rest: str) -> None:
        match typed("predict", rest):
            case Predict(details=details, options=options, locks_at=moment):
                here = self._evening.here() or 0.0
                locks_at = None if moment is None else moment.seconds + (here if moment.is_relative else 0.0)
                await predictions.make(details, options, locks_at=locks_at)
            case Mistake(sentence=sentence):
                raise Wrong(sentence)

    async def _call(self, predictions: Predictions, rest: str) -> None:
        match typed("call", rest):
            case Call(option=option, confidence=confidence, number=number):
                one = await self._found(lambda: self._one(number, _is_open_to_see, "is open for calls"))
                chosen = _option(one, option, f"call {self._named(one)}")
                sure = _sure(one, confidence)
                await self._act(one, lambda: predictions.call(one.id, chosen, sure))
            case Mistake(sentence=sentence):
                raise Wrong(sentence)

    async def _answer(self, predictions: Predictions, word: str, rest: str) -> None:
        number = _alone(word, rest)
        one = await self._found(
            lambda: self._one(number, lambda each: each.proposed_by is not None, "waits to be confirmed", "locked")
        )
        if word == "object":
            await self._act(one, lambda: predictions.object(one.id))
        elif one.id in predictions.unproven and one.id not in self._warned:
            self._warned.add(one.id)
            again = f"type confirm {self._named(one)} again to settle it all the same"
            raise Wrong(f"A call of {self._named(one)} is not what was sealed: {again}, or object.")
        else:
            await self._act(one, lambda: predictions.confirm(one.id))

    async def _act(self, known: PredictionBody, act: Callable[[], Awaitable[PredictionBody]]) -> None:
        """Do it; what comes of it is told as an update, and that nothing does is told here."""
        found = await act()
        if found.revision == known.revision:
            self._teller.say(f"That is so already: {self._described(found)}", "said")

    # --- which one ----------------------------------------------------------------------------------------------

    async def _found(self, choose: Callable[[], F]) -> F:
        """What is meant; in the first seconds of an evening it may not have been told yet."""
        while True:
            try:
                return choose()
            except Wrong:
                left = self._known_by - time.monotonic()
                if left <= 0:
                    raise
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    def _all(self, predictions: Predictions) -> list[PredictionBody]:
        if not predictions.items:
            raise Wrong("Nothing is predicted yet. Type predict TEXT.")
        return list(reversed(predictions.items))

    def _one(
        self, number: int | None, fits: Callable[[PredictionBody], bool], what: str, status: str | None = None
    ) -> PredictionBody:
        """The one of that number, or the newest that fits. Raises Wrong."""
        predictions = self._evening.predictions
        assert predictions is not None
        if number is not None:
            known = list(reversed(predictions.items))
            if not 1 <= number <= len(known):
                raise Wrong(f"There is no prediction #{number}. Type predictions to see them.")
            return known[number - 1]
        for one in predictions.items:
            if fits(one) and status in (None, one.status):
                return one
        raise Wrong(f"No prediction {what}. Type predictions to see them.")

    def _number(self, prediction: PredictionBody) -> int:
        predictions = self._evening.predictions
        items = predictions.items if predictions is not None else ()
        place = next((at for at, one in enumerate(items) if one.id == prediction.id), len(items) - 1)
        return len(items) - place

    def _named(self, prediction: PredictionBody) -> str:
        return f"#{self._number(prediction)}"

    # --- in words -----------------------------------------------------------------------------------------------

    def _described(self, one: PredictionBody) -> str:
        """How it stands."""
        if one.waits:
            return f"{self._named(one)} waits until your film gets to it."
        names = {call.author: "you" if call.author == self._me else call.author_name for call in one.calls}
        calls = ", ".join(f"{names[call.author]} {said(call)}" for call in one.calls)
        parts = [f"{self._named(one)} {one.status}: “{one.details}” ({' / '.join(one.options)})", calls]
        if one.status == "open" and one.locks_at_position is not None:
            parts.append(f"calls close at {clock_text(one.locks_at_position)}")
        if one.status == "open" and call_of(one, self._me) is None:
            parts.append("you have not called it")
        if one.status == "locked" and one.proposed_outcome is not None:
            who = "you say" if one.proposed_by == self._me else "the other says"
            parts.append(f"{who} it is {one.proposed_outcome}")
        if one.outcome is not None:
            parts.append(f"it was {one.outcome}")
        return "; ".join(part for part in parts if part) + "."

    def _standing(self, scores: tuple[ScoreBody, ...]) -> str:
        return ", ".join(
            f"{'you' if one.user_id == self._me else one.name} {one.points:+.0f} ({one.right} of {one.calls} right)"
            for one in scores
        )


def _is_open_to_see(prediction: PredictionBody) -> bool:
    return prediction.status == "open" and not prediction.waits


def _numbered(rest: str) -> tuple[int | None, str]:
    """The number that stands first, if one does, and what stands behind it."""
    found = _NUMBER.match(rest)
    return (int(found[1]), rest[found.end() :].strip()) if found else (None, rest.strip())


def _alone(word: str, rest: str) -> int | None:
    number, more = _numbered(rest)
    if more:
        raise Wrong(f"Type {word} alone, or {word} #2 for another than the newest.")
    return number


def _option(prediction: PredictionBody, text: str, command: str) -> str:
    """The option that is meant, whatever its case."""
    if prediction.waits:
        raise Wrong("It waits until your film gets to where it was made.")
    for option in prediction.options:
        if option.casefold() == text.strip().casefold():
            return option
    raise Wrong(f"Name one of its options: {command} {' / '.join(prediction.options)}.")


def _sure(prediction: PredictionBody, confidence: float | None) -> float:
    """How sure; nothing said is half way from knowing nothing to being certain."""
    count = len(prediction.options)
    if confidence is None:
        return rounded((1.0 / count + 1.0) / 2)
    if rounded(confidence) < least_confidence(count):
        least = percent(least_confidence(count))
        raise Wrong(f"With {count} options that is at least {least}: who is less sure of one is surer of another.")
    return rounded(confidence)
