"""Sign-ins by server, with the tickets of their sessions: a file for its owner only, or the keyring for tokens.

The keyring is asked when signing in; later only for a sign-in that says it is kept there, because loading it is slow.
"""

import contextlib
import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from dateflicks.client.errors import ClientError
from dateflicks.client.private_file import alone_with, probe_private, replace_private
from dateflicks.protocol.decoding import UNREADABLE

_NO_KEYRING = 'No keyring works here. Keep sign-ins in a file: set credentials = "file" in client.toml.'
TICKETS_MAX = 50  # per server: the newest sessions are the ones that are still watched


class SignIn(msgspec.Struct, frozen=True, rename="camel", kw_only=True, omit_defaults=True):
    """Who is signed in at a server; `token` is empty in the file when the keyring has it.

    `password` is one that this program made up, for an account on a server of its own; nobody types it.
    """

    name: str
    user_id: str
    expires_at: str
    token: str = ""
    password: str = ""
    kept_in: Literal["file", "keyring"] = "file"
    tickets: dict[str, str] = {}


class CredentialsUnreadable(ClientError):
    """The file is there and makes no sense, or cannot be read or written."""


class CredentialStore:
    """The credentials file at `path`; every call reads or writes the whole of it.

    The keyring is one for all files: `profile` keeps apart what has another file.
    """

    def __init__(self, path: Path, *, keep_in: Literal["auto", "file", "keyring"] = "auto", profile: str = "") -> None:
        self._path = path
        self._keep_in = keep_in
        self._profile = profile

    def check(self) -> None:
        """Look whether a sign-in can be kept, before one is made; nothing is left behind.

        Raises CredentialsUnreadable.
        """
        if self._keep_in == "keyring" and _working_keyring() is None:
            raise CredentialsUnreadable(_NO_KEYRING)
        try:
            probe_private(self._path)
        except OSError as error:
            raise self._unwritable(error) from error
        self._read()

    def get(self, server: str) -> SignIn | None:
        """The sign-in at this server, with its token; None when there is none or the keyring lost it."""
        found = self._read().get(server)
        if found is None or found.kept_in == "file":
            return found
        token = _from_keyring(self._name(server))
        return msgspec.structs.replace(found, token=token) if token else None

    def put(self, server: str, sign_in: SignIn) -> SignIn:
        """Remember a sign-in; what comes back says where its token is kept."""
        kept = sign_in
        if self._keep_in != "file" and _to_keyring(self._name(server), sign_in.token):
            kept = msgspec.structs.replace(sign_in, kept_in="keyring", token="")
        elif self._keep_in == "keyring":
            raise CredentialsUnreadable(_NO_KEYRING)
        with self._changing() as all_of_them:
            all_of_them[server] = kept
        return kept

    def forget(self, server: str) -> None:
        """Drop the sign-in at this server, and its tickets."""
        with self._changing() as all_of_them:
            found = all_of_them.pop(server, None)
        if found is not None and found.kept_in == "keyring":
            _from_keyring(self._name(server), forget=True)

    def put_ticket(self, server: str, session_id: str, ticket: str) -> None:
        """Remember the ticket of a session; nothing to do when nobody is signed in there."""
        with self._changing() as all_of_them:
            if found := all_of_them.get(server):
                tickets = {name: value for name, value in found.tickets.items() if name != session_id}
                newest = list({**tickets, session_id: ticket}.items())[-TICKETS_MAX:]
                all_of_them[server] = msgspec.structs.replace(found, tickets=dict(newest))

    def ticket(self, server: str, session_id: str) -> str | None:
        """The last known ticket of a session."""
        found = self._read().get(server)
        return found.tickets.get(session_id) if found else None

    def _name(self, server: str) -> str:
        """Under which the keyring has its token."""
        return f"{self._profile}@{server}" if self._profile else server

    # --- the file -----------------------------------------------------------------------------------------------

    def _read(self) -> dict[str, SignIn]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, SignIn])
        except FileNotFoundError:
            return {}
        except UNREADABLE as error:
            raise CredentialsUnreadable(f"{self._path} makes no sense. Remove it and sign in again.") from error
        except OSError as error:
            raise CredentialsUnreadable(f"{self._path} cannot be read: {error.strerror}.") from error

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, SignIn]]:
        """Read, change and replace the file; a second process waits for its turn."""
        try:
            with alone_with(self._path):
                content = self._read()
                yield content
                written = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
                replace_private(self._path, written, is_synced=True)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> CredentialsUnreadable:
        what_next = f"Make {self._path.parent} writable, or name another folder in DATEFLICKS_HOME."
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what_next = "Make room, then try again."
        return CredentialsUnreadable(f"{self._path} cannot be written: {error.strerror}. {what_next}")


# --- the keyring ------------------------------------------------------------------------------------------------

_SERVICE = "dateflicks"


def _working_keyring() -> Any:
    """The system's keyring, when the extra is installed and a real store is behind it."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    backend = keyring.get_keyring()
    return None if isinstance(backend, fail.Keyring | null.Keyring) else keyring


def _asked(ask: Callable[[Any], Any]) -> Any:
    """The keyring's answer, or None when it has none to give: locked, gone, or refused by its user."""
    store = _working_keyring()
    if store is None:
        return None
    from keyring.errors import KeyringError

    try:
        return ask(store)
    except KeyringError:
        return None


def _to_keyring(server: str, token: str) -> bool:
    def keep(store: Any) -> bool:
        store.set_password(_SERVICE, server, token)
        return bool(store.get_password(_SERVICE, server) == token)

    return bool(_asked(keep))


def _from_keyring(server: str, *, forget: bool = False) -> str | None:
    def find(store: Any) -> Any:
        return store.delete_password(_SERVICE, server) if forget else store.get_password(_SERVICE, server)

    found: str | None = _asked(find)
    return found
