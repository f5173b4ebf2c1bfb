"""The embedded engine's process: nx-27017's connection handler on a listening socket that the parent hands down.

Run as a script by `embedded.py`, never imported by the server. The parent owns the socket, so connections wait in its
queue while this process is replaced. Standard input is a pipe of which the parent holds the other end: when it ends,
the parent has stopped or died, and so does this process, after what is under way is written.
"""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client

STOP_SECONDS = 3.0  # longer than any write; then the process ends anyway, which loses nothing acknowledged
# Each command takes a thread, also while it waits for its database's lock: too few, and those who wait for one database
# keep away those who want another. More than all connections of a few processes is enough.
THREADS = 96
# From 3.13 on, asyncio removes a socket's file when its server closes; this one is the parent's, and the next child's.
KEEP_SOCKET: dict[str, Any] = {"cleanup_socket": False} if sys.version_info >= (3, 13) else {}


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--socket", type=int, required=True, help="file descriptor of a listening Unix socket")
    arguments = parser.parse_args()
    os.umask(0o077)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler = NeoSQLiteHandler(data_dir=str(arguments.data))
    try:
        asyncio.run(serve(handler, socket.socket(fileno=arguments.socket)))
    finally:
        handler.close_all()


async def serve(handler: NeoSQLiteHandler, listener: socket.socket) -> None:
    """Answer connections until the parent's end of standard input is closed."""
    listener.setblocking(False)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="command"))
    parent_gone = asyncio.Event()
    loop.add_reader(0, parent_gone.set)  # nothing is ever written to it: readable means ended
    loop.add_signal_handler(signal.SIGTERM, parent_gone.set)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await handle_client(reader, writer, handler)
        finally:
            connections.discard(task)

    server = await asyncio.start_unix_server(connected, sock=listener, **KEEP_SOCKET)
    await parent_gone.wait()
    loop.remove_reader(0)  # it stays readable
    deadline = threading.Timer(STOP_SECONDS, os._exit, (1,))
    deadline.daemon = True
    deadline.start()
    server.close()
    for task in connections:
        task.cancel()
    if connections:
        await asyncio.wait(connections)


if __name__ == "__main__":
    main()
