"""Inviting somebody from the terminal client: a film, a player that knows its length, a session, a line to read out.

And the way in from the other side. No widget is known here.
"""

from dataclasses import replace

from dateflicks.client import errors
from dateflicks.client.hosting import host_film
from dateflicks.client.http import ServiceClient
from dateflicks.client.invitation import Invitation, read_invitation
from dateflicks.client.joining import Joined, join
from dateflicks.client.screen import Screen
from dateflicks.client.sentences import parse_position
from dateflicks.tui.surroundings import AtSession, Surroundings


async def invite(
    surroundings: Surroundings,
    client: ServiceClient,
    film: str,
    *,
    guest: str | None,
    length: str = "",
    for_guests: str | None = None,
) -> AtSession:
    """Open the film and ask `guest`, or make a line for whoever is told it; `for_guests` is where they find the server.

    `length` is for players that cannot find out. Raises ClientError.
    """
    try:
        seconds = parse_position(length) if length.strip() else 0.0
    except ValueError:
        raise errors.DoesNotFit(f"'{length}' is not a length, such as 1:32:10.") from None
    settings = surroundings.settings
    chosen = surroundings.own_film(film)
    if settings.player in ("manual", "none") and not seconds:
        raise errors.DoesNotFit("Say how long the film is, such as 1:32:10: nobody here can find out.")
    screen = await Screen.open(settings, lambda _: None)
    try:
        await screen.load(chosen, told_length=seconds)
        hosted = await host_film(
            client, chosen, seconds or screen.length, server=for_guests or surroundings.server, guest=guest
        )
    except BaseException:
        await screen.player.close()
        raise
    line = f"dateflicks join {hosted.invitation.word}"
    return AtSession(client, hosted.session, chosen, screen, invitation=line, closes_screen=True)


async def take_part(surroundings: Surroundings, client: ServiceClient | None, text: str) -> AtSession:
    """Take the guest's place by a word that was read out; who has no account gets one. Raises ClientError."""
    invitation = read_invitation(text)
    server = invitation.server or surroundings.server
    there = replace(surroundings, server=server)
    own = client if client is not None and client.server == server else there.client()
    try:
        joined = await _joined(own, invitation, surroundings.login)
    except BaseException:
        if own is not client:
            await own.close()
        raise
    if joined.account is not None:
        own.token = joined.account.token
        surroundings.credentials.put(server, joined.account)
    return AtSession(own, joined.session, kept_as=server)


async def _joined(client: ServiceClient, invitation: Invitation, login: str) -> Joined:
    try:
        return await join(client, invitation, name=None, login=login)
    except errors.NotSignedIn:
        if client.token is None or invitation.is_by_name:
            raise
    client.token = None  # it was good for another server at this address, or for another month
    return await join(client, invitation, name=None, login=login)
