"""The prediction service's calls: from HTTP's words to the handler's and back."""

from collections.abc import Sequence
from typing import Final

from dateflicks.core.prediction import Action
from dateflicks.protocol import predictions as wire
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.prediction.handler import Member, PredictionHandler
from dateflicks.server.web.idempotency import key_in
from dateflicks.server.web.route import Call, Handler, PageQuery, Route

_REPEAT: Final = "Safe to repeat: what is done already is answered as it is."
_REVISION: Final = "With `revision` only if the prediction is still at it."


class PredictionRoutes:
    """The calls, over the handler; all but a pair's table open only to a participant of the session."""

    def __init__(self, handler: PredictionHandler, admission: Admission) -> None:
        self._handler = handler
        self._admission = admission

    def all(self) -> Sequence[Route]:
        """Every call."""
        return (
            Route(
                "GET", "/predictions/scores", self.pair_scores, "What a pair's calls were worth",
                auth="user-or-ticket", query=wire.PairQuery, answer=wire.Scores,
                description="Of the caller and one other, over all sessions that they have had together.",
            ),
            Route(
                "POST", "/predictions/{sessionId}", self.create, "Predict something", auth="user-or-ticket",
                body=wire.CreatePrediction, answer=wire.PredictionAnswer, status=201, errors=(403, 409),
                description="Without `options` it is yes or no. It is locked when the film passes `locksAtPosition`. "
                "Whose film is not yet at `atPosition` is told only that it waits. A repeated `clientId`, or "
                "Idempotency-Key, makes no second one.",
            ),
            Route(
                "GET", "/predictions/{sessionId}", self.list_predictions, "A session's predictions, newest first",
                auth="user-or-ticket", query=PageQuery, answer=wire.PredictionPage, errors=(403,),
            ),
            Route(
                "GET", "/predictions/{sessionId}/scores", self.session_scores, "What the calls of a session were worth",
                auth="user-or-ticket", answer=wire.Scores, errors=(403,),
                description="For each call with confidence c in one of n options: brier = Σ (p − o)², where p is c for "
                "the option called and (1 − c)/(n − 1) for each other, and o is 1 for the outcome and 0 for the others;"
                " points = 100 × (1 − brier × n/(n − 1)) × (1 + the share of the film that was still to come). Saying "
                "what one believes pays best (Brier 1950; Gneiting and Raftery 2007).",
            ),
            Route(
                "GET", "/predictions/{sessionId}/{id}", self.read, "One prediction", auth="user-or-ticket",
                answer=wire.PredictionAnswer, errors=(403,),
            ),
            Route(
                "POST", "/predictions/{sessionId}/{id}/call", self.call, "Call an option, and say how sure",
                auth="user-or-ticket", body=wire.CallRequest, answer=wire.PredictionAnswer, errors=(403, 409),
                description="From 1/number of options to 1; may be changed until the lock. Until then others are shown "
                "the `commitment` alone: the SHA-256 of `salt`, prediction id, author id, option, and confidence with "
                f"four decimals, joined by newlines. {_REPEAT} {_REVISION}",
            ),
            self._action("lock", Action.LOCK, "Take no more calls", "Shows all calls and their salts."),
            Route(
                "POST", "/predictions/{sessionId}/{id}/propose", self.propose, "Say what came true",
                auth="user-or-ticket", body=wire.ProposeRequest, answer=wire.PredictionAnswer, errors=(403, 409),
                description="Once it is locked. Waits for somebody else's `confirm` or `object`; the same proposal by "
                f"another is a `confirm`. {_REPEAT} {_REVISION}",
            ),
            self._action(
                "confirm", Action.CONFIRM, "Agree with the proposed outcome",
                "Not by who proposed it. Settled once all others who have called agree, one at least.",
            ),
            self._action("object", Action.OBJECT, "Disagree, which makes it void", "Not by who proposed it."),
            self._action("void", Action.VOID, "Call it off", "Anybody in the session, until it is settled."),
        )  # fmt: skip

    def _action(self, verb: str, action: Action, summary: str, description: str) -> Route:
        return Route(
            "POST", f"/predictions/{{sessionId}}/{{id}}/{verb}", self._acting(action), summary, auth="user-or-ticket",
            body=wire.ChangeRequest, body_required=False, answer=wire.PredictionAnswer, errors=(403, 409),
            description=f"{description} {_REPEAT} {_REVISION}",
        )  # fmt: skip

    async def create(self, call: Call) -> wire.PredictionAnswer:
        """`POST /predictions/{sessionId}`."""
        body: wire.CreatePrediction = call.body
        found = await self._handler.create(await self._member(call), body.prediction, key_in(call))
        return wire.PredictionAnswer(prediction=found)

    async def list_predictions(self, call: Call) -> wire.PredictionPage:
        """`GET /predictions/{sessionId}`."""
        query: PageQuery = call.query
        return await self._handler.list(await self._member(call), query.cursor, query.limit)

    async def read(self, call: Call) -> wire.PredictionAnswer:
        """`GET /predictions/{sessionId}/{id}`."""
        return wire.PredictionAnswer(prediction=await self._handler.read(await self._member(call), call.path["id"]))

    async def session_scores(self, call: Call) -> wire.Scores:
        """`GET /predictions/{sessionId}/scores`."""
        return await self._handler.session_scores(await self._member(call))

    async def pair_scores(self, call: Call) -> wire.Scores:
        """`GET /predictions/scores`."""
        query: wire.PairQuery = call.query
        caller: Caller = call.caller
        return await self._handler.pair_scores(caller.user_id, query.with_)

    async def call(self, call: Call) -> wire.PredictionAnswer:
        """`POST …/call`."""
        found = await self._handler.call(await self._member(call), call.path["id"], call.body)
        return wire.PredictionAnswer(prediction=found)

    async def propose(self, call: Call) -> wire.PredictionAnswer:
        """`POST …/propose`."""
        body: wire.ProposeRequest = call.body
        found = await self._handler.propose(await self._member(call), call.path["id"], body.outcome, body.revision)
        return wire.PredictionAnswer(prediction=found)

    def _acting(self, action: Action) -> Handler:
        async def act(call: Call) -> wire.PredictionAnswer:
            body: wire.ChangeRequest = call.body
            found = await self._handler.act(await self._member(call), call.path["id"], action, body.revision)
            return wire.PredictionAnswer(prediction=found)

        return act

    async def _member(self, call: Call) -> Member:
        """The caller's place in the session. Raises Forbidden, Unauthenticated."""
        caller: Caller = call.caller
        ticket = await self._admission.admitted(caller, call.path["sessionId"])
        return Member(ticket.session_id, ticket.user_id, ticket.name)
