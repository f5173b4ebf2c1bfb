"""One's own list of films: what the command line adds is offered, as it is; and what becomes of a list that cannot be
read, or is not there.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.own_list import OwnListVideoSource, item_of
from dateflicks.server.providers.records import MemoryLedger
from dateflicks.server.providers.source import Item, SchemaError
from dateflicks.settings.own_list import OwnVideo, add_to_list
from dateflicks.settings.providers import OwnListSettings, ProvidersSettings
from dateflicks.testing import Answers, check_source
from tests.providers import server as provider
from tests.providers.server import RecordedServer, Reply
from tests.server.providers.library import PASSING, QUICK, asking, run
from tests.server.providers.sources import Kept

OWN = OwnListVideoSource()
REMOTE = b"""
[[video]]
url = "https://films.example.org/nosferatu.mp4"
title = "Nosferatu"
year = 1922

[[video]]
url = "https://films.example.org/faust.mp4"
"""


@pytest.fixture
def server() -> Iterator[RecordedServer]:
    with RecordedServer() as recorded_server:
        yield recorded_server.route("/list.toml", Reply(REMOTE, 200, {"Content-Type": "application/toml"}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "videos.toml"


def put(path: Path, content: str | bytes) -> None:
    """Write a list."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def titles(kept: Kept) -> set[str]:
    return {item.title for item in kept.there.values()}


async def test_what_the_command_line_adds_is_offered_as_it_is(path: Path) -> None:
    add_to_list(
        path,
        OwnVideo(
            url="https://films.example.org/general.mp4",
            title="The General",
            year=1926,
            duration_seconds=4_680.0,
            genres=["comedy"],
            people=["Buster Keaton"],
        ),
    )
    add_to_list(path, OwnVideo(url="file:///films/His%20Girl_Friday.mkv"))
    kept = Kept()
    record = await run(OWN, OwnListSettings(file=str(path)), kept)
    assert (record.status, record.error) == ("ok", None)
    assert kept.sweeps == [False]
    general, friday = sorted(kept.there.values(), key=lambda item: item.title, reverse=True)
    assert general == Item(
        source_id=general.source_id,
        url="https://films.example.org/general.mp4",
        title="The General",
        year=1926,
        duration_seconds=4_680.0,
        genres=("comedy",),
        people=("Buster Keaton",),
        offer_type="free",
        playable=True,
    )
    assert (friday.title, friday.offer_type, friday.playable) == ("His Girl Friday", "owned", True)


async def test_what_is_taken_off_the_list_is_gone_and_a_second_run_is_as_the_first(path: Path) -> None:
    put(path, '[[video]]\nurl = "https://a.example/a.mp4"\n[[video]]\nurl = "https://a.example/b.mp4"\n')
    kept, ledger = Kept(), MemoryLedger()
    await run(OWN, OwnListSettings(file=str(path)), kept, ledger)
    assert (await run(OWN, OwnListSettings(file=str(path)), kept, ledger)).status == "unchanged"
    put(path, '[[video]]\nurl = "https://a.example/b.mp4"\n')
    later = Kept()
    later.there = kept.there
    record = await run(OWN, OwnListSettings(file=str(path)), later, ledger)
    assert record.counters.removed == 1
    assert titles(later) == {"b"}


async def test_a_list_that_is_not_there_is_none_and_takes_nothing_away(path: Path) -> None:
    for settings in (OwnListSettings(file=str(path)), OwnListSettings()):
        kept = Kept()
        record = await run(OWN, settings, kept)
        assert (record.status, record.error) == ("unchanged", None)
        assert kept.sweeps == []
    put(path, "")
    kept = Kept()
    await run(OWN, OwnListSettings(file=str(path)), kept)
    assert kept.sweeps == [False]


@pytest.mark.parametrize(
    "content",
    [
        b"[[video",
        b"video = 7",
        b'[[video]]\nurl = "https://a.example/a"\n\xff',
        b'[[video]]\nurl = 7\n[[video]]\nname = "b"\n',
    ],
)
async def test_a_list_that_cannot_be_read_ends_the_run_and_takes_nothing_away(path: Path, content: bytes) -> None:
    put(path, content)
    kept = Kept()
    record = await run(OWN, OwnListSettings(file=str(path)), kept)
    assert (record.status, record.error_kind) == ("failed", "schema")
    assert "videos.toml" in (record.error or "")
    assert kept.sweeps == []


async def test_one_film_that_cannot_be_read_is_left_out_and_the_others_are_there(path: Path) -> None:
    put(
        path,
        '[[video]]\nurl = "https://a.example/a.mp4"\nyear = "long ago"\n[[video]]\nurl = "https://a.example/b.mp4"\n',
    )
    kept = Kept()
    record = await run(OWN, OwnListSettings(file=str(path)), kept)
    assert record.status == "ok"
    assert record.counters.quarantined == 1
    assert titles(kept) == {"b"}
    assert kept.sweeps == []


async def test_a_film_that_is_on_it_twice_is_one(path: Path) -> None:
    put(path, '[[video]]\nurl = "https://a.example/a.mp4"\ntitle = "A"\n' * 2)
    kept = Kept()
    assert (await run(OWN, OwnListSettings(file=str(path)), kept)).counters.seen == 1


async def test_a_run_that_should_end_takes_nothing_away(path: Path) -> None:
    put(path, "".join(f'[[video]]\nurl = "https://a.example/{number}"\n' for number in range(500)))
    stopping, kept = asyncio.Event(), Kept()
    stopping.set()
    record = await run(OWN, OwnListSettings(file=str(path)), kept, stopping=stopping)
    assert record.status == "partial"
    assert kept.sweeps == []


# --- addresses --------------------------------------------------------------------------------------------------------


async def test_lists_elsewhere_are_read_too(server: RecordedServer, path: Path) -> None:
    put(path, '[[video]]\nurl = "https://a.example/a.mp4"\n')
    kept = Kept()
    await run(OWN, OwnListSettings(file=str(path), list_urls=[f"{server.url}/list.toml"]), kept)
    assert titles(kept) == {"a", "Nosferatu", "faust"}


async def test_a_list_of_others_names_no_files_of_this_machine(server: RecordedServer) -> None:
    server.route("/theirs.toml", Reply(REMOTE + b'[[video]]\nurl = "file:///etc/passwd"\n'))
    kept = Kept()
    record = await run(OWN, OwnListSettings(list_urls=[f"{server.url}/theirs.toml"]), kept)
    assert record.counters.quarantined == 1
    assert titles(kept) == {"Nosferatu", "faust"}


@pytest.mark.parametrize("fault", PASSING)
async def test_what_passes_is_waited_for(server: RecordedServer, fault: provider.Fault) -> None:
    kept = Kept()
    server.misbehave(fault)
    config = OwnListSettings(list_urls=[f"{server.url}/list.toml"])
    assert (await run(OWN, config, kept, limits=QUICK)).status == "ok"
    assert len(kept.there) == 2


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Reply(status=404), "missing"),
        (Reply(status=403), "auth"),
        (Reply(b""), "schema"),
        (Reply(b"<html>Welcome</html>"), "schema"),
        (Reply(b"{}"), "schema"),
        (Reply(b"a = [" * 2_000), "schema"),
    ],
)
async def test_a_list_elsewhere_that_fails_takes_nothing_away(server: RecordedServer, answer: Reply, kind: str) -> None:
    kept = Kept()
    server.route("/list.toml", answer)
    record = await run(OWN, OwnListSettings(list_urls=[f"{server.url}/list.toml"]), kept)
    assert (record.status, record.error_kind) == ("failed", kind)
    assert kept.sweeps == []


async def test_what_is_no_address_of_a_list_is_told() -> None:
    record = await run(OWN, OwnListSettings(list_urls=["ftp://films.example/list.toml"]))
    assert "list_urls" in (record.error or "")


# --- one film ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "told", "title"),
    [
        ("/films/a film.mkv", "file:///films/a%20film.mkv", "a film"),
        (" https://a.example/x_y.mp4 ", "https://a.example/x_y.mp4", "x y"),
        ("https://a.example", "https://a.example", "a.example"),
        ("HTTP://a.example/%E2%82%AC.mp4", "HTTP://a.example/%E2%82%AC.mp4", "€"),
    ],
)
def test_a_film_may_be_named_by_its_path_and_without_a_title_is_called_by_its_name(
    url: str, told: str, title: str
) -> None:
    item = item_of({"url": url}, is_own=True)
    assert (item.url, item.title) == (told, title)


@pytest.mark.parametrize(
    "url",
    [
        "films/a.mkv",
        "ytdl://abc",
        "javascript:alert(1)",
        "https://me:secret@a.example/a.mp4",
        "https://a.example/a b.mp4",
        "https://a.example/a.mp4?token=abc",
        "https://[a.example/",
        "",
    ],
)
def test_what_nobody_could_open_or_nobody_should_see_is_no_offer(url: str) -> None:
    with pytest.raises((SchemaError, ValueError)):
        item_of({"url": url}, is_own=True)


# --- what it says of itself -------------------------------------------------------------------------------------------


async def test_a_check_says_how_many_films_there_are(server: RecordedServer, path: Path) -> None:
    address = f"{server.url}/list.toml"
    for config, said in (
        (OwnListSettings(file=str(path)), "There is no list yet."),
        (OwnListSettings(list_urls=[address]), f"2 films on {address}."),
    ):
        context = asking(OWN, config)
        async with context.http:
            assert await OWN.check(context) == said


def test_it_is_built_in_and_its_list_is_in_the_folder_of_the_data(tmp_path: Path) -> None:
    def config(**changes: Any) -> Any:
        return config_of(load(find("url")), ProvidersSettings(**changes))

    assert config().file == ""
    assert config(data=str(tmp_path)).file == str(tmp_path / "videos.toml")
    assert config(data=str(tmp_path), url=OwnListSettings(file="/films.toml")).file == "/films.toml"


async def test_it_is_what_a_source_should_be() -> None:
    address = "https://lists.example.org/films.toml"
    await check_source(OWN, Answers({address: REMOTE}), OwnListSettings(list_urls=[address]))
