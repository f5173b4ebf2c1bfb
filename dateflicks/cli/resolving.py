"""What a player opens for an offer that only its source understands, such as `jellyfin://…`: asked of the source, here,
with this person's own settings. What comes back may hold their key: it is for the player alone, and goes nowhere else.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment

if TYPE_CHECKING:
    from dateflicks.client.films import Film
    from dateflicks.protocol.bodies import SessionBody

SECONDS: Final = 20.0
LIBRARIES: Final = frozenset({"jellyfin", "plex"})  # which look whether it is on this person's own server


async def film_of_library(environment: CliEnvironment, session: "SessionBody", player: str) -> "Film | None":
    """The film of a session that names it by a library's reference, if this person has a key of the same server."""
    url = session.video.url if session.video is not None else ""
    scheme = url.partition("://")[0]
    if scheme not in LIBRARIES or player not in ("mpv", "simulated"):
        return None
    return await resolved_film(environment, scheme, url)


async def resolved_film(environment: CliEnvironment, name: str, url: str) -> "Film | None":
    """The film of the source of this name as a player opens it now, under the name by which the collection knows it.

    None when it cannot be had; why not is said.
    """
    from dateflicks.client.errors import DoesNotFit
    from dateflicks.client.films import Film, is_address, own_film
    from dateflicks.server.providers.context import context_for
    from dateflicks.server.providers.discovery import config_of, find, load
    from dateflicks.server.providers.source import SourceError
    from dateflicks.settings.errors import SettingsError

    settings = environment.load("providers").settings
    try:
        source = load(find(name, settings.allow, settings.deny))
        if "resolve" not in source.capabilities:
            return None
        context = context_for(source, config_of(source, settings), contact=settings.contact)
        async with context.http, asyncio.timeout(SECONDS):
            address = await source.resolve(context, url)
        if not is_address(address):
            return None
        return Film(own_film(address).source, url)
    except TimeoutError:
        environment.say(f"{name} did not say within {SECONDS:g} s where the film is.")
    except (SourceError, SettingsError) as error:
        environment.say(f"{name} does not say where the film is: {error}")
    except DoesNotFit:
        environment.say(f"{name} gave an address that is none.")
    return None
