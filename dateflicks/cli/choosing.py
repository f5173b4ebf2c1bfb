"""Which film is meant by what was typed: a file, an address, the id of a video, or words to look for in the collection.

What names a file or an address is taken as that, and no server is asked.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.exits import Exit
from dateflicks.cli.failures import CliError
from dateflicks.cli.patience import STILL_READ, found_in

if TYPE_CHECKING:
    from dateflicks.client.films import Film
    from dateflicks.client.http import ServiceClient
    from dateflicks.client.videos import Videos
    from dateflicks.protocol.bodies import VideoRef
    from dateflicks.protocol.videos import VideoBody

SHOWN: Final = 10  # films to choose from
LOOK: Final = "Look for it with 'dateflicks videos search TITLE'."
_FILE_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{2,5}")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A film, and what the collection knows of it."""

    film: "Film"
    title: str | None = None
    length: float = 0.0
    video_id: str | None = None


async def chosen_film(environment: CliEnvironment, text: str, player: str, *, is_length_told: bool) -> Chosen:
    """The film that was meant, as this player has it. Raises CliError, ClientError."""
    from dateflicks.client.films import own_film
    from dateflicks.client.videos import name_of
    from dateflicks.protocol.ids import is_id

    by_hand = player != "mpv"
    if is_id(text, "vid") or _is_words(text):
        if by_hand and is_length_told and not is_id(text, "vid"):
            video = await _called(environment, text)
        else:
            video = await _looked_up(environment, text, is_name_enough=by_hand)
        if video is not None:
            if video.id != text:
                environment.say(f"{name_of(video)} of the collection is taken, {video.id}.")
            return await _of_video(environment, video, player)
    return Chosen(own_film(text, is_elsewhere=by_hand))


async def the_video(environment: CliEnvironment, videos: "Videos", text: str) -> "VideoBody":
    """The video with this id, or the only one that these words find. Raises CliError, ClientError."""
    from dateflicks.client.errors import NotThere
    from dateflicks.client.videos import the_one
    from dateflicks.protocol.ids import is_id

    if is_id(text, "vid"):
        try:
            return await videos.video(text)
        except NotThere:
            raise CliError(Exit.NOT_FOUND, "There is no film with this id.", hint=LOOK) from None

    async def ask() -> "list[VideoBody]":
        return (await videos.page(text, limit=SHOWN)).items

    found, is_all = await found_in(environment, videos, ask)
    if not found and not is_all:
        raise CliError(Exit.NOT_FOUND, f"No film is found for '{text}' yet.", hint=STILL_READ)
    if not found:
        raise CliError(Exit.NOT_FOUND, f"No film is found for '{text}'.", hint=LOOK)
    if (video := the_one(found, text)) is not None:
        return video
    _list(environment, found)
    raise CliError(Exit.USAGE, f"'{text}' may be any of these.", hint="Name one by its id, or type more of its title.")


async def film_of_id(
    environment: CliEnvironment, client: "ServiceClient", video_id: str, title: str | None
) -> "VideoRef | None":
    """A film of the collection as a session names it: what both open, what it is called; None where nobody knows it."""
    from dateflicks.cli.resolving import LIBRARIES
    from dateflicks.client.address import is_loopback
    from dateflicks.client.errors import ClientError
    from dateflicks.client.videos import Videos, film_elsewhere, film_here
    from dateflicks.protocol.bodies import VideoRef

    try:
        video = await Videos(client).video(video_id)
    except ClientError:
        return None
    has_its_files = is_loopback(environment.server_address)
    urls = []
    for offer in video.offers:
        if (film := film_here(offer, has_its_files=has_its_files)) is not None:
            urls.append(film.url)
        elif offer.playable and offer.url.partition("://")[0] in LIBRARIES:
            urls.append(offer.url)
    if not urls and (film := film_elsewhere(video)) is not None:
        urls.append(film.url)
    return VideoRef(url=urls[0], title=title or video.title, length=video.duration_seconds or 0.0) if urls else None


def _is_words(text: str) -> bool:
    """Whether this can only be words to look for, as far as can be told from here."""
    if not text.strip() or "://" in text or "/" in text or "\\" in text or "\0" in text:
        return False
    try:
        return not Path(text).expanduser().exists() and not _FILE_ENDING.fullmatch(Path(text).suffix)
    except (OSError, RuntimeError, ValueError):
        return False


async def _called(environment: CliEnvironment, text: str) -> "VideoBody | None":
    """The one video of this very title, alone or with its year; None, which is said, where a person is to be believed.

    With its length told a film is told well enough: what is only like the words of it is not meant.
    """
    from dateflicks.client.errors import NotThere, Unreachable
    from dateflicks.client.videos import Videos, called

    async with environment.connect(anonymously=True) as client:
        try:
            videos = called((await Videos(client).page(text, limit=SHOWN)).items, text)
        except (Unreachable, NotThere):
            return None
    if len(videos) == 1:
        return videos[0]
    several = (
        f"The collection has {len(videos)} films of this title" if videos else "No film of the collection is called so"
    )
    environment.say(f"{several}: '{text}' is taken as it is.")
    return None


async def _looked_up(environment: CliEnvironment, text: str, *, is_name_enough: bool) -> "VideoBody | None":
    """The video; None where words find none and a film may just as well be named by them, or no server is there."""
    from dateflicks.client.errors import NotThere, Unreachable
    from dateflicks.client.videos import Videos
    from dateflicks.protocol.ids import is_id

    async with environment.connect(anonymously=True) as client:
        try:
            return await the_video(environment, Videos(client), text)
        except (Unreachable, NotThere):
            if is_id(text, "vid"):
                raise
            return None
        except CliError as error:
            if is_name_enough and error.failure.exit is Exit.NOT_FOUND and not is_id(text, "vid"):
                return None
            raise


async def _of_video(environment: CliEnvironment, video: "VideoBody", player: str) -> Chosen:
    from dateflicks.client.videos import film_elsewhere, name_of

    film = None
    if player in ("mpv", "simulated"):
        film = await _film_here(environment, video)
    if player != "mpv":
        film = film or film_elsewhere(video)
    if film is not None:
        return Chosen(film, video.title or None, video.duration_seconds or 0.0, video.id)
    elsewhere = film_elsewhere(video)
    if elsewhere is None:
        raise CliError(Exit.NOT_FOUND, f"Nobody offers {name_of(video)} any more.", hint=LOOK)
    raise CliError(
        Exit.USAGE,
        f"{name_of(video)} cannot be played from here.",
        why=f"It opens at {video.source}: {elsewhere.url}",
        hint=f"Watch it there and steer it by hand: dateflicks host {video.id} --player manual",
    )


async def _film_here(environment: CliEnvironment, video: "VideoBody") -> "Film | None":
    """The film from the best offer that can be opened on this machine."""
    from dateflicks.cli.resolving import resolved_film
    from dateflicks.client.address import is_loopback
    from dateflicks.client.videos import film_here

    has_its_files = is_loopback(environment.server_address)
    for offer in video.offers:
        film = film_here(offer, has_its_files=has_its_files)
        if film is None and offer.playable and not offer.url.startswith(("http:", "https:", "file:", "/")):
            film = await resolved_film(environment, offer.source, offer.url)
        if film is not None:
            return film
    return None


def _list(environment: CliEnvironment, videos: "list[VideoBody]") -> None:
    from dateflicks.client.videos import name_of

    for video in videos:
        environment.complain(f"{video.id}  {name_of(video)}, {video.source}{'' if video.playable else ' (elsewhere)'}")
