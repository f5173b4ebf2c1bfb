"""Every call and every feed of every service, by everybody who must not: refused, each as the contract says."""

from collections.abc import Iterable
from typing import Final

import pytest

from tests.fuzz.stage import Prop
from tests.journeys.deployment import Deployment
from tests.journeys.wire import open_feed, refusal
from tests.strangers.scene import Declared, Scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(180)]

# What tells each caller of nothing but their own things, or of things that are everybody's. A call that is neither
# here, nor of a session, nor open to nobody in particular, has no owner: say here whose it is.
OWN: Final = {
    "GET /users/me",
    "DELETE /tokens/current",
    "PUT /users/me/password",
    "GET /users/me/friends",
    "PUT /users/me/friends/{name}",
    "DELETE /users/me/friends/{name}",
    "POST /sessions",
    "GET /sessions",
    "GET /history",
    "POST /invitations/{code}/redeem",
    "GET /predictions/scores",
    "GET /recommendations",
    "GET /recommendations/{videoId}/why",
    "POST /recommendations/events",
    "GET /recommendations/ratings",
    "GET /recommendations/ratings/{videoId}",
    "PUT /recommendations/ratings/{videoId}",
}
CHANGES_WHO_KNOWS_WHOM: Final = {
    "POST /sessions",
    "POST /invitations/{code}/redeem",
    "PUT /users/me/friends/{name}",
    "DELETE /users/me/friends/{name}",
    "DELETE /tokens/current",
}
OF_A_PAIR: Final = {"GET /recommendations", "GET /recommendations/{videoId}/why"}  # 404 for who is none of the two
NEEDS_ALL: Final = OF_A_PAIR  # what is known of pairs is where the sessions are


def wrong(call: Declared, who: str, status: int, expected: Iterable[int], text: str = "") -> list[str]:
    return [] if status in expected else [f"{call.label} by {who}: {status}, not {sorted(expected)} {text[:200]}"]


async def test_the_two_of_a_session_may(scene: Scene) -> None:
    found: list[str] = []

    def each() -> None:
        for call in scene.calls:
            if scene.is_alone and call.label in NEEDS_ALL:
                continue
            prop = scene.prop(call)
            response = scene.send(call, prop, None if call.route.auth == "none" else scene.bearer(call, prop))
            found.extend(wrong(call, "a member", response.status_code, {call.route.status}, response.text))

    await scene.run(each)
    assert not found, "\n".join(found)


async def test_every_call_has_an_owner(scene: Scene) -> None:
    unowned = [
        call.label
        for call in scene.calls
        if call.route.auth != "none" and not call.is_of_a_session and call.label not in OWN
    ]
    assert unowned == []
    assert {call.label for call in scene.calls} >= OWN, "a call that is gone is still listed"


async def test_whoever_shows_nothing_or_what_is_not_good_is_unknown(scene: Scene) -> None:
    found: list[str] = []

    def each() -> None:
        impostors, revoked = scene.impostors(scene.stage.evening), scene.revoked()
        for call in scene.calls:
            auth = call.route.auth
            if auth == "none":
                continue
            prop = scene.prop(call)
            shown: dict[str, str | None] = dict(impostors.ticket if auth == "user-or-ticket" else impostors.token)
            if not scene.is_alone or call.service == "session":
                shown["a token that was signed out"] = revoked
            if auth != "optional":
                shown["nobody"] = None
            for who, bearer in shown.items():
                response = scene.send(call, prop, bearer)
                found.extend(wrong(call, who, response.status_code, {401}, response.text))
                if response.headers.get("www-authenticate") != "Bearer":
                    found.append(f"{call.label} does not say to {who} what it needs")

    await scene.run(each)
    assert not found, "\n".join(found)


async def test_a_token_in_the_address_is_none(scene: Scene) -> None:
    found: list[str] = []

    def each() -> None:
        for call in scene.calls:
            if call.route.auth in ("none", "optional"):
                continue
            prop = scene.prop(call)
            bearer = scene.bearer(call, prop)
            bare = Prop(path=prop.path, body=prop.body)
            for name in ("token", "access_token", "ticket", "bearer", "authorization"):
                response = scene.send(call, bare, None, query=f"?{name}={bearer}")
                found.extend(wrong(call, f"?{name}=", response.status_code, {401}))

    await scene.run(each)
    assert not found, "\n".join(found)


async def test_who_is_no_member_is_told_nothing_of_the_session_and_changes_nothing_in_it(scene: Scene) -> None:
    found: list[str] = []

    def each() -> None:
        strangers = scene.strangers()
        props = [(call, scene.prop(call)) for call in scene.calls if call.is_of_a_session]
        before = _state(scene)
        for call, prop in props:
            # Of a session one is asked for by its id, and is not there; a place in it is known, and not theirs.
            expected = {404} if call.service == "session" else {403}
            for who, (person, ticket) in strangers.items():
                for bearer in (person.token, ticket) if call.route.auth == "user-or-ticket" else (person.token,):
                    response = scene.send(call, prop, bearer)
                    found.extend(wrong(call, who, response.status_code, expected, response.text))
                    found.extend(f"{call.label} tells {who} {word}" for word in told(scene, response.text))
        assert _state(scene) == before

    await scene.run(each)
    assert not found, "\n".join(found)


def _state(scene: Scene) -> list[object]:
    """What the two see of their evening."""
    stage = scene.stage
    evening = stage.evening
    found: list[object] = []
    for path in (f"/messages/{evening.id}", f"/predictions/{evening.id}", f"/predictions/{evening.id}/scores"):
        found.append(stage.call("GET", path, evening.ticket))
    session = stage.call("GET", f"/sessions/{evening.id}", stage.caller.token)["session"]
    session.pop("ticket")  # a new one each time
    length = stage.call("GET", f"/timecodes/{evening.id}", evening.ticket)["timecode"]["length"]
    return [*found, session, length]


async def test_ones_own_lists_hold_nothing_of_other_peoples(scene: Scene) -> None:
    found: list[str] = []

    def each() -> None:
        strangers = scene.strangers()
        stage = scene.stage
        stage.call("POST", f"/messages/{stage.evening.id}", stage.evening.ticket, {"message": {"content": "Zither"}})
        for call in scene.calls:
            if call.label not in OWN or call.label in CHANGES_WHO_KNOWS_WHOM:
                continue
            person, ticket = strangers["a stranger"]
            prop = scene.prop(call)
            bearer = ticket if call.route.auth == "user-or-ticket" else person.token
            expected = {404} if call.label in OF_A_PAIR else {call.route.status}
            response = scene.send(call, prop, bearer)
            found.extend(wrong(call, "a stranger", response.status_code, expected, response.text))
            asked = list((prop.query or {}).values())
            found.extend(f"{call.label} tells {word}" for word in told(scene, response.text) if word not in asked)

    await scene.run(each)
    assert not found, "\n".join(found)


def told(scene: Scene, text: str) -> list[str]:
    return [word for word in scene.words() if word in text]


async def test_what_belongs_to_another_session_is_not_there_in_ones_own(scene: Scene) -> None:
    def each() -> None:
        stage = scene.stage
        evening = stage.accepted()
        theirs = stage.bet().path["id"]
        for call in scene.calls:
            if "/{sessionId}/{id}" not in call.route.path:
                continue
            prop = scene.prop(call)
            mixed = Prop(path={"sessionId": evening.id, "id": theirs}, body=prop.body)
            assert scene.send(call, mixed, evening.ticket).status_code == 404, call.label

    await scene.run(each)


async def test_an_ended_session_gives_nobody_a_new_ticket(scene: Scene) -> None:
    def each() -> None:
        stage = scene.stage
        evening = stage.accepted()
        stage.call("POST", f"/sessions/{evening.id}/end", stage.caller.token, {})
        for person in (stage.caller, stage.other):
            session = stage.call("GET", f"/sessions/{evening.id}", person.token)["session"]
            assert session.get("ticket") is None

    await scene.run(each)


async def test_a_feed_opens_to_the_two_and_to_nobody_else_in_either_way_to_ask(scene: Scene) -> None:
    stage = scene.stage
    impostors = await scene.run(scene.impostors, stage.evening)
    strangers = await scene.run(scene.strangers)
    revoked = await scene.run(scene.revoked)
    found = []
    for service, feed in scene.feeds:
        deployment = Deployment(scene.urls[service], is_ours=True)
        path = feed.path.replace("{sessionId}", stage.evening.id)
        is_of_a_session = "{" in feed.path
        assert is_of_a_session or feed.auth == "user", f"{feed.path}: nobody has said whose it is"
        good = stage.evening.ticket if is_of_a_session else stage.caller.token
        for by_subprotocol in (False, True):
            async with open_feed(deployment, path, good, by_subprotocol=by_subprotocol) as opened:
                assert not opened.is_closed

        shown: dict[str, tuple[str | None, set[int]]] = {"nobody": (None, {401})}
        for who, bearer in (impostors.ticket if is_of_a_session else impostors.token).items():
            shown[who] = (bearer, {401})
        if not scene.is_alone or service == "session":
            shown["a token that was signed out"] = (revoked, {401})
        for who, (person, ticket) in strangers.items() if is_of_a_session else ():
            shown[who] = (person.token, {403})
            shown[f"{who}, with a ticket"] = (ticket, {403})
        for who, (shown_bearer, expected) in shown.items():
            status = await refusal(deployment, path, shown_bearer)
            found += [] if status in expected else [f"{feed.path} by {who}: {status}"]
            if shown_bearer is None:
                continue
            async with open_feed(deployment, path, shown_bearer, by_subprotocol=True) as opened:
                code = await opened.expect_closed()
                found += [] if code == 4000 + min(expected) else [f"{feed.path} by {who}, as a page: {code}"]
                found += [f"{feed.path} tells {who} {word}" for word in told(scene, str(opened.frames))]
        for name in ("token", "access_token", "ticket"):
            status = await refusal(deployment, f"{path}?{name}={good}", None)
            found += [] if status == 401 else [f"{feed.path}?{name}=: {status}"]
    assert not found, "\n".join(found)
