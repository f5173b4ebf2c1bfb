"""Certificates for tests: made by `openssl` in a few milliseconds, each its own authority."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and of its key."""

    certificate: Path
    key: Path

    def replace_by(self, other: "Pair") -> None:
        """As a renewal does: new files under the old names."""
        for old, new in ((self.key, other.key), (self.certificate, other.certificate)):
            beside = old.with_suffix(".new")
            beside.write_bytes(new.read_bytes())
            beside.replace(old)


def make_pair(folder: Path, name: str = "server", *, days: int = 30, passphrase: str | None = None) -> Pair:
    """A certificate for this machine's loopback addresses, signed by itself."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    locked = ["-nodes"] if passphrase is None else ["-passout", f"pass:{passphrase}"]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *locked),
            *("-keyout", pair.key, "-out", pair.certificate, "-days", str(days), "-subj", f"/CN={name}"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"),
        ],
        check=True,
        capture_output=True,
    )
    return pair
