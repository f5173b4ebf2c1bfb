"""What can be set for the services: one struct per service, the parts they share, and the defaults.

Every key has its explanation in `settings/<service>.model.toml`; a test keeps the two in step. Defaults that are
rules come from `core.limits`. An empty text means: the program decides (the model file says how).
"""

from typing import Annotated, Literal

import msgspec

from dateflicks.core import limits as numbers

Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=366 * 86_400)]
Secret = Annotated[str, msgspec.Meta(extra={"secret": True})]

ALL_PORT = 8700
SESSION_PORT = 8701
TIMECODE_PORT = 8702
MESSAGES_PORT = 8703
PREDICTION_PORT = 8704
VIDEOS_PORT = 8705


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where a process listens, where it keeps its data, and how it is reached from outside."""

    host: str = "127.0.0.1"
    port: Port = ALL_PORT
    data: str = ""
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    tls_cert: str = ""
    tls_key: str = ""
    allow_plain: bool = False
    public_url: str = ""
    services: dict[str, str] = {}
    proxies: list[str] = []
    connections: Count = numbers.CONNECTIONS_PER_PROCESS
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    shutdown_seconds: Seconds = 5.0


class MongoSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which MongoDB: `embedded`, or a connection string (secret, because it may hold a password)."""

    uri: Secret = "embedded"
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=10)] = 1.0


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What joins several processes: `local` is this one alone, else the address of a Redis (it may hold a password)."""

    uri: Secret = "local"
    deployment: Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")] = "dateflicks"


class AuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The deployment's signing key: the same for all its services."""

    key: Secret = ""
    key_file: str = ""


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How much one person or address may ask of a service."""

    frames_per_second: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = numbers.FRAMES_PER_SECOND
    frames_burst: Count = numbers.FRAMES_BURST
    sockets_per_person: Count = numbers.SOCKETS_PER_PERSON
    sockets_per_address: Count = numbers.SOCKETS_PER_ADDRESS


class HostingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the process needs that runs one service or several."""

    server: ServerSettings = ServerSettings()
    mongo: MongoSettings = MongoSettings()
    auth: AuthSettings = AuthSettings()
    bus: BusSettings = BusSettings()


class AllSettings(HostingSettings, frozen=True, kw_only=True):
    """`serve all`: every service in one process behind one port; each keeps its own rules in its own file."""


class SessionSettings(HostingSettings, frozen=True, kw_only=True):
    """The session service: people, handshake, invitations, history."""

    server: ServerSettings = ServerSettings(port=SESSION_PORT)
    limits: LimitSettings = LimitSettings()
    allowed_origins: list[str] = []
    token_lifetime_seconds: Seconds = numbers.TOKEN_LIFETIME_SECONDS
    ticket_lifetime_seconds: Seconds = numbers.TICKET_LIFETIME_SECONDS
    invitation_lifetime_seconds: Seconds = numbers.INVITATION_LIFETIME_SECONDS
    sign_in_tries_per_name: Count = numbers.SIGN_IN_TRIES_PER_NAME
    sign_in_tries_per_address: Count = numbers.SIGN_IN_TRIES_PER_ADDRESS
    sign_ins_per_name: Count = numbers.SIGN_INS_PER_NAME
    sign_ins_per_address: Count = numbers.SIGN_INS_PER_ADDRESS
    sign_in_window_seconds: Seconds = numbers.SIGN_IN_WINDOW_SECONDS
    sign_ins_per_person: Count = numbers.SIGN_INS_PER_PERSON
    accounts_per_address: Count = numbers.ACCOUNTS_PER_ADDRESS
    accounts_window_seconds: Seconds = numbers.ACCOUNTS_WINDOW_SECONDS


class TimecodeSettings(HostingSettings, frozen=True, kw_only=True):
    """The timecode service: playback in step."""

    server: ServerSettings = ServerSettings(port=TIMECODE_PORT)
    limits: LimitSettings = LimitSettings()
    allowed_origins: list[str] = []
    confirm_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = numbers.CONFIRM_SECONDS
    band_seconds: Annotated[float, msgspec.Meta(ge=0.01, le=10)] = numbers.BAND_SECONDS
    wait_seconds: Annotated[float, msgspec.Meta(ge=0, le=600)] = numbers.WAIT_SECONDS
    on_leave: Literal["continue", "hold"] = "continue"
    record_folder: str = ""


class MessagesSettings(HostingSettings, frozen=True, kw_only=True):
    """The messages service: chat and reactions."""

    server: ServerSettings = ServerSettings(port=MESSAGES_PORT)
    limits: LimitSettings = LimitSettings()
    allowed_origins: list[str] = []
    chat_per_second: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = numbers.CHAT_PER_SECOND
    chat_burst: Count = numbers.CHAT_BURST


class PredictionSettings(HostingSettings, frozen=True, kw_only=True):
    """The prediction service: calls, outcomes, scores."""

    server: ServerSettings = ServerSettings(port=PREDICTION_PORT)
    limits: LimitSettings = LimitSettings()
    allowed_origins: list[str] = []
    confirm_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3_600)] = numbers.CONFIRM_SECONDS


class VideosSettings(HostingSettings, frozen=True, kw_only=True):
    """The videos service: what there is to watch."""

    server: ServerSettings = ServerSettings(port=VIDEOS_PORT)
    asked_per_second: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = numbers.ASKED_PER_SECOND
    asked_burst: Count = numbers.ASKED_BURST
    poll_seconds: Annotated[float, msgspec.Meta(ge=0.05, le=3_600)] = 5.0
