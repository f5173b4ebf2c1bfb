"""One's own list of films: a TOML file of `[[video]]` tables, which `dateflicks videos add` writes and the source `url`
reads. Its place and its form are told here and nowhere else.

    [[video]]
    url = "https://films.example.org/general.mp4"   # or "file:///films/general.mkv"
    title = "The General"                           # all below may be left out
    year = 1926
    duration_seconds = 4680.0
    genres = ["comedy"]
    people = ["Buster Keaton"]
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from dateflicks.core.limits import POSITION_MAX_SECONDS, TITLE_MAX_CHARACTERS, URL_MAX_CHARACTERS
from dateflicks.settings.errors import SettingsError, unreadable
from dateflicks.settings.writing import replace_file

FILE_NAME: Final = "videos.toml"
TABLE: Final = "video"


class OwnVideo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One film of the list; `duration_seconds` is its length."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=URL_MAX_CHARACTERS)]
    title: Annotated[str, msgspec.Meta(max_length=TITLE_MAX_CHARACTERS)] = ""
    year: Annotated[int, msgspec.Meta(ge=1870, le=2100)] | None = None
    duration_seconds: Annotated[float, msgspec.Meta(ge=0, le=POSITION_MAX_SECONDS)] | None = None
    genres: list[str] = []
    people: list[str] = []


def list_path(chosen: str, data: Path) -> Path:
    """Where the list is: the file that the settings name, or its usual one in the data folder."""
    return Path(chosen).expanduser() if chosen else data / FILE_NAME


def read_list(path: Path) -> list[OwnVideo]:
    """The films of the list; none when there is no file. Raises SettingsError, which says what does not fit."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise unreadable(path, error) from error
    tables = document.get(TABLE, [])
    if not isinstance(tables, list):
        raise SettingsError(str(path), TABLE, f"must be tables, each below its own [[{TABLE}]]")
    return [_video(path, number, table) for number, table in enumerate(tables, 1)]


def add_to_list(path: Path, video: OwnVideo) -> bool:
    """Write a film at the end of the list; False when its address is there already. Raises SettingsError.

    What else is in the file stays, comments too. It is replaced as a whole, or not at all.
    """
    if any(known.url == video.url for known in read_list(path)):
        return False
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise unreadable(path, error) from error
    tables: Any = document.get(TABLE)
    if not isinstance(tables, AoT):
        tables = document[TABLE] = tomlkit.aot()
    tables.append(tomlkit.item(msgspec.to_builtins(video)))
    replace_file(path, tomlkit.dumps(document))
    return True


def _video(path: Path, number: int, table: Any) -> OwnVideo:
    try:
        return msgspec.convert(table, OwnVideo)
    except msgspec.ValidationError as error:
        raise SettingsError(str(path), f"{TABLE} {number}", str(error).replace("`", "")) from error
