"""Names of accounts that are made without asking anybody: like what a person is called here, and one that is free."""

import re
import secrets
from collections.abc import Iterator
from typing import Final

from dateflicks.core.limits import NAME_MAX_CHARACTERS, NAME_MIN_CHARACTERS

NAME_TRIES: Final = 5  # where so many are taken, a further one would be no luckier
_NUMBER_CHARACTERS: Final = 4  # -042


def account_name(login: str, otherwise: str = "host") -> str:
    """A name that an account may have, as near to `login` as can be; `otherwise` where nothing of it is left."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", login).strip("-")[: NAME_MAX_CHARACTERS - _NUMBER_CHARACTERS]
    return name if len(name) >= NAME_MIN_CHARACTERS else otherwise


def names_like(name: str) -> Iterator[str]:
    """The name, and then a few others with a number behind it, for whoever finds it taken."""
    yield name
    for _ in range(NAME_TRIES - 1):
        yield f"{name}-{secrets.randbelow(1000):03d}"
