"""Hosting: an account on one's own server without asking anybody, and the session for a film."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dateflicks.client import errors
from dateflicks.client.account_names import account_name, names_like
from dateflicks.client.credentials import CredentialStore, SignIn
from dateflicks.client.films import Film, is_address
from dateflicks.client.fingerprint import as_details, fingerprint_of
from dateflicks.client.http import ServiceClient
from dateflicks.client.invitation import Invitation
from dateflicks.protocol.bodies import SessionBody, SessionRequest, SignedIn, VideoRef


@dataclass(frozen=True, slots=True)
class Hosted:
    """A session that waits for its guest, and the word that lets them in."""

    session: SessionBody
    invitation: Invitation


async def own_account(client: ServiceClient, store: CredentialStore, key: str, login: str) -> SignIn:
    """The account of this machine's person on their own server: last evening's, or a new one with a random password.

    `key` names the server in the store, whatever its port is today.
    """
    kept = store.get(key)
    if kept is not None:
        client.token = kept.token
        try:
            await client.me()
            return kept
        except errors.NotSignedIn:
            client.token = None
        try:
            return store.put(key, _sign_in(await client.sign_in(kept.name, kept.password), kept.password))
        except (errors.NotSignedIn, errors.DoesNotFit):
            pass  # the server's data is not what it was: begin anew
    password = secrets.token_urlsafe(24)
    answer = await _registered(client, account_name(login), password)
    return store.put(key, _sign_in(answer, password))


async def host_film(
    client: ServiceClient,
    film: Film,
    length: float,
    *,
    server: str,
    title: str | None = None,
    guest: str | None = None,
    video_id: str | None = None,
) -> Hosted:
    """Make the session: for a guest by name, or for whoever gets the word. `server` is where guests find it.

    `video_id` names the film in the collection, if it is there.
    """
    video = VideoRef(url=film.url, title=title or film.title, length=length)
    details = await _file_details(film)
    request = SessionRequest(guest_name=guest, link=guest is None, video=video, video_id=video_id, details=details)
    session = await client.create_session(request)
    code = session.invitation if isinstance(session.invitation, str) else session.id
    return Hosted(session, Invitation(code, server))


async def _file_details(film: Film) -> dict[str, Any] | None:
    """By what the guest's copy is compared with this one, where this one is a file."""
    if is_address(film.source):
        return None
    try:
        return as_details(await asyncio.to_thread(fingerprint_of, Path(film.source)))
    except (OSError, ValueError):
        return None  # it plays elsewhere, or the player will say why it can't


async def _registered(client: ServiceClient, name: str, password: str) -> SignedIn:
    """An account of this name, or of one like it. Raises AtOdds when all of these are taken."""
    *several, last = names_like(name)
    for wished in several:
        with contextlib.suppress(errors.AtOdds):
            return await client.register(wished, password)
    return await client.register(last, password)


def _sign_in(answer: SignedIn, password: str) -> SignIn:
    return SignIn(
        name=answer.user.name,
        user_id=answer.user.id,
        expires_at=answer.expires_at,
        token=answer.token,
        password=password,
    )
