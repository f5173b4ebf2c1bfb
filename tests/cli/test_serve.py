"""`dateflicks serve`: what its flags reach, what it says, and how its processes begin and end."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from dateflicks.server import runner
from dateflicks.settings.services import ServerSettings
from tests.authorities import make_pair
from tests.cli.conftest import Cli
from tests.cli.process import Program
from tests.journeys.deployment import Deployment as Address
from tests.journeys.people import Crowd, act, invite, ticket_of
from tests.journeys.room import make_timecode, take_seat
from tests.journeys.wire import open_rest


class Planned:
    """What would have run."""

    def __init__(self, deploy: Any, server: ServerSettings) -> None:
        deployment = deploy.__self__
        self.name: str = deployment.name
        self.services: dict[str, Any] = dict(deployment.services)
        self.folder: Path = deployment.folder
        self.server = server


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> list[Planned]:
    """Nothing is started; what would have been is noted."""
    found: list[Planned] = []

    def note(deploy: Any, server: ServerSettings, on_ready: Callable[[str], None]) -> None:
        found.append(Planned(deploy, server))
        on_ready(f"http://{server.host}:{server.port}")

    monkeypatch.setattr(runner, "serve_forever", note)
    return found


@pytest.mark.parametrize("service", ["all", "timecode"])
def test_the_flags_reach_the_rules(cli: Cli, plan: list[Planned], service: str) -> None:
    flags = ["--confirm-seconds", "7", "--band-seconds", "0.25", "--wait-seconds", "3", "--on-leave", "hold"]
    assert cli("serve", service, *flags).exit_code == 0
    rules = plan[0].services["timecode"]
    assert (rules.confirm_seconds, rules.band_seconds, rules.wait_seconds, rules.on_leave) == (7, 0.25, 3, "hold")


@pytest.mark.parametrize(
    ("service", "services", "port"),
    [
        ("all", ["session", "timecode", "messages", "prediction", "videos", "recommendation"], 8700),
        ("session", ["session"], 8701),
        ("timecode", ["timecode"], 8702),
        ("messages", ["messages"], 8703),
        ("prediction", ["prediction"], 8704),
        ("videos", ["videos"], 8705),
        ("recommendation", ["recommendation"], 8706),
    ],
)
def test_without_flags_the_defaults_hold(
    cli: Cli, plan: list[Planned], service: str, services: list[str], port: int
) -> None:
    result = cli("serve", service)
    assert result.exit_code == 0
    assert (plan[0].name, list(plan[0].services)) == (service, services)
    assert (plan[0].server.host, plan[0].server.port) == ("127.0.0.1", port)
    assert plan[0].folder == cli.home / "server"
    assert result.stderr == f"Serving {', '.join(services)} at http://127.0.0.1:{port}\n"


@pytest.mark.parametrize(
    ("flags", "services"),
    [
        (("--only", "session,timecode"), ["session", "timecode"]),
        (("--only", "timecode", "--only", "session"), ["session", "timecode"]),
        (("--except", "videos, recommendations"), ["session", "timecode", "messages", "prediction"]),
        (("--only", "session,videos", "--except", "videos"), ["session"]),
    ],
)
def test_services_can_be_chosen_or_left_out(
    cli: Cli, plan: list[Planned], flags: tuple[str, ...], services: list[str]
) -> None:
    assert cli("serve", "all", *flags).exit_code == 0
    assert list(plan[0].services) == services


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--only", "sesion"), "Did you mean 'session'?"),
        (("--except", "session,timecode,messages,prediction,videos,recommendation"), "leaves no service"),
    ],
)
def test_a_choice_that_cannot_be_is_said(cli: Cli, plan: list[Planned], flags: tuple[str, ...], said: str) -> None:
    result = cli("serve", "all", *flags)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not plan


def test_flags_win_over_variables(cli: Cli, plan: list[Planned], tmp_path: Path) -> None:
    variables = {
        "DATEFLICKS_TIMECODE_PORT": "1111", "DATEFLICKS_TIMECODE_CONFIRM_SECONDS": "9",
        "DATEFLICKS_TIMECODE_DATA": str(tmp_path / "other"),
    }  # fmt: skip
    cli.variables |= variables
    cli("serve", "timecode", "--port", "2222")
    assert plan[0].server.port == 2222
    assert plan[0].services["timecode"].confirm_seconds == 9
    assert plan[0].folder == tmp_path / "other"
    cli("serve", "timecode", "--data", "here")
    assert plan[1].server.port == 1111
    assert plan[1].folder == Path("here")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "films.example.org"])
def test_an_address_that_others_can_reach_needs_tls_or_a_word(cli: Cli, plan: list[Planned], host: str) -> None:
    result = cli("serve", "all", "--host", host)
    assert result.exit_code == 2
    assert f"{host} can be reached from the network" in result.stderr
    assert "--tls-cert" in result.stderr
    assert "--insecure" in result.stderr
    assert not plan
    assert cli("serve", "all", "--host", host, "--insecure").exit_code == 0
    cli.variables["DATEFLICKS_ALL_ALLOW_PLAIN"] = "true"
    assert cli("serve", "all", "--host", host).exit_code == 0
    assert [one.server.host for one in plan] == [host, host]


def test_with_tls_others_may_reach_it(cli: Cli, plan: list[Planned], tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    files = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key))
    assert cli("serve", "all", "--host", "0.0.0.0", *files).exit_code == 0
    assert (plan[0].server.tls_cert, plan[0].server.tls_key) == (str(pair.certificate), str(pair.key))


def test_tls_that_cannot_be_had_is_said_before_anything_starts(cli: Cli, plan: list[Planned], tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    result = cli("serve", "all", "--tls-cert", str(pair.certificate))
    assert result.exit_code == 2  # by which a unit is not started again and again
    assert "A certificate and its key go together" in result.stderr
    result = cli("serve", "all", "--tls-cert", str(pair.certificate), "--tls-key", str(tmp_path / "no.key"))
    assert "no.key cannot be read" in result.stderr
    assert not plan


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_an_address_of_this_machine_is_not(cli: Cli, plan: list[Planned], host: str) -> None:
    assert "Warning" not in cli("serve", "all", "--host", host).stderr
    assert plan


@pytest.mark.parametrize(
    ("flags", "allowed"),
    [
        (("--on-leave", "maybe"), "'continue', 'hold'"),
        (("--confirm-seconds", "0"), ">= 0.1"),
        (("--confirm-seconds", "soon"), "number"),
        (("--confirm-seconds", "nan"), "confirm_seconds"),
        (("--band-seconds", "11"), "<= 10"),
        (("--wait-seconds", "-1"), ">= 0"),
        (("--port", "65536"), "65535"),
        (("--data",), "--data"),
        (("--speed", "2"), "--speed"),
    ],
)
def test_a_wrong_flag_is_exit_code_2_and_says_what_is_allowed(
    cli: Cli, plan: list[Planned], flags: tuple[str, ...], allowed: str
) -> None:
    result = cli("serve", "timecode", *flags)
    assert result.exit_code == 2
    assert flags[0] in result.stderr
    assert allowed in result.stderr
    assert not plan


# --- processes ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(home: Path, service: str, *flags: str) -> Iterator[tuple[Program, str]]:
    """One `serve` with its data below `home`, once it is ready, and its address."""
    command = ("serve", service, "--port", "0", "--data", str(home / "data"), *flags)
    with Program(home, *command) as program:
        program.until_said("Serving ")
        found = re.search(r"Serving .* at (http://\S+)", "\n".join(program.err))
        assert found
        yield program, found[1]


def stop(program: Program, data: Path) -> None:
    """Ask it to end; it ends well and leaves nothing that runs or listens."""
    engine = program.child("nxchild")
    program.process.terminate()
    assert program.ends() == 0
    program.wait_until(lambda: not Path(f"/proc/{engine}").exists())
    assert not list(data.rglob("*.sock"))
    assert not list(data.rglob("*.pid"))


@pytest.mark.long  # in every run the journeys start them alone
@pytest.mark.slow
async def test_services_side_by_side_on_one_folder_know_each_others_tickets(tmp_path: Path) -> None:
    home, data = tmp_path / "host", tmp_path / "host" / "data"
    with (
        serving(home, "session") as (session, session_url),
        serving(home, "timecode", "--confirm-seconds", "7", "--wait-seconds", "3") as (timecode, timecode_url),
    ):
        sessions, timecodes = Address(session_url, is_ours=True), Address(timecode_url, is_ours=True)
        crowd = Crowd(sessions)
        host, guest = await crowd.person("host"), await crowd.person("guest")
        async with open_rest(sessions) as rest, open_rest(timecodes) as other:
            asked = await invite(rest, host, guest)
            await act(rest, guest, asked, "accept")
            ticket = await ticket_of(rest, host, asked["id"])
            await make_timecode(other, asked, ticket, 600)
            await other.call("GET", "/users/me", token=host.token, expect=404)
        async with take_seat(timecodes, host, asked["id"], ticket, is_host=True) as seat:
            limits = seat.feed.frames[0]["limits"]
            assert limits == {"confirmSeconds": 7, "bandSeconds": 0.15, "waitSeconds": 3}
        stop(timecode, data / "timecode")
        stop(session, data / "session")


@pytest.mark.slow
def test_all_services_are_behind_one_port_and_a_folder_and_a_port_are_taken_once(tmp_path: Path) -> None:
    home = tmp_path / "host"
    with serving(home, "all") as (program, url):
        with httpx2.Client(base_url=url, trust_env=False) as client:
            assert client.get("/health").json()["status"] == "ok"
            assert set(client.get("/services").json()["services"]) >= {"session", "timecode"}
            for path in ("/users/me", "/timecodes/ses_a"):
                assert client.get(path).status_code == 401
        port = url.rpartition(":")[2]
        with (
            Program(tmp_path / "second", "serve", "all", "--port", "0", "--data", str(home / "data")) as same_folder,
            Program(tmp_path / "third", "serve", "all", "--port", port, "--data", str(tmp_path / "new")) as same_port,
        ):
            for other, words in (
                (same_folder, f"{home / 'data'} is in use"),
                (same_port, f"{port} of 127.0.0.1 is taken"),
            ):
                assert other.ends() == 1
                assert other.out == []
                assert len(other.err) <= 3
                assert words in other.err[0]
        assert not list((tmp_path / "new").rglob("*.sock"))
        assert httpx2.get(f"{url}/health", trust_env=False).status_code == 200
        stop(program, home / "data")
    assert (home / "data" / "auth.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_ctrl_c_ends_it_well(tmp_path: Path) -> None:
    with serving(tmp_path / "host", "timecode") as (program, _):
        os.kill(program.process.pid, 2)
        assert program.ends() == 0
        assert program.out == []
