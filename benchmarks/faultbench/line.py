"""A line that is cut: a TCP relay between clients and a service, which ends connections at random in four ways."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final, Literal

from dateflicks.client.relay import LoopbackPort

CHUNK_BYTES: Final = 65_536
SILENCE_SECONDS: Final = (0.02, 0.2)  # between falling silent and ending

# At once; what the client says gets through no more, or what the service says, and a moment later it ends; or in the
# middle of what just passes in one direction.
Cut = Literal["sudden", "mute", "deaf", "torn"]
CUTS: Final[tuple[Cut, ...]] = ("sudden", "mute", "deaf", "torn")


@dataclass(slots=True, eq=False)
class _Connection:
    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    is_silent: dict[bool, bool] = field(default_factory=lambda: {True: False, False: False})  # by `is_there`
    is_to_be_torn: bool | None = None  # in which direction

    def end(self) -> None:
        for writer in (self.near, self.far):
            if writer is not None:
                writer.transport.abort()


class MortalLine(LoopbackPort):
    """Passes on to `target`, 0 while nobody is there."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.target = 0
        self.cuts = 0
        self._chance = chance
        self._connections: dict[_Connection, None] = {}  # in order, so that a seed chooses the same

    async def cut_at_random(self, seconds: float) -> None:
        """Cut some connection every so many seconds on average, until cancelled."""
        while True:
            await asyncio.sleep(self._chance.expovariate(1 / seconds))
            await self.cut(self._chance.choice(CUTS))

    async def cut(self, how: Cut) -> None:
        """Cut some connection that stands, if there is one."""
        standing = [one for one in self._connections if one.far is not None]
        if not standing:
            return
        connection = self._chance.choice(standing)
        self.cuts += 1
        match how:
            case "torn":
                connection.is_to_be_torn = self._chance.random() < 0.5
            case "mute" | "deaf":
                connection.is_silent[how == "mute"] = True
                await asyncio.sleep(self._chance.uniform(*SILENCE_SECONDS))
                connection.end()
            case "sudden":
                connection.end()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer)
        self._connections[connection] = None
        try:
            if self.target:
                far_reader, connection.far = await asyncio.open_connection("127.0.0.1", self.target)
                passing = [
                    asyncio.create_task(self._pass(connection, reader, connection.far, is_there=True)),
                    asyncio.create_task(self._pass(connection, far_reader, writer, is_there=False)),
                ]
                try:
                    await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for one in passing:
                        one.cancel()
                    await asyncio.gather(*passing, return_exceptions=True)
        finally:
            connection.end()
            del self._connections[connection]

    async def _pass(
        self, connection: _Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_there: bool
    ) -> None:
        """Until one side ends: then the other is ended too."""
        while data := await reader.read(CHUNK_BYTES):
            if connection.is_silent[is_there]:
                continue
            if connection.is_to_be_torn is is_there:
                writer.write(data[: self._chance.randrange(len(data))])
                await writer.drain()
                writer.close()  # what was written goes out before the end
                return
            writer.write(data)
            await writer.drain()
