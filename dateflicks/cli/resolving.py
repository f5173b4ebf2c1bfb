"""What a player opens for an offer that only its source understands, such as `jellyfin://…`: asked of the source, here,
with this person's own settings. What comes back may hold their key: it is for the player alone, and goes nowhere else.
"""

import asyncio
from typing import TYPE_CHECKING, Final

from dateflicks.cli.environment import CliEnvironment

if TYPE_CHECKING:
    from dateflicks.client.films import Film
    from dateflicks.protocol.videos import OfferBody

SECONDS: Final = 20.0


async def resolved_film(environment: CliEnvironment, offer: "OfferBody") -> "Film | None":
    """The film as a player opens it now, under the name by which the collection knows it; None when it cannot be had.

    Why not is said.
    """
    from dateflicks.client.errors import DoesNotFit
    from dateflicks.client.films import Film, is_address, own_film
    from dateflicks.server.providers.discovery import config_of, find, load
    from dateflicks.server.providers.running import context_for
    from dateflicks.server.providers.source import SourceError
    from dateflicks.settings.loader import SettingsError

    settings = environment.load("providers").settings
    try:
        source = load(find(offer.source, settings.allow, settings.deny))
        if "resolve" not in source.capabilities:
            return None
        context = context_for(source, config_of(source, settings), contact=settings.contact)
        async with context.http, asyncio.timeout(SECONDS):
            address = await source.resolve(context, offer.url)
        if not is_address(address):
            return None
        return Film(own_film(address).source, offer.url)
    except TimeoutError:
        environment.say(f"{offer.source} did not say within {SECONDS:g} s where the film is.")
    except (SourceError, SettingsError) as error:
        environment.say(f"{offer.source} does not say where the film is: {error}")
    except DoesNotFit:
        environment.say(f"{offer.source} gave an address that is none.")
    return None
