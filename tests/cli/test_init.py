"""`dateflicks init`: what it asks, what it writes, that it loads and serves; what is there is changed only by a yes."""

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from dateflicks.cli.exits import Exit
from dateflicks.server.auth.key import signing_key
from dateflicks.settings.loader import SERVICES, load
from tests.authorities import make_pair
from tests.cli.conftest import Cli
from tests.cli.process import Program


@pytest.fixture
def newcomer(cli: Cli) -> Cli:
    """Somebody who has set nothing, the address of a server neither."""
    cli.variables["PATH"] = os.environ["PATH"]
    return cli


def begin(cli: Cli, *args: str, keys: str | None = None, **variables: str) -> Result:
    """`init` into a folder of its own, asked by nobody unless there are keys to type."""
    words = ("init", "--folder", str(cli.home.parent / "written"), *args)
    return cli(*words, keys=keys, is_interactive=keys is not None, **variables)


def written(cli: Cli, service: str) -> Any:
    """The settings as they load from what was written."""
    return load(service, SERVICES[service], folders=[cli.home.parent / "written"]).settings


def texts(cli: Cli) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (cli.home.parent / "written").iterdir()}


def test_nobody_is_asked_and_everything_is_for_this_machine_alone(newcomer: Cli) -> None:
    result = begin(newcomer, "--json")
    assert result.exit_code == 0
    rows = {Path(row["file"]).name: row for row in json.loads(result.stdout)}
    assert {name: row["state"] for name, row in rows.items()} == dict.fromkeys(
        ("all.toml", "client.toml", "auth.key"), "made"
    )
    for row in rows.values():
        assert stat.S_IMODE(Path(row["file"]).stat().st_mode) == 0o600
    assert len(signing_key("", newcomer.home / "server" / "auth.key")) >= 32
    hosting, client = written(newcomer, "all"), written(newcomer, "client")
    assert (hosting.mongo.uri, hosting.server.host, hosting.server.port) == ("embedded", "127.0.0.1", 8700)
    assert client.server == "http://127.0.0.1:8700"
    assert "dateflicks serve all --settings" in result.stderr
    assert "dateflicks register NAME" in result.stderr
    assert newcomer("config", "validate", "--settings", str(newcomer.home.parent / "written")).exit_code == 0


def test_four_questions_are_asked_and_a_slip_is_asked_again(newcomer: Cli) -> None:
    result = begin(newcomer, keys="here\nmpvv\nmanual\nmongo\nmongodb://ana:s3cret@db/\nnobody\n")
    assert result.exit_code == 0, result.output
    assert result.stderr.count("?") >= 4
    assert "Did you mean 'mpv'?" in result.stderr
    assert written(newcomer, "client").player == "manual"
    assert written(newcomer, "all").mongo.uri == "mongodb://ana:s3cret@db/"


def test_with_a_server_elsewhere_nothing_is_written_for_services(newcomer: Cli) -> None:
    result = begin(newcomer, keys="films.example.org\nnone\n")
    assert result.exit_code == 0, result.output
    assert list(texts(newcomer)) == ["client.toml"]
    assert written(newcomer, "client").server == "http://films.example.org"
    assert not (newcomer.home / "server").exists()
    assert "dateflicks serve" not in result.stderr
    assert "nothing on the way there is encrypted" in result.stderr


def test_the_second_time_nothing_changes(newcomer: Cli) -> None:
    assert begin(newcomer).exit_code == 0
    before = texts(newcomer)
    again = begin(newcomer, "--json")
    assert [row["state"] for row in json.loads(again.stdout)] == ["unchanged", "unchanged", "kept"]
    assert begin(newcomer, keys="\n\n\n\n").exit_code == 0
    assert texts(newcomer) == before


def test_what_is_there_is_shown_and_changed_only_by_a_yes(newcomer: Cli) -> None:
    assert begin(newcomer, "--database", "-", keys="mongodb://ana:s3cret@db/\n\n\n\n").exit_code == 0
    path = newcomer.home.parent / "written" / "all.toml"
    path.write_text(f"# mine\nbus = {{ deployment = 'two' }}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    before = texts(newcomer)
    wish = ("--database", "embedded", "--player", "manual")
    refused = begin(newcomer, *wish)
    assert (refused.exit_code, refused.stdout, texts(newcomer)) == (Exit.USAGE, "", before)
    assert "mongo.uri: ******** → embedded" in refused.stderr
    assert "--yes" in refused.stderr
    assert "s3cret" not in refused.output
    assert begin(newcomer, *wish, keys="\n\nn\n").exit_code == Exit.REFUSED
    assert texts(newcomer) == before
    assert begin(newcomer, *wish, "--yes").exit_code == 0
    assert texts(newcomer)["all.toml"] == before["all.toml"].replace("mongodb://ana:s3cret@db/", "embedded")
    assert written(newcomer, "client").player == "manual"


def test_a_file_that_is_not_in_order_is_left_alone(newcomer: Cli) -> None:
    folder = newcomer.home.parent / "written"
    folder.mkdir()
    (folder / "client.toml").write_text("gentel = true\n", encoding="utf-8")
    result = begin(newcomer, "--yes")
    assert (result.exit_code, texts(newcomer)) == (Exit.USAGE, {"client.toml": "gentel = true\n"})
    assert "client.toml:1: gentel" in result.stderr
    assert "dateflicks config edit client" in result.stderr


# --- where others reach it ------------------------------------------------------------------------------------------


def test_a_certificate_makes_it_listen_to_all_with_tls(newcomer: Cli, tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    files = f"/nowhere.pem\n/nowhere.key\n{pair.certificate}\n{pair.key}\n"
    result = begin(newcomer, keys=f"here\nmpv\nembedded\nhttps://f.example:8800\n{files}")
    assert result.exit_code == 0, result.output
    assert "/nowhere.pem cannot be read" in result.stderr
    server = written(newcomer, "all").server
    assert (server.host, server.port, server.public_url) == ("0.0.0.0", 8800, "https://f.example:8800")
    assert (server.tls_cert, server.tls_key) == (str(pair.certificate), str(pair.key))
    assert written(newcomer, "client").server == "https://f.example:8800"


def test_without_a_certificate_a_proxy_has_it_and_is_believed(newcomer: Cli) -> None:
    assert begin(newcomer, "--reach", "https://f.example").exit_code == 0
    server = written(newcomer, "all").server
    assert (server.host, server.port, server.public_url) == ("127.0.0.1", 8700, "https://f.example")
    assert server.proxies == ["127.0.0.1"]


def test_without_tls_somebody_has_to_say_that_they_know(newcomer: Cli) -> None:
    refused = begin(newcomer, "--reach", "192.168.1.7")
    assert (refused.exit_code, "--insecure" in refused.stderr) == (Exit.USAGE, True)
    assert not (newcomer.home.parent / "written").exists()
    assert begin(newcomer, "--reach", "192.168.1.7", "--insecure").exit_code == 0
    server = written(newcomer, "all").server
    assert (server.host, server.allow_plain, server.public_url) == ("0.0.0.0", True, "http://192.168.1.7:8700")
    assert begin(newcomer, "--reach", "nobody", "--yes").exit_code == 0
    assert written(newcomer, "all").server == SERVICES["all"]().server  # type: ignore[attr-defined]  # of all it has one


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--player", "mpvv"), "Did you mean 'mpv'?"),
        (("--database", "postgres"), "mongodb://"),
        (("--database", "mongodb://a:b@c"), "--database -"),
        (("--reach", "ftp://x"), "not the address"),
        (("--server", "ftp://x"), "not the address"),
        (("--service", "timecod"), "Did you mean 'timecode'?"),
        (("--reach", "https://f.example", "--tls-cert", "x.pem"), "go together"),
        (("--reach", "https://f.example", "--tls-cert", "x.pem", "--tls-key", "x.key"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_is_written(words: tuple[str, ...], told: str, newcomer: Cli) -> None:
    result = begin(newcomer, *words)
    assert (result.exit_code in (Exit.USAGE, Exit.FAILED), result.stdout) == (True, "")
    assert told in result.stderr
    assert not (newcomer.home.parent / "written").exists()
    assert not (newcomer.home / "server").exists()


# --- what becomes of it ---------------------------------------------------------------------------------------------


def test_a_service_that_runs_alone_has_a_file_of_its_own(newcomer: Cli, tmp_path: Path) -> None:
    result = begin(newcomer, "--service", "timecode", "--data", str(tmp_path / "data"))
    assert result.exit_code == 0
    assert list(texts(newcomer)) == ["timecode.toml"]
    server = written(newcomer, "timecode").server
    assert (server.port, server.data) == (8702, str(tmp_path / "data"))
    assert (tmp_path / "data" / "auth.key").exists()
    assert "dateflicks serve timecode" in result.stderr


def test_what_wins_over_what_was_written_is_named(newcomer: Cli) -> None:
    near = Path("settings")
    near.mkdir()
    (near / "client.toml").write_text("gentle = true\n", encoding="utf-8")
    result = newcomer("init", DATEFLICKS_ALL_PORT="8800")
    assert result.exit_code == 0
    assert "settings/client.toml wins over" in result.stderr
    assert "DATEFLICKS_ALL_PORT is set" in result.stderr
    assert "--settings" not in result.stderr  # the user's own folder is looked at anyway


@pytest.mark.slow
def test_what_was_written_is_served(newcomer: Cli, tmp_path: Path) -> None:
    assert begin(newcomer).exit_code == 0
    folder = str(tmp_path / "written")
    assert newcomer("config", "set", "all.server.port", "0", "--settings", folder).exit_code == 0
    with Program(newcomer.home, "serve", "all", "--settings", folder) as services:
        services.until_said("Serving session")
