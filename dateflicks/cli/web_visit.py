"""What runs behind one page of `dateflicks serve web`: the lobby, for somebody of whom nothing is known.

Started by `web.py` with an environment and folders of its own. It ends when the page does, and when whoever serves the
page is gone without having said so.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 1.0  # between two looks whether whoever started this is still there
END_SECONDS: Final = 5.0  # for an evening to be left once they are not


def main() -> int:
    """Run the lobby; the log's path and the number of the process that serves are the arguments."""
    log, parent = Path(sys.argv[1]), int(sys.argv[2])
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _write_errors_to(log)
    try:
        asyncio.run(_visit())
    finally:
        _clear_up(parent)
    return 0


async def _visit() -> None:
    from dateflicks.cli.environment import CliEnvironment
    from dateflicks.tui.app import DateflicksApp
    from dateflicks.tui.surroundings import InLobby, Surroundings

    environment = CliEnvironment(environ=dict(os.environ))
    surroundings = Surroundings(
        settings=environment.client,
        credentials=environment.credentials,
        server=environment.server_address,
        home=environment.home,
        settings_file=environment.settings_folders[-1] / "client.toml",
        login="visitor",
        environ=environment.environ,
        is_lent=True,
    )
    app = DateflicksApp(surroundings, InLobby())
    app.animation_level = "none"
    try:
        await app.run_async()
    finally:
        await app.leave_room()
    if app.failure is not None:
        raise app.failure


def _write_errors_to(log: Path) -> None:
    """Tracebacks are for whoever serves: a page has nowhere to show them."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _clear_up(parent: int) -> None:
    """Leave no folder behind where nobody else does it any more."""
    if os.getppid() == parent:
        return
    home = Path(os.environ["DATEFLICKS_HOME"])
    shutil.rmtree(home, ignore_errors=True)
    with contextlib.suppress(OSError):  # others are there still
        home.parent.rmdir()


def _end_with(parent: int) -> None:
    """Not left behind by a parent that was killed."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    _clear_up(parent)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
