"""The socket to listen on, had before anything is started, and plain words for why it cannot be had."""

import errno
import socket
from typing import Final

from dateflicks.core.errors import DateflicksError

BACKLOG: Final = 1_024  # connections that wait to be accepted when everybody comes back at once
_TRY: Final = "Try 127.0.0.1, or 0.0.0.0 for every network."


class StartFailed(DateflicksError):
    """The services cannot be served; the text is for people."""


class SettingsClash(StartFailed):
    """What is set does not go together: to start once more changes nothing."""


def bind(host: str, port: int) -> socket.socket:
    """A socket of this address, not yet listening. Raises StartFailed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise StartFailed(f"{host!r} is no address to listen on.\n{_TRY}") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise StartFailed(_why(error, host, port)) from error
    return listener


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is taken by another program, perhaps a server that already runs.\n"
            "Stop that one, or choose another port with --port (0 takes any free one)."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs the rights of an administrator.\nChoose one above 1023 with --port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine.\n{_TRY}"
    return f"Port {port} of {host} cannot be listened on: {error.strerror or error}."
