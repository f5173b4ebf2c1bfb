"""A recommender as somebody else's package, which behaves as its settings say."""

from pathlib import Path
from typing import Final

from dateflicks.server.recommenders.discovery import ENTRY_POINTS

CODE: Final = """
import os, pathlib, signal, sys, time
import msgspec, numpy as np
from typing import Annotated
from dateflicks.server.recommenders.recommender import BaseRecommender


class Config(msgspec.Struct, frozen=True):
    how: str = "well"
    folder: str = ""
    password: Annotated[str, msgspec.Meta(extra={"secret": True})] = ""


class Model:
    def __init__(self, how):
        self.how = how

    def score(self, histories):
        scores = np.tile(np.arange(histories.shape[1], 0, -1, dtype=np.float32), (histories.shape[0], 1))
        return scores * np.nan if self.how == "garbage" else scores


class Odd(BaseRecommender):
    name = "odd"
    config = Config
    summary = "odd"

    def fit(self, data, context):
        config, hog = context.config, []
        how = config.how
        (pathlib.Path(config.folder) / "half-way").write_text(os.environ.get("OPENBLAS_NUM_THREADS", ""))
        if how == "hangs":
            time.sleep(600)
        elif how == "eats":
            while True:
                hog.append(bytearray(os.urandom(1) * 8_000_000))
        elif how == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif how == "raises":
            print('{"record": {"id": "run_mine"}}', file=sys.stdout)
            raise ValueError(f"The password {config.password} is of no use.")
        return Model(how)
"""


class Odd:
    """The recommender, installed, and its settings."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.site, self.settings = folder, folder / "site", folder / "settings"
        self.half_way = folder / "half-way"
        metadata = self.site / "odd-1.0.dist-info"
        metadata.mkdir(parents=True)
        self.settings.mkdir()
        (self.site / "odd_one.py").write_text(CODE, encoding="utf-8")
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n", encoding="utf-8")
        (metadata / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\nodd = odd_one:Odd\n", encoding="utf-8")
        (self.settings / "providers.toml").write_text("[mongo]\ntimeout_seconds = 10.0\n", encoding="utf-8")
        self.behaves()

    def behaves(self, how: str = "well") -> None:
        self.half_way.unlink(missing_ok=True)
        lines = ("[plugins.odd]", f'how = "{how}"', f'folder = "{self.folder}"', 'password = "open sesame"', "")
        (self.settings / "recommenders.toml").write_text("\n".join(lines), encoding="utf-8")
