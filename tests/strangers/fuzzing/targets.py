"""What is tried with made-up bytes, and what must hold whatever they are: each target raises where it does not."""

import asyncio
import functools
import json
import tempfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.cells import cell_len

from dateflicks.client.address import server_address
from dateflicks.client.errors import ClientError
from dateflicks.client.films import film_of
from dateflicks.client.invitation import read_invitation
from dateflicks.client.players.base import PlayerError
from dateflicks.client.players.mpv_ipc import LINE_MAX_BYTES, IpcError, IpcEvent, MpvIpc
from dateflicks.client.players.sources import checked_source
from dateflicks.core.limits import FRAME_MAX_BYTES
from dateflicks.protocol.bodies import VideoRef
from dateflicks.protocol.chat import ChatClientFrame
from dateflicks.protocol.frames import Ping, TimecodeClientFrame
from dateflicks.protocol.predictions import PositionFrame
from dateflicks.protocol.printable import escaped_json, printable
from dateflicks.protocol.text import clean_line, clean_text
from dateflicks.server.observe.logs import _json, _without_secrets
from dateflicks.server.web import fitting
from dateflicks.server.websocket.decoding import FrameDecoder, Wrong
from dateflicks.server.websocket.frames import Code, Fault, FrameReader, Opcode
from dateflicks.settings.errors import SettingsError
from dateflicks.settings.loader import SERVICES, load
from dateflicks.tui.widgets.chat_lines import cut, wrap
from tests.server.websocket.sending import close_frame, frame

_HEAD_BYTES: Final = 14  # the longest that a frame's head can be
WIDTH: Final = 40


@dataclass(frozen=True)
class Target:
    """`one` is given an input; `seeds` are good ones."""

    one: Callable[[bytes], None]
    seeds: tuple[bytes, ...]


class Broken(AssertionError):
    """What must hold does not."""


def must(holds: bool, what: str) -> None:
    if not holds:
        raise Broken(what)


# --- frames -----------------------------------------------------------------------------------------------------------

DECODERS: Final[tuple[FrameDecoder[Any], ...]] = tuple(
    FrameDecoder(kind) for kind in (TimecodeClientFrame, ChatClientFrame, PositionFrame, Ping)
)
_CLOSES: Final = {Code.PROTOCOL_ERROR, Code.NOT_TEXT, Code.NOT_UTF8, Code.TOO_LARGE}

TEXTS: Final = tuple(
    json.dumps(text).encode()
    for text in (
        {"type": "ping", "t0": 1234.5},
        {
            "type": "report", "sessionId": "ses_" + "a" * 26, "currentPosition": 12.5, "status": "play", "isHost": True,
            "sentAt": 1764000000000.25, "revision": 3, "rate": 1.0, "buffering": False, "cause": "tick", "length": 600,
        },
        {"type": "seek", "to": 41.5},
        {"type": "refuse"},
        {"type": "message", "clientId": "c-1", "kind": "text", "content": "Zither \U0001f3ac!", "position": 1.5},
        {"type": "message", "clientId": "c-2", "kind": "reaction", "content": "joy", "replyTo": "msg_" + "a" * 26},
        {"type": "typing"},
        {"type": "read", "seq": 7},
        {"type": "edit", "id": "msg_" + "a" * 26, "content": "Harry"},
        {"type": "delete", "id": "msg_" + "a" * 26},
        {"type": "resume", "after": 0, "changes": 3},
        {"type": "position", "position": 61.25},
    )
)  # fmt: skip


def text_of_a_frame(text: bytes) -> None:
    """Whatever the text is, it is a frame, or there is an answer that can be sent, and it is short and harmless."""
    for decoder in DECODERS:
        found = decoder.decode(text)
        if isinstance(found, Wrong):
            answer = msgspec.json.encode(found.answer)
            must(len(answer) <= 4_096, "an answer as long as what it answers")
            must(b"Traceback" not in answer and b"dateflicks." not in answer, "an answer tells how it is done here")
        else:
            msgspec.json.encode(found)
        reply = decoder.reply_to(text)
        must(reply is None or len(reply) <= 64, "a word given back is long")


def frames_of_a_stream(data: bytes) -> None:
    """Whatever bytes come in whatever pieces, they are frames, or a fault with a code, and little is kept of them."""
    step = data[0] % 64 * 16 + 1 if data else 1
    reader = FrameReader()
    try:
        for at in range(1, len(data), step):
            for message in reader.feed(data[at : at + step]):
                must(len(message.payload) <= FRAME_MAX_BYTES, "a frame is too long")
                if message.opcode is Opcode.TEXT:
                    message.payload.decode()
                    text_of_a_frame(message.payload)
                elif message.opcode is Opcode.CLOSE:
                    must(message.close_code not in (1004, 1006, 1015), "a close that nobody may send")
                else:
                    must(message.opcode in (Opcode.PING, Opcode.PONG), "a kind of frame that is not let through")
            must(len(reader._rest) <= FRAME_MAX_BYTES + _HEAD_BYTES, "more is kept than one unfinished frame")
    except Fault as fault:
        must(fault.code in _CLOSES, f"a fault with {fault.code}")


FRAMES: Final = (
    *(b"\x3f" + frame(text) for text in TEXTS),
    b"\x00" + frame(b'{"type":"typing"}') + frame(b"x", Opcode.PING) + frame(b"", Opcode.PONG) + close_frame(1000),
    b"\x01" + frame(b"x" * 126) + frame(b"x" * 65_536)[:400],
    b"\x20" + close_frame(4_999, b"so long"),
    b"\x20" + frame(b"half", final=False) + frame(b"half", Opcode.CONTINUATION),
    b"\x20" + frame(b"bare", masked=False),
)


# --- bodies -----------------------------------------------------------------------------------------------------------


def _bodies() -> tuple[type[msgspec.Struct], ...]:
    from dateflicks.protocol import bodies, chat, predictions, recommendations

    return (
        bodies.Credentials, bodies.SignIn, bodies.CreateSession, bodies.EndSession, bodies.Redeem,
        bodies.CreateTimecode, bodies.PatchTimecode, chat.PostMessage, predictions.CreatePrediction,
        predictions.CallRequest, predictions.ProposeRequest, recommendations.EventBody, recommendations.RatingBody,
    )  # fmt: skip


BODY_KINDS: Final = _bodies()
BODIES: Final = tuple(
    json.dumps(body).encode()
    for body in (
        {"name": "ana", "password": "seven small foxes"},
        {"session": {"guestName": "bea", "video": {"url": "https://x.example/a.mkv", "title": "A", "length": 60.5}}},
        {"session": {"videoId": "vid_" + "a" * 26, "guestUserId": "usr_" + "a" * 26, "details": {"a": [1]}}},
        {"session": {"video": {"url": "film.mkv", "title": "A", "length": 1}, "startTime": "2026-11-24T01:43:00.123Z"}},
        {"timecode": {"sessionId": "ses_" + "a" * 26, "length": 600}},
        {"message": {"content": "Zither", "clientId": "c-1", "kind": "text"}},
        {"prediction": {"details": "He did it", "options": ["yes", "no", "maybe"], "locksAtPosition": 3000}},
        {"option": "yes", "confidence": 0.75, "revision": 2},
        {"videoId": "vid_" + "a" * 26, "event": "shown", "position": 0},
        {"position": 90.5, "length": 600},
    )
)


def bodies_of_requests(data: bytes) -> None:
    """Whatever a body is, it fits, or it is refused in words that can be shown."""
    from dateflicks.core.errors import RuleError

    for kind in BODY_KINDS:
        try:
            fitting.decode_body(data, kind)
        except RuleError as error:
            must(len(error.detail) <= 1_000, "what is wrong is said at length")
            error.detail.encode()
            for problem in getattr(error, "problems", ()):
                must(problem.field.isprintable(), "a field with a name that cannot be shown")


# --- the player -------------------------------------------------------------------------------------------------------


class _Wire(asyncio.Transport):
    """Takes everything and tells nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.is_aborted = False

    def write(self, data: Any) -> None:
        """Nobody reads it."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It never fills."""

    def abort(self) -> None:
        self.is_aborted = True


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all inputs: to make one costs more than to hear."""
    return asyncio.new_event_loop()


def answers_of_a_player(data: bytes) -> None:
    """Whatever mpv says in whatever pieces, it is passed over, or the connection ends; nothing is raised."""
    _loop().run_until_complete(_hear(data))


async def _hear(data: bytes) -> None:
    told: list[IpcEvent] = []
    lost: list[str] = []
    wire = _Wire()
    ipc = MpvIpc(told.append, lost.append)
    ipc.connection_made(wire)
    asked = [ipc.send("get_property", name) for name in ("pause", "speed", "time-pos")]
    step = data[0] % 64 * 8 + 1 if data else 1
    for at in range(1, len(data), step):
        ipc.data_received(data[at : at + step])
        must(len(ipc._partial) <= LINE_MAX_BYTES + step, "a line without an end is kept")
    must(len(lost) <= 1, "it is lost once")
    must(bool(lost) == (ipc.lost is not None) == wire.is_aborted, "whoever is lost is let go of, and told so")
    for event in told:
        event.name.encode("utf-8", "surrogatepass")
    ipc.connection_lost(None)
    must(len(lost) == 1, "its end is told")
    for future in asked:
        must(future.done(), "whoever waits is woken")
        if not future.cancelled() and (error := future.exception()) is not None:
            must(isinstance(error, IpcError), f"{error!r} is raised at whoever asks")


ANSWERS: Final = (
    b'\x3f{"data":true,"error":"success","request_id":1}\n{"data":1.5,"error":"success","request_id":2}\n',
    b'\x05{"event":"property-change","id":1,"name":"pause","data":false}\n{"error":"unavailable","request_id":3}\n',
    b'\x01{"event":"end-file","reason":"error","file_error":"x","playlist_entry_id":1}\n{"event":"seek"}\n\n',
    b'\x10{"event":"client-message","args":["dateflicks","step","5"]}\n{"request_id":true,"error":1}\n[]\n',
)


# --- text -------------------------------------------------------------------------------------------------------------

_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def is_harmless(text: str, *, keeps: str = "") -> bool:
    """Whether a terminal does nothing with it but print."""
    return not any((unicodedata.category(one) in ("Cc", "Cs") and one not in keeps) or one in _TURNING for one in text)


def text_of_strangers(data: bytes) -> None:
    """Whatever is said, what is left of it moves no cursor, turns nothing around, and keeps to its place."""
    text = data.decode("utf-8", "surrogateescape")
    line, many = clean_line(text, 300), clean_text(text, 4_000)
    must(is_harmless(line), "a line")
    must(is_harmless(many, keeps="\n\t"), "a text")
    must(len(line) <= 300 and len(many) <= 4_000, "it is too long")
    must(clean_text(many, 4_000) == many, "cleaning twice changes something")
    shown = printable(text)
    must(is_harmless(shown) and is_harmless(printable(text, keep_newlines=True), keeps="\n"), "what is printed")
    for part in wrap(shown, WIDTH):
        must(cell_len(part) <= WIDTH, "a line is wider than its place")
        must(is_harmless(part), "a line of the chat")
    must(cell_len(cut(shown, WIDTH)) <= WIDTH, "what is cut is wider than its place")
    logged = _json(None, "", dict(_without_secrets(None, "", {"event": text, "deep": {"x": [text]}, text: text})))
    must(all(" " <= one <= "~" for one in logged), "a line of the log")
    must(json.loads(escaped_json(json.dumps(text))) == text, "what is escaped means something else")


SAID: Final = (
    b"Zither, I said!",
    "a\x1b[2J\x1b]0;pwned\x07b\x9b31m\u202egpj.exe\u2066x".encode(),
    ("e\u0301" * 9 + "👨\u200d👩\u200d👧🇩🇪" * 5 + "名前" * 30 + "ﷺ").encode(),
    b"[red]x[/] ${path} {\\an8} %s \t\n\r\n\x00 Bearer abc.def?token=x",
)


# --- addresses and settings -------------------------------------------------------------------------------------------


def names_of_films(data: bytes) -> None:
    """Whatever a session names as its film, it is the web, or a file of its bare name in one's own folder."""
    text = data.decode("utf-8", "surrogateescape")
    folder = Path(tempfile.gettempdir())
    try:
        film = film_of(VideoRef(url=text, title="x", length=1.0), [folder])
    except ClientError:
        pass
    else:
        is_web = film.source.lower().startswith(("http://", "https://"))
        must(is_web or Path(film.source).parent == folder.absolute(), f"{film.source!r} is opened")
        must(is_web or Path(film.source).is_absolute(), f"{film.source!r} may be read as an option")
    try:
        checked = checked_source(text)
    except PlayerError as error:
        must(is_harmless(str(error)), "what is wrong cannot be shown")
    else:
        must(checked.startswith("/") or checked.lower().startswith(("http://", "https://")), f"{checked!r} is opened")
    for read in (read_invitation, server_address):
        try:
            read(text)
        except ClientError:
            continue


FILMS: Final = (
    b"https://films.example.org:8443/a%20film.mkv?x=1#t", b"film.mkv", b"/etc/passwd", b"--script=x", b"memory://x",
    b"http://[::1]:80/x", b"C:\\films\\x.mkv", b"k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700", b"https://x.example/j/k3v9x",
)  # fmt: skip


def settings_of_a_user(data: bytes) -> None:
    """Whatever stands in variables and files, it is a setting, or it is said in words what is wrong with it."""
    text = data.decode("utf-8", "surrogateescape").replace("\0", "")
    name, _, rest = text.partition("\n")
    service = sorted(SERVICES)[len(name) % len(SERVICES)]
    variable, _, value = rest.partition("=")
    environ = {f"DATEFLICKS_{service.upper()}_{variable.strip()}": value[:2_000], "DATEFLICKS_": value[:10]}
    with tempfile.TemporaryDirectory() as folder:
        if len(rest) % 4 == 0:
            (Path(folder) / f"{service}.toml").write_bytes(rest.encode("utf-8", "surrogateescape"))
        try:
            load(service, SERVICES[service], environ=environ, folders=[Path(folder)])
        except SettingsError as error:
            str(error).encode("utf-8", "surrogateescape")


SET: Final = (
    b"a\nPORT=8700", b"abcd\nTOKEN_LIFETIME_SECONDS=1e5", b"abc\n[server]\nport = 1\nproxies = ['::1']\n\n\n",
    b"ab\nALLOWED_ORIGINS=https://x.example", b"abcdefg\nLIMITS_FRAMES_BURST=60", b"x\nSERVICES={a='b'}",
    b"\nMONGO_URI_FILE=/dev/null", b"abcdef\n[limits]\nframes_burst = 1979-05-27\nx = nan\n",
)  # fmt: skip

TARGETS: Final[dict[str, Target]] = {
    "frames": Target(frames_of_a_stream, FRAMES),
    "texts": Target(text_of_a_frame, TEXTS),
    "bodies": Target(bodies_of_requests, BODIES),
    "player": Target(answers_of_a_player, ANSWERS),
    "said": Target(text_of_strangers, SAID),
    "films": Target(names_of_films, FILMS),
    "settings": Target(settings_of_a_user, SET),
}
