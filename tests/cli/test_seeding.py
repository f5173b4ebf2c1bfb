"""What a demo says in its talk: kept, or told why it was not."""

import asyncio
from typing import Any

import pytest

from dateflicks.cli import seeding
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.client import errors
from dateflicks.client.chat import Conversation
from dateflicks.client.http import ServiceClient


class Talk:
    """A talk that keeps nothing, and ends by itself with an error if there is one."""

    def __init__(self, error: Exception | None) -> None:
        self.drafts, self.transcript = ["a word"], ()
        self._error = error

    async def run(self) -> None:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()

    def say(self, words: str, *, position: float) -> None: ...

    def stop(self) -> None: ...


async def said_in(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def join(*_: Any, **__: Any) -> Talk:
        return talk

    monkeypatch.setattr(Conversation, "join", join)
    async with ServiceClient("http://127.0.0.1:1") as client:
        await seeding._say(client, "ses_" + "a" * 26, "t1cket", "usr_a", "a word", 1.0)


async def test_what_ends_the_talk_of_a_demo_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.NotAllowed):
        await said_in(Talk(errors.NotAllowed("The talk is not yours.")), monkeypatch)


async def test_a_talk_that_keeps_nothing_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "WAIT_SECONDS", 0.05)
    with pytest.raises(CliError, match="did not keep what was said") as caught:
        await said_in(Talk(None), monkeypatch)
    assert caught.value.failure.exit == Exit.UNREACHABLE
