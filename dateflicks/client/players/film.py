"""A film made on the spot by ffmpeg: a moving test picture and a tone that beeps each second, for demos and tests."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from dateflicks.client.players.base import PlayerError

MAKE_SECONDS: Final = 60.0


async def make_film(
    path: Path,
    seconds: float = 90.0,
    *,
    frames_per_second: int = 25,
    width: int = 320,
    height: int = 180,
    sound: bool = True,
    program: str = "ffmpeg",
) -> Path:
    """Write a film (H.264 and AAC in Matroska, a key frame each second) to `path`; returns it."""
    picture = f"testsrc=size={width}x{height}:rate={frames_per_second}"
    arguments = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture]
    if sound:
        arguments += ["-f", "lavfi", "-i", "sine=frequency=330:beep_factor=4:sample_rate=48000"]
    arguments += ["-t", f"{seconds:.3f}", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    arguments += ["-g", str(frames_per_second), "-c:a", "aac", "-b:a", "64k", "-f", "matroska", f"file:{path}"]
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise PlayerError(f"{program} could not be run ({error.strerror}). Install ffmpeg to make a film.") from None
    try:
        async with asyncio.timeout(MAKE_SECONDS):
            _, complaint = await process.communicate()
    except TimeoutError:
        raise PlayerError(f"{program} took more than {MAKE_SECONDS:g} s to make {path}.") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
        raise PlayerError(f"{program} could not make {path}: {last or f'it ended with {process.returncode}'}")
    return path
