"""What the Internet Archive says of an item, read: whether anybody may watch it, which of its files to play, how long
that is. Its fields are a text, or a list of them, as whoever uploaded it has filled them in. No I/O.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from dateflicks.server.providers.answers import needed_list, needed_object, objects, seconds_of, text, texts, whole
from dateflicks.server.providers.source import Item, SchemaError

HEIGHT_MAX: Final = 1_080  # what every machine that is around plays without effort
PEOPLE_MAX: Final = 12
SUBJECTS_MAX: Final = 40
OVERVIEW_MAX: Final = 4_000
_SAME_LENGTH: Final = 0.05  # files so much shorter than the longest are parts, trailers or samples
_LICENCE: Final = re.compile(r"https?://(www\.)?creativecommons\.org/(licenses|publicdomain)/.*", re.IGNORECASE)
_H264: Final = frozenset({"h.264", "h.264 ia"})
_MPEG4: Final = frozenset({"mpeg4", "512kb mpeg4", "hires mpeg4", "h.264 hd", "h.264 720p"})
_OTHER: Final = frozenset({"matroska", "webm", "ogg video", "mpeg2", "mpeg1", "quicktime", "divx", "cinepack", "avi"})
_MINUTES: Final = re.compile(r"(\d{1,3}) ?m(?:in(?:ute)?s?)?\b\.?", re.IGNORECASE)
_YEAR: Final = re.compile(r"\b(1[89]\d\d|20\d\d)\b")
_TITLE_YEAR: Final = re.compile(r"\s*[(\[](1[89]\d\d|20\d\d)[)\]]\s*$")
_TAG: Final = re.compile(r"<[^<>]{0,500}>")


class NotFree(Exception):
    """It is there, and is not for anybody to watch, or holds nothing to play: no offer."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    rank: int
    height: int
    seconds: float | None


def item_of(identifier: str, answer: Mapping[str, Any], base_url: str) -> Item:
    """The film that an item is. Raises NotFree, and SchemaError for what cannot be read."""
    if answer.get("is_dark"):
        raise NotFree("it is dark")
    metadata = needed_object(answer.get("metadata"), "metadata")
    licence = next((one for one in texts(metadata.get("licenseurl")) if _LICENCE.fullmatch(one)), None)
    if licence is None:
        raise NotFree("it has no licence that lets anybody watch it")
    if _is_true(metadata.get("access-restricted-item")):
        raise NotFree("it is only lent")
    files = needed_list(answer.get("files"), "files")
    chosen = _best(files)
    if chosen is None:
        raise NotFree("none of its files is a film")
    title = next(iter(texts(metadata.get("title"))), None)
    if title is None:
        raise SchemaError("title is no text")
    year = _year(metadata, title)
    return Item(
        source_id=identifier,
        url=f"{base_url}/download/{quote(identifier, safe='')}/{quote(chosen.name)}",
        title=_TITLE_YEAR.sub("", title) or title,
        year=year,
        duration_seconds=chosen.seconds or _runtime(metadata),
        genres=tuple(_split(texts(metadata.get("subject")))),
        overview=_plain(texts(metadata.get("description"))),
        poster=f"{base_url}/services/img/{quote(identifier, safe='')}",
        people=tuple(dict.fromkeys((*texts(metadata.get("director")), *texts(metadata.get("creator")))))[:PEOPLE_MAX],
        external_ids=_ids(metadata),
        offer_type="free",
        playable=True,
        licence=licence,
    )


# --- files ------------------------------------------------------------------------------------------------------------


def _best(files: Sequence[Any]) -> _File | None:
    """The file to play: of those that are as long as the film, an h.264 derivative that is not too large, if any."""
    found = [file for one in objects(files) if (file := _file(one)) is not None]
    longest = max((file.seconds or 0.0 for file in found), default=0.0)
    whole_ones = [file for file in found if file.seconds is None or file.seconds >= longest * (1 - _SAME_LENGTH)]
    return min(whole_ones, key=lambda file: (file.rank, file.seconds is None, -file.height, file.name), default=None)


def _file(one: Mapping[str, Any]) -> _File | None:
    name, kind = text(one.get("name")), (text(one.get("format")) or "").lower()
    if name is None or _is_true(one.get("private")) or name.startswith(("/", "../")):
        return None
    height = whole(one.get("height")) or 0
    is_small = height <= HEIGHT_MAX
    if kind in _H264:
        rank = 0 if is_small and one.get("source") == "derivative" else 1
    elif kind in _MPEG4:
        rank = 2
    elif kind in _OTHER:
        rank = 3
    else:
        return None
    return _File(name, rank if is_small else rank + 4, height, seconds_of(one.get("length")))


# --- facts ------------------------------------------------------------------------------------------------------------


def _runtime(metadata: Mapping[str, Any]) -> float | None:
    """What people have written of its length: by the clock, or in minutes. A bare number may be either: not taken."""
    for told in texts(metadata.get("runtime")):
        if ":" in told and (seconds := seconds_of(told)):
            return seconds
        if minutes := _MINUTES.fullmatch(told):
            return int(minutes[1]) * 60.0 or None
    return None


def _year(metadata: Mapping[str, Any], title: str) -> int | None:
    told = [str(metadata.get("year") or ""), *texts(metadata.get("year")), *texts(metadata.get("date"))]
    in_title = _TITLE_YEAR.search(title)
    for one in [*told, in_title[0] if in_title else ""]:
        if (found := _YEAR.search(one[:40])) is not None:
            return int(found[1])
    return None


def _ids(metadata: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for urn in texts(metadata.get("external-identifier")):
        parts = urn.split(":")
        if len(parts) == 3 and parts[0].lower() == "urn" and parts[1].lower() in ("imdb", "tmdb", "wikidata"):
            found.setdefault(parts[1].lower(), parts[2])
    return found


def _split(subjects: Sequence[str]) -> list[str]:
    """Subjects, which are often several in one text."""
    each = (one.strip() for subject in subjects for one in re.split("[;,]", subject))
    return [*dict.fromkeys(one for one in each if one)][:SUBJECTS_MAX]


def _plain(paragraphs: Sequence[str]) -> str | None:
    """What the uploader says of it, without its markup."""
    told = "\n".join(paragraphs)[: OVERVIEW_MAX * 2]
    return html.unescape(_TAG.sub(" ", told)).strip()[:OVERVIEW_MAX] or None


def _is_true(value: Any) -> bool:
    return value is True or (text(value) or "").lower() == "true"
