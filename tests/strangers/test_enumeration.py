"""What is not there and what is somebody else's are told apart by nobody; guessing is slow wherever it could pay."""

import re
from typing import Final

import httpx2
import pytest

from dateflicks.protocol.ids import new_id
from tests.fuzz.stage import Prop
from tests.journeys.deployment import Deployment
from tests.journeys.wire import open_feed
from tests.strangers.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

SAID_BY_CHANCE: Final = {"x-request-id", "date"}


def shown(response: httpx2.Response, *names: str) -> tuple[object, ...]:
    """All that an answer tells, but for the ids that were asked for and the request's own."""
    text = response.text
    for name in names:
        text = text.replace(name, "ID")
    text = re.sub(r"\d+\.\d+", "N", text)
    headers = {name: value for name, value in response.headers.items() if name not in SAID_BY_CHANCE}
    return response.status_code, text, headers


async def test_an_unknown_session_is_answered_as_somebody_elses_by_every_call(scene: Scene) -> None:
    def each() -> None:
        strangers = scene.strangers()
        person, ticket = strangers["a stranger"]
        unknown = new_id("ses")
        for call in scene.calls:
            if not call.is_of_a_session:
                continue
            prop = scene.prop(call)
            theirs = (
                next(value for name, value in prop.path.items() if name in ("id", "sessionId")) if prop.path else ""
            )
            if not theirs:
                assert prop.body is not None
                theirs = prop.body["timecode"]["sessionId"]
                other = Prop(body={"timecode": {**prop.body["timecode"], "sessionId": unknown}})
            else:
                key = "sessionId" if "sessionId" in prop.path else "id"
                theirs = prop.path[key]
                other = Prop(path={**prop.path, key: unknown}, body=prop.body, query=prop.query)
            bearers = (person.token, ticket) if call.route.auth == "user-or-ticket" else (person.token,)
            for bearer in bearers:
                known_answer = shown(scene.send(call, prop, bearer), theirs)
                assert shown(scene.send(call, other, bearer), unknown) == known_answer, call.label

    await scene.run(each)


async def test_an_unknown_person_is_answered_as_one_whom_one_has_not_met(scene: Scene) -> None:
    def each() -> None:
        person, _ = scene.strangers()["a stranger"]
        theirs, unknown = scene.stage.other.id, new_id("usr")
        asked = 0
        for call in scene.calls:
            prop = scene.prop(call)
            if "with" not in (prop.query or {}):
                continue
            asked += 1
            first, second = (
                shown(scene.send(call, Prop(path=prop.path, query={"with": who}), person.token), who)
                for who in (theirs, unknown)
            )
            assert first == second, call.label
        assert asked >= 3

    await scene.run(each)


async def test_a_wrong_password_and_a_name_that_nobody_has_are_answered_alike(scene: Scene) -> None:
    def each() -> None:
        def sign_in(name: str) -> tuple[object, ...]:
            body = {"name": name, "password": "not this one"}
            return shown(scene.client.post("/tokens", json=body), name)

        assert sign_in(scene.stage.caller.name) == sign_in("person-who-is-not-there")

    await scene.run(each)


async def test_codes_that_are_wrong_used_taken_back_or_no_codes_are_answered_alike(scene: Scene) -> None:
    def each() -> None:
        stage = scene.stage
        used, taken_back = stage.code(), ""
        stage.call("POST", f"/invitations/{used}/redeem", None, {})
        made = stage.call("POST", "/sessions", stage.other.token, {"session": {"video": _FILM}, "link": True})[
            "session"
        ]
        stage.call("POST", f"/sessions/{made['id']}/cancel", stage.other.token)
        taken_back = made["invitation"]
        answers = {
            str(shown(scene.client.post(f"/invitations/{code}/redeem", json={}), code))
            for code in (used, taken_back, "k3v9x-tzq41-09ajm-hd2we", "nonsense", "ses_" + "a" * 26)
        }
        assert len(answers) == 1, answers

    await scene.run(each)


_FILM: Final = {"url": "https://films.example.org/x.mkv", "title": "X", "length": 60.0}


async def test_a_feed_of_an_unknown_session_ends_as_that_of_somebody_elses(scene: Scene) -> None:
    person, ticket = (await scene.run(scene.strangers))["a stranger"]
    for service, feed in scene.feeds:
        if "{sessionId}" not in feed.path:
            continue
        deployment = Deployment(scene.urls[service], is_ours=True)
        for bearer in (person.token, ticket):
            endings = []
            for session_id in (scene.stage.evening.id, new_id("ses"), "nonsense"):
                path = feed.path.replace("{sessionId}", session_id)
                async with open_feed(deployment, path, bearer, by_subprotocol=True) as opened:
                    endings.append((await opened.expect_closed(), opened.frames))
            assert endings[0] == endings[1] == endings[2], feed.path
