"""Beside the timecode service in one process: the film that two people watch locks what they have predicted."""

from pathlib import Path

import pytest

from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer
from dateflicks.server.bus.local import LocalBus
from dateflicks.server.runner import running
from dateflicks.server.services.prediction.app import PredictionService
from dateflicks.server.services.prediction.records import COLLECTIONS
from dateflicks.server.services.timecode.app import TimecodeService
from dateflicks.server.services.timecode.records import COLLECTIONS as TIMECODES
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.journeys import people
from tests.journeys.deployment import Deployment as Address
from tests.journeys.room import Room, make_timecode, seats
from tests.journeys.wire import open_rest
from tests.server.services.prediction.deployment import KEY, Deployment, Evening, Person
from tests.server.services.timecode.deployment import play_from


def somebody(evening: Evening, person: Person) -> people.Person:
    token = evening.signer.issue_user_token(UserToken("tok_a", person.id, person.name, evening.signer._now() + 3_600.0))
    return people.Person(person.id, person.name, token, None)


@pytest.mark.slow
async def test_the_film_that_both_watch_locks_a_prediction_and_a_pause_does_not(tmp_path: Path) -> None:
    signer, bus = Signer(KEY), LocalBus()
    async with Database.open(DatabaseSettings(), tmp_path, (*COLLECTIONS, *TIMECODES)) as database:
        service = PredictionService(database, signer, bus)
        async with running([TimecodeService(database, signer, bus), service]) as server:
            address = Address(server.url, is_ours=True)
            async with open_rest(address) as rest:
                deployment = Deployment(address, rest, service, database, signer, bus)
                evening = deployment.evening()
                session = {"id": evening.id}
                tickets = {evening.ana.id: evening.ana.ticket, evening.ben.id: evening.ben.ticket}
                await make_timecode(rest, session, evening.ana.ticket, 600)
                two = seats(address, somebody(evening, evening.ana), somebody(evening, evening.ben), session, tickets)
                async with two as (host, guest), deployment.seat(evening, evening.ben) as ben:
                    room = Room(address, rest, session, host, guest, tickets)
                    playing = await play_from(room, 100)
                    await room.host.ask("pause")
                    asked = await room.pending("status", room.host, "pause", after=playing)
                    await room.guest.ask("pause")
                    paused = await room.settled("pause", None, after=asked)
                    here = paused["currentPosition"]
                    made = await deployment.predict(evening, evening.ana, locksAtPosition=here + 0.3)
                    assert made["atPosition"] == pytest.approx(here, abs=0.01)
                    await deployment.act(evening, evening.ana, made, "call", option="yes", confidence=0.9)
                    assert "locked" not in ben.reasons
                    await room.start_of(await room.play())
                    locked = await ben.hears("locked")
                    assert locked["calls"][0]["option"] == "yes"
                    settled = [("propose", evening.ana, {"outcome": "yes"}), ("confirm", evening.ben, {})]
                    for verb, person, body in settled:
                        found = await deployment.act(evening, person, made, verb, **body)
                    worth = 96 * (1 + (600 - here) / 600)
                    assert found["calls"][0]["points"] == pytest.approx(worth, abs=0.1)
