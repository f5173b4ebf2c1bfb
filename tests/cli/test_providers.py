"""`dateflicks providers`: sources by hand, against a provider's recorded answers, and beside services that run."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dateflicks.cli.exits import Exit
from dateflicks.client.http import ServiceClient
from dateflicks.client.videos import Videos
from dateflicks.protocol.videos import SourcePage
from tests.cli.conftest import Cli
from tests.cli.process import Program
from tests.providers.server import RecordedServer
from tests.providers.tmdb import TOKEN, tmdb
from tests.server.jobs.plugged import FILMS, Plugged, plug


@pytest.fixture
def plugged(tmp_path: Path, cli: Cli, engine: None, monkeypatch: pytest.MonkeyPatch) -> Plugged:
    """A source of somebody else's, the only one that is switched on."""
    plugged = plug(tmp_path)
    monkeypatch.syspath_prepend(plugged.site)
    cli.variables |= {"DATEFLICKS_SETTINGS": str(plugged.settings), "PYTHONPATH": str(plugged.site)}
    return plugged


@pytest.fixture
def vendor(cli: Cli, plugged: Plugged) -> Iterator[RecordedServer]:
    """The provider behind `netflix`."""
    with RecordedServer("tmdb", headers={"Authorization": f"Bearer {TOKEN}"}) as server:
        cli.variables |= {
            "DATEFLICKS_PROVIDERS_TMDB_BASE_URL": server.url, "DATEFLICKS_PROVIDERS_TMDB_TOKEN": TOKEN
        }  # fmt: skip
        yield tmdb(server)


async def sources(url: str) -> SourcePage:
    """What services say of the sources."""
    async with ServiceClient(url) as client:
        return await Videos(client).sources()


@pytest.mark.slow
def test_a_source_is_run_and_credited_and_a_wrong_key_needs_a_look(cli: Cli, vendor: RecordedServer) -> None:
    first = cli("providers", "run", "netflix")
    assert first.exit_code == 0
    count = int(first.stdout.split("\t")[4])
    assert count > 0
    assert first.stderr.splitlines() == [f"netflix: ok, {count} seen, {count} new", f"{count} films were written."]
    (credit,) = cli.json("providers", "credits")
    assert (credit["name"], "TMDB" in credit["attribution"]) == ("netflix", True)

    wrong = cli("providers", "run", "netflix", DATEFLICKS_PROVIDERS_TMDB_TOKEN="wr0ng-t0ken")
    assert wrong.exit_code == Exit.FAILED
    assert "does not accept the key" in wrong.stderr
    listed = {source["name"]: source for source in cli.json("providers", "list")}
    found = listed["netflix"]
    assert (found["state"], found["titles"], found["last_status"]) == ("held", count, "failed")
    assert found["attention"].startswith("auth: ")
    assert "Mend its settings, then 'dateflicks providers run netflix'" in found["attention"]
    assert "wr0ng-t0ken" not in json.dumps(listed)
    assert (listed["archive"]["state"], listed["archive"]["titles"]) == ("by hand", None)


@pytest.mark.long
@pytest.mark.slow
def test_nothing_is_written_by_a_dry_run_and_no_more_than_its_limit_is_read(cli: Cli, plugged: Plugged) -> None:
    dry = cli.json("providers", "run", "films", "--dry-run")
    assert (dry["status"], dry["counters"]["new"]) == ("ok", FILMS)
    assert {one["name"]: one["titles"] for one in cli.json("providers")}["films"] is None
    some = cli.json("providers", "run", "films", "--limit", "5", "--dry-run")
    assert (some["status"], some["counters"]["seen"]) == ("partial", 5)


@pytest.mark.long
@pytest.mark.slow
def test_of_all_sources_some_may_fail(cli: Cli, plugged: Plugged, vendor: RecordedServer) -> None:
    plugged.behaves("exits")
    cli.variables["DATEFLICKS_PROVIDERS_NETFLIX_ENABLED"] = "true"
    result = cli("providers", "run", "all", "--json")
    assert result.exit_code == Exit.PARTLY
    assert [(run["source"], run["status"]) for run in json.loads(result.stdout)] == [
        ("netflix", "ok"), ("films", "failed")
    ]  # fmt: skip


def test_what_is_switched_off_is_not_among_all(cli: Cli) -> None:
    cli.variables |= {f"DATEFLICKS_PROVIDERS_{name}_ENABLED": "false" for name in ("LOCAL", "URL")}
    result = cli("providers", "run", "all")
    assert result.exit_code == 0
    assert result.stderr.startswith("No source is switched on.\n")


@pytest.mark.slow
def test_a_source_is_shown_in_full_and_a_broken_one_says_why(cli: Cli, plugged: Plugged) -> None:
    found = cli.json("providers", "show", "films")
    assert (found["package"], found["version"], found["attribution"]) == ("plugged-films", "1.0", "Films by Plugged.")
    assert (found["state"], found["capabilities"]) == ("ready", "incremental")
    missing = cli("providers", "run", "flims")
    assert (missing.exit_code, missing.stderr.splitlines()[1]) == (Exit.NOT_FOUND, "Did you mean 'films'?")
    cli.variables["DATEFLICKS_PROVIDERS_DENY"] = "films"
    assert cli("providers", "show", "films", "--fields", "state,attention").stdout == (
        "not used\tdenied by the settings\n"
    )
    refused = cli("providers", "run", "films")
    assert (refused.exit_code, refused.stderr) == (
        Exit.REFUSED, "Error: The source 'films' is not used: denied by the settings.\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "words"),
    [(("--since", "yesterday"), "'yesterday' is no time"), (("--full", "--since", "2026-01-01"), "say one of them")],
)
def test_what_cannot_be_asked_for_is_refused_before_anything_runs(cli: Cli, flags: tuple[str, ...], words: str) -> None:
    result = cli("providers", "run", "archive", *flags)
    assert result.exit_code == Exit.USAGE
    assert words in result.stderr


@pytest.mark.slow
def test_who_cannot_look_for_what_has_changed_since_then_is_not_run_and_nothing_is_wrong_with_it(
    cli: Cli, plugged: Plugged
) -> None:
    since = ("--since", "2026-11-01")
    for name, words in (("url", "does not look for changes"), ("archive", "was never read in full")):
        result = cli("providers", "run", name, *since)
        assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
        assert words in result.stderr
        assert f"Leave out --since: dateflicks providers run {name}" in result.stderr
    assert "films is left out. The source 'films'" in cli("providers", "run", "all", *since).stderr
    listed = {source["name"]: source for source in cli.json("providers", "list")}
    assert [listed[name]["attention"] for name in ("url", "archive", "films")] == [None] * 3


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_what_a_run_beside_the_services_writes_is_found_by_who_asks_them(cli: Cli, plugged: Plugged) -> None:
    variables: dict[str, Any] = {**cli.variables, "DATEFLICKS_VIDEOS_POLL_SECONDS": "0.1"}
    with Program(cli.home, "serve", "all", "--port", "0", **variables) as services:
        services.until_said("Serving")
        url = next(line for line in services.err if "Serving" in line).rpartition(" ")[2]
        assert cli("providers", "run", "films").exit_code == 0

        def found() -> list[str]:
            rows = cli("videos", "search", "film 7", "--server", url).stdout.splitlines()
            return [row.split("\t")[1] for row in rows]

        services.wait_until(lambda: found()[:1] == ["Film 7"])
        (source,) = [one for one in asyncio.run(sources(url)).items if one.name == "films"]
        assert source.last_run is not None
        assert (source.last_run.status, source.attribution) == ("ok", "Films by Plugged.")
