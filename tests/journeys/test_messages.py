"""Two people talk: one order for all, nothing acknowledged twice or lost, and everybody's own words are theirs."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.journeys.talk import Talk, Talker, fresh_client_id
from tests.journeys.wire import Json


async def test_what_one_says_both_hear_and_its_author_is_told_that_it_is_kept(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        ack = await host.say("good evening")
        for one in (host, guest):
            message = await one.hears("good evening")
            assert (message["id"], message["seq"]) == (ack["id"], ack["seq"]) == (message["id"], 1)
            assert (message["author"], message["type"]) == (talk.host.id, "text")
            assert message["position"] is None
        answer = await guest.say("and to you")
        assert answer["seq"] == 2
        assert (await host.hears("and to you"))["author"] == talk.guest.id
    assert not any(frame["type"] == "ack" and frame["id"] == ack["id"] for frame in guest.feed.frames)


async def test_what_is_acknowledged_is_in_the_history_at_once(talk: Talk) -> None:
    async with talk.talker(talk.host) as host:
        for number in range(5):
            ack = await host.say(f"line {number}")
            newest = (await talk.page(talk.guest, limit=1))["items"][-1]
            assert (newest["id"], newest["seq"], newest["content"]) == (ack["id"], number + 1, f"line {number}")


async def test_what_is_posted_is_heard_and_what_is_said_can_be_read(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        posted = (await talk.post(talk.guest, "from a terminal")).body["message"]
        assert posted["seq"] == 1
        for one in (host, guest):
            assert await one.hears("from a terminal") == posted
        await host.say("from a socket")
        said = await guest.hears("from a socket")
    assert await talk.history() == [posted, said]
    assert await talk.history(talk.guest) == [posted, said]


async def test_both_talking_at_once_on_several_connections_hear_one_order_without_gaps(talk: Talk) -> None:
    async with AsyncExitStack() as stack:
        people = [talk.host, talk.guest, talk.host, talk.guest]
        talkers: list[Talker] = [await stack.enter_async_context(talk.talker(person)) for person in people]

        async def chatter(number: int, one: Talker) -> list[Json]:
            sent = [await one.send(f"{number}.{count}") for count in range(8)]
            return [await one.acknowledged(client_id) for client_id in sent]

        acks = [ack for acks in await asyncio.gather(*map(chatter, range(4), talkers)) for ack in acks]
        assert sorted(ack["seq"] for ack in acks) == list(range(1, 33))
        for one in talkers:
            await one.hears_all(32)
            assert one.heard == talkers[0].heard
        for number in range(4):  # what one connection sent comes in the order in which it was sent
            own = [content for content in talkers[0].contents if content.startswith(f"{number}.")]
            assert own == [f"{number}.{count}" for count in range(8)]
    assert await talk.history() == talkers[0].heard


async def test_every_kind_carries_what_belongs_to_it(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        first = await host.say("who is he?", position=61.25)
        await guest.say("🎉", kind="reaction", position=62.5)
        await guest.say("hides behind a cushion", kind="action")
        await guest.say("wait and see", replyTo=first["id"])
        await host.hears("wait and see")
        assert [one["type"] for one in host.heard] == ["text", "reaction", "action", "text"]
        assert [one["position"] for one in host.heard] == [61.25, 62.5, None, None]
        assert host.heard[3]["replyTo"] == first["id"]


async def test_an_answer_to_what_is_not_there_is_refused_and_the_connection_stays(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        first = await host.say("hello")
        wrong = first["id"][:-4] + ("aaaa" if not first["id"].endswith("aaaa") else "bbbb")
        client_id = await host.send("what?", replyTo=wrong)
        assert (await host.answered(client_id))["type"] == "error"
        await talk.post(talk.host, "what?", replyTo=wrong, expect=422)
        await host.say("never mind")
        await guest.hears("never mind")
        assert guest.contents == ["hello", "never mind"]


# --- said once --------------------------------------------------------------------------------------------------------


async def test_what_is_sent_again_is_acknowledged_again_and_stored_once(talk: Talk) -> None:
    client_id = fresh_client_id()
    async with talk.both() as (host, guest):
        first = await host.say("only once", client_id)
        again = await host.say("only once", client_id)
        assert again == first
        async with talk.talker(talk.host) as other:
            assert await other.say("only once", client_id) == first
        posted = await talk.post(talk.host, "only once", clientId=client_id, expect=(200, 201))
        assert (posted.body["message"]["id"], posted.body["message"]["seq"]) == (first["id"], first["seq"])
        await guest.say("I heard you")
        await host.hears("I heard you")
        for one in (host, guest):
            assert one.contents == ["only once", "I heard you"]
    assert [one["content"] for one in await talk.history()] == ["only once", "I heard you"]


async def test_the_same_sent_many_times_at_once_is_stored_once(talk: Talk) -> None:
    client_id = fresh_client_id()
    async with AsyncExitStack() as stack:
        talkers = [await stack.enter_async_context(talk.talker(talk.host)) for _ in range(3)]
        for one in talkers:
            await one.send("only once", client_id)
            await one.send("only once", client_id)
        acks = [await one.acknowledged(client_id) for one in talkers]
        assert acks == [acks[0]] * 3
        await talkers[0].say("that is all")
        for one in talkers:
            await one.hears("that is all")
            assert one.contents == ["only once", "that is all"]


async def test_two_people_may_use_the_same_name_for_different_messages(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        one, other = await host.say("mine", "c-1"), await guest.say("also mine", "c-1")
        assert one["id"] != other["id"]
    assert [message["content"] for message in await talk.history()] == ["mine", "also mine"]


async def test_a_name_used_for_something_else_changes_nothing_that_was_said(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        await host.say("the truth", "c-1")
        since = host.feed.mark
        await host.send("a lie", "c-1")
        await host.answered("c-1", since=since)
        await guest.say("noted")
        await host.hears("noted")
        assert guest.contents == ["the truth", "noted"]
    assert [message["content"] for message in await talk.history()] == ["the truth", "noted"]


# --- coming back ------------------------------------------------------------------------------------------------------


async def test_after_a_break_everything_that_was_missed_comes_once_and_in_order_and_then_what_is_new(
    talk: Talk,
) -> None:
    async with talk.talker(talk.host) as host:
        async with talk.talker(talk.guest) as guest:
            await host.say("before")
            last = (await guest.hears("before"))["seq"]
            guest.feed.socket.transport.abort()
            await guest.feed.expect_closed()
        for number in range(12):
            await host.say(f"missed {number}")
        async with talk.talker(talk.guest) as back:
            await back.caught_up(last)
            await host.say("live")
            await back.hears("live")
            assert back.contents == [*(f"missed {number}" for number in range(12)), "live"]
            assert back.seqs == list(range(last + 1, last + 14))


async def test_coming_back_while_the_other_goes_on_talking_misses_and_repeats_nothing(talk: Talk) -> None:
    async with talk.talker(talk.host) as host:
        reached = 0
        sent = [await host.send("0")]
        for number in range(1, 18):
            async with talk.talker(talk.guest, in_order=False) as guest:  # each time cut off somewhere in the middle
                await guest.resume(reached)
                sent.append(await host.send(str(number)))
                reached = await guest.reaches(number, reached)  # what is said just now may still be under way
                guest.feed.socket.transport.abort()
                await guest.feed.expect_closed()
        for client_id in sent:
            await host.acknowledged(client_id)


async def test_resuming_from_the_beginning_tells_everything_and_from_the_end_nothing(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        for one in (host, guest, host):
            await one.say("word")
    async with talk.talker(talk.guest) as back:
        await back.caught_up(0)
        assert back.seqs == [1, 2, 3]
        assert back.heard == await talk.history()
    async with talk.talker(talk.guest) as back:
        told = await back.caught_up(3)
        assert back.heard == []
        assert told["seq"] == 3
        await back.say("fourth")
        await back.hears("fourth")
        assert back.seqs == [4]


async def test_an_unanswered_message_can_be_sent_again_after_a_cut(talk: Talk) -> None:
    client_ids = []
    async with talk.talker(talk.host) as host:
        client_ids = [await host.send(f"sentence {number}") for number in range(6)]
        host.feed.socket.transport.abort()
        await host.feed.expect_closed()
    async with talk.talker(talk.host, in_order=False) as host:
        acks = [await host.say(f"sentence {number}", client_id) for number, client_id in enumerate(client_ids)]
    history = await talk.history()
    assert len({ack["id"] for ack in acks}) == 6
    assert sorted(message["content"] for message in history) == [f"sentence {number}" for number in range(6)]
    assert [message["content"] for message in history] == [f"sentence {number}" for number in range(6)]


# --- one's own words --------------------------------------------------------------------------------------------------


async def test_an_edit_is_told_to_all_and_what_was_there_before_is_gone(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        ack = await host.say("the buttler did it")
        await guest.hears("the buttler did it")
        await host.feed.send(type="edit", id=ack["id"], content="the butler did it")
        for one in (host, guest):
            told = await one.frame("edited", lambda frame: frame["id"] == ack["id"])
            assert told["content"] == "the butler did it"
        kept = (await talk.history())[0]
        assert (kept["id"], kept["seq"], kept["content"]) == (ack["id"], 1, "the butler did it")
        assert kept["editedAt"]
    async with talk.talker(talk.guest) as back:
        await back.caught_up(0)
        assert "buttler" not in str(back.feed.frames)
        assert back.contents == ["the butler did it"]


async def test_what_is_deleted_keeps_its_place_and_has_no_content_any_more(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        ack = await host.say("I should not have said this", "c-secret")
        await host.say("good film")
        await guest.hears("good film")
        await host.feed.send(type="delete", id=ack["id"])
        for one in (host, guest):
            await one.frame("deleted", lambda frame: frame["id"] == ack["id"])
        kept = await talk.history(talk.guest)
        assert [(message["seq"], message["content"]) for message in kept] == [(1, ""), (2, "good film")]
        assert kept[0]["deletedAt"]
        edit = {"type": "edit", "id": ack["id"], "content": "I should"}
        await host.refused(**edit)
        await host.send("I should not have said this", "c-secret")  # a late resend does not bring it back
        await host.say("later")
        await guest.hears("later")
    assert [message["content"] for message in await talk.history()] == ["", "good film", "later"]
    async with talk.talker(talk.guest) as back:
        await back.caught_up(0)
        assert "should not" not in str(back.feed.frames)


async def test_nobody_changes_what_somebody_else_said(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        ack = await host.say("mine")
        await guest.hears("mine")
        await guest.refused(type="edit", id=ack["id"], content="yours")
        await guest.refused(type="delete", id=ack["id"])
        await guest.refused(type="edit", id=ack["id"][:4] + "a" * 26, content="nobody's")
        await guest.refused(type="delete", id=ack["id"][:4] + "a" * 26)
        await guest.refused(type="edit", id="no id at all", content="nobody's")
        await guest.say("fine")
        await host.hears("fine")
        assert not any(frame["type"] in ("edited", "deleted") for frame in host.feed.frames)
    assert [message["content"] for message in await talk.history()] == ["mine", "fine"]


async def test_an_edit_goes_through_the_same_rules_as_what_is_said(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        ack = await host.say("fine")
        for content in ("", "   ", "\x1b\x07", "x" * 4_001):
            await host.refused(type="edit", id=ack["id"], content=content)
        await host.feed.send(type="edit", id=ack["id"], content="clean\x1b[2Jed")
        told = await guest.frame("edited")
        assert "\x1b" not in told["content"]


# --- reading and writing ----------------------------------------------------------------------------------------------


async def test_what_one_has_read_the_other_is_told(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        await host.say("one")
        await host.say("two")
        await guest.hears("two")
        await guest.feed.send(type="read", seq=2)
        told = await host.frame("read")
        assert (told["by"], told["seq"]) == (talk.guest.id, 2)
        await guest.feed.send(type="read", seq=1)  # reading does not go back
        await guest.say("three")
        await host.hears("three")
        assert [frame["seq"] for frame in host.feed.frames if frame["type"] == "read"] == [2]
    async with talk.talker(talk.host) as back:
        await back.caught_up(3)
        told = await back.frame("read")
        assert (told["by"], told["seq"]) == (talk.guest.id, 2)


async def test_nobody_can_have_read_what_nobody_said(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        await host.say("one")
        await guest.hears("one")
        await guest.feed.send(type="read", seq=1_000_000)
        await guest.feed.send(type="read", seq=1)
        await guest.say("two")
        await host.hears("two")
        assert all(frame["seq"] <= 1 for frame in host.feed.frames if frame["type"] == "read")


async def test_that_one_is_writing_the_other_is_told_and_nothing_of_it_is_kept(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        await guest.feed.send(type="typing")
        told = await host.frame("typing")
        assert told["by"] == talk.guest.id
        await guest.say("done")
        await host.hears("done")
        assert not any(frame["type"] == "typing" for frame in guest.feed.frames)
    assert [message["content"] for message in await talk.history()] == ["done"]
    async with talk.talker(talk.host) as back:
        await back.caught_up(0)
        assert not any(frame["type"] == "typing" for frame in back.feed.frames)


# --- frames that are wrong --------------------------------------------------------------------------------------------


NO_JSON = ("no json", '{"type":"message"', '{"type":"read","seq":NaN}')


@pytest.mark.parametrize("text", [*NO_JSON, "[1]", '{"type":"shout"}', '{"content":"no type"}'])
async def test_a_frame_that_is_none_ends_its_own_connection_and_nobody_elses(talk: Talk, text: str) -> None:
    async with talk.both() as (host, guest):
        async with talk.talker(talk.host) as wrong:
            await wrong.feed.send_text(text)
            await wrong.feed.hear()
            assert wrong.feed.frames[0]["type"] == "error"
            if text in NO_JSON:  # what is JSON and no frame may also be answered and borne
                assert await wrong.feed.expect_closed() == 4400
        await host.say("still here")
        await guest.hears("still here")


async def test_the_talk_of_one_session_is_not_that_of_another(
    talk: Talk, accepted: tuple[Json, dict[str, str]]
) -> None:
    session, tickets = accepted
    path = f"/messages/{session['id']}"
    ticket = next(iter(tickets.values()))
    async with talk.both() as (host, _):
        ack = await host.say("between us")
        theirs = (await talk.rest.call("GET", path, token=ticket)).body
        assert ack["id"] not in str(theirs)
        body = {"message": {"content": "what?", "replyTo": ack["id"]}}
        await talk.rest.call("POST", path, body, token=ticket, expect=422)
