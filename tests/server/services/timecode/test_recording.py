"""The logs that a playback writes of what is said to it: where, for whom, how long, and what is not in them."""

from pathlib import Path

import pytest

from dateflicks.core.playback import Member, PlaybackCollection, Role, Status, TimecodeRequest
from dateflicks.protocol.playback_log import Advance
from dateflicks.protocol.playback_replay import Replay
from dateflicks.server.services.timecode import recording
from dateflicks.server.services.timecode.recording import PlaybackLog, recorded_by


def played(folder: Path, session_id: str = "ses_a") -> PlaybackCollection:
    """A short playback, recorded into `folder`."""
    playbacks = PlaybackCollection((), 10.0, kind=recorded_by(PlaybackLog(folder).note))
    control = playbacks.create(session_id, 600.0, 10.0)
    control.join(Member("usr_a", Role.HOST, "ana"), 11.0)
    control.join(Member("usr_b", Role.GUEST, "bea"), 12.0)
    for user, is_host in (("usr_a", True), ("usr_b", False)):
        playbacks.receive(
            TimecodeRequest(
                session_id=session_id, user_id=user, current_position=0.0, status=Status.PLAY, is_host=is_host
            ),
            13.0,
        )
    control.measured_one_way("usr_b", 0.1)
    control.seek("usr_a", 60.0, 14.0)
    control.leave("usr_b", 15.0)
    control.advance(16.0)
    return playbacks


def test_a_log_is_for_its_owner_only_names_nobody_and_can_be_played_again(tmp_path: Path) -> None:
    control = played(tmp_path / "logs").control("ses_a")
    path = tmp_path / "logs" / "ses_a.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert not {"ana", "bea"} & set(path.read_text(encoding="utf-8").split('"'))
    replay = Replay()
    assert len(list(replay.decisions(path.read_bytes().splitlines()))) == 8
    assert replay.control is not None
    assert replay.control.to_record(20.0).revision == control.to_record(20.0).revision
    assert replay.control.state.timeline == control.state.timeline


def test_a_playback_that_comes_back_begins_the_log_anew_from_its_record(tmp_path: Path) -> None:
    record = played(tmp_path).control("ses_a").to_record(16.0)
    again = PlaybackCollection([record], 17.0, kind=recorded_by(PlaybackLog(tmp_path).note))
    again.control("ses_a").join(Member("usr_b", Role.GUEST, "bea"), 18.0)
    replay = Replay()
    decisions = list(replay.decisions((tmp_path / "ses_a.jsonl").read_bytes().splitlines()))
    assert decisions[-1].revision == again.control("ses_a").to_record(18.0).revision
    assert decisions[-1].told[0].pending == record.pending


def test_a_frame_that_came_before_what_was_done_meanwhile_can_be_played_again(tmp_path: Path) -> None:
    control = played(tmp_path).control("ses_a")
    control.seek("usr_a", 90.0, 15.9)
    control.measured_one_way("usr_a", 0.1)
    replay = Replay()
    assert len(list(replay.decisions((tmp_path / "ses_a.jsonl").read_bytes().splitlines()))) == 10
    assert replay.control is not None
    assert replay.control.state.revision == control.state.revision


def test_a_log_ends_at_its_bound_and_the_oldest_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FILE_MAX_BYTES", 300)
    monkeypatch.setattr(recording, "FILES_MAX", 3)
    for name in ("ses_a", "ses_b", "ses_c", "ses_d"):
        played(tmp_path / "logs", name)
    files = list((tmp_path / "logs").iterdir())
    assert sorted(path.stem for path in files) == ["ses_b", "ses_c", "ses_d"]
    assert all(0 < path.stat().st_size <= 300 for path in files)


def test_what_else_lies_in_the_folder_makes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "FILES_MAX", 2)
    folder, names = tmp_path / "logs", ("all.jsonl", "jobs.jsonl", "notes.jsonl")
    folder.mkdir()
    for name in names:
        (folder / name).write_text("theirs", encoding="utf-8")
    played(folder)
    assert sorted(path.name for path in folder.iterdir()) == [*names, "ses_a.jsonl"]


@pytest.mark.parametrize("name", ["../ses_a", "ses/a", "", "a" * 101])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    PlaybackLog(tmp_path / "logs").note(name, Advance(at=1.0))
    assert not list(tmp_path.rglob("*.jsonl"))


def test_playback_goes_on_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file", encoding="utf-8")
    assert played(tmp_path / "logs").control("ses_a").state.revision > 0
