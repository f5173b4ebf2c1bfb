"""A film as one's own list keeps it, made of what was typed; and where the list is."""

from pathlib import Path
from typing import TYPE_CHECKING

from dateflicks.cli.environment import CliEnvironment
from dateflicks.cli.moments import length_of

if TYPE_CHECKING:
    from dateflicks.settings.own_list import OwnVideo


def own_video(film: str, title: str | None, year: int | None, length: str, genre: str) -> "OwnVideo":
    """What was typed of a film, as the list has it. Raises CliError, DoesNotFit, FilmMissing."""
    from dateflicks.client.films import is_address, own_film
    from dateflicks.settings.own_list import OwnVideo

    seconds = length_of("--length", length) or None
    found = own_film(film)
    url = found.source if is_address(found.source) else Path(found.source).as_uri()
    genres = [word.strip() for word in genre.split(",") if word.strip()]
    return OwnVideo(url=url, title=title or found.title, year=year, duration_seconds=seconds, genres=genres)


def data_folder(environment: CliEnvironment, chosen: str) -> Path:
    """Where the services of this machine keep their data."""
    return environment.data_folder(chosen or environment.load("all").settings.server.data)
