"""What somebody is told first who has been away, and lists that are read while things change."""

from typing import Any, cast

import pytest

from dateflicks.core.handshake import Handshake, State
from dateflicks.server.auth.caller import Caller
from dateflicks.server.services.session.lists import Lists
from dateflicks.server.services.session.progress import Progress
from dateflicks.server.services.session.records import PROGRESS, SESSIONS, handshake_fields
from dateflicks.server.services.session.views import Views
from dateflicks.server.storage.outbox import WriteBehind
from dateflicks.server.storage.records import Document
from tests.server.services.session.deployment import Deployment

pytestmark = pytest.mark.asyncio(loop_scope="module")


def lists_of(deployment: Deployment) -> Lists:
    marks = deployment.database.table(PROGRESS)
    views = Views(deployment.signer, 60.0)
    return Lists(deployment.database.table(SESSIONS), Progress(marks, WriteBehind(marks)), views)


async def test_whoever_was_away_has_to_know_invitations_to_them_and_live_sessions(shared: Deployment) -> None:
    one, other = await shared.pair()
    waits = await other.ask(one)
    as_guest = await one.act(await other.ask(one), "accept")
    as_host = await other.act(await one.ask(other), "accept")
    await one.ask(other)  # they asked themselves
    await one.act(await other.ask(one), "reject")
    await one.act(await one.act(await other.ask(one), "accept"), "end")
    await one.link()

    present = await lists_of(shared).present(one.id)

    assert [document["_id"] for document in present] == [as_host["id"], as_guest["id"], waits["id"]]


class MovingTable:
    """A table in which a session is accepted between the reading of one page and of the next."""

    def __init__(self) -> None:
        self.fields: list[str] = []

    async def page(self, field: str, value: str, **_: Any) -> list[Document]:
        self.fields.append(field)
        state = State(value.partition(":")[2])
        is_there = field == "guestState" and state in (State.PENDING, State.ACCEPTED)
        return [self.document(state)] if is_there else []

    def document(self, state: State) -> Document:
        """The session as it was when it was read."""
        return {
            "_id": "ses_1",
            **handshake_fields(Handshake("usr_host", "usr_guest", state)),
            "rev": 1 if state is State.PENDING else 2,
            "order": "t00000000000001:ses_1",
            "hostName": "Host",
            "guestName": "Guest",
            "videoId": None,
            "video": None,
            "startTime": None,
            "details": None,
            "createdAt": 1e9,
            "answeredAt": None,
            "endedAt": None,
        }


@pytest.mark.parametrize("states", ["pending,accepted", "accepted,pending"])
async def test_a_session_that_changes_while_it_is_read_is_shown_once_as_it_was_last(
    shared: Deployment, states: str
) -> None:
    lists = Lists(cast(Any, MovingTable()), cast(Any, None), Views(shared.signer, 60.0))

    page = await lists.sessions(Caller("usr_guest", "guest", 1e10), states, None, 50)
    present = await lists.present("usr_guest")

    assert [(session.id, session.state) for session in page.items] == [("ses_1", "accepted")]
    assert [(document["_id"], document["rev"]) for document in present] == [("ses_1", 2)]
