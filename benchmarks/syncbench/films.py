"""Films that are made for a measurement, by ffmpeg and from nothing."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

MAKE_SECONDS: Final = 120.0


async def encoded(path: Path, *arguments: str) -> Path:
    """Write a film (H.264 in Matroska, with what `arguments` say of sources, length and sound) to `path`; returns it.

    Raises RuntimeError when it is not made, TimeoutError when that takes too long.
    """
    process = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y", *arguments),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-f", "matroska", str(path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(MAKE_SECONDS):
            code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if code != 0:
        raise RuntimeError(f"ffmpeg could not make {path.name}")
    return path
