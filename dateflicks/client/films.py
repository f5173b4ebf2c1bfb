"""Which film to open here: the one that its person names, the address that the session names, or a file of its name.

A session may come from anybody: of a file only the bare name is taken from it, and only a web address is opened as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from dateflicks.client.errors import DoesNotFit, FilmMissing
from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.sources import WEB_SCHEMES, checked_source
from dateflicks.core.limits import TITLE_MAX_CHARACTERS
from dateflicks.protocol.bodies import VideoRef


@dataclass(frozen=True, slots=True)
class Film:
    """What the player opens (`source`), and the name under which it travels (`url`): a bare file name or an address."""

    source: str
    url: str

    @property
    def title(self) -> str:
        """What to call it when nobody has said: the last part of its name, without ending and underscores."""
        name = PurePosixPath(unquote(urlsplit(self.url).path) if is_address(self.url) else self.url).name
        return (Path(name).stem.replace("_", " ").strip() or self.url)[:TITLE_MAX_CHARACTERS]


def is_address(text: str) -> bool:
    """Whether this is an address of the web, as opposed to a file's name."""
    scheme, found, _ = text.partition("://")
    return bool(found) and scheme.lower() in WEB_SCHEMES


def address_told(address: str) -> str:
    """An address as somebody is asked about it: one that begins with a name before an @ says where it really leads."""
    parts = urlsplit(address)
    return address if "@" not in parts.netloc else f"{address} (which leads to {parts.hostname})"


def own_film(text: str, *, is_elsewhere: bool = False) -> Film:
    """The film that its person names: a file or an address. Raises FilmMissing, DoesNotFit.

    `is_elsewhere`: it plays where nothing here can look, so that its name is all there is.
    """
    if is_elsewhere and text:
        return Film(text, text if is_address(text) else _bare(text))
    try:
        source = checked_source(text)
    except PlayerError as error:
        raise (DoesNotFit if "://" in text else FilmMissing)(str(error)) from None
    return Film(source, source if is_address(source) else Path(source).name)


def film_of(video: VideoRef | None, folders: Sequence[Path], *, is_elsewhere: bool = False) -> Film:
    """The film that a session names, as it can be opened here. Raises FilmMissing, DoesNotFit."""
    if video is None:
        raise FilmMissing("The session names its film by an id, which cannot be looked up here.")
    if is_address(video.url):
        return own_film(video.url, is_elsewhere=is_elsewhere)
    name = _bare(video.url)
    if is_elsewhere:
        return Film(name or video.title, name)
    if not name or name in (".", "..") or "\0" in name:
        raise FilmMissing(f"The session names no film that could be looked for: '{video.url}'.")
    places = tuple(dict.fromkeys(folder.expanduser().absolute() for folder in folders))
    for place in places:
        if _is_file(place / name):
            return Film(str(place / name), name)
    raise FilmMissing(f"There is no file '{name}' here.", looked_in=tuple(map(str, places)))


def _bare(url: str) -> str:
    """A file's name without any folder, whichever system it comes from."""
    return url.replace("\\", "/").rpartition("/")[2]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a name that no file here could have
