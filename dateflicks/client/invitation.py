"""The word that a guest types: which server, and what opens the session there. Standard library only.

`CODE@SERVER`, such as `k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700`: a link's code, or the id of a session to which one
was asked by name; and an address as `--server` takes it. A bare code is for the server of the settings. An address that
ends in `/j/CODE` says the same as the word. No character in it means anything to a shell, unless the address is IPv6.
"""

import re
from dataclasses import dataclass
from typing import Final

from dateflicks.client.address import server_address
from dateflicks.client.errors import DoesNotFit

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{4,64}")
_PATH: Final = "/j/"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code, and the server where it is good; no server means the one of the settings."""

    code: str
    server: str | None = None

    @property
    def is_by_name(self) -> bool:
        """Whether a guest was asked by name, so that the code is the session's id and only they can use it."""
        return self.code.startswith("ses_")

    @property
    def word(self) -> str:
        """The one word that carries both."""
        return self.code if self.server is None else f"{self.code}@{self.server.removeprefix('http://')}"


def read_invitation(text: str) -> Invitation:
    """What was typed or pasted, as an invitation. Raises DoesNotFit."""
    text = text.strip()
    if "@" in text:
        code, _, server = text.partition("@")
    elif _PATH in text:
        server, _, code = text.rpartition(_PATH)
    else:
        code, server = text, ""
    if not _CODE.fullmatch(code) or ("@" in text and not server):
        raise DoesNotFit(f"'{text}' is not an invitation, such as k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700.")
    return Invitation(code, server_address(server) if server else None)
