"""Inviting somebody from the terminal client: a film, a player that knows its length, a session, a line to read out.

And the way in from the other side. No widget is known here.
"""

from dataclasses import dataclass, replace

from dateflicks.client import errors
from dateflicks.client.address import is_loopback
from dateflicks.client.hosting import host_film
from dateflicks.client.http import ServiceClient
from dateflicks.client.invitation import Invitation, read_invitation
from dateflicks.client.joining import Joined, join
from dateflicks.client.screen import Screen
from dateflicks.client.sentences import clock_text, parse_position
from dateflicks.client.videos import film_elsewhere, film_here, name_of
from dateflicks.protocol.videos import VideoBody
from dateflicks.tui.surroundings import AtSession, Surroundings


@dataclass(frozen=True, slots=True)
class OfCollection:
    """A film that the collection knows: `where` it opens on this machine, or nothing, and then `note` says what to do.

    `length` is as people write it, or nothing.
    """

    video_id: str
    title: str
    name: str
    where: str = ""
    length: str = ""
    note: str = ""


def of_collection(surroundings: Surroundings, video: VideoBody) -> OfCollection:
    """A film of the collection as it is opened here: by this player, or by hand where it only opens elsewhere."""
    settings = surroundings.settings
    has_its_files = is_loopback(surroundings.server) and not surroundings.is_lent
    films = (film_here(offer, has_its_files=has_its_files) for offer in video.offers)
    film = next((found for found in films if found is not None), None)
    elsewhere = film_elsewhere(video)
    note = ""
    if film is None and settings.player in ("manual", "none"):
        film = elsewhere
    elif film is None and elsewhere is not None:
        note = f"It does not play from here: it opens at {video.source or elsewhere.url}. Name a copy of your own."
    elif film is None:
        note = "Nobody offers it any more. Name a copy of your own."
    length = clock_text(video.duration_seconds) if video.duration_seconds else ""
    where = film.source if film is not None else ""
    return OfCollection(video.id, video.title, name_of(video), where, length, note)


async def invite(
    surroundings: Surroundings,
    client: ServiceClient,
    film: str,
    *,
    guest: str | None,
    length: str = "",
    for_guests: str | None = None,
    of: OfCollection | None = None,
) -> AtSession:
    """Open the film and ask `guest`, or make a line for whoever is told it; `for_guests` is where they find the server.

    `length` is for players that cannot find out, `of` what the collection knows of the film. Raises ClientError.
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
            client,
            chosen,
            seconds or screen.length,
            server=for_guests or surroundings.server,
            title=(of.title or None) if of is not None else None,
            guest=guest,
            video_id=of.video_id if of is not None else None,
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
        if own.token is None:
            surroundings.credentials.check()  # before an account is made that could not be kept
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
