"""An embedded engine that runs beside the commands of a test, which then use it instead of starting one each."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from dateflicks.server.storage.embedded import EmbeddedEngine, Role

SECONDS = 30.0


@contextlib.contextmanager
def engine_beside(folder: Path, role: Role = "worker") -> Iterator[None]:
    """The engine of a data folder for as long as the block runs, on a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="engine of a test", daemon=True)
    thread.start()
    engine = EmbeddedEngine(folder, role)
    try:
        asyncio.run_coroutine_threadsafe(engine.start(), loop).result(SECONDS)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(engine.stop(), loop).result(SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()
