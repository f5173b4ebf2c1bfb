"""Films as they come: without sound, at odd rates, very short. Each is made once, and only when a test asks for it."""

import subprocess
from pathlib import Path

MAKE_SECONDS = 60.0
CHOSEN = r"not(mod(n\,3))+not(mod(n\,7))+between(mod(n\,100)\,0\,20)"
SHIFTED = "PTS+0.008/TB*sin(N)"


class Films:
    """A folder of small films, made by ffmpeg on demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def film(self, seconds: float, *, rate: str = "25", sound: bool = True, uneven: bool = False) -> Path:
        """A film of so many seconds; an uneven one lacks many of its pictures, and shows the others early or late."""
        name = "_".join(
            filter(
                None, (f"{seconds:g}", rate.replace("/", "-"), "" if sound else "silent", "uneven" if uneven else "")
            )
        )
        path = self._folder / f"{name}.mkv"
        if not path.exists():
            self._make(path, seconds, rate, sound=sound, uneven=uneven)
        return path

    def _make(self, path: Path, seconds: float, rate: str, *, sound: bool, uneven: bool) -> None:
        arguments = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
        arguments += ["-f", "lavfi", "-i", f"testsrc=size=160x90:rate={rate}"]
        if sound:
            arguments += ["-f", "lavfi", "-i", "sine=frequency=330:beep_factor=4:sample_rate=48000"]
        if uneven:
            arguments += [
                "-vf",
                f"settb=1/1000,select='{CHOSEN}',setpts='{SHIFTED}'",
                "-fps_mode",
                "vfr",
                "-enc_time_base",
                "1/1000",
            ]
        arguments += [
            "-t",
            f"{seconds:.3f}",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
            "-g",
            "25",
        ]
        arguments += ["-c:a", "aac", "-b:a", "64k", f"file:{path}"]
        made = subprocess.run(["ffmpeg", *arguments], capture_output=True, timeout=MAKE_SECONDS, check=False)
        assert made.returncode == 0, made.stderr.decode(errors="replace")
