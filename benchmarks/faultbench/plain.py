"""A client of the talk that shares no code with the project: a plain socket, and just enough of the protocol.

It says several things at once, says again under the same name what was not answered, now and then says again what was,
and now and then gives up. What comes it shows only when it is the next message; and it holds what comes to what the
feed promises: on one connection perhaps some of what is new, then once and in order everything from `after` on.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.faultbench.account import Account, Promise, Told
from benchmarks.faultbench.diary import Diary
from benchmarks.faultbench.pace import Pace
from benchmarks.faultbench.sockets import Json, PlainSocket, opened

ANSWER_SECONDS: Final = 10.0  # without a word for so long, and something to wait for, the line is given up
RETRY_SECONDS: Final = (0.02, 0.4)
AGAIN_SECONDS: Final = 0.3  # after a refusal that does not say
WINDOW: Final = (1, 4)
RESEND_ANSWERED: Final = 0.02
GIVE_UP: Final = 0.1
KINDS: Final = ("text", "text", "text", "reaction", "action")


class PlainClient:
    """One person's; `run` lasts until it is cancelled, `is_finished` says that it waits for nothing of its own."""

    def __init__(
        self,
        port: int,
        ticket: str,
        texts: Sequence[str],
        account: Account,
        chance: random.Random,
        settled: Callable[[], None],
        diary: Diary | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._port = port
        self._ticket = ticket
        self._texts = iter(texts)
        self._has_more = True
        self._account = account
        self._chance = chance
        self._settled = settled
        self._diary = diary or Diary(account.name)
        self._pace = pace or Pace()
        self._window = chance.randint(*WINDOW)
        self._under_way: dict[str, Json] = {}
        self._numbers = itertools.count()
        self._last = 0

    @property
    def is_finished(self) -> bool:
        """Whether all was said, and answered or given up."""
        return not self._has_more and not self._under_way

    async def run(self) -> None:
        """Talk, and come back whenever the line is gone."""
        why = ""
        for tries in itertools.count():
            if tries:
                pause = self._chance.uniform(*RETRY_SECONDS)
                self._diary.lost(why, pause)
                await asyncio.sleep(pause)
            why = "ended"
            try:
                async with opened(self._port, self._account.session_id, self._ticket) as socket:
                    await self._talk(socket)
            except (OSError, EOFError, TimeoutError) as error:
                why = str(error) or type(error).__name__

    async def _talk(self, socket: PlainSocket) -> None:
        self._account.openings += 1
        self._diary.note("the line stands")
        order = _Order(self._last)
        socket.send({"type": "resume", "after": self._last})
        for client_id in list(self._under_way):
            if self._chance.random() < GIVE_UP:
                del self._under_way[client_id]
                self._account.given_up.add(client_id)
                self._settled()
            else:
                self._say_again(socket, client_id)
        self._say_more(socket)
        while True:
            async with asyncio.timeout(ANSWER_SECONDS if self._under_way else None):
                frame = await socket.receive()
            match frame["type"]:
                case "message":
                    self._message(frame["message"], order)
                case "ack":
                    self._ack(socket, frame)
                case "resumed":
                    order.resumed(frame["seq"], self._account.faults)
                case "error":
                    self._error(socket, frame)
            self._say_more(socket)

    def _say_more(self, socket: PlainSocket) -> None:
        while self._has_more and len(self._under_way) < self._window and socket.is_open:
            if not self._pace.is_due(lambda: self._say_more(socket)):
                return
            content = next(self._texts, None)
            if content is None:
                self._has_more = False
                return
            number = next(self._numbers)
            client_id = f"plain-{number}"
            frame = {"type": "message", "clientId": client_id, "kind": KINDS[number % len(KINDS)], "content": content}
            if frame["kind"] == "reaction":
                frame["content"] = content = content[:32]
            self._under_way[client_id] = frame
            self._account.said[client_id] = content
            self._diary.sent(client_id)
            socket.send(frame)

    def _say_again(self, socket: PlainSocket, client_id: str) -> None:
        if client_id in self._under_way and socket.is_open:
            self._account.resends += 1
            self._diary.sent(client_id)
            socket.send(self._under_way[client_id])

    def _message(self, message: Json, order: "_Order") -> None:
        order.heard(message["seq"], self._account.faults)
        if message["seq"] == self._last + 1:
            self._last += 1
            told = Told(
                message["seq"], message["id"], message["author"], message.get("clientId"), message["content"]
            )  # fmt: skip
            self._account.shown.append(told)

    def _ack(self, socket: PlainSocket, frame: Json) -> None:
        client_id = frame["clientId"]
        promise = Promise(frame["seq"], frame["id"])
        before = self._account.acknowledged.setdefault(client_id, promise)
        if before != promise:
            self._account.faults.append(f"{client_id} was acknowledged as {before} and as {promise}")
        said = self._under_way.pop(client_id, None)
        if said is None:
            return
        self._diary.acknowledged(client_id)
        self._settled()
        if self._chance.random() < RESEND_ANSWERED:
            self._account.resends += 1
            socket.send(said)

    def _error(self, socket: PlainSocket, frame: Json) -> None:
        if frame["code"] != "unavailable" and frame.get("retryAfter") is None:
            self._account.faults.append(f"refused: {frame}")
            return
        pause = frame.get("retryAfter") or AGAIN_SECONDS
        self._diary.note(f"refused ({frame['code']}), the next try in {pause:.2f} s")
        again: Callable[[], None]
        if frame.get("replyTo") == "resume":
            again = socket.abort  # the next connection asks for it
        else:
            client_id = str(frame.get("replyTo"))
            again = lambda: self._say_again(socket, client_id)  # noqa: E731
        asyncio.get_running_loop().call_later(pause, again)


class _Order:
    """What one connection may hear: perhaps a run of new messages, then everything from behind `after` on."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._last: int | None = None
        self._has_begun = False  # the part from behind `after` on

    def heard(self, seq: int, faults: list[str]) -> None:
        if self._last is None:
            is_right = seq > self._after
        elif not self._has_begun and seq == self._after + 1:
            self._has_begun = is_right = True
        else:
            is_right = seq == self._last + 1
        if not is_right:
            faults.append(f"heard {seq} behind {self._last} on one connection, which knew {self._after}")
        self._last = seq

    def resumed(self, seq: int, faults: list[str]) -> None:
        self._has_begun = True
        if seq != max(self._after, self._last or 0):
            faults.append(f"told that {seq} is the last, behind {self._last}; it knew {self._after}")
        self._last = seq
