"""Where a feed finds its token: the header, or the subprotocols of clients that cannot set headers."""

import httpx2
import pytest

PROTOCOLS = "Sec-WebSocket-Protocol"


@pytest.mark.parametrize(
    ("headers", "token", "subprotocol"),
    [
        ([], None, None),
        ([("Authorization", "Bearer a.b-c")], "a.b-c", None),
        ([("Authorization", "Bearer abc"), (PROTOCOLS, "dateflicks.v1")], "abc", "dateflicks.v1"),
        ([(PROTOCOLS, "dateflicks.v1, bearer.a.b-c")], "a.b-c", "dateflicks.v1"),
        ([(PROTOCOLS, "bearer.abc,dateflicks.v1")], "abc", "dateflicks.v1"),
        ([(PROTOCOLS, "dateflicks.v1"), (PROTOCOLS, "bearer.abc")], "abc", "dateflicks.v1"),
        ([(PROTOCOLS, "bearer.abc")], "abc", None),
        ([(PROTOCOLS, "chat, superchat")], None, None),
        ([(PROTOCOLS, "dateflicks.v1, bearer.")], None, "dateflicks.v1"),
        ([(PROTOCOLS, f"dateflicks.v1, bearer.{'x' * 4097}")], None, "dateflicks.v1"),
        ([("Authorization", "Bearer one"), (PROTOCOLS, "dateflicks.v1, bearer.two")], "one", "dateflicks.v1"),
        ([("Authorization", "Basic one"), (PROTOCOLS, "dateflicks.v1, bearer.two")], None, "dateflicks.v1"),
    ],
)
async def test_a_feed_is_told_the_token_and_what_to_answer(
    client: httpx2.AsyncClient, headers: list[tuple[str, str]], token: str | None, subprotocol: str | None
) -> None:
    answer = await client.get("/things/token/events?token=never", headers=headers)
    assert answer.text == f"{token} {subprotocol}"
