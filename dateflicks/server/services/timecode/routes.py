"""The timecode service's calls: from HTTP's words to the handler's and back."""

from collections.abc import Sequence

from dateflicks.core.errors import FieldProblem, Invalid
from dateflicks.protocol import bodies
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.timecode.house import House
from dateflicks.server.web.route import Call, Route


class TimecodeRoutes:
    """The calls, over the house; each opens only to a participant of its session."""

    def __init__(self, house: House, admission: Admission) -> None:
        self._house = house
        self._admission = admission

    def all(self) -> Sequence[Route]:
        """Every call."""
        return (
            Route(
                "POST", "/timecodes", self.create, "Make a session's timecode", auth="user-or-ticket",
                body=bodies.CreateTimecode, answer=bodies.TimecodeAnswer, status=201, errors=(403, 409),
                description="Once for each session, by either participant; the film's length may be 0 while unknown.",
            ),
            Route(
                "GET", "/timecodes/{sessionId}", self.read, "Where the film is", auth="user-or-ticket",
                answer=bodies.TimecodeAnswer, errors=(403,),
            ),
            Route(
                "PATCH", "/timecodes/{sessionId}", self.set_length, "Correct the film's length",
                auth="user-or-ticket", body=bodies.PatchTimecode, answer=bodies.TimecodeAnswer, errors=(403,),
            ),
            Route(
                "DELETE", "/timecodes/{sessionId}", self.delete, "Forget a session's playback",
                auth="user-or-ticket", status=204, errors=(403,),
                description="Whoever is connected is closed with 4404.",
            ),
        )  # fmt: skip

    async def create(self, call: Call) -> bodies.TimecodeAnswer:
        """`POST /timecodes`."""
        body: bodies.CreateTimecode = call.body
        session_id = await self._session(call, body.timecode.session_id)
        return bodies.TimecodeAnswer(timecode=await self._house.create(session_id, body.timecode.length))

    async def read(self, call: Call) -> bodies.TimecodeAnswer:
        """`GET /timecodes/{sessionId}`."""
        return bodies.TimecodeAnswer(timecode=await self._house.read(await self._session(call)))

    async def set_length(self, call: Call) -> bodies.TimecodeAnswer:
        """`PATCH /timecodes/{sessionId}`."""
        body: bodies.PatchTimecode = call.body
        length = body.length if body.timecode is None else body.timecode.length
        if length is None:
            raise Invalid("The body does not fit.", (FieldProblem("timecode.length", "is required"),))
        timecode = await self._house.set_length(await self._session(call), length)
        return bodies.TimecodeAnswer(timecode=timecode)

    async def delete(self, call: Call) -> None:
        """`DELETE /timecodes/{sessionId}`."""
        await self._house.delete(await self._session(call))

    async def _session(self, call: Call, named: str | None = None) -> str:
        """The id of the session, in which the caller has a place. Raises Forbidden, Unauthenticated."""
        caller = call.caller
        assert isinstance(caller, Caller)
        session_id = named if named is not None else call.path["sessionId"]
        return (await self._admission.admitted(caller, session_id)).session_id
