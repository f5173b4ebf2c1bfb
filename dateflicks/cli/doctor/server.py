"""The server that this client talks to: whether it is well, speaks as we do, has our time, and knows who we are."""

import asyncio
import contextlib
import stat
import time
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from dateflicks import __version__
from dateflicks.cli.doctor.finding import Finding, fine, note, wrong
from dateflicks.cli.environment import CliEnvironment

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.core.clock import FollowedClock
    from dateflicks.protocol.bodies import SessionBody

LOOK_SECONDS: Final = 5.0
EXCHANGES: Final = 10
SESSIONS: Final = 5
OFF_SECONDS: Final = 2.0  # below it nobody notices; playing is held together by the server's clock alone
FAR_OFF_SECONDS: Final = 60.0
SOON: Final = timedelta(days=1)
SET_CLOCK: Final = "timedatectl set-ntp true"
LOGIN: Final = "dateflicks login, or dateflicks register for a new account"


async def server(environment: CliEnvironment) -> list[Finding]:
    """Its services, one by one, their version, and the protocol that they speak."""
    from dateflicks.client.errors import ClientError

    address = environment.server_address
    async with environment.connect(anonymously=True) as client:
        began = time.monotonic()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                where = await client.services()
        except (ClientError, TimeoutError) as error:
            return [_unreached(environment, address, str(error) or "no answer")]
        took = (time.monotonic() - began) * 1000
        addresses = list(dict.fromkeys(where.values()))
        answers, documents = await asyncio.gather(
            asyncio.gather(*(_look(client, one) for one in addresses)),
            asyncio.gather(*(_protocols(client, one) for one in addresses)),
        )
    healths = dict(zip(addresses, (health for health, _ in answers), strict=True))
    bad = sorted(name for name, one in where.items() if _condition(name, healths[one]) != "ok")
    if bad:
        said = ", ".join(f"{name} is {_condition(name, healths[where[name]])}" for name in bad)
        findings = [wrong("server", f"{address}: {said}.", "dateflicks serve status")]
    else:
        findings = [fine("server", f"{address} answers in {took:.0f} ms: {', '.join(sorted(where))} are well")]
    return [*findings, *_of_versions({version for _, version in answers if version}), *_of_protocol(documents)]


def _unreached(environment: CliEnvironment, address: str, why: str) -> Finding:
    if environment.has_server:
        return wrong("server", why, "dateflicks serve all, or name another: dateflicks config set client.server URL")
    return note("server", f"None runs at {address}, and no other is named.", "dateflicks serve all")


async def _look(client: "ServiceClient", address: str) -> tuple[Any, str]:
    from dateflicks.cli.status import look, version_of

    try:
        async with asyncio.timeout(LOOK_SECONDS):
            health, metrics = await look(client, address)
    except TimeoutError:
        return None, ""
    return health, version_of(metrics) or ""


def _condition(name: str, health: Any) -> str:
    if health is None:
        return "out of reach"
    if health.get("status") == "stopping":
        return "stopping"
    own = (health.get("services") or {}).get(name) or health
    return str(own.get("status"))


def _of_versions(versions: set[str]) -> list[Finding]:
    if odd := sorted(versions - {__version__}):
        said = f"It runs dateflicks {', '.join(odd)}, and this is {__version__}."
        return [note("server", said, "pipx upgrade dateflicks, on whichever is older")]
    return []


async def _protocols(client: "ServiceClient", address: str) -> set[str]:
    """The subprotocols of the feeds there, by its own description; empty where it gives none."""
    import msgspec

    from dateflicks.client.errors import ClientError

    with contextlib.suppress(ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError, AttributeError):
        async with asyncio.timeout(LOOK_SECONDS):
            document = msgspec.json.decode(await client.plain(address, "/docs/openapi.json"))
        return {word for feed in document.get("x-websocket", ()) for word in feed.get("subprotocols", ())}
    return set()


def _of_protocol(documents: list[set[str]]) -> list[Finding]:
    from dateflicks.client.feed import SUBPROTOCOL

    spoken = [one for one in documents if one]
    if not spoken:
        return [note("server", "It does not say which protocol it speaks.")]
    if any(SUBPROTOCOL not in one for one in spoken):
        others = sorted({word for one in spoken for word in one if word.startswith("dateflicks.")})
        said = f"It speaks {', '.join(others) or 'another protocol'}, and this program {SUBPROTOCOL}."
        return [wrong("server", said, "pipx upgrade dateflicks, on whichever is older")]
    return [fine("server", f"speaks {SUBPROTOCOL}, as this program does")]


# --- the clock ----------------------------------------------------------------------------------------------------


async def clock(environment: CliEnvironment) -> list[Finding]:
    """How far this clock is from the server's: measured in a session, by the filter that players follow."""
    from dateflicks.client import errors

    nowhere = "It is measured in a session whose film was opened, and there is none; each evening does so by itself."
    try:
        async with environment.connect() as client, asyncio.timeout(LOOK_SECONDS + 3):
            found = await _in_a_session(client)
    except errors.NotSignedIn:
        return [note("clock", "It is measured in a session, and nobody is signed in.")]
    except (errors.ClientError, TimeoutError) as error:
        return [note("clock", f"It could not be measured: {error or 'no answer'}")]
    if found is None:
        return [note("clock", nowhere)]
    return [_of_offset(found.server(time.monotonic()) - time.time(), found.uncertainty)]


def _of_offset(offset: float, uncertainty: float) -> Finding:
    side = "ahead of" if offset > 0 else "behind"
    said = f"the server's is {abs(offset):.3f} s {side} this one (±{uncertainty:.3f} s)"
    if abs(offset) >= FAR_OFF_SECONDS:
        return wrong("clock", f"{said}: sign-ins and agreed times will seem wrong", SET_CLOCK)
    if abs(offset) >= OFF_SECONDS:
        return note("clock", f"{said}; films are in step all the same", SET_CLOCK)
    return fine("clock", said)


async def _in_a_session(client: "ServiceClient") -> "FollowedClock | None":
    """The server's clock as the first of one's latest sessions tells it in which it can be heard."""
    async for session in client.all_sessions(("accepted",), limit=SESSIONS):
        whole = await client.session(session.id)
        if isinstance(whole.ticket, str) and (found := await _measured(client, whole)) is not None:
            return found
    return None


async def _measured(client: "ServiceClient", session: "SessionBody") -> "FollowedClock | None":
    """The server's clock after some exchanges with a feed that only looks on; None where it tells nothing."""
    import msgspec

    from dateflicks.client.feed import FeedEnded, Lost, Received
    from dateflicks.client.listening import frame_of, looking_on
    from dateflicks.core.clock import FollowedClock
    from dateflicks.protocol.frames import Ping, Pong

    async def bearer() -> str:
        return str(session.ticket)

    followed, heard = FollowedClock(), 0
    feed = looking_on(await client.address_of("timecode"), session.id, bearer, lambda: client.trust)
    with contextlib.suppress(FeedEnded, TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS), contextlib.aclosing(feed.events()) as events:
            async for event in events:
                if isinstance(event, Lost):
                    break
                if isinstance(event, Received):
                    frame = frame_of(event.data)
                    if not isinstance(frame, Pong) or not isinstance(frame.t0, int | float):
                        continue
                    followed.exchanged(float(frame.t0), frame.t1 / 1000, frame.t2 / 1000, event.at, frame.clock_id)
                    heard += 1
                    if heard == EXCHANGES:
                        break
                feed.send(msgspec.json.encode(Ping(t0=round(time.monotonic(), 6))))
    return followed if followed.ready else None


# --- who we are ---------------------------------------------------------------------------------------------------


async def sign_in(environment: CliEnvironment) -> list[Finding]:
    """Whether somebody is signed in, and whether the server still thinks so."""
    from dateflicks.client import errors

    findings = _of_file(environment)
    kept = None if environment.client.token else environment.signed_in
    if kept is None and not environment.client.token:
        return [*findings, note("sign-in", f"Nobody is signed in at {environment.place}.", LOGIN)]
    who = f"{kept.name}, until {kept.expires_at[:10]}" if kept else "by client.token"
    left = _left(environment, kept.expires_at) if kept else None
    if kept and left is not None and left < timedelta(0):
        return [*findings, wrong("sign-in", f"That of {kept.name} is over since {kept.expires_at[:10]}.", LOGIN)]
    try:
        async with environment.connect() as client, asyncio.timeout(LOOK_SECONDS):
            me = await client.me()
    except (errors.NotSignedIn, errors.NotAllowed):
        fix = LOGIN if kept else "dateflicks config unset client.token"
        return [*findings, wrong("sign-in", f"The server does not take it any more: {who}.", fix)]
    except (errors.Unreachable, TimeoutError):
        return [*findings, note("sign-in", f"{who}; the server could not be asked.")]
    if left is not None and left < SOON:
        return [*findings, note("sign-in", f"{me.name}, until {kept.expires_at[:16] if kept else ''}: soon.", LOGIN)]
    return [*findings, fine("sign-in", f"{who}; the server knows {me.name}")]


def _left(environment: CliEnvironment, expires_at: str) -> timedelta | None:
    with contextlib.suppress(ValueError, TypeError):
        return datetime.fromisoformat(expires_at) - environment.now()
    return None


def _of_file(environment: CliEnvironment) -> list[Finding]:
    path = environment.credentials_path
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return [wrong("sign-in", f"{path} can be read by others on this machine.", f"chmod 600 {quote(str(path))}")]
    return []


def keyring(environment: CliEnvironment) -> list[Finding]:
    """Where sign-ins are kept: the system's keyring, as far as there is one, or a file."""
    wish = environment.client.credentials
    backend = _backend()
    if wish == "file" or (wish == "auto" and not backend):
        why = "by the settings" if wish == "file" else "as no keyring works here"
        return [fine("keyring", f"sign-ins are kept in {environment.credentials_path}, {why}")]
    if not backend:
        fix = "dateflicks config set client.credentials file"
        return [wrong("keyring", "Sign-ins are to be kept in a keyring, and none works here.", fix)]
    return [fine("keyring", f"sign-ins are kept by {backend}")]


def _backend() -> str:
    """The keyring that would be used, by name; nothing where there is none behind it."""
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return ""
    found = keyring.get_keyring()
    return "" if isinstance(found, fail.Keyring | null.Keyring) else str(found.name)
