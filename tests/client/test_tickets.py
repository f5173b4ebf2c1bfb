"""Tickets: fresh ones while the session service is there, the last known one while it is not."""

import pytest

from dateflicks.client.feed import FeedEnded
from dateflicks.client.http import ServiceClient
from dateflicks.client.tickets import Tickets
from tests.scripted_server import Answer, ScriptedServer, session_json

ID = "ses_" + "a" * 26
PATH = f"/sessions/{ID}"


async def test_the_first_connection_uses_the_ticket_that_came_with_the_session(
    server: ScriptedServer, client: ServiceClient
) -> None:
    assert await Tickets(client, ID, "first").fresh() == "first"
    assert server.asked == []


async def test_each_later_connection_asks_for_a_new_one_and_it_is_kept(
    server: ScriptedServer, client: ServiceClient
) -> None:
    kept: list[str] = []
    server.on("GET", PATH, {"session": session_json(state="accepted", ticket="second")})
    tickets = Tickets(client, ID, "first", kept.append)
    await tickets.fresh()
    assert await tickets.fresh() == "second"
    assert await tickets.fresh() == "second"
    assert (kept, tickets.last) == (["second"], "second")


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
async def test_while_the_session_service_cannot_say_the_last_known_one_is_used(
    status: int, server: ScriptedServer, client: ServiceClient
) -> None:
    server.on("GET", PATH, Answer.problem(status, "Not now."))
    tickets = Tickets(client, ID, "first")
    await tickets.fresh()
    assert await tickets.fresh() == "first"


async def test_when_the_session_is_over_there_is_no_coming_back(server: ScriptedServer, client: ServiceClient) -> None:
    server.on("GET", PATH, {"session": session_json(state="ended")})
    tickets = Tickets(client, ID, "first")
    await tickets.fresh()
    with pytest.raises(FeedEnded, match="the session is ended"):
        await tickets.fresh()
