"""What can be set for the client: which server, which player, and how much it may agree to on its user's behalf."""

from typing import Annotated, Literal

import msgspec

from dateflicks.settings.services import ALL_PORT, Secret

Consent = Literal["ask", "tell", "free"]


class ConsentSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Per kind of change: ask me, agree and tell me, or agree in silence."""

    play: Consent = "tell"
    pause: Consent = "tell"
    stop: Consent = "tell"
    seek: Consent = "ask"


class TuiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the terminal client looks."""

    theme: str = "dateflicks-dark"
    glyphs: Literal["auto", "unicode", "ascii"] = "auto"
    emoji: Literal["names", "simple", "all"] = "simple"
    motion: Literal["none", "low", "full"] = "low"


class ClientSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The command line, the watcher and the terminal client."""

    server: str = f"http://127.0.0.1:{ALL_PORT}"
    ca_file: str = ""
    token: Secret = ""
    credentials: Literal["auto", "file", "keyring"] = "auto"
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=300)] = 10.0
    player: Literal["mpv", "manual", "simulated", "none"] = "mpv"
    mpv_arguments: list[str] = []
    films: list[str] = []
    trim_seconds: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.0
    gentle: bool = False
    consent: ConsentSettings = ConsentSettings()
    tui: TuiSettings = TuiSettings()
    keys: dict[str, str] = {}
