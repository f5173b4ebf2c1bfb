"""What tests of every service do to the database below it: find its process, and let it stand still for a while."""

import contextlib
import os
import signal
from collections.abc import Iterator

from dateflicks.server.storage.database import Database


class OnEngine:
    """A deployment on a database of its own."""

    database: Database

    @property
    def engine_pid(self) -> int:
        """The engine's process; fails when there is none."""
        assert self.database.engine is not None
        assert self.database.engine.pid is not None
        return self.database.engine.pid

    @contextlib.contextmanager
    def stopped_engine(self) -> Iterator[None]:
        """The database stands still for as long as the block runs."""
        pid = self.engine_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)
