"""The kit for authors of sources: it lets a good source pass, and says of each bad one what is wrong with it."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import msgspec
import pytest

from dateflicks.server.providers.source import (
    BaseSource,
    Capability,
    Checkpoint,
    Complete,
    Context,
    Item,
    Mode,
    Removed,
    SchemaError,
    TransientError,
    Yield,
)
from dateflicks.testing import Answers, check_source, try_source
from dateflicks.testing.demands import FallsShort

State = Mapping[str, Any] | None


class Config(msgspec.Struct, frozen=True):
    """A key and an address."""

    base_url: str = "https://films.example.org"
    token: Annotated[str, msgspec.Meta(extra={"secret": True})] = ""


SECRET = Config(token="very-secret")
FILMS = Answers(
    {f"https://films.example.org/films?page={page}": {"ids": [page * 10, page * 10 + 1]} for page in (1, 2, 3)}
)


class Good(BaseSource):
    """Three pages of two films, and what has changed since."""

    name: ClassVar[str] = "good"
    config: ClassVar[type[msgspec.Struct]] = Config
    hosts: ClassVar[tuple[str, ...]] = ("films.example.org",)
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"incremental", "needs-key"})

    def item(self, context: Context, number: int) -> Item:
        return Item(source_id=str(number), url=f"https://films.example.org/{number}", title=f"Film {number}")

    async def page(self, context: Context, page: int) -> list[int]:
        headers = {"Authorization": f"Bearer {context.config.token}"}
        answer = await context.http.get(
            f"{context.config.base_url}/films", params={"page": page, "key": context.config.token}, headers=headers
        )
        return msgspec.convert(answer.json(), dict[str, list[int]])["ids"]

    async def fetch(self, context: Context, state: State, mode: Mode) -> AsyncIterator[Yield]:
        if mode == "incremental":
            yield Removed(source_id="10")
            yield Complete(full=False, state={"since": 2})
            return
        for page in range((state or {}).get("page", 1), 4):
            if context.stopping.is_set():
                return
            try:
                numbers = await self.page(context, page)
            except KeyError:
                raise SchemaError("There are no ids in it.") from None
            for number in numbers:
                yield self.item(context, number)
            yield Checkpoint(state={"page": page + 1})
        yield Complete(full=True, state={"since": 1})


async def test_a_good_source_passes() -> None:
    await check_source(Good(), FILMS, SECRET)


class Unnamed(Good):
    name = ""


class Wild(Good):
    requests_per_second = 1e9


class Keyless(Good):
    config = msgspec.defstruct("Keyless", [("base_url", str, "https://films.example.org"), ("tok", str, "")])


class Untitled(Good):
    def item(self, context: Context, number: int) -> Item:
        return replace(super().item(context, number), title=" ")


class Unended(Good):
    async def fetch(self, context: Context, state: State, mode: Mode) -> AsyncIterator[Yield]:
        async for one in super().fetch(context, state, mode):
            if not isinstance(one, Complete):
                yield one


class Moody(Good):
    count = 0

    def item(self, context: Context, number: int) -> Item:
        self.count += 1
        return super().item(context, number + self.count)


class Foreign(Good):
    hosts = ("other.example.org",)
    config = msgspec.defstruct("Plain", [("where", str, "https://films.example.org"), ("token", str, "")])

    async def page(self, context: Context, page: int) -> list[int]:
        answer = await context.http.get(f"{context.config.where}/films", params={"page": page})
        return msgspec.convert(answer.json(), dict[str, list[int]])["ids"]


class Talkative(Good):
    async def page(self, context: Context, page: int) -> list[int]:
        context.log.info("Asking with %s", context.config.token)
        return await super().page(context, page)


class Leaky(Good):
    def item(self, context: Context, number: int) -> Item:
        return Item(source_id=str(number), url=f"https://films.example.org/{context.config.token}/1", title="Film")


class Boastful(Good):
    async def fetch(self, context: Context, state: State, mode: Mode) -> AsyncIterator[Yield]:
        async for one in super().fetch(context, state, mode):
            yield one
        yield Complete(full=True)


class Forgetful(Good):
    async def fetch(self, context: Context, state: State, mode: Mode) -> AsyncIterator[Yield]:
        page = (state or {}).get("page", 0)
        async for one in super().fetch(context, {"page": page + 1}, mode):
            yield one


class Careless(Good):
    async def page(self, context: Context, page: int) -> list[int]:
        answer = await context.http.get(f"{context.config.base_url}/films", params={"page": page})
        return [int(number) for number in answer.json()["numbers" if page > 3 else "ids"]]

    async def fetch(self, context: Context, state: State, mode: Mode) -> AsyncIterator[Yield]:
        for page in range((state or {}).get("page", 1), 4):
            if context.stopping.is_set():
                return
            for number in await self.page(context, page):
                yield self.item(context, number)
            yield Checkpoint(state={"page": page + 1})
        yield Complete(full=True)


class Hopeful(Good):
    async def page(self, context: Context, page: int) -> list[int]:
        try:
            return await super().page(context, page)
        except TransientError:
            return []


@pytest.mark.parametrize(
    ("source", "config", "sentence"),
    [
        (Unnamed(), SECRET, "It has no name"),
        (Wild(), SECRET, "It declares itself wrongly: it wants 1000000000.0 requests per second"),
        (Keyless(), None, "none of its settings is declared secret"),
        (Untitled(), SECRET, "It yields what cannot be written"),
        (Unended(), SECRET, "does not end with Complete"),
        (Moody(), SECRET, "yields something else"),
        (Foreign(), None, r"films\?page=1, .*which it does not declare"),
        (Talkative(), SECRET, r"It tells a secret: Asking with \[not shown\]"),
        (Leaky(), SECRET, "has a secret in it"),
        (Boastful(), SECRET, "It was stopped, and says that it was complete"),
        (Forgetful(), SECRET, "it misses"),
        (Careless(), SECRET, "When request 1 of a run is answered with an empty object, it raises KeyError"),
        (Hopeful(), SECRET, "When request 1 of a run has no connection, it misses titles and says"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseSource) else "",
)
async def test_a_bad_source_is_told_what_is_wrong_with_it(
    source: Good, config: msgspec.Struct | None, sentence: str
) -> None:
    with pytest.raises(FallsShort, match=sentence):
        await check_source(source, FILMS, config)


async def test_a_trial_tells_what_a_source_did() -> None:
    trial = await try_source(Good(), FILMS, config=SECRET)
    assert [item.source_id for item in trial.items] == ["10", "11", "20", "21", "30", "31"]
    assert trial.places == [(2, {"page": 2}), (4, {"page": 3}), (6, {"page": 4})]
    assert trial.is_complete
    assert [request.url.partition("?")[0] for request in trial.asked] == ["https://films.example.org/films"] * 3


async def test_a_deadline_of_a_source_s_own_is_told_as_what_it_raises() -> None:
    class Hasty(Good):
        async def page(self, context: Context, page: int) -> list[int]:
            raise TimeoutError

    trial = await try_source(Hasty(), FILMS, config=SECRET)
    assert isinstance(trial.error, TimeoutError)
    with pytest.raises(FallsShort, match="It fails where nothing is wrong: TimeoutError"):
        await check_source(Hasty(), FILMS, SECRET)


async def test_an_address_that_is_not_recorded_is_missing() -> None:
    trial = await try_source(Good(), Answers({}), config=SECRET)
    assert type(trial.error).__name__ == "NotOffered"


async def test_the_most_exact_answer_is_given() -> None:
    answers = Answers({"https://a.example/x": "any", "https://a.example/x?b=1": b"one"})
    assert answers.answer("https://a.example/x?b=1&c=2").text() == "one"
    assert answers.answer("https://a.example/x?b=2").text() == "any"
