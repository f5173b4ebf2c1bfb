"""`dateflicks simulate`: what is typed, what the people who are not there do, and how far apart they are said to be."""

import asyncio
import contextlib
import json
import random
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dateflicks.cli import simulating
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.failures import CliError
from dateflicks.cli.simulated_rooms import Room, Watcher, Wishes
from dateflicks.cli.simulated_script import Deed, read_script
from dateflicks.client.players.physics import SimulatedPhysics
from dateflicks.client.players.simulated import SimulatedPlayer
from dateflicks.client.relay import SENT_AGAIN_SECONDS, Delay
from tests.cli.conftest import Cli
from tests.cli.process import Program
from tests.scripted_server import ScriptedServer, session_json

A = "ses_" + "a" * 26


def test_a_script_is_read_in_the_order_of_its_times() -> None:
    script = ["# an evening", "", "12.5 2 stall 3", "1 1 play  # at last", "20 1 seek 41:12", "25 2 slip -0.5"]
    assert read_script(script) == (
        Deed(1.0, 1, "play"),
        Deed(12.5, 2, "stall", 3.0),
        Deed(20.0, 1, "seek", 2472.0),
        Deed(25.0, 2, "slip", -0.5),
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1 play", "too short"),
        ("1 1 plya", "Did you mean 'play'?"),
        ("1 1 seek", "needs a value"),
        ("1 1 play 3", "takes no value"),
        ("x 1 play", "no time that can be read"),
        ("1 0 play", "no client"),
        ("1 1 stall -3", "no time that can be read"),
    ],
)
def test_a_line_that_says_nothing_is_told_with_its_number(line: str, why: str) -> None:
    with pytest.raises(CliError, match="line 2") as caught:
        read_script(["1 1 play", line])
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Where are they to watch?"),
        ((A, "--new"), "Where are they to watch?"),
        (("--new", "--clients", "3"), "two watch in each session"),
        (("--new", "--script", "none"), "cannot be read"),
        (("--new", "--fields", "p95"), "Did you mean 'p95_ms'?"),
        ((A, "--clients", "5"), "in your own name there can be 4"),
        (("--new", "--loss", "60"), "--loss"),
    ],
)
def test_what_makes_no_sense_is_exit_code_2(words: tuple[str, ...], said: str, cli: Cli) -> None:
    cli.sign_in()
    result = cli("simulate", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_a_session_that_is_not_accepted_can_not_be_watched(cli: Cli, server: ScriptedServer) -> None:
    cli.sign_in()
    server.on("GET", f"/sessions/{A}", {"session": session_json(id=A)})
    assert cli("simulate", A).exit_code == 5


class Failing:
    """A watching that goes wrong, at once or when it is asked for something."""

    def __init__(self, *, at_once: bool) -> None:
        self._at_once, self._stopped = at_once, asyncio.Event()

    async def run(self) -> None:
        if self._at_once:
            raise RuntimeError("the watcher crashed")
        await self._stopped.wait()

    def ask(self, _: str) -> None:
        raise RuntimeError("the script crashed")

    def stop(self) -> None:
        self._stopped.set()


@pytest.mark.parametrize(("crashes", "said"), [((True, False), "watcher"), ((False, True), "watcher"), ((), "script")])
async def test_what_crashes_in_a_simulation_is_no_success(
    crashes: tuple[bool, ...], said: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def watcher(number: int, *, at_once: bool) -> Watcher:
        player = SimulatedPlayer(SimulatedPhysics(length=10.0, seed=1))
        viewer: Any = SimpleNamespace(timecode=None, clock=SimpleNamespace(ready=False))
        watching: Any = Failing(at_once=at_once)
        return Watcher(number, viewer, player, watching, cast("Any", None))

    watchers = [watcher(number, at_once=one) for number, one in enumerate(crashes or (False, False), 1)]

    @contextlib.asynccontextmanager
    async def rooms(*_: object) -> AsyncIterator[list[Room]]:
        yield [Room(A, watchers)]

    monkeypatch.setattr(simulating, "rooms_of", rooms)
    script = () if crashes else (Deed(0.0, 1, "play"),)
    wishes = Wishes(
        session=None, clients=2, round_trip=0.0, jitter=0.0, loss=0.0, drift_ppm=0.0,
        seconds=0.1 if crashes else 30.0, seed=1, script=script,
    )  # fmt: skip
    with pytest.raises(RuntimeError, match=f"the {said} crashed"):
        await simulating.simulate(CliEnvironment(environ={"DATEFLICKS_HOME": str(cli.home)}), wishes)


def test_what_is_lost_comes_later_and_not_never() -> None:
    lossy, source = Delay(0.1, loss=0.5), random.Random(1)
    takes = [lossy.draw(source) for _ in range(200)]
    late = [seconds for seconds in takes if seconds > 0.1]
    assert 60 < len(late) < 140
    assert min(late) == pytest.approx(0.1 + SENT_AGAIN_SECONDS + 0.2)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[str]:
    logs = str(tmp_path / "logs")
    home, command = tmp_path / "services", ("serve", "all", "--port", "0")
    with Program(home, *command, DATEFLICKS_TIMECODE_RECORD_FOLDER=logs) as program:
        program.until_said("Serving ")
        found = re.search(r"Serving .* at (http://\S+)", "\n".join(program.err))
        assert found
        yield found[1]


@pytest.mark.long
def test_two_who_are_not_there_play_in_step_and_their_evening_can_be_played_again(
    services: str, cli: Cli, tmp_path: Path
) -> None:
    with Program(
        tmp_path / "ana", "simulate", "--new", "--rtt", "60", "--jitter", "10", "--server", services
    ) as program:
        program.wait_until(lambda: sum('"moving":2' in line for line in program.out) >= 6)
        program.process.send_signal(signal.SIGINT)
        assert program.ends() == 130
    seconds = [json.loads(line) for line in program.out]
    summary = seconds.pop()
    assert (summary["summary"], summary["sessions"], summary["clients"], summary["lines_lost"]) == (True, 1, 2, 0)
    assert summary["p50_ms"] is not None
    assert summary["p50_ms"] <= summary["p95_ms"] <= summary["max_ms"] <= summary["worst_ms"]
    log = next((tmp_path / "logs").glob("*.jsonl"))
    told = cli("replay", str(log), "--told", "--json")
    assert told.exit_code == 0, told.stderr
    reasons = [event["reason"] for line in told.stdout.splitlines() for event in json.loads(line)["told"]]
    assert reasons[:2] == ["join", "join"]
    assert "play" in reasons
