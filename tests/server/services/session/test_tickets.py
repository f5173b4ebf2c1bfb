"""Tickets and tokens: who is given which, what they say, and for how long."""

import pytest

from dateflicks.core.errors import Unauthenticated
from dateflicks.core.limits import TICKET_LIFETIME_SECONDS, TOKEN_LIFETIME_SECONDS
from tests.server.services.session.deployment import PASSWORD, Deployment, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_each_one_sees_their_own_ticket_and_only_while_it_is_accepted(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)
    path = f"/sessions/{session['id']}"
    for person in (host, guest):
        assert "ticket" not in (await person.get(path))["session"]

    await guest.act(session, "accept")
    for person, role in ((host, "host"), (guest, "guest")):
        for body in ((await person.get(path))["session"], (await person.get("/sessions"))["items"][0]):
            ticket = shared.signer.verify_ticket(body["ticket"])
            assert (ticket.session_id, ticket.user_id) == (session["id"], person.id)
            assert (ticket.name, ticket.role) == (person.name, role)

    await host.act(session, "end")
    for person in (host, guest):
        assert "ticket" not in (await person.get(path))["session"]
        assert "ticket" not in (await person.get("/sessions"))["items"][0]


@pytest.mark.parametrize(("who", "verb"), [("guest", "reject"), ("host", "cancel")])
async def test_a_session_that_does_not_take_place_has_no_ticket(shared: Deployment, who: str, verb: str) -> None:
    host, guest = await shared.pair()
    session = await host.ask(guest)

    assert "ticket" not in await (host if who == "host" else guest).act(session, verb)
    for person in (host, guest):
        assert "ticket" not in (await person.get(f"/sessions/{session['id']}"))["session"]


async def test_a_ticket_expires_and_a_new_one_is_given(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")
    shared.signer.verify_ticket(session["ticket"])

    shared.clock.now += TICKET_LIFETIME_SECONDS
    with pytest.raises(Unauthenticated, match="expired"):
        shared.signer.verify_ticket(session["ticket"])

    new = (await guest.get(f"/sessions/{session['id']}"))["session"]["ticket"]
    assert shared.signer.verify_ticket(new).user_id == guest.id


async def test_a_ticket_is_no_user_token(shared: Deployment) -> None:
    host, guest = await shared.pair()
    session = await guest.act(await host.ask(guest), "accept")
    guest.token = session["ticket"]

    assert refusal(await guest.call("GET", "/users/me"))[0] == 401
    assert refusal(await guest.call("POST", f"/sessions/{session['id']}/end"))[0] == 401


async def test_a_token_expires_when_it_says_and_signing_in_gives_another(shared: Deployment) -> None:
    person = await shared.person()
    shared.clock.now += TOKEN_LIFETIME_SECONDS - 60.0
    assert (await person.call("GET", "/users/me")).status_code == 200

    shared.clock.now += 61.0
    expired = await person.call("GET", "/users/me")
    assert refusal(expired)[0] == 401
    assert expired.headers["WWW-Authenticate"] == "Bearer"

    again = await shared.client.post("/tokens", json={"name": person.name, "password": PASSWORD})
    assert (await shared.of(again.json()).get("/users/me"))["id"] == person.id


@pytest.mark.parametrize("change", ["signature", "body", "none", "empty", "long"])
async def test_a_token_that_was_tampered_with_is_worth_nothing(shared: Deployment, change: str) -> None:
    person = await shared.person()
    head, body, signature = person.token.split(".")
    person.token = {
        "signature": f"{head}.{body}.{signature[:-4]}AAAA",
        "body": f"{head}.{body[:-4]}AAAA.{signature}",
        "none": f"eyJhbGciOiJub25lIn0.{body}.",
        "empty": "..",
        "long": person.token + "a" * 5_000,
    }[change]

    assert refusal(await person.call("GET", "/users/me"))[0] == 401
