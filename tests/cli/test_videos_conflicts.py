"""`videos conflicts`, `same`, `different` and `undo`: a person's word on what is one film, on a real engine."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from dateflicks.cli.exits import Exit
from dateflicks.server.catalogue.records import COLLECTIONS, offer_id
from dateflicks.server.jobs.declared import MERGE
from dateflicks.server.jobs.leases import Leases
from dateflicks.server.jobs.records import LEASES
from dateflicks.server.storage.database import Database, DatabaseSettings
from tests.cli.conftest import Cli
from tests.server.catalogue.collection import Collected, item

FILE = offer_id("local", "file", "")
DUEL = offer_id("netflix", "1", "")
TWIN = offer_id("netflix", "2", "")


def beside(cli: Cli, work: Callable[[Collected], Coroutine[Any, Any, Any]]) -> Any:
    """Do something on the same collection, and close it again."""

    async def done() -> Any:
        settings = DatabaseSettings(timeout_seconds=10.0)
        async with Database.open(settings, cli.home / "server", [*COLLECTIONS, LEASES], role="worker") as database:
            return await work(Collected(database))

    return asyncio.run(done())


@pytest.fixture
def films(cli: Cli, engine: None) -> dict[str, str]:
    """The films of three offers by these: a file that may be either of two of a name."""

    async def fill(collected: Collected) -> dict[str, str]:
        twins = [item(key, "Duel", year=1971, external_ids={"tmdb": key}) for key in ("1", "2")]
        await collected.run("netflix", twins)
        await collected.run("local", [item("file", "Duel", year=1971, playable=True)])
        await collected.works.update()
        return {one["_id"]: one["workId"] for one in await collected.all_offers()}

    found: dict[str, str] = beside(cli, fill)
    assert len(set(found.values())) == 3
    return found


@pytest.mark.slow
def test_what_may_be_several_films_is_listed_said_and_taken_back(cli: Cli, films: dict[str, str]) -> None:
    listed = cli.json("videos", "conflicts")
    assert [(one["id"], one["offers"], one["conflict"]) for one in listed] == [(films[FILE], [FILE], "several")] * 2
    assert {one["candidate"]["id"] for one in listed} == {films[DUEL], films[TWIN]}
    plain = cli("videos", "conflicts").stdout.splitlines()
    assert plain[0].split("\t")[:5] == [films[FILE], "Duel", "1971", "local", "several"]

    said = cli("videos", "same", films[FILE][:12], films[DUEL])
    *pair, film, other_film = said.stdout.rstrip("\n").split("\t")
    assert (said.exit_code, pair, film) == (0, [FILE, DUEL, "same"], other_film)
    assert film in (films[FILE], films[DUEL])
    assert said.stderr == f"They are one film: {film}.\n"
    assert cli("videos", "conflicts").stderr == "Of every offer it is clear which film it is.\n"
    again = cli("videos", "different", films[FILE], films[DUEL])  # the id of one is now that of both
    assert (again.exit_code, "are one film" in again.stderr) == (Exit.REFUSED, True)

    (kept,) = cli.json("videos", "conflicts", "--decided")
    assert (kept["offer"], kept["other"], kept["verdict"]) == (FILE, DUEL, "same")
    back = cli("videos", "undo", films[DUEL], FILE[:12])
    assert (back.exit_code, back.stderr.splitlines()[0]) == (0, "That they are one film is taken back.")
    assert len(cli.json("videos", "conflicts")) == 2
    assert cli("videos", "undo", FILE, DUEL).exit_code == Exit.NOT_FOUND


@pytest.mark.slow
def test_what_it_is_not_leaves_what_it_is(cli: Cli, films: dict[str, str]) -> None:
    said = cli.json("videos", "different", FILE, films[TWIN])
    assert (said["verdict"], said["other_film"]) == ("different", films[TWIN])
    assert beside(cli, lambda collected: collected.groups()) == {
        frozenset({"local/file", "netflix/1"}), frozenset({"netflix/2"})
    }  # fmt: skip
    assert cli.json("videos", "conflicts") == []


@pytest.mark.slow
def test_an_id_that_names_nothing_or_too_much_is_refused(cli: Cli, films: dict[str, str]) -> None:
    missing = cli("videos", "same", "vid_nothing", FILE)
    assert (missing.exit_code, missing.stderr.splitlines()[0]) == (
        Exit.NOT_FOUND, "Error: There is no film and no offer 'vid_nothing'."
    )  # fmt: skip
    several = cli("videos", "same", "off:", FILE)
    assert (several.exit_code, "'off:' may be any of 3 ids" in several.stderr) == (Exit.USAGE, True)
    itself = cli("videos", "same", FILE, FILE)
    assert (itself.exit_code, "are the same offer" in itself.stderr) == (Exit.USAGE, True)


@pytest.mark.slow
def test_nothing_is_said_while_somebody_else_makes_films(
    cli: Cli, films: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dateflicks.cli.judging.PATIENCE_SECONDS", 0.0)
    beside(cli, lambda collected: Leases(collected.database).take(MERGE, "run_other"))
    held = cli("videos", "same", FILE, DUEL)
    assert (held.exit_code, "Films are being made" in held.stderr) == (Exit.REFUSED, True)
    assert cli("videos", "conflicts", "--decided").stderr == "Nobody has said anything.\n"
