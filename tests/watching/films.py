"""Films as they come: without sound, at odd rates, very short. Each is made once, and only when a test asks for it."""

import subprocess
from pathlib import Path

MAKE_SECONDS = 60.0


class Films:
    """A folder of small films, made by ffmpeg on demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def film(self, seconds: float = 40.0, *, rate: str = "25", sound: bool = True, choose: str = "") -> Path:
        """A film of so many seconds; `choose` is an expression over frame numbers that leaves the others out."""
        name = "_".join(
            filter(None, (f"{seconds:g}", rate.replace("/", "-"), "" if sound else "silent", choose and "v"))
        )
        path = self._folder / f"{name}.mkv"
        if not path.exists():
            self._make(path, seconds, rate, sound=sound, choose=choose)
        return path

    def _make(self, path: Path, seconds: float, rate: str, *, sound: bool, choose: str) -> None:
        arguments = ["-hide_banner", "-loglevel", "error", "-nostdin", "-y"]
        arguments += ["-f", "lavfi", "-i", f"testsrc=size=160x90:rate={rate}"]
        if sound:
            arguments += ["-f", "lavfi", "-i", "sine=frequency=330:beep_factor=4:sample_rate=48000"]
        if choose:
            arguments += ["-vf", f"select='{choose}'", "-fps_mode", "vfr"]
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
