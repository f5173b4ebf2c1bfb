"""The real mpv: where it is, when it starts, where a seek ends, and whose doing everything was."""

import asyncio
import os
import shutil
import signal
import stat
import sys
import time
from pathlib import Path

import pytest

from dateflicks.client.players.base import Act, Closed, Ended, OtherFilm, PlayerError, Recovered, Stalled, UserActed
from dateflicks.client.players.film import make_film
from dateflicks.client.players.mpv import MpvPlayer
from dateflicks.client.players.mpv_ipc import MpvIpc
from dateflicks.client.players.process import MpvOptions
from tests.client.players.waiting import is_playing, is_steady, told, where
from tests.conftest import require
from tests.waiting import until

pytestmark = [pytest.mark.mpv, pytest.mark.slow]

GENEROUS_SECONDS = 0.040  # a frame; on an idle machine it is a tenth of a millisecond
FIRST_FRAME_SECONDS = 0.021  # AAC's priming pushes the first picture back by this


async def real_line(outside: MpvIpc) -> float:
    """Where the sound really was at monotonic 0, by the best of a few looks of an observer of its own."""
    replies = [await outside.command("get_property", "audio-pts") for _ in range(9)]
    best = min(replies, key=lambda reply: reply.took)
    return float(best.data) - best.at


async def is_paused(outside: MpvIpc) -> None:
    """Wait until mpv itself says that it is paused: a wish is told as soon as the pause is sent."""
    deadline = time.monotonic() + 2.0
    while not await outside.get("pause"):
        assert time.monotonic() < deadline, "mpv plays on"


async def test_a_film_loads_paused_at_its_start_and_tells_its_length(player: MpvPlayer, film: Path) -> None:
    assert await player.load(str(film), start=5.0) == pytest.approx(30.0, abs=0.1)
    head = player.playhead(time.monotonic())
    assert head is not None
    assert head.steady
    assert head.rate == 0
    assert head.position == pytest.approx(5.0, abs=0.041)


async def test_it_starts_at_the_instant_asked_for(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film), start=2.0)
    for _ in range(2):
        standing = where(player)
        moment = time.monotonic() + 0.3
        await player.play_at(moment)
        await until(lambda at=moment: time.monotonic() > at + 0.1)  # type: ignore[misc]  # a default binds the moment
        assert await real_line(outside) == pytest.approx(standing - moment, abs=GENEROUS_SECONDS)
        await player.pause()
        await is_steady(player)


async def test_its_playhead_is_what_an_observer_sees(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    line = await real_line(outside)
    ends = time.monotonic() + 0.3
    while time.monotonic() < ends:
        assert where(player) - time.monotonic() == pytest.approx(line, abs=0.010)
        await real_line(outside)


async def test_a_silent_film_is_followed_by_its_pictures(player: MpvPlayer, silent_film: Path) -> None:
    await player.load(str(silent_film), start=3.0)
    moment = time.monotonic() + 0.1
    await player.play_at(moment)
    await until(lambda: time.monotonic() > moment + 0.6)
    await is_playing(player)
    assert where(player) - time.monotonic() == pytest.approx(3.0 - moment, abs=GENEROUS_SECONDS)
    assert not player.stalled(time.monotonic())
    await player.pause()
    assert where(player) == pytest.approx(3.0 + time.monotonic() - moment, abs=GENEROUS_SECONDS)


async def test_a_hold_moves_it_back_by_just_as_long(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    before = await real_line(outside)
    until_moment = time.monotonic() + 0.25
    await player.pause()
    await player.play_at(until_moment)
    await until(lambda: time.monotonic() > until_moment + 0.1)
    assert await real_line(outside) == pytest.approx(before - 0.25, abs=GENEROUS_SECONDS)


async def test_a_paused_film_tells_which_picture_is_up(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    moving = player.playhead(time.monotonic())
    assert moving is not None
    assert moving.picture is None
    await player.pause()
    await is_steady(player)
    head = player.playhead(time.monotonic())
    assert head is not None
    assert head.picture == pytest.approx(float(await outside.get("time-pos")), abs=0.0001)
    assert head.frame == pytest.approx(1 / 25)
    assert abs(head.position - where(player)) < 0.001
    assert abs(head.position - float(await outside.get("time-pos"))) < 2 * head.frame


async def test_a_pause_takes_a_planned_start_back(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    moment = time.monotonic() + 0.15
    await player.play_at(moment)
    await player.pause()
    await until(lambda: time.monotonic() > moment + 0.1)
    assert await outside.get("pause") is True
    assert where(player) == pytest.approx(FIRST_FRAME_SECONDS, abs=0.03)


async def test_speed_moves_it_by_as_much_as_it_says(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    before, began = await real_line(outside), time.monotonic()
    await player.set_speed(1.03)
    assert await outside.get("speed") == pytest.approx(1.03)
    await until(lambda: time.monotonic() > began + 1.0)
    await player.set_speed(1.0)
    gained = await real_line(outside) - before
    assert gained == pytest.approx(0.03 * (time.monotonic() - began), abs=0.020)
    await is_steady(player)


async def test_a_seek_has_ended_when_it_says_so(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    for target in (20.0, 7.5, 12.34):
        await player.seek(target)
        assert await outside.get("seeking") is False
        shown = float(await outside.get("time-pos"))
        assert shown == pytest.approx(target, abs=0.041)
        assert where(player) == pytest.approx(shown, abs=0.001)


async def test_a_seek_in_play_plays_on_and_teaches_its_dead_time(player: MpvPlayer, film: Path) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    began = time.monotonic()
    await player.seek(15.0)
    await is_playing(player)
    assert where(player) == pytest.approx(15.0 + time.monotonic() - began - player.seek_dead_time, abs=0.1)
    assert 0.0 <= player.seek_dead_time < 0.2


async def test_a_trim_moves_positions_both_ways(film: Path) -> None:
    player = await MpvPlayer.start(MpvOptions(null_outputs=True), trim=0.5)
    try:
        await player.load(str(film), start=4.0)
        assert where(player) == pytest.approx(4.0, abs=0.041)
        await player.seek(10.0)
        assert where(player) == pytest.approx(10.0, abs=0.041)
    finally:
        await player.close()
    with pytest.raises(PlayerError, match="trim"):
        MpvPlayer(trim=1.5)


async def test_keys_become_wishes_and_nothing_changes_alone(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film), start=10.0)
    standing = await outside.get("time-pos")
    wishes: dict[str, Act] = {
        "SPACE": Act.PLAY,
        "p": Act.PLAY,
        "ENTER": Act.CONFIRM,
        "y": Act.CONFIRM,
        "n": Act.REFUSE,
        "q": Act.STOP,
    }
    for key, wish in wishes.items():
        await outside.command("keypress", key)
        assert (await told(player, UserActed)).act is wish
    for key in ("[", "]", ".", ",", "PGUP", "l", ">", "<", "BS"):
        await outside.command("keypress", key)
    act = await told(player, UserActed)
    assert act.act is Act.SEEK
    assert act.position == pytest.approx(30.0, abs=0.1)
    assert await outside.get("pause") is True
    assert await outside.get("time-pos") == standing
    assert await outside.get("speed") == 1.0


async def test_arrows_pressed_in_a_row_are_one_wish(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film), start=10.0)
    for key in ("RIGHT", "RIGHT", "RIGHT", "Shift+LEFT"):
        await outside.command("keypress", key)
    act = await told(player, UserActed)
    assert act.act is Act.SEEK
    assert act.position == pytest.approx(24.0, abs=0.05)


async def test_space_while_playing_pauses_at_once(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    await until(lambda: where(player) > 0.5)
    await outside.command("keypress", "SPACE")
    act = await told(player, UserActed)
    assert act.act is Act.PAUSE
    await is_paused(outside)
    assert act.position == pytest.approx(float(await outside.get("audio-pts")), abs=GENEROUS_SECONDS)


async def test_space_means_what_was_seen_when_it_was_pressed(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    await until(lambda: where(player) > 0.5)
    await player.pause()  # somebody else was a moment quicker
    await outside.command("keypress", "SPACE")
    assert (await told(player, UserActed)).act is Act.PAUSE
    pressed = time.monotonic()
    await until(lambda: time.monotonic() > pressed + 0.4)
    await player.play_at(time.monotonic() + 0.2)
    await outside.command("keypress", "SPACE")
    assert (await told(player, UserActed)).act is Act.PLAY


async def test_a_pause_by_mouse_is_its_users_and_stands(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    await outside.set("pause", True)
    assert (await told(player, UserActed)).act is Act.PAUSE
    head = player.playhead(time.monotonic())
    assert head is not None
    assert head.rate == 0
    assert await outside.get("pause") is True


async def test_a_start_by_mouse_is_undone_and_asked_for(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await outside.set("pause", False)
    assert (await told(player, UserActed)).act is Act.PLAY
    await is_paused(outside)


async def test_a_seek_by_mouse_is_undone_and_asked_for(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    line = await real_line(outside)
    await outside.command("seek", 20.0, "absolute+exact")
    act = await told(player, UserActed)
    assert act.act is Act.SEEK
    assert act.position == pytest.approx(20.0, abs=0.1)
    await until(lambda: where(player) < 10.0)
    await is_playing(player)
    assert await real_line(outside) == pytest.approx(line, abs=0.2)


async def test_our_own_commands_are_never_its_users(player: MpvPlayer, film: Path) -> None:
    await player.load(str(film))
    for target in (3.0, 6.0):
        await player.play_at(0.0)
        await player.pause()
        await player.play_at(0.0)
        await player.set_speed(1.01)
        await player.seek(target)
        await player.set_speed(1.0)
        await player.pause()
    await is_steady(player)
    with pytest.raises(TimeoutError):
        await told(player, UserActed, seconds=0.5)


async def test_a_frozen_mpv_is_noticed_and_so_is_its_waking(player: MpvPlayer, film: Path) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    assert player.pid is not None
    began = time.monotonic()
    os.kill(player.pid, signal.SIGSTOP)
    try:
        stalled = await told(player, Stalled)
        noticed = time.monotonic() - began
        assert noticed < 0.8
        assert "does not answer" in stalled.why
        assert player.stalled(time.monotonic())
        head = player.playhead(time.monotonic())
        assert head is not None
        assert head.rate == 0
    finally:
        os.kill(player.pid, signal.SIGCONT)
    recovered = await told(player, Recovered)
    assert recovered.position == pytest.approx(stalled.position, abs=0.5)
    assert not player.stalled(time.monotonic())


async def test_a_stall_lasts_on_when_a_frozen_mpv_is_paused(player: MpvPlayer, film: Path) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    assert player.pid is not None
    os.kill(player.pid, signal.SIGSTOP)
    try:
        await told(player, Stalled)
        with pytest.raises(PlayerError, match="does not answer"):
            await player.pause()
        assert player.stalled(time.monotonic())
    finally:
        os.kill(player.pid, signal.SIGCONT)
    await told(player, Recovered)
    await until(lambda: not player.stalled(time.monotonic()))


async def test_a_frozen_mpv_that_was_paused_wakes_up_where_it_said_that_it_stands(
    player: MpvPlayer, film: Path, outside: MpvIpc
) -> None:
    await player.load(str(film))
    await player.play_at(0.0)
    await is_playing(player)
    assert player.pid is not None
    os.kill(player.pid, signal.SIGSTOP)
    try:
        stalled = await told(player, Stalled)
        with pytest.raises(PlayerError, match="does not answer"):
            await player.pause()
    finally:
        os.kill(player.pid, signal.SIGCONT)
    # Its sound has played out what was written of it before the freeze, and its clocks do not agree any more.
    recovered = await told(player, Recovered)
    assert recovered.position == pytest.approx(stalled.position, abs=0.041)
    assert float(await outside.get("time-pos")) == pytest.approx(recovered.position, abs=0.041)
    moment = time.monotonic() + 0.2
    await player.play_at(moment)
    await is_playing(player)
    heard = await outside.command("get_property", "audio-pts")
    assert float(heard.data) - (heard.at - moment) == pytest.approx(recovered.position, abs=0.041)


async def test_the_end_of_the_film_is_told_once_and_is_no_stall(player: MpvPlayer, film: Path) -> None:
    length = await player.load(str(film))
    await player.seek(length - 0.8)
    await player.play_at(0.0)
    await told(player, Ended)
    assert where(player) == pytest.approx(length)
    assert not player.stalled(time.monotonic())
    await player.seek(5.0)
    assert where(player) == pytest.approx(5.0, abs=0.041)
    with pytest.raises(TimeoutError):
        await told(player, Ended, seconds=0.3)


async def test_an_mpv_that_was_killed_has_died(player: MpvPlayer, film: Path) -> None:
    await player.load(str(film))
    assert player.pid is not None
    os.kill(player.pid, signal.SIGKILL)
    assert (await told(player, Closed)).by_user is False
    assert player.playhead(time.monotonic()) is None
    with pytest.raises(PlayerError, match="gone"):
        await player.pause()


async def test_an_mpv_that_was_closed_was_closed_by_its_user(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await outside.command("keypress", "CLOSE_WIN")
    assert (await told(player, Closed)).by_user is True


async def test_another_file_opened_in_it_is_a_wish_to_stop(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await outside.command("loadfile", str(film))
    assert (await told(player, UserActed)).act is Act.STOP
    await told(player, OtherFilm)
    with pytest.raises(PlayerError, match="No film is open"):
        await player.play_at(0.0)


async def test_what_was_told_of_another_file_is_not_taken_for_the_film_that_is_loaded_after_it(
    player: MpvPlayer, film: Path, silent_film: Path, outside: MpvIpc, tmp_path: Path
) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear all")
    for other in (silent_film, text):
        await player.load(str(film))
        await outside.command("loadfile", str(other))
        await told(player, OtherFilm)
        assert await player.load(str(film), start=5.0) == pytest.approx(30.0, abs=0.1)
        assert where(player) == pytest.approx(5.0, abs=0.041)
        assert await outside.get("path") == str(film)


async def test_what_is_no_film_is_refused_with_a_reason(player: MpvPlayer, film: Path, tmp_path: Path) -> None:
    text = tmp_path / "letter.txt"
    text.write_text("Dear all")
    with pytest.raises(PlayerError, match="cannot play"):
        await player.load(str(text))
    for hostile in ("memory://x", "--script=/tmp/evil.lua", "edl:///etc/passwd", "av://lavfi:testsrc"):
        with pytest.raises(PlayerError):
            await player.load(hostile)
    with pytest.raises(PlayerError, match="No film is open"):
        await player.play_at(0.0)
    assert await player.load(str(film)) > 0


async def test_a_film_with_a_hostile_name_plays(player: MpvPlayer, film: Path, tmp_path: Path) -> None:
    odd = tmp_path / "--no-video ${path} memory: ;quit\n\x1b[31m.mkv"
    shutil.copy(film, odd)
    assert await player.load(str(odd)) == pytest.approx(30.0, abs=0.1)


async def test_other_peoples_text_is_shown_as_it_is(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    await player.load(str(film))
    await player.show("${path} $>\x1b[2J" + "x" * 10_000, 0.1)
    assert await outside.get("pause") is True


async def test_a_film_that_waits_for_data_says_so(player: MpvPlayer, film: Path) -> None:
    more = asyncio.Event()
    data = await asyncio.to_thread(film.read_bytes)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(data))
        writer.write(data[: len(data) // 10])
        await more.wait()
        writer.write(data[len(data) // 10 :])
        writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        await player.load(f"http://127.0.0.1:{port}/film.mkv")
        await player.play_at(0.0)
        assert "waits for data" in (await told(player, Stalled, seconds=10.0)).why
        more.set()
        await told(player, Recovered, seconds=10.0)
        await is_playing(player)
    finally:
        more.set()
        server.close()


async def test_it_dies_with_the_process_that_started_it() -> None:
    require("mpv")
    program = (
        "import asyncio; from dateflicks.client.players.mpv import MpvPlayer, MpvOptions\n"
        "async def main():\n"
        "    player = await MpvPlayer.start(MpvOptions(null_outputs=True))\n"
        "    print(player.pid, flush=True)\n"
        "    await player.next_event()\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    try:
        pid = int(await asyncio.wait_for(parent.stdout.readline(), 20.0))
    finally:
        parent.kill()
        await parent.wait()
    status = Path(f"/proc/{pid}/stat")
    await until(lambda: not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z")


async def test_it_never_outlives_its_connection(player: MpvPlayer) -> None:
    assert player.pid is not None
    assert player.socket_path is not None
    folder = player.socket_path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    await player.close()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(player.pid, 0)


async def test_a_running_mpv_can_be_attached_to_and_let_go(player: MpvPlayer, film: Path, outside: MpvIpc) -> None:
    assert player.socket_path is not None
    await outside.set("audio-pitch-correction", True)
    guest = await MpvPlayer.attach(player.socket_path)
    assert await guest.load(str(film), start=3.0) == pytest.approx(30.0, abs=0.1)
    assert await outside.get("audio-pitch-correction") is False
    await outside.command("keypress", "y")
    assert (await told(guest, UserActed)).act is Act.CONFIRM
    await guest.close()
    assert await outside.get("audio-pitch-correction") is True
    assert await outside.get("pause") is True


async def test_a_missing_program_is_named() -> None:
    with pytest.raises(PlayerError, match="no-such-mpv could not be started"):
        await MpvPlayer.start(MpvOptions(program="no-such-mpv"))
    with pytest.raises(PlayerError, match="no-such-ffmpeg"):
        await make_film(Path("film.mkv"), program="no-such-ffmpeg")


async def test_an_mpv_that_does_not_start_is_told_with_its_status() -> None:
    require("mpv")
    with pytest.raises(PlayerError, match="did not start"):
        await MpvPlayer.start(MpvOptions(arguments=("--no-such-option",)))


async def test_nothing_to_attach_to_is_told(tmp_path: Path) -> None:
    with pytest.raises(PlayerError, match="no mpv listens"):
        await MpvPlayer.attach(tmp_path / "nothing")
