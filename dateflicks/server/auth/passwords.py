"""Passwords as argon2id hashes, made and checked in threads of their own, a few at a time.

One hash takes 64 MiB and tens of milliseconds of a core: that is its purpose, and why only a few run at once and only
so many may wait. A name without a password costs the same work as one with, so that time tells nobody which exist.
"""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self, TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from dateflicks.core.errors import TooMany

T = TypeVar("T")

AT_ONCE: Final = 2
WAITING_MAX: Final = 64  # at AT_ONCE a time and 0.1 s each, the last one waits three seconds
BUSY_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right, and the hash to keep from now on when the cost of hashes has changed."""

    is_right: bool
    renewed: str | None = None


WRONG: Final = Verdict(False)


class Passwords:
    """A context manager; `profile` sets the cost of a hash (RFC 9106's for small memory, unless told)."""

    def __init__(self, profile: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(profile)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the threads, after what they are at."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def hashed(self, password: str) -> str:
        """The hash to keep. Raises TooMany when too many others wait."""
        return await self._in_thread(lambda: self._hasher.hash(_bytes(password)))

    async def verified(self, password: str, kept: str | None) -> Verdict:
        """Whether the password is that of the hash; without a hash it is not, after as much work. Raises TooMany."""
        if kept is not None:
            return await self._in_thread(lambda: self._verdict(password, kept))
        await self._in_thread(lambda: self._verdict(password, self._nobodys_hash()))
        return WRONG

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING_MAX:
            raise TooMany("Too many people sign in at this moment. Try again in a few seconds.", BUSY_SECONDS)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _verdict(self, password: str, kept: str) -> Verdict:
        try:
            self._hasher.verify(kept, _bytes(password))
        except (VerificationError, InvalidHashError):
            return WRONG
        is_outdated = self._hasher.check_needs_rehash(kept)
        return Verdict(True, self._hasher.hash(_bytes(password)) if is_outdated else None)

    def _nobodys_hash(self) -> str:
        if self._nobodys is None:  # two threads may both make one: either will do
            self._nobodys = self._hasher.hash(secrets.token_bytes(16))
        return self._nobodys


def _bytes(password: str) -> bytes:
    """One spelling for what looks the same on two keyboards (RFC 8265 asks for NFC)."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
