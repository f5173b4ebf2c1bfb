"""TLS of a port: a certificate and its key from two files, which may be replaced while the port is served.

A renewal replaces the files and does nothing more: they are looked at every minute, and at once when asked. Connections
that stand keep what they have; whoever comes next is shown the new certificate. A new pair that is no good is told of
in the log, and the old one goes on.
"""

import asyncio
import contextlib
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dateflicks.server.web.listener import SettingsClash, StartFailed

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 60.0
HANDSHAKE_SECONDS: Final = 5.0
GOODBYE_SECONDS: Final = 2.0
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2, all with forward secrecy; 1.3 has no others
_OPTIONS: Final = (
    ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_SINGLE_ECDH_USE
)
_BOTH: Final = "Name both with --tls-cert and --tls-key, or tls_cert and tls_key in [server]."

_Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A pair of files; `context` is what a port listens with for as long as it lives."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Raises StartFailed when they cannot be used."""
        self._certificate = certificate
        self._key = key
        self._seen = self._stamp()
        try:
            self._current = _context(certificate, key)
        except (OSError, ValueError) as error:
            raise StartFailed(f"TLS cannot be had: {_why(error, certificate, key)}") from error
        self.context = self._current
        self.context.sni_callback = self._show
        self.expires_at = _expiry(certificate)
        self.is_old = False  # the files are no good any more, and what was read before is used

    @property
    def expires_in(self) -> float | None:
        """Seconds until the one in use is no longer valid, or None where that cannot be read."""
        return None if self.expires_at is None else (self.expires_at - datetime.now(UTC)).total_seconds()

    def reload(self) -> bool:
        """Read the files again; False when they are no good, and what was read before stays in use."""
        self._seen = self._stamp()
        try:
            self._current = _context(self._certificate, self._key)
        except (OSError, ValueError) as error:
            self.is_old = True
            log.error("the new certificate is no good: the old one stays in use; %s", self._told(error))
            return False
        self.is_old = False
        self.expires_at = _expiry(self._certificate)
        log.info("the certificate was read again", extra={"expires": str(self.expires_at or "unknown")})
        return True

    async def watch(self, *, seconds: float = LOOK_SECONDS) -> None:
        """Read the files again whenever they have changed, until cancelled."""
        while True:
            await asyncio.sleep(seconds)
            self.look()

    def look(self) -> None:
        """Read the files again if they have changed."""
        if self._stamp() != self._seen:
            self.reload()

    def _show(self, connection: Any, _name: str | None, _context: ssl.SSLContext) -> None:
        """Called at the start of each handshake, whether the peer names a host or not."""
        connection.context = self._current

    def _stamp(self) -> _Stamp:
        found = []
        for path in (self._certificate, self._key):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return tuple(found)

    def _told(self, error: Exception) -> str:
        return _why(error, self._certificate, self._key).splitlines()[0]


def certificate_of(certificate: str, key: str) -> Certificate | None:
    """That of the settings; None when they name none. Raises StartFailed."""
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise SettingsClash(f"A certificate and its key go together, and only one of them is named.\n{_BOTH}")
    return Certificate(Path(certificate), Path(key))


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Raises OSError (as SSLError too), ValueError."""
    for path in (certificate, key):
        path.read_bytes()  # the error of a file that cannot be read names it, that of a certificate does not
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= _OPTIONS
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key, password=_no_password)
    return context


class _Locked(ValueError):
    """The key has a passphrase."""


def _no_password() -> str:
    """Asked for the passphrase of a key: OpenSSL would ask on the terminal, where nobody is."""
    raise _Locked("locked")


def _why(error: Exception, certificate: Path, key: Path) -> str:
    if isinstance(error, _Locked):
        return f"{key} has a passphrase.\nGive a key without one, which only its owner can read."
    if isinstance(error, ssl.SSLError):
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"{key} is not the key of {certificate}.\nName the two files of one certificate."
        return f"{certificate} and {key} are no certificate and key in PEM.\nThe chain comes first to last in one file."
    if isinstance(error, OSError):
        return f"{error.filename} cannot be read: {error.strerror}.\n{_BOTH}"
    return f"{certificate} and {key} cannot be used: {error}."


# --- until when it is valid -------------------------------------------------------------------------------------------


def _expiry(certificate: Path) -> datetime | None:
    """Read from the file itself: the standard library tells a certificate's dates only of a peer's."""
    try:
        pem = certificate.read_text(encoding="ascii", errors="ignore")
        start, end = pem.index(ssl.PEM_HEADER), pem.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        to_be_signed = _inside(ssl.PEM_cert_to_DER_cert(pem[start:end]))[0]
        fields = [part for part in _inside(to_be_signed) if part[0] != _VERSION]
        valid_until = _inside(fields[3])[1]  # after the serial number, the algorithm and the issuer
        text = valid_until[2:].decode("ascii")
        form = "%y%m%d%H%M%SZ" if valid_until[0] == _UTC_TIME else "%Y%m%d%H%M%SZ"
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except (OSError, ValueError, IndexError):
        return None


_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_LONG: Final = 0x80


def _inside(der: bytes) -> list[bytes]:
    """The values that a DER value consists of."""
    start, end = _bounds(der)
    found, content = [], der[start:end]
    while content:
        _, length = _bounds(content)
        found.append(content[:length])
        content = content[length:]
    return found


def _bounds(der: bytes) -> tuple[int, int]:
    """Where the content of the first value starts and ends."""
    length, start = der[1], 2
    if length & _LONG:
        start += length & ~_LONG
        length = int.from_bytes(der[2:start], "big")
    return start, start + length
