"""Who may hear, read and say something: whoever shows the session's ticket, and nobody else, on both services."""

from contextlib import AsyncExitStack

import pytest

from tests.journeys.deployment import Deployment
from tests.journeys.people import PASSWORD, Crowd, Person
from tests.journeys.talk import Talk
from tests.journeys.wire import Json, Rest, open_feed, refusal

SERVICES = {
    "messages": {"message": {"content": "hello"}},
    "predictions": {"prediction": {"details": "He did it"}},
}
NO_TOKEN = {401, 4401}
NOT_YOURS = {403, 404, 4403, 4404}
BOTH = pytest.mark.parametrize("service", SERVICES)


async def is_shut(talk: Talk, service: str, bearer: str | None, statuses: set[int]) -> None:
    """Neither read nor written nor listened to with this bearer."""
    path = f"/{service}/{talk.session_id}"
    await talk.rest.call("GET", path, token=bearer, expect=statuses)
    await talk.rest.call("POST", path, SERVICES[service], token=bearer, expect=statuses)
    assert await refusal(talk.deployment, f"{path}/events", bearer, address=talk.host.address) in statuses


async def is_open(talk: Talk, service: str, person: Person, bearer: str) -> None:
    path = f"/{service}/{talk.session_id}"
    await talk.rest.call("GET", path, token=bearer)
    await talk.rest.call("POST", path, SERVICES[service], token=bearer, expect=201)
    async with open_feed(talk.deployment, f"{path}/events", bearer, address=person.address) as feed:
        assert not feed.is_closed


@BOTH
async def test_without_a_token_or_with_a_made_up_one_nothing_opens(talk: Talk, service: str) -> None:
    ticket = talk.tickets[talk.host.id]
    for bearer in (None, "nonsense", ticket[:-6] + "aaaaaa", ticket + "a"):
        await is_shut(talk, service, bearer, NO_TOKEN)


@BOTH
async def test_a_ticket_opens_its_own_session_only(
    talk: Talk, service: str, accepted: tuple[Json, dict[str, str]]
) -> None:
    _, tickets = accepted
    for ticket in tickets.values():
        await is_shut(talk, service, ticket, NOT_YOURS)


@BOTH
async def test_a_strangers_token_opens_nothing(talk: Talk, service: str, crowd: Crowd) -> None:
    third = await crowd.person("third")
    await is_shut(talk, service, third.token, NOT_YOURS)


@BOTH
async def test_a_session_that_nobody_made_is_not_told_apart_from_one_of_others(talk: Talk, service: str) -> None:
    made_up = talk.session_id[:4] + "a" * 26
    for path in (f"/{service}/{made_up}", f"/{service}/nonsense"):
        await talk.rest.call("GET", path, token=talk.tickets[talk.host.id], expect=NOT_YOURS | {400, 422})


@BOTH
async def test_ones_own_token_opens_a_session_once_its_ticket_was_shown(talk: Talk, service: str) -> None:
    for person in (talk.host, talk.guest):
        await is_shut(talk, service, person.token, NOT_YOURS)
        await is_open(talk, service, person, talk.tickets[person.id])
        await is_open(talk, service, person, person.token)


@BOTH
async def test_a_ticket_in_the_subprotocol_opens_a_feed_as_one_in_the_header_does(talk: Talk, service: str) -> None:
    path, ticket = f"/{service}/{talk.session_id}/events", talk.tickets[talk.host.id]
    async with open_feed(talk.deployment, path, ticket, by_subprotocol=True, address=talk.host.address) as feed:
        assert feed.socket.subprotocol == "dateflicks.v1"


@BOTH
async def test_a_ticket_in_the_address_opens_nothing(talk: Talk, service: str) -> None:
    ticket = talk.tickets[talk.host.id]
    for name in ("token", "ticket", "bearer", "access_token"):
        await talk.rest.call("GET", f"/{service}/{talk.session_id}?{name}={ticket}", expect=401)


async def test_signing_out_ends_what_lives_on_that_sign_in_and_nothing_else(
    rest: Rest, deployment: Deployment, host: Person, accepted: tuple[Json, dict[str, str]]
) -> None:
    session, tickets = accepted
    signed = (await rest.call("POST", "/tokens", {"name": host.name, "password": PASSWORD}, expect=201)).body
    own = (await rest.call("GET", f"/sessions/{session['id']}", token=signed["token"])).body["session"]["ticket"]
    async with AsyncExitStack() as stack:
        stay, end = [
            [
                await stack.enter_async_context(
                    open_feed(deployment, f"/{service}/{session['id']}/events", ticket, address=host.address)
                )
                for service in SERVICES
            ]
            for ticket in (tickets[host.id], own)
        ]
        await rest.call("DELETE", "/tokens/current", token=signed["token"], expect=(200, 204))
        assert [await feed.expect_closed() for feed in end] == [4401, 4401]
        for service in SERVICES:
            await rest.call("GET", f"/{service}/{session['id']}", token=own, expect=401)
            await rest.call("GET", f"/{service}/{session['id']}", token=tickets[host.id])
        assert not any(feed.is_closed for feed in stay)


async def test_one_more_connection_than_there_may_be_takes_the_place_of_the_oldest(talk: Talk) -> None:
    async with AsyncExitStack() as stack:
        oldest, *others = [await stack.enter_async_context(talk.talker(talk.host)) for _ in range(5)]
        assert await oldest.feed.expect_closed() == 4409
        await others[-1].say("four are enough")
        for one in others:
            await one.hears("four are enough")


async def test_both_services_describe_themselves(talk: Talk) -> None:
    described = (await talk.rest.call("GET", "/docs/openapi.json")).body["paths"]
    calls = {"/".join("{}" if part.startswith("{") else part for part in path.split("/")) for path in described}
    actions = ("call", "lock", "propose", "confirm", "object", "void")
    assert calls >= {"/messages/{}", "/predictions/{}", "/predictions/{}/scores", "/predictions/scores"}
    assert calls >= {f"/predictions/{{}}/{{}}/{action}" for action in actions}
