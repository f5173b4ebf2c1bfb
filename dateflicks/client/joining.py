"""Joining: taking the guest's place with whatever one holds, a code or a name that was asked for."""

import contextlib
from dataclasses import dataclass

from dateflicks.client import errors
from dateflicks.client.account_names import names_like
from dateflicks.client.credentials import SignIn
from dateflicks.client.http import ServiceClient
from dateflicks.client.invitation import Invitation
from dateflicks.protocol.bodies import Redeemed, SessionBody


@dataclass(frozen=True, slots=True)
class Joined:
    """The session, and the account that was made for it, when one was."""

    session: SessionBody
    account: SignIn | None = None


async def join(client: ServiceClient, invitation: Invitation, *, name: str | None, login: str) -> Joined:
    """Take the guest's place: by the client's token, or without one as `name`, or as something like `login`.

    Raises NoInvitation, NotSignedIn, AtOdds when `name` is taken.
    """
    if invitation.is_by_name:
        return Joined(await _accepted(client, invitation.code))
    try:
        answer = await _redeemed(client, invitation.code, name, login)
    except errors.NotThere as error:
        raise errors.NoInvitation(error.detail, url=error.url) from error
    if not isinstance(answer.token, str):
        return Joined(answer.session)
    user_id = answer.session.guest_user_id or ""
    made = answer.session.guest_name or ""
    until = answer.expires_at if isinstance(answer.expires_at, str) else ""
    return Joined(answer.session, SignIn(name=made, user_id=user_id, expires_at=until, token=answer.token))


async def _accepted(client: ServiceClient, session_id: str) -> SessionBody:
    if client.token is None:
        raise errors.NotSignedIn("This invitation is for somebody by name, and nobody is signed in there.")
    session = await client.session(session_id)
    return await client.accept(session_id) if session.state == "pending" else session


async def _redeemed(client: ServiceClient, code: str, name: str | None, login: str) -> Redeemed:
    if client.token is not None or name is not None:
        return await client.redeem(code, name)
    for wished in names_like(login):
        with contextlib.suppress(errors.AtOdds):
            return await client.redeem(code, wished)
    return await client.redeem(code)
