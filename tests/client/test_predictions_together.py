"""Two people and their predictions on a real server: what each sees, through lost answers and a lost line."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dateflicks.client import errors
from dateflicks.client.http import ServiceClient
from dateflicks.client.ledger import Changed, Unproven
from dateflicks.client.players.base import Playhead
from dateflicks.client.predicting import pair_scores
from dateflicks.client.predictions import Predictions, PredictionsRefused, PredictionsUpdate
from dateflicks.client.tickets import Tickets
from dateflicks.protocol.bodies import SessionRequest, VideoRef
from dateflicks.protocol.predictions import CallBody, PredictionBody
from tests.journeys.deployment import running_server
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SECONDS = 30.0
LENGTH = 3_600.0


class Forgetful(ServiceClient):
    """A client that never hears the first answer to what it changes, though the service has carried it out."""

    forgets = False

    def __init__(self, server: str) -> None:
        super().__init__(server, timeout=SECONDS)
        self._heard: set[tuple[str, str]] = set()
        self.lost = 0

    async def call(self, service: str, method: str, path: str, answer: Any, **more: Any) -> Any:
        found = await super().call(service, method, path, answer, **more)
        if self.forgets and method == "POST" and (path, str(more.get("body"))) not in self._heard:
            self._heard.add((path, str(more.get("body"))))
            self.lost += 1
            raise errors.TimedOut("No answer.")
        return found


@dataclass
class Person:
    """One of the two: their client, and what they were told."""

    client: Forgetful
    id: str
    updates: list[PredictionsUpdate] = field(default_factory=list)
    head: Playhead | None = None
    predictions: Predictions = field(init=False)

    def joins(self, session_id: str, ticket: str) -> "asyncio.Task[None]":
        tickets = Tickets(self.client, session_id, ticket)
        self.predictions = Predictions(
            self.client, session_id, tickets, self.id, self.updates.append, playhead=lambda _: self.head
        )
        return asyncio.create_task(self.predictions.run())

    async def sees(self, prediction_id: str, so: Callable[[PredictionBody], bool]) -> PredictionBody:
        """Wait until one is so."""

        def is_so() -> bool:
            found = self.predictions.get(prediction_id)
            return found is not None and so(found)

        await until(is_so, seconds=SECONDS)
        found = self.predictions.get(prediction_id)
        assert found is not None
        return found

    def call_of(self, prediction: PredictionBody, author: "Person") -> CallBody:
        return next(call for call in prediction.calls if call.author == author.id)

    @property
    def reasons(self) -> list[str]:
        return [update.reason for update in self.updates if isinstance(update, Changed)]


@dataclass
class Two:
    ana: Person
    bea: Person


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("predictions") / "data"
    folder.mkdir()
    with running_server(folder) as server:
        yield server.url


async def registered(client: Forgetful, name: str) -> Person:
    signed_in = await client.register(name, "long enough")
    return Person(client, signed_in.user.id)


@pytest.fixture
async def two(url: str, request: pytest.FixtureRequest) -> AsyncIterator[Two]:
    """Both follow the predictions of a session that both have accepted."""
    number = abs(hash(request.node.name)) % 10**9
    async with Forgetful(url) as one, Forgetful(url) as other:
        ana, bea = await registered(one, f"ana{number}"), await registered(other, f"bea{number}")
        film = VideoRef(url="film.mkv", title="A film", length=LENGTH)
        session = await one.create_session(SessionRequest(guest_user_id=bea.id, video=film))
        accepted = await other.accept(session.id)
        session = await one.session(session.id)
        assert isinstance(session.ticket, str)
        assert isinstance(accepted.ticket, str)
        running = [ana.joins(session.id, session.ticket), bea.joins(session.id, accepted.ticket)]
        try:
            await until(lambda: ana.predictions.is_open and bea.predictions.is_open, seconds=SECONDS)
            yield Two(ana, bea)
        finally:
            for task in running:
                task.cancel()
            for task in running:
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def test_from_the_first_word_to_the_score(two: Two) -> None:
    ana, bea = two.ana, two.bea
    made = await ana.predictions.make("The butler did it", ["yes", "no", "both"])
    await ana.predictions.call(made.id, "yes", 0.9)
    await bea.sees(made.id, lambda one: len(one.calls) == 1)
    await bea.predictions.call(made.id, "no", 0.5)
    seen = await ana.sees(made.id, lambda one: len(one.calls) == 2)
    assert (ana.call_of(seen, bea).option, ana.call_of(seen, ana).option) == (None, "yes")
    assert (ana.predictions.is_proven(made.id), bea.predictions.is_proven(made.id)) == (None, None)

    await bea.predictions.lock(made.id)
    seen = await ana.sees(made.id, lambda one: one.status == "locked")
    assert (ana.call_of(seen, bea).option, ana.call_of(seen, bea).confidence) == ("no", 0.5)
    assert (ana.predictions.is_proven(made.id), bea.predictions.is_proven(made.id)) == (True, True)

    await ana.predictions.propose(made.id, "YES")
    await bea.sees(made.id, lambda one: one.proposed_outcome == "yes")
    with pytest.raises(errors.NotAllowed):
        await ana.predictions.confirm(made.id)
    await bea.predictions.confirm(made.id)
    await ana.sees(made.id, lambda one: one.status == "settled")
    assert ana.predictions.scores == bea.predictions.scores
    assert [(score.user_id, score.right) for score in ana.predictions.scores] == [(ana.id, 1), (bea.id, 0)]
    told = await pair_scores(ana.client, bea.id)
    assert [(score.user_id, score.points) for score in told.items] == [
        (score.user_id, score.points) for score in ana.predictions.scores
    ]
    assert ana.reasons == ["made", "called", "called", "locked", "proposed", "settled"]
    assert not [update for update in (*ana.updates, *bea.updates) if isinstance(update, Unproven)]


async def test_when_no_first_answer_is_ever_heard_everything_still_happens_once(two: Two) -> None:
    ana, bea = two.ana, two.bea
    ana.client.forgets = bea.client.forgets = True
    made = await ana.predictions.make("Rain")
    await ana.predictions.call(made.id, "yes", 0.8)
    await bea.sees(made.id, lambda one: len(one.calls) == 1)
    await bea.predictions.call(made.id, "no", 0.8)
    await ana.sees(made.id, lambda one: len(one.calls) == 2)
    await ana.predictions.lock(made.id)
    await bea.sees(made.id, lambda one: one.status == "locked")
    await bea.predictions.propose(made.id, "no")
    await ana.sees(made.id, lambda one: one.proposed_by == bea.id)
    settled = await ana.predictions.confirm(made.id)
    assert (settled.status, settled.outcome) == ("settled", "no")
    assert settled.revision == (await bea.sees(made.id, lambda one: one.status == "settled")).revision
    assert (ana.client.lost, bea.client.lost) == (4, 2)
    assert [one.id for one in ana.predictions.items] == [made.id]
    told = await pair_scores(bea.client, ana.id)
    assert (told.predictions, [score.calls for score in told.items]) == (1, [1, 1])


async def test_both_calling_at_once_do_not_keep_each_other_from_it(two: Two) -> None:
    ana, bea = two.ana, two.bea
    made = await ana.predictions.make("Snow")
    await bea.sees(made.id, lambda one: one.status == "open")
    async with asyncio.TaskGroup() as group:
        for person in (ana, bea):
            group.create_task(person.predictions.call(made.id, "yes", 0.7))
    assert len((await ana.sees(made.id, lambda one: len(one.calls) == 2)).calls) == 2


async def test_what_was_missed_while_the_line_was_gone_is_told_when_it_is_back(two: Two) -> None:
    ana, bea = two.ana, two.bea
    made = await ana.predictions.make("Fog")
    await bea.sees(made.id, lambda one: one.status == "open")
    assert bea.predictions._feed is not None
    assert bea.predictions._feed._connection is not None
    bea.predictions._feed._connection.transport.abort()
    await ana.predictions.void(made.id)
    await bea.sees(made.id, lambda one: one.status == "void")
    assert bea.reasons == ["made", "void"]


async def test_what_is_predicted_further_on_waits_until_the_own_film_is_there(two: Two) -> None:
    ana, bea = two.ana, two.bea
    ana.head, bea.head = Playhead(2_000.0, 0.0, 0.0), Playhead(100.0, 0.0, 0.0)
    bea.predictions.look()
    assert bea.predictions._feed is not None
    bea.predictions._feed.send(b'{"type":"position","position":-1}')  # the answer says that all before it was heard
    await until(lambda: any(isinstance(one, PredictionsRefused) for one in bea.updates), seconds=SECONDS)
    made = await ana.predictions.make("The general wins")
    seen = await bea.sees(made.id, lambda one: one.waits)
    assert (seen.details, seen.options) == ("", [])
    with pytest.raises(errors.AtOdds, match="not yet"):
        await bea.predictions.call(made.id, "yes", 0.8)
    bea.head = Playhead(2_000.0, 0.0, 0.0)
    assert (await bea.sees(made.id, lambda one: not one.waits)).details == "The general wins"
    assert bea.reasons[-1] == "shown"
