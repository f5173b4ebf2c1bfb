"""Where the services listen and what joins them: ports, the certificate, the bus."""

import asyncio
import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dateflicks.cli.doctor.finding import Finding, fine, note, wrong
from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.services import ALL, DEPLOYMENTS
from dateflicks.protocol.hosts import authority, is_loopback_host, near

if TYPE_CHECKING:
    from dateflicks.settings.services import ServerSettings

ASK_SECONDS: Final = 2.0
SOON_DAYS: Final = 14
DAY_SECONDS: Final = 86_400
FREE: Final = "free"
OURS: Final = "ours"
TAKEN: Final = "taken by another program"
NO_ADDRESS: Final = "this machine has no such address"


def ports(environment: CliEnvironment) -> list[Finding]:
    """Those of `serve all` and of each service alone: free, or taken by services of ours."""
    states = {name: _state_of(environment.load(name).settings.server) for name in DEPLOYMENTS}
    places = {name: _place(environment.load(name).settings.server) for name in DEPLOYMENTS}
    findings = [_of_all(environment, places[ALL], states.pop(ALL))]
    odd = [f"{name} on {places[name]}: {state}" for name, state in states.items() if state not in (FREE, OURS)]
    if odd:
        said = f"Where services run alone, {'; '.join(odd)}."
        findings.append(note("ports", said, "dateflicks config set SERVICE.server.port PORT"))
    else:
        running = [name for name, state in states.items() if state == OURS]
        also = f"; {', '.join(running)} run there" if running else " are free"
        findings.append(fine("ports", f"those of services that run alone{also}"))
    return findings


def _of_all(environment: CliEnvironment, place: str, state: str) -> Finding:
    if state == FREE:
        return fine("ports", f"{place} is free, for 'dateflicks serve all'")
    if state == OURS:
        return fine("ports", f"{place} is taken by services of dateflicks")
    fix = f"dateflicks config set all.server.{'host 127.0.0.1' if state == NO_ADDRESS else 'port 8800'}"
    said = f"{place}, for 'dateflicks serve all': {state}."
    is_needed = state != TAKEN or environment.client.server.endswith(place.rpartition(":")[2])
    return wrong("ports", said, fix) if is_needed else note("ports", said, fix)


def _place(server: "ServerSettings") -> str:
    return authority(server.host, server.port)


def _state_of(server: "ServerSettings") -> str:
    """`free`, `ours`, or what is in the way."""
    if server.port == 0:
        return FREE
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return NO_ADDRESS
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return OURS if _is_ours(server) else TAKEN
            if error.errno == errno.EADDRNOTAVAIL:
                return NO_ADDRESS
            return f"it cannot be had ({error.strerror})"
    return FREE


def _is_ours(server: "ServerSettings") -> bool:
    """Whether what listens there is a service of dateflicks, or shows the certificate of ours."""
    host = near(server.host)
    if server.tls_cert:
        return _shows(host, server.port, Path(server.tls_cert))
    return asyncio.run(_is_dateflicks(f"http://{authority(host, server.port)}"))


def _shows(host: str, port: int, certificate: Path) -> bool:
    import ssl

    try:
        shown = ssl.get_server_certificate((host, port), timeout=ASK_SECONDS)
        own = certificate.read_text(encoding="ascii", errors="replace")
    except (OSError, ValueError):
        return False
    return "".join(shown.split()) in "".join(own.split())


async def _is_dateflicks(address: str) -> bool:
    import msgspec

    from dateflicks.client.errors import ClientError
    from dateflicks.client.http import ServiceClient

    async with ServiceClient(address, timeout=ASK_SECONDS) as client:
        try:
            health = msgspec.json.decode(await client.plain(address, "/health"))
        except (ClientError, msgspec.DecodeError, UnicodeDecodeError):
            return False
    return isinstance(health, dict) and health.get("service") in DEPLOYMENTS


# --- TLS ----------------------------------------------------------------------------------------------------------


def tls(environment: CliEnvironment) -> list[Finding]:
    """The certificate of `serve all` and its key, until when it is valid, and whom this client trusts."""
    from dateflicks.client.errors import DoesNotFit
    from dateflicks.client.trust import trust

    findings = [_of_certificate(environment.load(ALL).settings.server)]
    if ca_file := environment.client.ca_file:
        try:
            trust(ca_file)
            findings.append(fine("tls", f"certificates of {ca_file} are trusted too"))
        except DoesNotFit as error:
            findings.append(wrong("tls", str(error), "dateflicks config set client.ca_file FILE"))
    return findings


def _of_certificate(server: "ServerSettings") -> Finding:
    from dateflicks.server.web.listener import StartFailed
    from dateflicks.server.web.tls import certificate_of

    fix = "dateflicks config set all.server.tls_cert FILE; dateflicks config set all.server.tls_key FILE"
    try:
        found = certificate_of(server.tls_cert, server.tls_key)
    except StartFailed as error:
        return wrong("tls", str(error), fix)
    if found is None:
        if is_loopback_host(server.host):
            return fine("tls", f"none, and none is needed on {server.host}")
        if server.allow_plain:
            said = (
                f"None, though others reach {server.host}: passwords are readable on the way without a proxy with TLS."
            )
            return note("tls", said, fix)
        return wrong("tls", f"None, though others reach {server.host}: 'dateflicks serve all' refuses to start.", fix)
    seconds = found.expires_in
    if seconds is None:
        return note("tls", f"{server.tls_cert} does not say until when it is valid.")
    said = f"{server.tls_cert} is valid until {found.expires_at:%Y-%m-%d}"
    if seconds < 0:
        return wrong("tls", f"{server.tls_cert} is not valid since {found.expires_at:%Y-%m-%d}.", "Renew it.")
    if seconds < SOON_DAYS * DAY_SECONDS:
        return note("tls", f"{said}, which is soon.", "Renew it; the file is read again by itself.")
    return fine("tls", said)


# --- the bus ------------------------------------------------------------------------------------------------------


async def bus(environment: CliEnvironment) -> list[Finding]:
    """What joins processes, as far as the settings name something."""
    hosting = environment.load(ALL).settings
    if hosting.bus.uri == "local":
        if hosting.server.workers > 1:
            said = f"{hosting.server.workers} workers need something that joins them, and there is no Redis."
            return [wrong("bus", said, "dateflicks config set all.server.workers 1")]
        return [fine("bus", "none: one process needs none")]
    fix = "Start the Redis that all.bus.uri names, or: dateflicks config unset all.bus.uri"
    try:
        from dateflicks.server.bus.redis import client_of
    except ImportError:
        return [wrong("bus", "A Redis is named, and what speaks to it is missing.", "pip install 'dateflicks[redis]'")]
    from redis.exceptions import RedisError

    client = client_of(hosting.bus.uri)
    try:
        async with asyncio.timeout(ASK_SECONDS):
            version = (await client.info("server")).get("redis_version", "of an unknown version")
    except (RedisError, OSError, TimeoutError) as error:
        reason = str(error) or f"no answer within {ASK_SECONDS:g} s"
        return [wrong("bus", f"The Redis of all.bus.uri cannot be reached: {reason}", fix)]
    finally:
        await client.aclose()
    return [fine("bus", f"Redis {version}, for the deployment '{hosting.bus.deployment}'")]
