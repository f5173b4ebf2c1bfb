"""What the terminal client is given by whoever starts it: settings, sign-ins, a server, folders; and how it begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dateflicks.client.credentials import CredentialStore, SignIn
from dateflicks.client.films import Film, own_film
from dateflicks.client.http import ServiceClient
from dateflicks.client.screen import Screen
from dateflicks.protocol.bodies import SessionBody
from dateflicks.settings.client import ClientSettings
from dateflicks.tui.kept import kept_file

HELD_WHERE_LENT: Final = frozenset({"player", "mpv_arguments", "films", "credentials"})
"""Settings that would start programs on a lent machine, look at its files, or use its keyring."""


@dataclass(slots=True)
class Surroundings:
    """Where one run of the terminal client takes place.

    `server` is the address in the form under which sign-ins are kept, `settings_file` where changed settings are
    written, `login` what this machine calls its person. Where the machine is lent, as to whoever opens a page, its
    files are none of its person's business, and neither is what it can start.
    """

    settings: ClientSettings
    credentials: CredentialStore
    server: str
    home: Path
    settings_file: Path
    login: str
    environ: Mapping[str, str] = field(default_factory=dict)
    is_lent: bool = False

    def own_film(self, text: str) -> Film:
        """The film that this person names; on a lent machine its name alone. Raises FilmMissing, DoesNotFit."""
        film = own_film(text, is_elsewhere=self.settings.player != "mpv")
        return Film(film.url, film.url) if self.is_lent else film

    def may_change(self, setting: str) -> bool:
        """Whether this person may give a setting another value here."""
        return not (self.is_lent and setting in HELD_WHERE_LENT)

    @property
    def signed_in(self) -> SignIn | None:
        """Who is signed in at the server. Raises CredentialsUnreadable."""
        return self.credentials.get(self.server)

    def client(self, token: str | None = None) -> ServiceClient:
        """A client of the server, with this token, else the settings' one, else that of the sign-in."""
        if token is None:
            kept = None if self.settings.token else self.signed_in
            token = self.settings.token or (kept.token if kept else None)
        return ServiceClient(
            self.server, token=token, timeout=self.settings.timeout_seconds, ca_file=self.settings.ca_file
        )

    @property
    def resume_file(self) -> Path:
        """Where the evening that is going on is put down, for `--resume`."""
        return kept_file(self.home)


@dataclass(frozen=True, slots=True)
class InLobby:
    """Begin in the lobby."""


@dataclass(frozen=True, slots=True)
class AtSession:
    """Begin with a session; `film` is the own copy where it was named, `screen` a player that has it open already.

    With `invitation`, the line that a guest types, the guest is still to come. `kept_as` is the name under which the
    session's ticket is kept, where that is not the server's.
    """

    client: ServiceClient
    session: SessionBody
    film: Film | None = None
    screen: Screen | None = None
    invitation: str = ""
    note: str = ""  # what to know about who can come
    kept_as: str = ""
    own_server: tuple[str, int] | None = None  # address and port of one's own server, which ends with the evening
    closes_screen: bool = False  # whether the player is to be ended with the evening, which nobody else does then


Start = InLobby | AtSession


@dataclass(frozen=True, slots=True)
class Farewell:
    """What is said in the shell when the terminal client has ended, and the exit status."""

    lines: tuple[str, ...] = ()
    status: int = 0
