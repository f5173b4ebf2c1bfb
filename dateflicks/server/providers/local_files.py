"""Files of films on this machine: found in folders, looked into with ffprobe, and remembered, so that each is looked at
once as long as it stays as it is. All of it blocks, and is called in threads.
"""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from dateflicks.server.providers.answers import objects, one_object, seconds_of, text

ENDINGS: Final = frozenset({
    ".3gp", ".asf", ".avi", ".divx", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogm",
    ".ogv", ".ts", ".vob", ".webm", ".wmv",
})  # fmt: skip
DEPTH_MAX: Final = 32
PROBE_SECONDS: Final = 60.0
PROBE_BYTES_MAX: Final = 4 * 1024 * 1024
BUSY_SECONDS: Final = 5.0
_NO_FILMS: Final = frozenset({
    "$recycle.bin", "@eadir", "bdmv", "lost+found", "sample", "samples", "system volume information", "trailers",
    "video_ts",
})  # fmt: skip
_BESIDE_A_FILM: Final = frozenset({
    "behind the scenes", "deleted scenes", "extras", "featurettes", "interviews", "other", "scenes", "shorts",
})  # fmt: skip
_PROBE: Final = ("-v", "error", "-protocol_whitelist", "file", "-print_format", "json", "-show_format", "-show_streams")


# --- finding ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilmFile:
    """One file as it is on the disk; `name` is its path below the folder that is read."""

    path: str
    name: str
    size: int
    modified_ns: int


@dataclass(slots=True)
class Walk:
    """What was found in the folders. `troubles` are places that could not be read, in words."""

    files: list[FilmFile] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


def walk(folders: Sequence[str], is_stopping: Callable[[], bool] = lambda: False) -> Walk:
    """All files that may be films, in order; each once, however many links lead to it. Links in circles end."""
    found = Walk()
    seen: set[tuple[int, int]] = set()
    for folder in folders:
        try:
            root = str(Path(folder).expanduser().absolute())
        except (RuntimeError, ValueError) as error:
            found.troubles.append(f"{folder!r}: {error}")
            continue
        before = len(found.files), len(found.troubles)
        entries = _walk_folder(root, root, 0, seen, found, is_stopping)
        if entries == 0 and before == (len(found.files), len(found.troubles)):
            found.troubles.append(f"{root}: it is empty, as when a disk is away")
    return found


def _walk_folder(
    folder: str, root: str, depth: int, seen: set[tuple[int, int]], found: Walk, is_stopping: Callable[[], bool]
) -> int:
    """How many entries the folder has."""
    if is_stopping() or depth > DEPTH_MAX:
        return -1
    try:
        own = Path(folder).stat()
        if (own.st_dev, own.st_ino) in seen:
            return -1
        seen.add((own.st_dev, own.st_ino))
        with os.scandir(folder) as scanned:
            entries = sorted(scanned, key=lambda entry: os.fsencode(entry.name))
    except (OSError, ValueError) as error:
        found.troubles.append(f"{folder}: {getattr(error, 'strerror', None) or error}")
        return -1
    folders = []
    for entry in entries:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir():
                if _may_hold_films(entry.name.casefold(), depth):
                    folders.append(entry.path)
            elif Path(entry.name).suffix.lower() in ENDINGS:
                _take(entry, root, seen, found)
        except OSError:
            continue  # a link to nowhere or to itself, or a file that has just gone
    for one in folders:
        _walk_folder(one, root, depth + 1, seen, found, is_stopping)
    return len(entries)


def _may_hold_films(name: str, depth: int) -> bool:
    """Whether a folder may; some hold what goes along with a film when they are beside one, and films elsewhere."""
    return name not in _NO_FILMS and (depth == 0 or name not in _BESIDE_A_FILM)


def _take(entry: os.DirEntry[str], root: str, seen: set[tuple[int, int]], found: Walk) -> None:
    state = entry.stat()
    name = (state.st_dev, state.st_ino)
    if stat.S_ISREG(state.st_mode) and state.st_size > 0 and name not in seen:
        seen.add(name)
        found.files.append(FilmFile(entry.path, os.path.relpath(entry.path, root), state.st_size, state.st_mtime_ns))


# --- looking into -----------------------------------------------------------------------------------------------------


class Track(msgspec.Struct, frozen=True):
    """One track of a film: `video`, `audio` or `subtitle`."""

    kind: str


class Probed(msgspec.Struct, frozen=True):
    """What is in a file; no tracks when it is none that could be played."""

    seconds: float | None = None
    tracks: tuple[Track, ...] = ()

    @property
    def is_film(self) -> bool:
        """Whether there is a picture that moves."""
        return any(track.kind == "video" for track in self.tracks)


def has_program(name: str) -> bool:
    """Whether there is such a program."""
    return bool(name) and shutil.which(name) is not None


def probe(program: str, path: str) -> Probed | None:
    """What ffprobe says of a file; None when it says nothing to be kept: it took too long, or is not there."""
    try:
        done = subprocess.run(  # noqa: S603 - the program of the settings, and a path that begins with a slash
            [program, *_PROBE, "-i", f"file:{path}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if done.returncode < 0 or len(done.stdout) > PROBE_BYTES_MAX:
        return None
    try:
        return probed_of(json.loads(done.stdout or b"{}"))
    except (ValueError, RecursionError):
        return None


def probed_of(answer: Any) -> Probed:
    """What ffprobe's answer says."""
    told = one_object(answer)
    tracks, lengths = [], [seconds_of(one_object(told.get("format")).get("duration"))]
    for stream in objects(told.get("streams")):
        kind = text(stream.get("codec_type"))
        if kind not in ("video", "audio", "subtitle") or _is_picture(stream):
            continue
        tags = {name.lower(): value for name, value in one_object(stream.get("tags")).items()}
        tracks.append(Track(kind))
        lengths.append(seconds_of(stream.get("duration")) or seconds_of(tags.get("duration")))
    return Probed(next((one for one in lengths if one), None), tuple(tracks))


def _is_picture(stream: dict[str, Any]) -> bool:
    """Whether it is a cover, which is a video track of one frame."""
    return one_object(stream.get("disposition")).get("attached_pic") == 1


# --- remembering ------------------------------------------------------------------------------------------------------


class Seen(msgspec.Struct, frozen=True):
    """What is known of a file: the film by its name, if it is one, and what is in it, if that was looked at."""

    title: str | None = None
    year: int | None = None
    imdb: str | None = None
    tmdb: str | None = None
    probed: Probed | None = None


class KnownFiles:
    """What was found out of files, by path, size and time of change: a file of its own, or only in memory.

    `how` they were looked at is kept along: what was looked at in another way is to be looked at anew. A file that is
    damaged, or cannot be written, is done without.
    """

    def __init__(self, place: str, how: str) -> None:
        self._how = how
        self.is_lasting = bool(place)
        try:
            self._database = _opened(place or ":memory:")
        except (OSError, sqlite3.Error):
            self.is_lasting = False
            self._database = _opened(":memory:")

    def get(self, file: FilmFile) -> Seen | None:
        """What is known of a file as it is now."""
        row = self._row(
            "SELECT seen FROM files WHERE path = ? AND size = ? AND modified = ? AND how = ?",
            (os.fsencode(file.path), file.size, file.modified_ns, self._how),
        )
        return _seen(row)

    def last(self, file: FilmFile) -> Seen | None:
        """What was known of a file, which has changed since."""
        return _seen(self._row("SELECT seen FROM files WHERE path = ?", (os.fsencode(file.path),)))

    def put(self, found: Sequence[tuple[FilmFile, Seen]]) -> None:
        """Remember these, but for what is known already."""
        rows = [
            (os.fsencode(file.path), file.size, file.modified_ns, self._how, msgspec.json.encode(seen))
            for file, seen in found
            if seen != self.get(file)
        ]
        if not rows:
            return
        with suppress(sqlite3.Error), self._database:
            self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)

    def keep_only(self, files: Sequence[FilmFile]) -> None:
        """Forget all files but these."""
        with suppress(sqlite3.Error), self._database:
            self._database.execute("CREATE TEMP TABLE there (path BLOB PRIMARY KEY)")
            self._database.executemany("INSERT OR IGNORE INTO there VALUES (?)", _paths(files))
            self._database.execute("DELETE FROM files WHERE path NOT IN (SELECT path FROM there)")
            self._database.execute("DROP TABLE there")

    def close(self) -> None:
        """No more of it."""
        self._database.close()

    def _row(self, query: str, values: tuple[Any, ...]) -> Any:
        try:
            with closing(self._database.execute(query, values)) as cursor:
                return cursor.fetchone()
        except sqlite3.Error:
            return None


def _paths(files: Sequence[FilmFile]) -> Iterator[tuple[bytes]]:
    return ((os.fsencode(file.path),) for file in files)


def _seen(row: Any) -> Seen | None:
    try:
        return None if row is None else msgspec.json.decode(row[0], type=Seen)
    except (msgspec.DecodeError, TypeError):
        return None


def _opened(place: str) -> sqlite3.Connection:
    """The database, made anew when it is none. Raises OSError, sqlite3.Error."""
    if place == ":memory:":
        return _made(place)
    path = Path(place).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        return _made(str(path))
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # it is busy, or not ours: no reason to take it away
        path.unlink()
        return _made(str(path))


def _made(place: str) -> sqlite3.Connection:
    if place != ":memory:":
        os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(place, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        with database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS files"
                " (path BLOB PRIMARY KEY, size INTEGER, modified INTEGER, how TEXT, seen BLOB) WITHOUT ROWID"
            )
    except sqlite3.Error:
        database.close()
        raise
    return database
