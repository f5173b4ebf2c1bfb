"""Playbacks that write down what is said to them, for whoever has to find out why a film did what it did.

Off unless the settings name a folder. A file for each session, in the format of `protocol/playback_log.py`: ids, times
and positions, no names and nothing of the talk; for its owner only, and no longer than a bound.
"""

import logging
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from dateflicks.core.playback import Member, PlaybackControl, PlaybackRules, TimecodeRecord, TimecodeRequest
from dateflicks.core.playback.control import Events
from dateflicks.protocol import playback_log as logged

log = logging.getLogger(__name__)

FILE_MAX_BYTES: Final = 8 * 1024 * 1024  # an evening of two is about a tenth of it
FILES_MAX: Final = 200  # the oldest makes room
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")

Note = Callable[[str, logged.Header | logged.AnyInput], None]


class PlaybackLog:
    """The files in one folder. What can not be written is not written: playback goes on without it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._full: set[str] = set()

    def note(self, session_id: str, line: logged.Header | logged.AnyInput) -> None:
        """Write one line of a session; never raises."""
        if session_id in self._full or not _NAME.fullmatch(session_id):
            return
        try:
            self._write(session_id, msgspec.json.encode(line) + b"\n")
        except OSError as error:
            self._stop(session_id, str(error))

    def _write(self, session_id: str, line: bytes) -> None:
        path = self._folder / f"{session_id}.jsonl"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._make_room()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            there = os.fstat(descriptor)
            if not stat.S_ISREG(there.st_mode) or there.st_uid != os.geteuid():
                self._stop(session_id, "what is there is not its file")
            elif there.st_size + len(line) > FILE_MAX_BYTES:
                self._stop(session_id, f"it has {FILE_MAX_BYTES} bytes")
            else:
                os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("ses_*.jsonl"), key=_written_at)  # what else lies there is not ours
        for path in files[: max(0, len(files) + 1 - FILES_MAX)]:
            path.unlink(missing_ok=True)

    def _stop(self, session_id: str, why: str) -> None:
        self._full.add(session_id)
        log.warning("the log of a playback ends here: %s", why, extra={"session": session_id})


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process makes room at the same time
        return 0.0


def recorded_by(note: Note) -> type[PlaybackControl]:
    """Playbacks whose inputs are noted before they are acted upon."""

    class Recorded(PlaybackControl):
        _begins: logged.Header | None

        def __init__(self, session_id: str, length: float, now: float, rules: PlaybackRules | None = None) -> None:
            super().__init__(session_id, length, now, rules)
            self._begins = _header(self, length, now)
            self._noted_at = now

        @classmethod
        def from_record(
            cls, record: TimecodeRecord, now: float, rules: PlaybackRules | None = None
        ) -> "PlaybackControl":
            control = super().from_record(record, now, rules)
            assert isinstance(control, Recorded)
            control._begins = _header(control, record.length, now, record)
            return control

        def _note(self, line: logged.AnyInput) -> None:
            if self._begins is not None:  # what nobody says anything to needs no file
                note(self.state.session_id, self._begins)
                self._begins = None
            if line.at < self._noted_at:  # a frame is of when it came, and something may have been done since
                line = msgspec.structs.replace(line, at=self._noted_at)
            note(self.state.session_id, line)
            self._noted_at = line.at

        def join(self, member: Member, now: float) -> Events:
            self._note(logged.Join(at=now, user_id=member.user_id, role=member.role))
            return super().join(member, now)

        def leave(self, user_id: str, now: float) -> Events:
            self._note(logged.Leave(at=now, user_id=user_id))
            return super().leave(user_id, now)

        def change_player(self, user_id: str, now: float) -> Events:
            self._note(logged.Player(at=now, user_id=user_id))
            return super().change_player(user_id, now)

        def receive(self, request: TimecodeRequest, now: float) -> Events:
            self._note(logged.reported(request, now))
            return super().receive(request, now)

        def ask(self, request: TimecodeRequest, now: float) -> Events:
            self._note(logged.reported(request, now, is_act=True))
            return super().ask(request, now)

        def seek(self, user_id: str, to: float, now: float) -> Events:
            self._note(logged.Seek(at=now, user_id=user_id, to=to))
            return super().seek(user_id, to, now)

        def refuse(self, user_id: str, now: float) -> Events:
            self._note(logged.Refuse(at=now, user_id=user_id))
            return super().refuse(user_id, now)

        def set_length(self, length: float, now: float) -> Events:
            self._note(logged.Length(at=now, length=length))
            return super().set_length(length, now)

        def advance(self, now: float) -> Events:
            self._note(logged.Advance(at=now))
            return super().advance(now)

        def measured_one_way(self, user_id: str, seconds: float) -> None:
            self._note(logged.Delay(at=self._noted_at, user_id=user_id, seconds=seconds))
            super().measured_one_way(user_id, seconds)

    return Recorded


def _header(control: PlaybackControl, length: float, now: float, record: TimecodeRecord | None = None) -> logged.Header:
    return logged.Header(
        format="dateflicks-playback",
        version=logged.VERSION,
        session_id=control.state.session_id,
        at=now,
        length=length,
        rules=logged.LoggedRules.of(control.state.rules),
        wakes=True,
        record=None if record is None else logged.LoggedRecord.of(record),
    )
