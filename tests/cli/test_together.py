"""Two people, two processes, one server of the host's own: an evening from the invitation to the last word."""

import asyncio
import json
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dateflicks.client.players.film import make_film
from tests.cli.process import Program, is_running
from tests.cli.terminals import Terminals
from tests.conftest import require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SIMULATED = ("--player", "simulated")
SILENT = "--vo=null,--ao=null"


class Two:
    """The host and their guest, each with a home and a folder."""

    def __init__(self, host: Program, guest: Program) -> None:
        self.host = host
        self.guest = guest


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "The_General.mkv"
    path.write_bytes(b"film")
    return path


@pytest.fixture
def two(tmp_path: Path, film: Path) -> Iterator[Two]:
    """Both are there."""
    with Program(tmp_path / "ana", "host", str(film), "--port", "0", *SIMULATED) as host:
        word = host.until("dateflicks join ").split()[-1]
        with Program(tmp_path / "bea", "join", word, *SIMULATED) as guest:
            guest.until("You are here")
            host.until("bea")
            yield Two(host, guest)


def test_they_see_each_other_talk_predict_in_secret_play_by_consent_seek_when_agreed_pause_and_leave(two: Two) -> None:
    host, guest = two.host, two.guest
    host.until_said("Watching The General with bea.")
    guest.until_said("Watching The General with ana.")

    host.type("say Did you see that?")
    guest.until("0:00 ana: Did you see that?")
    guest.type("> say that again")
    host.until("0:00 bea: say that again")
    guest.type("react scream")
    host.until("0:00 bea reacts: scream")

    host.type("predict The train makes it @ 0:04")
    guest.until("#1 ana predicts: The train makes it (yes / no). Calls close at 0:04. Type call #1 yes 80%.")
    guest.type("call yes 80%")
    guest.until("#1 You call yes (80%): “The train makes it”.")
    host.until("#1 bea has called: “The train makes it”; sealed until the lock.")
    host.type("call #1 no 60%")
    guest.until("#1 ana has called: “The train makes it”; sealed until the lock.")
    host.type("predictions")
    assert "bea sealed" in host.until("#1 open: “The train makes it” (yes / no); ")

    host.type("play")
    guest.until("ana asks to play; agreed for you.")
    host.until("Playing from 0:00.")
    guest.until("Playing from 0:00.")
    assert "bea yes (80%)" in host.until("#1 Locked: “The train makes it”: ")
    assert "ana no (60%)" in guest.until("#1 Locked: “The train makes it”: ")
    host.type("propose yes")
    guest.until("Type confirm #1 or object #1.")
    host.type("confirm")
    guest.type("confirm")
    for person in (host, guest):
        person.until("#1 Settled: “The train makes it”: yes. Points: ")
        person.until("Score: ")

    guest.type("seek 41:00")
    host.until("bea asks to move to 41:00; type accept or refuse.")
    host.type("accept")
    host.until("On again from 41:00.")
    guest.until("On again from 41:00.")

    guest.type("where")
    told = guest.until("Play at 41:0")
    assert told.count(" s") == 2
    assert "; clocks within " in told

    host.type("seek +600")
    guest.until("ana asks to move to 51:0")
    guest.type("refuse")
    host.until("bea said no: playing at 41:")

    guest.type("pause")
    host.until("by bea; agreed for you.")
    guest.until("Paused at 41:")

    guest.type("say Goodbye.")
    guest.type("quit")
    assert guest.ends() == 0
    host.until(" bea: Goodbye.")
    assert not any("Not sent" in line for line in guest.out)
    host.until("bea has gone; the place is kept.")
    host.type("quit")
    assert host.ends() == 0
    host.until_said("The server of the evening ends with it.")
    host.until_said("What was said stays here: dateflicks chat export ses_")


@pytest.mark.long
def test_the_host_s_second_terminal_takes_part_and_what_was_said_is_read_when_all_is_over(
    two: Two, tmp_path: Path
) -> None:
    ana = tmp_path / "ana"
    session = _session_of(ana)[:12]
    with Program(ana, "chat", "send", session, "From the kitchen.", "--server", "evening") as other:
        assert other.ends() == 0
    two.guest.until("ana: From the kitchen.")
    two.host.type("quit")
    assert two.host.ends() == 0
    with Program(ana, "chat", "export", session, "--server", "evening") as later:
        later.until("ana: From the kitchen.")
        assert later.ends() == 0
        later.until_said("That evening is over")
    assert not (ana / "evening.at").exists()


def test_whoever_leaves_by_ctrl_c_ends_nothing_for_the_other_and_may_come_back_while_the_code_works_once(
    two: Two, tmp_path: Path
) -> None:
    two.host.type("play")
    two.guest.until("Playing from 0:00.")
    two.guest.process.send_signal(signal.SIGINT)
    assert two.guest.ends() == 130
    two.host.until("bea has gone; the place is kept.")
    two.host.type("where")
    two.host.until("Play at 0:")
    line = two.host.out[0]
    session = _session_of(tmp_path / "bea")
    server = "http://" + line.rpartition("@")[2]
    with Program(tmp_path / "bea", "watch", session[:12], "--server", server, *SIMULATED) as again:
        again.until("You are here, and so is ana.")
        two.host.until("bea is here.")
    with Program(tmp_path / "eve", "join", line.split()[-1], *SIMULATED) as eve:
        assert eve.ends() == 3
        eve.until_said("Error: ")
        assert eve.out == []


def _session_of(home: Path) -> str:
    """The session whose ticket is kept there."""
    kept = json.loads((home / "credentials.json").read_text(encoding="utf-8"))
    found: str = next(iter(next(iter(kept.values()))["tickets"]))
    return found


@pytest.mark.long
def test_a_session_that_is_ended_is_over_for_both(two: Two, tmp_path: Path) -> None:
    server = "http://" + two.host.out[0].rpartition("@")[2]
    session = _session_of(tmp_path / "bea")
    with Program(tmp_path / "bea", "session", "end", session, "--server", server) as ending:
        assert ending.ends() == 0
    for person in (two.host, two.guest):
        person.until("The session was ended for everybody.")
        assert person.ends() == 0


@pytest.mark.long
def test_a_guest_keeps_their_account_from_one_evening_to_the_next(tmp_path: Path, film: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    accounts = []
    for _ in range(2):
        with Program(tmp_path / "ana", "host", str(film), "--port", port, *SIMULATED) as host:
            word = host.until("dateflicks join ").split()[-1]
            with Program(tmp_path / "bea", "join", word, *SIMULATED) as guest:
                guest.until("You are here")
                guest.type("quit")
                assert guest.ends() == 0
            accounts.append(json.loads((tmp_path / "bea" / "credentials.json").read_text(encoding="utf-8")))
    assert len({account["userId"] for kept in accounts for account in kept.values()}) == 1


def test_programs_read_a_line_of_json_for_each_event_and_the_film_s_end_ends_what_nobody_types_into(
    tmp_path: Path, film: Path
) -> None:
    with Program(tmp_path / "ana", "host", str(film), "--port", "0", "--length", "0:04", "--json", *SIMULATED) as host:
        host.until('"invitation"')
        invitation = json.loads(host.out[0])
        assert invitation["text"] == f"dateflicks join {invitation['code']}@{invitation['server'][7:]}"
        with Program(tmp_path / "bea", "join", invitation["text"].split()[-1], "--json", *SIMULATED) as guest:
            guest.until('"timecode"')
            guest.type("play")
            guest.hang_up()
            assert guest.ends() == 0
            events: list[dict[str, Any]] = [json.loads(line) for line in guest.out]
        assert {"line", "timecode"} <= {event["event"] for event in events}
        last = [event for event in events if event["event"] == "timecode"][-1]
        assert (last["reason"], last["status"], last["length"]) == ("end", "stop", 4.0)


@pytest.mark.long
@pytest.mark.mpv
def test_with_real_players_the_guest_s_copy_is_found_by_name_and_a_player_that_dies_is_replaced(
    tmp_path: Path,
) -> None:
    require("mpv", "ffmpeg")
    for person in ("ana", "bea"):
        (tmp_path / person / "films").mkdir(parents=True)
    path = tmp_path / "ana" / "films" / "The_General.mkv"
    asyncio.run(make_film(path, 30.0))
    shutil.copy(path, tmp_path / "bea" / "films")
    with Program(
        tmp_path / "ana", "host", "films/The_General.mkv", "--port", "0", DATEFLICKS_CLIENT_MPV_ARGUMENTS=SILENT
    ) as host:
        word = host.until("dateflicks join ").split()[-1]
        found_in = {"DATEFLICKS_CLIENT_FILMS": "films", "DATEFLICKS_CLIENT_MPV_ARGUMENTS": SILENT}
        with Program(tmp_path / "bea", "join", word, **found_in) as guest:
            guest.until("You are here")
            host.until("bea")
            guest.type("play")
            host.until("Playing from 0:00.")
            guest.until("Playing from 0:00.")
            guest.kill_child("mpv")
            guest.until("the player died and is started again")
            guest.wait_until(lambda: _drift(guest) < 0.15, seconds=15)
            guest.type("quit")
            assert guest.ends() == 0
        host.until("bea has gone")
        host.type("quit")
        assert host.ends() == 0


def test_on_real_terminals_words_are_typed_ctrl_c_leaves_and_a_closed_terminal_leaves_nothing_behind(
    tmp_path: Path, film: Path
) -> None:
    require("tmux")
    with Terminals(tmp_path) as terminals:
        terminals.run("ana", f"dateflicks host {film} --port 0 --player simulated --plain")
        line = terminals.until("ana", "dateflicks join ")
        terminals.run("bea", f"{line} --player simulated --plain")
        terminals.until("bea", "You are here, and so is ana.", "ana is here.")
        terminals.type("bea", "play")
        terminals.until("ana", "bea asks to play; agreed for you.")
        terminals.type("ana", "seek 41:00")
        terminals.until("bea", "ana asks to move to 41:00; type accept or refuse.")
        terminals.type("bea", "accept")
        terminals.until("ana", "On again from 41:00.")
        terminals.press("bea", "C-c")
        terminals.until("bea", "Interrupted.")
        terminals.until("ana", "bea has gone; the place is kept.")
        server = terminals.descendants("ana", "serve")
        assert len(server) == 1
        terminals.close("ana")
        terminals.wait_until(lambda: not any(is_running(pid) for pid in server))


def _drift(person: Program) -> float:
    """How far the person's player is from the film, as they are told."""
    person.type("where")
    line = person.until(" of 0:30: ")
    words = line.split(": ")[1].split()
    return abs(float(words[1])) if line.startswith("Play") and words[0] == "you" else 99.0
