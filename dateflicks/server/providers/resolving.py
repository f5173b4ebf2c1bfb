"""What a player opens, made of what is stored: for a reference such as `jellyfin://SERVER/ITEM` its source is asked,
with the settings of the person who wants to watch. The answer may hold a key: it is opened, and never stored or shown.
"""

import asyncio
from urllib.parse import urlsplit

from dateflicks.server.providers.discovery import config_of, find, load
from dateflicks.server.providers.running import context_for
from dateflicks.server.providers.source import NotOffered, TransientError
from dateflicks.settings.providers import ProvidersSettings

DEADLINE_SECONDS = 30.0
_AS_THEY_ARE = frozenset({"", "http", "https", "file"})


def is_reference(url: str) -> bool:
    """Whether only a source can tell what a player opens."""
    try:
        return urlsplit(url).scheme not in _AS_THEY_ARE
    except ValueError:
        return False


async def resolved(url: str, settings: ProvidersSettings) -> str:
    """What a player opens for this person. Raises SourceError: among others NotOffered, AuthError."""
    if not is_reference(url):
        return url
    name = urlsplit(url).scheme
    source = load(find(name, settings.allow, settings.deny))
    if "resolve" not in source.capabilities:
        raise NotOffered(f"The source '{name}' does not play its films here.")
    context = context_for(source, config_of(source, settings), contact=settings.contact)
    async with context.http:
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await source.resolve(context, url)
        except TimeoutError:
            raise TransientError(f"The source '{name}' gave no answer within {DEADLINE_SECONDS:g} s.") from None
