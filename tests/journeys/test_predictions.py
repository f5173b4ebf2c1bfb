"""A prediction's life: called in secret, locked, settled by both, scored once; or void."""

import asyncio
import json
from typing import Any

import pytest

from tests.journeys.betting import Bets, Watcher, call_of, commitment
from tests.journeys.people import Crowd, act, invite, ticket_of
from tests.journeys.talk import Talk


@pytest.fixture
def bets(talk: Talk) -> Bets:
    return Bets.among(talk)


async def test_a_prediction_is_called_locked_settled_by_both_and_scored(bets: Bets) -> None:
    async with bets.watcher(bets.host) as host, bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host, "The butler did it")
        assert (made["status"], made["options"], made["outcome"]) == ("open", ["yes", "no"], None)
        assert (made["author"], made["sessionId"], made["details"]) == (
            bets.host.id,
            bets.session_id,
            "The butler did it",
        )
        for one in (host, guest):
            await one.sees(made, status="open", details="The butler did it")
        await bets.call(bets.host, made, "yes", 0.9)
        await bets.call(bets.guest, made, "no", 0.6)
        await guest.sees(made, status="open")
        locked = await bets.do(bets.guest, made, "lock")
        assert locked["status"] == "locked"
        for one in (host, guest):
            seen = await one.sees(made, status="locked")
            assert (call_of(seen, bets.host)["option"], call_of(seen, bets.host)["confidence"]) == ("yes", 0.9)
            assert (call_of(seen, bets.guest)["option"], call_of(seen, bets.guest)["confidence"]) == ("no", 0.6)
        proposed = await bets.do(bets.guest, made, "propose", outcome="yes")
        assert (proposed["status"], proposed["outcome"]) == ("locked", None)
        assert (proposed["proposedBy"], proposed["proposedOutcome"]) == (bets.guest.id, "yes")
        await host.sees(made, proposedBy=bets.guest.id)
        settled = await bets.do(bets.host, made, "confirm")
        assert (settled["status"], settled["outcome"], settled["confirmedBy"]) == ("settled", "yes", bets.host.id)
        for one in (host, guest):
            await one.sees(made, status="settled", outcome="yes")
    right, wrong = await bets.standing(bets.guest, bets.host), await bets.standing(bets.guest, bets.guest)
    assert (right["calls"], right["right"]) == (1, 1)
    assert (wrong["calls"], wrong["right"]) == (1, 0)
    assert right["brier"] == pytest.approx(2 * 0.1**2)  # the quadratic rule, with the rest spread over the others
    assert wrong["brier"] == pytest.approx(2 * 0.6**2)
    assert right["points"] > wrong["points"]
    scores = await bets.scores(bets.host)
    assert [one["userId"] for one in scores["items"]] == [bets.host.id, bets.guest.id]
    assert scores["predictions"] == 1


# --- sealed -----------------------------------------------------------------------------------------------------------


async def test_what_the_other_called_reaches_nobody_before_the_lock_and_can_be_checked_after_it(bets: Bets) -> None:
    options = ["the heron", "the walrus", "the gannet"]
    async with bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host, "Who has the key?", options=options)
        called = await bets.call(bets.host, made, "the walrus", 0.8125)
        own = call_of(called, bets.host)
        assert (own["option"], own["confidence"]) == ("the walrus", 0.8125)
        await guest.feed.expect(
            lambda frame: frame["type"] == "prediction" and len(frame["prediction"]["calls"]) == 1, "sealed call"
        )
        mine = await bets.call(bets.guest, made, "the heron", 0.5)
        seen = [*guest.shown(made), await bets.read(bets.guest, made), mine]
        with_calls = [one for one in seen if any(call["author"] == bets.host.id for call in one["calls"])]
        assert len(with_calls) >= 3
        for prediction in with_calls:
            sealed = call_of(prediction, bets.host)
            assert sealed["commitment"] == own["commitment"]
            assert not {"option", "confidence", "salt"} & {name for name, value in sealed.items() if value is not None}
            assert "0.8125" not in json.dumps(prediction)
        assert own["salt"] not in json.dumps(guest.feed.frames)
        locked = await bets.do(bets.host, made, "lock")
        shown = call_of(locked, bets.host)
        assert shown["commitment"] == own["commitment"] == commitment(locked, shown)
        assert len(bytes.fromhex(shown["salt"])) >= 16
        opened = call_of(await guest.sees(made, status="locked"), bets.host)
        assert (opened["option"], opened["confidence"], opened["salt"]) == ("the walrus", 0.8125, shown["salt"])


async def test_a_call_can_be_changed_until_the_lock_and_not_after_it(bets: Bets) -> None:
    made = await bets.make(bets.host)
    first = call_of(await bets.call(bets.guest, made, "yes", 0.7), bets.guest)
    same = call_of(await bets.call(bets.guest, made, "yes", 0.7), bets.guest)
    assert (same["calledAt"], same["commitment"]) == (first["calledAt"], first["commitment"])
    changed = call_of(await bets.call(bets.guest, made, "no", 0.55), bets.guest)
    assert changed["commitment"] != first["commitment"]
    await bets.do(bets.host, made, "lock")
    for person, option in ((bets.guest, "yes"), (bets.host, "yes")):
        await bets.do(person, made, "call", option=option, confidence=0.9, expect=409)
    shown = await bets.read(bets.host, made)
    assert len(shown["calls"]) == 1
    assert (call_of(shown, bets.guest)["option"], call_of(shown, bets.guest)["confidence"]) == ("no", 0.55)


@pytest.mark.parametrize(
    ("options", "option", "confidence", "status"),
    [
        (None, "yes", 0.5, 200),
        (None, "yes", 1, 200),
        (None, "yes", 0.49, 422),
        (None, "yes", 1.0001, 422),
        (None, "yes", 0, 422),
        (None, "yes", -1, 422),
        (None, "perhaps", 0.9, 422),
        (None, "", 0.9, 422),
        (["a", "b", "c"], "b", 1 / 3, 200),
        (["a", "b", "c"], "b", 0.3333, 200),
        (["a", "b", "c"], "b", 0.33, 422),
        (["a", "b", "c", "d", "e", "f"], "f", 1 / 6, 200),
    ],
)
async def test_a_call_is_one_of_the_options_and_surer_than_chance(
    bets: Bets, options: list[str] | None, option: str, confidence: float, status: int
) -> None:
    more: Any = {"options": options} if options else {}
    made = await bets.make(bets.host, **more)
    allowed = (status,) if status == 200 else (status, 400)
    await bets.do(bets.guest, made, "call", option=option, confidence=confidence, expect=allowed)
    assert len((await bets.read(bets.guest, made))["calls"]) == (1 if status == 200 else 0)


@pytest.mark.parametrize(
    "content", [b'{"option":"yes","confidence":NaN}', b'{"option":"yes","confidence":1e999}', b"{"]
)
async def test_a_confidence_that_is_no_number_is_refused(bets: Bets, content: bytes) -> None:
    made = await bets.make(bets.host)
    path = f"{bets.path}/{made['id']}/call"
    ticket = bets.tickets[bets.guest.id]
    await bets.rest.call("POST", path, content=content, token=ticket, expect=(400, 422))


# --- what may be predicted --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"details": ""},
        {"details": "  \n "},
        {"details": "\x1b\x07"},
        {"details": "x" * 501},
        {"details": 5},
        {"details": "x", "options": []},
        {"details": "x", "options": ["only"]},
        {"details": "x", "options": list("abcdefg")},
        {"details": "x", "options": ["same", "same"]},
        {"details": "x", "options": ["Same", "sAME"]},
        {"details": "x", "options": ["a", ""]},
        {"details": "x", "options": ["a", "b" * 81]},
        {"details": "x", "options": "ab"},
        {"details": "x", "locksAtPosition": -1},
        {"details": "x", "locksAtPosition": 172_801},
        {"details": "x", "locksAtPosition": "late"},
    ],
    ids=repr,
)
async def test_a_prediction_that_makes_no_sense_is_refused(bets: Bets, body: Any) -> None:
    await bets.ask(bets.host, "", {"prediction": body}, (400, 422))
    assert (await bets.list(bets.host))["items"] == []


async def test_what_is_predicted_can_do_a_terminal_no_harm(bets: Bets) -> None:
    made = await bets.make(bets.host, "He\x1b[2J did\u202e it", options=["y\x1b]0;x\x07es", "no\u2066"])
    text = json.dumps([made, await bets.read(bets.guest, made)], ensure_ascii=False)
    assert not [char for char in text if ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066"]
    await bets.call(bets.guest, made, made["options"][0], 0.9)


async def test_a_prediction_that_is_sent_again_is_made_once(bets: Bets) -> None:
    made = await bets.make(bets.host, "He did it", clientId="p-1")
    again = await bets.ask(bets.host, "", {"prediction": {"details": "He did it", "clientId": "p-1"}}, (200, 201))
    assert again.body["prediction"]["id"] == made["id"]
    other = await bets.make(bets.guest, "She did it", clientId="p-1")
    assert other["id"] != made["id"]
    assert [one["id"] for one in (await bets.list(bets.guest))["items"]] == [other["id"], made["id"]]


async def test_the_newest_prediction_is_listed_first_page_after_page(bets: Bets) -> None:
    made = [(await bets.make(bets.host, f"thing {number}"))["id"] for number in range(7)]
    found: list[str] = []
    query = "?limit=3"
    while True:
        page = await bets.list(bets.guest, query)
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=3&cursor={page['next']}"
    assert found == made[::-1]


# --- who may do what, and when ----------------------------------------------------------------------------------------


async def test_an_outcome_is_proposed_after_the_lock_and_is_one_of_the_options(bets: Bets) -> None:
    made = await bets.make(bets.host)
    await bets.call(bets.guest, made, "yes", 0.9)
    await bets.do(bets.host, made, "propose", outcome="yes", expect=409)
    await bets.do(bets.host, made, "confirm", expect=409)
    await bets.do(bets.host, made, "object", expect=409)
    await bets.do(bets.host, made, "lock")
    await bets.do(bets.guest, made, "confirm", expect=409)  # nothing has been proposed
    await bets.do(bets.host, made, "propose", outcome="perhaps", expect=422)
    await bets.do(bets.host, made, "propose", outcome="yes")
    await bets.do(bets.host, made, "confirm", expect=403)  # not by the one who proposed it
    await bets.do(bets.guest, made, "propose", outcome="no", expect=409)
    assert (await bets.read(bets.guest, made))["status"] == "locked"
    settled = await bets.do(bets.guest, made, "propose", outcome="yes")  # saying the same is agreeing
    assert (settled["status"], settled["outcome"]) == ("settled", "yes")


async def test_an_objection_makes_it_void_and_nobody_scores(bets: Bets) -> None:
    async with bets.watcher(bets.guest) as guest:
        made = await bets.make(bets.host)
        await bets.call(bets.host, made, "yes", 1)
        await bets.do(bets.host, made, "lock")
        await bets.do(bets.host, made, "propose", outcome="yes")
        void = await bets.do(bets.guest, made, "object")
        assert (void["status"], void["outcome"]) == ("void", None)
        await guest.sees(made, status="void")
    await bets.do(bets.guest, made, "confirm", expect=409)
    await bets.do(bets.guest, made, "propose", outcome="yes", expect=409)
    scores = await bets.scores(bets.host)
    assert scores["predictions"] == 0
    assert all(one["calls"] == 0 for one in scores["items"])


@pytest.mark.parametrize("is_locked", [False, True])
async def test_either_can_call_it_off_until_it_is_settled(bets: Bets, is_locked: bool) -> None:
    made = await bets.make(bets.host)
    await bets.call(bets.host, made, "yes", 0.9)
    if is_locked:
        await bets.do(bets.host, made, "lock")
    assert (await bets.do(bets.guest, made, "void"))["status"] == "void"
    await bets.do(bets.host, made, "lock", expect=409)
    await bets.do(bets.host, made, "call", option="no", confidence=0.9, expect=409)
    other = await bets.make(bets.guest)
    await bets.settle(other, "yes")
    await bets.do(bets.host, other, "void", expect=409)
    await bets.do(bets.host, other, "object", expect=409)
    assert (await bets.read(bets.host, other))["status"] == "settled"


async def test_saying_the_same_twice_changes_nothing_and_scores_once(bets: Bets) -> None:
    made = await bets.make(bets.host)
    await bets.call(bets.host, made, "yes", 0.9)
    first = await bets.do(bets.host, made, "lock")
    for person in (bets.host, bets.guest):
        again = await bets.do(person, made, "lock")
        assert (again["revision"], again["lockedAt"]) == (first["revision"], first["lockedAt"])
    proposed = await bets.do(bets.host, made, "propose", outcome="yes")
    assert (await bets.do(bets.host, made, "propose", outcome="yes"))["revision"] == proposed["revision"]
    settled = await bets.do(bets.guest, made, "confirm")
    for _ in range(3):
        assert await bets.do(bets.guest, made, "confirm") == settled
    standing = await bets.standing(bets.host, bets.host)
    assert (standing["calls"], standing["right"]) == (1, 1)
    assert (await bets.scores(bets.host))["predictions"] == 1


async def test_an_act_on_an_older_state_than_the_present_one_is_refused(bets: Bets) -> None:
    made = await bets.make(bets.host)
    await bets.call(bets.guest, made, "yes", 0.9)
    await bets.do(bets.host, made, "lock", revision=made["revision"], expect=409)
    now = await bets.read(bets.host, made)
    locked = await bets.do(bets.host, made, "lock", revision=now["revision"])
    await bets.do(bets.guest, made, "propose", outcome="yes", revision=now["revision"], expect=409)
    await bets.do(bets.guest, made, "propose", outcome="yes", revision=locked["revision"])


async def test_what_both_do_at_the_same_moment_comes_to_one_end(bets: Bets) -> None:
    for _ in range(5):
        made = await bets.make(bets.host)
        calls = [
            bets.do(person, made, "call", option=option, confidence=0.9, expect=(200, 409))
            for person in (bets.host, bets.guest)
            for option in ("yes", "no")
        ]
        *answers, locked = await asyncio.gather(*calls, bets.do(bets.host, made, "lock"))
        seen = await bets.read(bets.guest, made)
        assert seen["calls"] == locked["calls"]  # nobody called anything after the lock
        assert len(seen["calls"]) <= sum(answer["status"] == "open" for answer in answers)

        both = ((bets.host, "yes"), (bets.guest, "no"))
        proposals = [bets.do(one, made, "propose", outcome=outcome, expect=(200, 409)) for one, outcome in both]
        statuses = [answer["status"] for answer in await asyncio.gather(*proposals)]
        assert sorted(map(str, statuses)) == ["409", "locked"]

        other = bets.host if statuses[1] == "locked" else bets.guest
        ends = [bets.do(other, made, action, expect=(200, 409)) for action in ("confirm", "object", "void")]
        answers = [answer["status"] for answer in await asyncio.gather(*ends)]
        end = (await bets.read(bets.host, made))["status"]
        assert end in ("settled", "void")
        assert set(answers) <= {409, end}
        assert end in answers


async def test_actions_on_what_is_not_there_are_not_found(bets: Bets, talk: Talk) -> None:
    made = await bets.make(bets.host)
    for wrong in (made["id"][:4] + "a" * 26, "nonsense"):
        for action, body in {"lock": {}, "call": {"option": "yes", "confidence": 0.9}, "confirm": {}}.items():
            await bets.do(bets.host, {"id": wrong}, action, expect=404, **body)
    await bets.ask(bets.host, f"/{made['id']}/eat", {}, (404, 405))


async def test_one_sessions_predictions_are_not_another_ones(bets: Bets, crowd: Crowd, accepted: Any) -> None:
    session, tickets = accepted
    host, guest = await crowd.person("host"), await crowd.person("guest")
    theirs = Bets(bets.deployment, bets.rest, session["id"], host, guest, tickets)
    made = await bets.make(bets.host)
    assert made["id"] not in json.dumps(await theirs.list(host))
    await theirs.do(host, made, "lock", expect=404)
    assert (await bets.read(bets.host, made))["status"] == "open"


# --- scores -----------------------------------------------------------------------------------------------------------


async def test_being_surer_pays_when_right_and_costs_when_wrong(bets: Bets) -> None:
    points: dict[tuple[str, float], float] = {}
    before = 0.0
    for outcome in ("yes", "no"):
        for confidence in (0.5, 0.75, 1.0):
            made = await bets.make(bets.host)
            await bets.call(bets.guest, made, "yes", confidence)
            await bets.settle(made, outcome)
            total = (await bets.standing(bets.guest, bets.guest))["points"]
            points[outcome, confidence] = total - before
            before = total
    assert points["yes", 1.0] > points["yes", 0.75] > points["yes", 0.5]
    assert points["no", 1.0] < points["no", 0.75] < points["no", 0.5]
    assert points["yes", 0.5] == pytest.approx(points["no", 0.5])  # knowing nothing is worth the same either way
    expected = {
        said: 0.75 * points["yes", said] + 0.25 * points["no", said] for said in (0.5, 0.75, 1.0)
    }  # what one may expect who believes in three chances of four
    assert max(expected, key=expected.__getitem__) == 0.75


async def test_a_pairs_table_runs_over_all_their_sessions_and_is_theirs_alone(
    bets: Bets, talk: Talk, crowd: Crowd
) -> None:
    second = Bets.among(await another_evening(talk))
    for evening in (bets, second):
        made = await evening.make(evening.host)
        await evening.call(evening.host, made, "yes", 0.9)
        await evening.call(evening.guest, made, "no", 0.9)
        await evening.settle(made, "yes")
    path = f"/predictions/scores?with={bets.guest.id}"
    for bearer in (bets.tickets[bets.host.id], second.tickets[bets.host.id], bets.host.token):
        table = (await bets.rest.call("GET", path, token=bearer)).body
        assert table["predictions"] == 2
        standings = {one["userId"]: (one["calls"], one["right"]) for one in table["items"]}
        assert standings == {bets.host.id: (2, 2), bets.guest.id: (2, 0)}
    mirrored = f"/predictions/scores?with={bets.host.id}"
    also = (await bets.rest.call("GET", mirrored, token=bets.tickets[bets.guest.id])).body
    assert also["predictions"] == 2
    third = await crowd.person("third")
    for one in (path, mirrored):
        answer = await bets.rest.call("GET", one, token=third.token, expect=(200, 403, 404))
        if answer.status == 200:
            assert answer.body["predictions"] == 0
            assert bets.host.id not in answer.text or bets.guest.id not in answer.text
    await bets.rest.call("GET", "/predictions/scores", token=bets.host.token, expect=(400, 422))
    await bets.rest.call("GET", path, expect=401)


@pytest.mark.parametrize(
    "other", ["nonsense", "usr_" + "a" * 26, "a%00b", "%00", "$ne", "1", "%C3%A9", "x" * 3_000, ""]
)
async def test_with_nobody_there_is_no_table_and_nothing_breaks(bets: Bets, other: str) -> None:
    path = f"/predictions/scores?with={other}"
    answer = await bets.rest.call("GET", path, token=bets.tickets[bets.host.id], expect=(200, 400, 404, 422))
    if answer.status == 200:
        assert (answer.body["items"], answer.body["predictions"]) == ([], 0)


async def another_evening(talk: Talk) -> Talk:
    """The same two in one more accepted session."""
    session = await invite(talk.rest, talk.host, talk.guest)
    await act(talk.rest, talk.guest, session, "accept")
    tickets = {one.id: await ticket_of(talk.rest, one, session["id"]) for one in (talk.host, talk.guest)}
    return Talk(talk.deployment, talk.rest, session["id"], talk.host, talk.guest, tickets)


# --- the feed ---------------------------------------------------------------------------------------------------------


async def test_who_connects_is_told_of_everything_there_is_as_they_may_see_it(bets: Bets) -> None:
    made = [await bets.make(bets.host, f"thing {number}") for number in range(3)]
    await bets.call(bets.host, made[0], "yes", 0.9)
    await bets.settle(made[1], "yes")
    await bets.do(bets.guest, made[2], "void")
    async with bets.watcher(bets.guest) as guest:
        seen = await guest.sees(made[0], status="open")
        assert call_of(seen, bets.host).get("option") is None
        await guest.sees(made[1], status="settled")
        await guest.sees(made[2], status="void")
        assert {frame["reason"] for frame in guest.feed.frames} == {"present"}


async def test_a_session_holds_so_many_predictions_and_no_feed_is_flooded_with_them(bets: Bets) -> None:
    options = [79 * "好" + letter for letter in "abcdef"]
    made: list[str] = []
    for number in range(201):
        body = {"prediction": {"details": "好" * 490 + str(number), "options": options}}
        answer = await bets.ask(bets.host, "", body, (201, 409, 422, 429))
        if answer.status == 429:
            await asyncio.sleep(int(answer.headers["retry-after"]))
            continue
        if answer.status != 201:
            break
        made.append(answer.body["prediction"]["id"])
    assert answer.status in (409, 422)
    assert 50 <= len(made) <= 200
    newest = {"id": made[-1]}
    async with bets.watcher(bets.guest) as guest:
        await guest.sees(newest, status="open")
        await bets.do(bets.host, newest, "void")  # whoever was told of so many hears of what changes all the same
        await guest.sees(newest, status="void")
    page = await bets.list(bets.guest, "?limit=200")
    assert [one["id"] for one in page["items"]] == made[::-1]


@pytest.mark.parametrize("text", ["no json", "[1]", '{"type":"position"}', '{"type":"position","position":-1}'])
async def test_a_wrong_frame_is_answered_and_the_other_notices_nothing(bets: Bets, text: str) -> None:
    async with bets.watcher(bets.host) as host, bets.watcher(bets.guest) as guest:
        await guest.feed.send_text(text)
        await guest.feed.hear()
        assert guest.feed.frames[0]["type"] == "error"
        await still_works(bets, host)


async def still_works(bets: Bets, one: Watcher) -> None:
    made = await bets.make(bets.host)
    await one.sees(made, status="open")
