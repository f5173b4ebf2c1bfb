"""What one person does with a session's predictions, over HTTP: each act happens once, however often it is sent.

An act names the revision it was meant for. When its answer is lost it is sent again with the same one: if the first has
arrived, the service says that the prediction has moved on, and how it stands now shows that all is done. When somebody
else was quicker it is asked anew, as long as what this person saw still stands.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.paging import everything
from dateflicks.client.tickets import Tickets
from dateflicks.core.scoring import rounded
from dateflicks.protocol.bodies import Body
from dateflicks.protocol.predictions import (
    CallBody,
    CallRequest,
    ChangeRequest,
    CreatePrediction,
    PredictionAnswer,
    PredictionBody,
    PredictionPage,
    PredictionRequest,
    ProposeRequest,
    Scores,
)

SERVICE: Final = "prediction"
PAUSES_SECONDS: Final = (0.2, 0.5, 1.0)  # before each of the further tries while there is no answer
ALL_MAX: Final = 10_000  # far more than a session may have: a service without an end is not read to it
MOVED_TRIES: Final = 5  # how often others may be quicker before this person is told

A = TypeVar("A")
Test = Callable[[PredictionBody], bool]


async def pair_scores(client: ServiceClient, user_id: str) -> Scores:
    """How the caller and one other stand over all their sessions. Raises ClientError."""
    return await client.call(SERVICE, "GET", "/predictions/scores", Scores, query={"with": user_id})


def call_of(prediction: PredictionBody, user_id: str) -> CallBody | None:
    """Somebody's call, if they have made one."""
    return next((call for call in prediction.calls if call.author == user_id), None)


class Predicting:
    """One person's acts in one session; every call raises ClientError.

    `known` is a prediction as its person saw it when they decided: what has changed since is not decided anew here.
    """

    def __init__(
        self,
        session_id: str,
        tickets: Tickets,
        user_id: str,
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self._tickets = tickets
        self._pause = pause
        self._path = f"/predictions/{quote(session_id, safe='')}"

    # --- looking ------------------------------------------------------------------------------------------------

    async def all(self) -> list[PredictionBody]:
        """Every prediction of the session, the newest first."""

        async def page(size: int, cursor: str | None) -> PredictionPage:
            return await self._ask("GET", "", PredictionPage, query={"limit": str(size), "cursor": cursor})

        return [one async for one in everything(page, ALL_MAX)]

    async def one(self, prediction_id: str) -> PredictionBody:
        """One prediction as it is now."""
        for found in await self.all():
            if found.id == prediction_id:
                return found
        raise errors.NotThere("There is no such prediction in this session.")

    async def scores(self) -> Scores:
        """How everybody stands in this session."""
        return await self._ask("GET", "/scores", Scores)

    # --- acting -------------------------------------------------------------------------------------------------

    async def make(
        self,
        details: str,
        options: Sequence[str] = (),
        *,
        locks_at: float | None = None,
        at: float | None = None,
    ) -> PredictionBody:
        """Predict something; without options it is yes or no. Positions are seconds of film: when it locks, and now."""
        request = PredictionRequest(
            details=details,
            options=list(options) or None,
            locks_at_position=locks_at,
            at_position=at,
            client_id=secrets.token_hex(16),
        )
        return await self._sent("", CreatePrediction(prediction=request))

    async def call(
        self, known: PredictionBody, option: str, confidence: float, *, at: float | None = None
    ) -> PredictionBody:
        """Say which option comes true, and how sure that is (1/number of options to 1); a call before is replaced."""
        confidence = rounded(confidence)
        earlier = _choice(call_of(known, self.user_id))

        def mine(now: PredictionBody) -> tuple[str, float | None] | None:
            return _choice(call_of(now, self.user_id))

        return await self._act(
            known,
            "call",
            lambda revision: CallRequest(option=option, confidence=confidence, at_position=at, revision=revision),
            is_done=lambda now: mine(now) == (option.casefold(), confidence),
            is_meant=lambda now: now.status == "open" and mine(now) == earlier,
        )

    async def lock(self, known: PredictionBody) -> PredictionBody:
        """Let nobody call any more, and show all calls."""
        return await self._act(
            known,
            "lock",
            lambda revision: ChangeRequest(revision=revision),
            is_done=lambda now: now.status == "locked",
            is_meant=lambda now: now.status == "open",
        )

    async def propose(self, known: PredictionBody, outcome: str) -> PredictionBody:
        """Say what came true; it counts once another agrees."""

        def is_it(now: PredictionBody) -> bool:
            return (now.proposed_outcome or "").casefold() == outcome.casefold()

        return await self._act(
            known,
            "propose",
            lambda revision: ProposeRequest(outcome=outcome, revision=revision),
            is_done=lambda now: (
                (now.proposed_by == self.user_id and now.proposed_outcome == outcome)
                or (now.status == "settled" and now.outcome == outcome)
            ),
            is_meant=lambda now: now.status == "locked" and now.proposed_outcome in (None, outcome),
        )

    async def confirm(self, known: PredictionBody) -> PredictionBody:
        """Agree to the outcome that another proposed; with more than two people all who have called must."""
        return await self._act(
            known,
            "confirm",
            lambda revision: ChangeRequest(revision=revision),
            is_done=lambda now: (
                now.confirmed_by == self.user_id or (now.status == "settled" and now.outcome == known.proposed_outcome)
            ),
            is_meant=_still_proposed(known),
        )

    async def object(self, known: PredictionBody) -> PredictionBody:
        """Say that the proposed outcome is not so: it is void."""
        return await self._act(
            known,
            "object",
            lambda revision: ChangeRequest(revision=revision),
            is_done=lambda now: now.status == "void",
            is_meant=_still_proposed(known),
        )

    async def void(self, known: PredictionBody) -> PredictionBody:
        """Call it off: it never counts."""
        return await self._act(
            known,
            "void",
            lambda revision: ChangeRequest(revision=revision),
            is_done=lambda now: now.status == "void",
            is_meant=lambda now: now.status == known.status and now.proposed_outcome == known.proposed_outcome,
        )

    # --- one act ------------------------------------------------------------------------------------------------

    async def _act(
        self, known: PredictionBody, verb: str, body: Callable[[int], Body], *, is_done: Test, is_meant: Test
    ) -> PredictionBody:
        path, now = f"/{quote(known.id, safe='')}/{verb}", known
        for _ in range(MOVED_TRIES):
            try:
                return await self._sent(path, body(now.revision))
            except errors.AtOdds:
                newest = await self.one(known.id)
                if newest.revision == now.revision:
                    raise
                if is_done(newest):
                    return newest
                if not is_meant(newest):
                    raise
                now = newest
        raise errors.AtOdds("The prediction changes all the time. Look at it, and try again.")

    async def _sent(self, path: str, body: Body) -> PredictionBody:
        """Send it until there is an answer: what is sent knows itself when it comes twice."""
        for seconds in PAUSES_SECONDS:
            with contextlib.suppress(errors.Unreachable):
                return (await self._ask("POST", path, PredictionAnswer, body)).prediction
            await self._pause(seconds)
        return (await self._ask("POST", path, PredictionAnswer, body)).prediction

    async def _ask(
        self,
        method: str,
        path: str,
        answer: type[A],
        body: Body | None = None,
        query: dict[str, str | None] | None = None,
    ) -> A:
        return await self._tickets.call(SERVICE, method, self._path + path, answer, body=body, query=query)


def _choice(call: CallBody | None) -> tuple[str, float | None] | None:
    """What is called, as it compares: the case of an option does not matter."""
    return None if call is None else ((call.option or "").casefold(), call.confidence)


def _still_proposed(known: PredictionBody) -> Test:
    """Whether the outcome that this person saw proposed is the one that is proposed now."""
    return lambda now: (
        now.status == "locked"
        and now.proposed_outcome is not None
        and now.proposed_outcome == known.proposed_outcome
        and now.proposed_by == known.proposed_by
    )
