"""What a command says to whoever sits at a terminal of 80 columns: tables, words and all, in the order they come."""

import contextlib
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path


def told_at_terminal(command: str, folder: Path, variables: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """Its exit code, and what it said. Raises AssertionError when it does not end in time."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {name: value for name, value in variables.items() if name != "COLUMNS"} | {"TERM": "xterm"}
    said = bytearray()
    try:
        process = subprocess.Popen(
            ["bash", "-c", command], cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):  # nobody writes to it any more
            while True:
                if select.select([ours], [], [], 0.2)[0]:
                    found = os.read(ours, 65536)
                    if not found:
                        break
                    said += found
                elif time.monotonic() > deadline:
                    process.kill()
        return process.wait(seconds), said.decode(errors="replace")
    finally:
        os.close(ours)
