"""Inviting again: the line for whoever a session waits for, another guest or a link in its place, and a QR code."""

import contextlib
from typing import TYPE_CHECKING, Any, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.sessions import full_id

if TYPE_CHECKING:
    from dateflicks.client.http import ServiceClient
    from dateflicks.protocol.bodies import SessionBody

COLUMNS: Final = ("id", "line", "guest_name")


async def invite(environment: CliEnvironment, text: str, guest: str | None, *, link: bool, qr: bool) -> None:
    """Print the line that the guest types. Raises CliError, ClientError."""
    from dateflicks.client.invitation import Invitation

    async with environment.connect() as client:
        old = session = await client.session(await full_id(client, text))
        _check(old, (await client.me()).id)
        if guest is not None or link:
            session = await _replaced(client, old, guest)
    code = session.invitation if isinstance(session.invitation, str) else session.id
    if session.guest_user_id is None and code == session.id:
        what = "The code of this link was shown once, and nobody knows it any more."
        hint = f"Make another with 'dateflicks session invite {old.id[:12]} --link': it takes its place."
        raise CliError(Exit.REFUSED, what, hint=hint)
    line = f"dateflicks join {Invitation(code, environment.server_address).word}"
    record: dict[str, Any] = {"id": session.id, "line": line, "guest_name": session.guest_name}
    record["replaces"] = old.id if session is not old else None
    environment.show(record, COLUMNS)
    if qr:
        _show_qr(environment, line)
    _say(environment, session, old)


def _check(session: "SessionBody", me: str) -> None:
    if session.host_user_id != me:
        raise CliError(
            Exit.SIGN_IN,
            "Only the host invites.",
            hint=f"Answer it with 'dateflicks session accept {session.id[:12]}'.",
        )
    if session.state != "pending":
        hint = "Make another with 'dateflicks session create'."
        raise CliError(Exit.REFUSED, f"Nobody is waited for: the session is {session.state}.", hint=hint)


async def _replaced(client: "ServiceClient", old: "SessionBody", guest: str | None) -> "SessionBody":
    """The same film and time for somebody else; the old one is withdrawn once the new one is there."""
    from dateflicks.client import errors
    from dateflicks.protocol.bodies import SessionRequest

    made = await client.create_session(
        SessionRequest(
            guest_name=guest,
            link=guest is None,
            video_id=old.video_id,
            video=old.video,
            start_time=old.start_time,
            details=old.details,
        )
    )
    try:
        await client.cancel(old.id)
    except errors.AtOdds:
        with contextlib.suppress(errors.ClientError):
            await client.cancel(made.id)
        raise CliError(
            Exit.REFUSED,
            "The guest has answered just now, so nobody else was asked.",
            hint=f"See 'dateflicks session show {old.id[:12]}'.",
        ) from None
    return made


def _say(environment: CliEnvironment, session: "SessionBody", old: "SessionBody") -> None:
    from dateflicks.client.address import is_loopback

    if session is not old:
        environment.say(f"It takes the place of {old.id[:12]}, which is withdrawn.")
    if session.guest_name is not None:
        environment.say(f"{session.guest_name} is asked, and sees it whenever they come; or they type that line.")
    else:
        environment.say("Whoever holds this line may come, once.")
    if is_loopback(environment.server_address):
        environment.say("Only this machine reaches that address: name the one that others use with --server URL.")


def _show_qr(environment: CliEnvironment, line: str) -> None:
    """On stdout for a person; beside it where something else reads that."""
    import segno

    from dateflicks.cli.output import Format

    stream = environment.stdout if environment.printer.form is Format.TABLE else environment.stderr
    segno.make(line, micro=False).terminal(out=stream, compact=True, border=2)
