"""How much one person may say, and in which form: limits that hurt nobody else, and text that does no harm."""

import asyncio
import json
import unicodedata

import pytest

from tests.journeys.talk import Talk
from tests.journeys.wire import Json, is_id

BURST = 20

# What would move a terminal's cursor, change its state, or turn text around, hidden among other words.
HOSTILE = {
    "colour": "red\x1b[31malert",
    "clear screen": "a\x1b[2J\x1b[Hb",
    "window title": "a\x1b]0;pwned\x07b",
    "hyperlink": "a\x1b]8;;http://evil.example\x1b\\b",
    "device control": "a\x1bPq#0\x1b\\b",
    "eight-bit csi": "a\x9b31mb",
    "eight-bit osc": "a\x9d0;x\x9cb",
    "bell, backspace, return": "a\x07b\x08c\rd",
    "nul": "a\x00b",
    "delete": "a\x7fb",
    "vertical tab and form feed": "a\x0bb\x0cc",
    "next line": "a\x85b",
    "right-to-left override": "abc\u202egpj.exe",
    "embedding": "a\u202ab\u202bc\u202cd",
    "isolates": "a\u2066b\u2067c\u2068d\u2069",
    "line separators": "a\u2028b\u2029c",
    "shift out": "a\x0eb\x0fc",
    "tag characters": "a\U000e0041\U000e0042b",
    "interlinear": "a\ufff9b\ufffac\ufffbd",
    "byte order mark": "a\ufeffb",
    "a flood of marks": "z" + "\u0301" * 500 + "algo",
    "a flood of nothing": "a" + "\u200b" * 500 + "b",
    "noncharacters": "a\ufffeb\uffffc",
}


def does_harm(text: str) -> list[str]:
    """What is left in a text that a terminal would act on, or that would turn it around."""
    bad = [char for char in text if unicodedata.category(char) == "Cc" and char not in "\n\t"]
    bad += [char for char in text if char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029"]
    bad += [char for char in text if 0xE0000 <= ord(char) <= 0xE007F or unicodedata.category(char) == "Cs"]
    return [f"U+{ord(char):04X}" for char in bad]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_nothing_harmful_in_what_one_says_reaches_the_other(talk: Talk, text: str) -> None:
    async with talk.both() as (host, guest):
        client_id = await host.send(text)
        answer = await host.answered(client_id)
        posted = await talk.post(talk.host, text, expect=(201, 422))
        assert (answer["type"] == "ack") == (posted.status == 201)
        await host.say("the end")
        await guest.hears("the end")
        for content in guest.contents:
            assert does_harm(content) == []
            assert unicodedata.is_normalized("NFC", content)
            assert len(content) < 200
    for message in await talk.history():
        assert does_harm(message["content"]) == []


PLAIN = {
    "lines and tabs": "one\n\ttwo\n\nthree",
    "right to left": "שלום עולם",
    "combined": "e\u0301 n\u0303",
    "family": "👨‍👩‍👧‍👦 and 🏳️‍🌈",
    "markup": "<b>bold</b> & \"quotes\" 'too' \\ / %s {0} $HOME `x`",
    "query": '{"$ne": null}',
    "vietnamese": "Tiếng Việt",
}


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
async def test_what_is_harmless_arrives_as_it_was_written(talk: Talk, text: str) -> None:
    async with talk.both() as (host, guest):
        await host.say(text)
        assert (await guest.hears(unicodedata.normalize("NFC", text)))["content"]
    assert (await talk.history())[0]["content"] == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["", " ", "\n\t \n", "\x1b", "\u200b\u200d", "x" * 4_001, "\u202e"])
async def test_what_is_empty_or_too_long_is_refused_and_it_is_said_why(talk: Talk, text: str) -> None:
    async with talk.talker(talk.host) as host:
        client_id = await host.send(text)
        answer = await host.answered(client_id)
        assert answer["type"] == "error"
        assert answer["detail"]
        problem = (await talk.post(talk.host, text, expect=422)).body
        assert problem["detail"] or problem["errors"]
        await host.say("fine")
    assert [message["content"] for message in await talk.history()] == ["fine"]


@pytest.mark.parametrize("char", ["x", "é", "好"])
async def test_the_longest_text_there_may_be_arrives_whole(talk: Talk, char: str) -> None:
    text = char * 4_000
    async with talk.both() as (_, guest):
        await talk.post(talk.host, text)
        await guest.hears(text)
    assert (await talk.page())["items"][0]["content"] == text


async def test_a_text_that_no_frame_can_carry_to_the_others_is_refused_or_carried(talk: Talk) -> None:
    async with talk.both() as (_, guest):
        answer = await talk.post(talk.host, "🎬" * 4_000, expect=(201, 422))
        await talk.post(talk.host, "the end")
        await guest.hears("the end")
        assert len(guest.heard) == (2 if answer.status == 201 else 1)


WRONG: dict[str, Json] = {
    "no content": {"kind": "text"},
    "content is a number": {"content": 5},
    "content is nothing": {"content": None},
    "an unknown kind": {"content": "x", "kind": "shout"},
    "the service's own kind": {"content": "ana paused", "kind": "system"},
    "a position before the film": {"content": "x", "position": -1},
    "a position beyond any film": {"content": "x", "position": 172_801},
    "a position in words": {"content": "x", "position": "soon"},
    "a reaction that is an essay": {"content": "x" * 33, "kind": "reaction"},
    "a name far too long": {"content": "x", "clientId": "c" * 5_000},
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
async def test_a_message_that_does_not_fit_is_refused_on_both_ways(talk: Talk, body: Json) -> None:
    ticket = talk.tickets[talk.host.id]
    await talk.rest.call("POST", talk.path, {"message": body}, token=ticket, expect=(400, 422))
    async with talk.both() as (host, guest):
        async with talk.talker(talk.host) as wrong:
            frame = {"type": "message", "clientId": "c-1", "kind": "text"} | body
            if body.get("kind") == "text":
                frame.pop("content", None)
            await wrong.feed.send(**frame)
            await wrong.feed.hear()
            assert wrong.feed.frames[0]["type"] == "error"
        await host.say("fine")
        await guest.hears("fine")
    assert [message["content"] for message in await talk.history()] == ["fine"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"message": 5}', b'{"message": {"content": "\xff"}}', b'{"message":{"content":NaN}}', b"null"],
)
async def test_a_body_that_is_none_is_refused(talk: Talk, content: bytes) -> None:
    ticket = talk.tickets[talk.host.id]
    await talk.rest.call("POST", talk.path, content=content, token=ticket, expect=(400, 422))


async def test_half_a_character_is_no_text(talk: Talk) -> None:
    ticket = talk.tickets[talk.host.id]
    body = json.dumps({"message": {"content": "a\ud800b"}}).encode()
    answer = await talk.rest.call("POST", talk.path, content=body, token=ticket, expect=(201, 400, 422))
    assert answer.status != 201 or does_harm(answer.body["message"]["content"]) == []


# --- how much ---------------------------------------------------------------------------------------------------------


async def test_who_says_too_much_at_once_is_told_when_to_go_on_and_the_other_is_not_held_up(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        sent = [await host.send(f"flood {number}") for number in range(50)]
        answers = [await host.answered(client_id) for client_id in sent]
        refusals = [answer for answer in answers if answer["type"] == "error"]
        assert BURST <= 50 - len(refusals) <= 45
        assert all(answer["type"] == "ack" for answer in answers[:BURST])
        for refusal in refusals:
            assert refusal["retryAfter"] > 0
            assert refusal["replyTo"] in sent
        await guest.say("are you all right?")
        await host.hears("are you all right?")
        await asyncio.sleep(refusals[-1]["retryAfter"])
        again = refusals[-1]["replyTo"]
        since = host.feed.mark
        await host.send("flood again", again)
        assert (await host.answered(again, since=since))["type"] == "ack"
        said = [message["content"] for message in await talk.history()]
        refused = {sent.index(refusal["replyTo"]) for refusal in refusals}
        wanted = [f"flood {number}" for number in range(50) if number not in refused]
        assert [content for content in said if content.startswith("flood ") and content != "flood again"] == wanted


async def test_what_is_posted_and_what_is_sent_from_anywhere_counts_together(talk: Talk) -> None:
    async with talk.talker(talk.host) as one, talk.talker(talk.host) as other:
        # Two connections may be to two processes, each of which hears of the other's a moment later.
        sent = [(who, await who.send("word")) for _ in range(2 * BURST) for who in (one, other)]
        answers = [await who.answered(client_id) for who, client_id in sent]
        assert any(answer["type"] == "error" and answer["retryAfter"] > 0 for answer in answers)
        answer = await talk.post(talk.host, "word", expect=(201, 429))
        for _ in range(BURST):
            if answer.status == 429:
                break
            answer = await talk.post(talk.host, "word", expect=(201, 429))
        assert int(answer.headers["retry-after"]) > 0
        await talk.post(talk.guest, "quiet, please")


async def test_a_flood_of_frames_ends_the_connection_that_sends_it_and_no_other(talk: Talk) -> None:
    async with talk.both() as (host, guest):
        async with talk.talker(talk.host) as wild:
            for _ in range(400):
                if wild.feed.is_closed:
                    break
                await wild.feed.send(type="typing")
            assert await wild.feed.expect_closed() == 4429
        await host.say("sorry")
        assert is_id((await guest.hears("sorry"))["id"], "msg")
