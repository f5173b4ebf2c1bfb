"""Sign-in attempts, limited by name and by address: every attempt counts when it begins, a good one is given back.

Counting at the beginning is what keeps a hundred attempts at once from all being allowed. Good ones are counted by
themselves: each costs a hash, and nobody else can take them from a person.
"""

import contextlib
from dataclasses import dataclass

from dateflicks.core import limits
from dateflicks.core.errors import TooMany
from dateflicks.server.web.limiter import Limiter

_DETAIL = "Too many sign-in attempts. Wait a while, then try again."
_OFTEN = "This account was signed in to too often. Wait a while, then try again."


@dataclass(frozen=True, slots=True)
class TryRules:
    """How many attempts a name and an address have within the window, and how many of them may be good."""

    per_name: int = limits.SIGN_IN_TRIES_PER_NAME
    per_address: int = limits.SIGN_IN_TRIES_PER_ADDRESS
    good_per_name: int = limits.SIGN_INS_PER_NAME
    good_per_address: int = limits.SIGN_INS_PER_ADDRESS
    window_seconds: float = limits.SIGN_IN_WINDOW_SECONDS


class SignInTries:
    """What is left to names and addresses; `now` is any clock in seconds that runs evenly."""

    def __init__(self, rules: TryRules) -> None:
        self._names = Limiter(rules.per_name, rules.window_seconds, _DETAIL)
        self._addresses = Limiter(rules.per_address, rules.window_seconds, _DETAIL)
        self._good = Limiter(rules.good_per_name, rules.window_seconds, _OFTEN)
        self._good_addresses = Limiter(rules.good_per_address, rules.window_seconds, _DETAIL)

    def begin(self, name: str, address: str, now: float) -> None:
        """An attempt. Raises TooMany, and then nothing is taken from either."""
        self._good.check(name, now)
        self._good_addresses.check(address, now)
        self._addresses.check(address, now)
        self._names.take(name, now)
        self._addresses.take(address, now)

    def succeeded(self, name: str, address: str, now: float) -> None:
        """It was good: the name has all its tries again, the address this one.

        An address does not get all of them, or one good account would buy any number of guesses at others.
        """
        self._names.forget(name)
        self._addresses.give_back(address, now)
        for good, key in ((self._good, name), (self._good_addresses, address)):
            with contextlib.suppress(TooMany):  # of several at once the last ones go beyond it: they were let in
                good.take(key, now)

    def proved(self, name: str, now: float) -> None:
        """Somebody who is signed in has a password hashed: that counts as a good one. Raises TooMany."""
        self._good.take(name, now)
