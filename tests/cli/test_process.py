"""The program as a process of its own: what only a real process shows."""

import os
import pty
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.scripted_server import Answer, ScriptedServer, scripted_server

PROGRAM = (sys.executable, "-m", "dateflicks")
HEAVY = ("asyncio", "sanic", "pymongo", "textual", "apscheduler", "httpx2", "websockets", "structlog", "argon2", "jwt")


def run(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **variables}
    return subprocess.run([*PROGRAM, *args], capture_output=True, text=True, env=environ, timeout=30, check=False)


def loaded_by(*args: str) -> set[str]:
    """The modules that a command line imports."""
    program = (
        "import sys\nfrom dateflicks.cli.main import app\n"
        f"try: app({list(args)!r})\nexcept SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("--version",),
        ("session", "--help"),
        ("host", "--help"),
        ("join", "--help"),
        ("watch", "--help"),
        ("help", "exit-codes"),
    ],
)
def test_help_loads_nothing_heavy(args: tuple[str, ...]) -> None:
    loaded = loaded_by(*args)
    assert "typer" in loaded
    assert not loaded & {*HEAVY, "msgspec", "platformdirs"}


def test_help_loads_no_command() -> None:
    assert not {name for name in loaded_by("--help") if name.startswith("dateflicks.cli.commands.")}


def test_a_client_command_loads_no_server() -> None:
    loaded = loaded_by("whoami")
    assert "dateflicks.client.errors" in loaded
    assert not loaded & {
        "sanic", "pymongo", "textual", "apscheduler", "structlog", "argon2", "jwt", "keyring", "pydantic"
    }  # fmt: skip
    assert not {name for name in loaded if name.startswith("dateflicks.server")}


def test_the_program_is_installed_under_its_name() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "dateflicks", "--version"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout == run("--version").stdout


def test_an_error_leaves_stdout_empty() -> None:
    done = run("whoami")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr


@pytest.mark.parametrize("args", [("help", "environment"), ("--help",), ("config", "model")])
def test_a_reader_who_has_seen_enough_is_no_error(args: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run([*PROGRAM, *args], stdout=nobody, stderr=subprocess.PIPE, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("is_read", [True, False])
def test_a_pipe_that_breaks_inside_tasks_is_no_error_only_where_it_is_that_of_the_output(
    is_read: bool, tmp_path: Path
) -> None:
    program = (
        "from dateflicks.cli.environment import CliEnvironment\n"
        "from dateflicks.cli.main import app\n"
        "def broken(self, work):\n"
        "    work.close()\n"
        "    raise ExceptionGroup('tasks', [ExceptionGroup('inner', [BrokenPipeError(32, 'Broken pipe')])])\n"
        "CliEnvironment.run = broken\n"
        "app(['session', 'list'])"
    )
    reading, writing = os.pipe()
    if not is_read:
        os.close(reading)
    environ = {**os.environ, "DATEFLICKS_HOME": str(tmp_path)}
    with os.fdopen(writing, "wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=stdout, stderr=-1, text=True, env=environ, timeout=30, check=False
        )
    if is_read:
        os.close(reading)
        assert done.returncode == 1
        assert "unforeseen" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_during_a_request_is_exit_code_130() -> None:
    asked, release = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        release.wait(30)

    with scripted_server() as server:
        server.on("GET", "/users/me", Answer(200, {}, before=hold))
        environ = {**os.environ, "DATEFLICKS_CLIENT_SERVER": server.url, "DATEFLICKS_CLIENT_TOKEN": "t0ken"}
        with subprocess.Popen([*PROGRAM, "whoami"], stdout=-1, stderr=-1, env=environ, text=True) as process:
            assert asked.wait(20)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        release.set()
    assert (process.returncode, out, err.strip()) == (130, "", "Interrupted.")


def _type_into(master: int, words: str, wait_for: str) -> str:
    """Read from the terminal until `wait_for` shows up, then type."""
    shown = ""
    while wait_for not in shown:
        readable, _, _ = select.select([master], [], [], 20)
        assert readable, f"never saw {wait_for!r} in {shown!r}"
        shown += os.read(master, 4096).decode()
    os.write(master, words.encode())
    return shown


def _on_a_terminal(server: ScriptedServer, *args: str) -> tuple[subprocess.Popen[bytes], int]:
    master, terminal = pty.openpty()
    environ = {**os.environ, "DATEFLICKS_CLIENT_SERVER": server.url, "TERM": "xterm"}
    process = subprocess.Popen(
        [*PROGRAM, *args], stdin=terminal, stdout=terminal, stderr=terminal, env=environ, start_new_session=True
    )
    os.close(terminal)
    return process, master


def test_a_password_typed_on_a_terminal_is_not_echoed() -> None:
    signed_in = {"user": {"id": "usr_a", "name": "ana"}, "token": "t0ken", "expiresAt": "2026-12-24T01:43:00.123Z"}
    with scripted_server() as server:
        server.on("POST", "/tokens", signed_in, 201)
        process, master = _on_a_terminal(server, "login", "ana")
        _type_into(master, "correct horse\n", "Password: ")
        shown = _type_into(master, "", "Signed in as ana")
        assert process.wait(20) == 0
        os.close(master)
        assert server.last.body["password"] == "correct horse"
    assert "correct" not in shown


def test_ctrl_c_at_the_password_is_exit_code_130() -> None:
    with scripted_server() as server:
        process, master = _on_a_terminal(server, "login", "ana")
        _type_into(master, "", "Password")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        os.close(master)
        assert server.asked == []


@pytest.mark.parametrize("args", [("--version",), ("config",), ("--help",), ("help", "exit-codes")])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_stream_that_is_closed_is_one_that_nobody_reads(args: tuple[str, ...], closed: str, tmp_path: Path) -> None:
    line = f'exec "$0" -m dateflicks {" ".join(args)} {closed}'
    environ = {**os.environ, "DATEFLICKS_HOME": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", line, sys.executable], capture_output=True, text=True, env=environ, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("args", [("--version",), ("config",), ("--help",)])
def test_a_full_disk_is_told_as_such(args: tuple[str, ...], tmp_path: Path) -> None:
    environ = {**os.environ, "DATEFLICKS_HOME": str(tmp_path)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *args], stdout=full, stderr=subprocess.PIPE, text=True, env=environ, timeout=30, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Error: Nothing more can be written: the disk is full."
    assert not (tmp_path / "errors.log").exists()
