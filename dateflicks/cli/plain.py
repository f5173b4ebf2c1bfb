"""Watching line by line: what happens as plain sentences on stdout, commands on stdin. Works in a pipe and for ears."""

import asyncio
import contextlib
import math
import time
from typing import TYPE_CHECKING, Final, TextIO, cast

from dateflicks.cli import plain_predictions, plain_talk
from dateflicks.cli.lines import typed_lines
from dateflicks.cli.plain_predictions import PlainPredictions
from dateflicks.cli.plain_talk import PlainTalk
from dateflicks.cli.telling import Teller
from dateflicks.client.consent import Consent
from dateflicks.client.evening import Evening
from dateflicks.client.ledger import Changed, ScoresChanged, Unproven
from dateflicks.client.overlay import Happening
from dateflicks.client.predictions import PredictionsLine, PredictionsRefused
from dateflicks.client.sentences import Narrator, clock_text, parse_position
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told, Update
from dateflicks.protocol.frames import ParticipantState, TimecodeFrame

if TYPE_CHECKING:
    from dateflicks.client.players.manual import ManualPlayer

HELP: Final = "Commands: play, pause, stop, seek 41:00 (or +30, -10), accept, refuse, where, retry, quit."
HELP_BY_HAND: Final = "Tell where your film is with at 41:12."
SHOWN_CHARACTERS: Final = 20  # of a word that is no command
STILL_LOST_SECONDS: Final = 20.0
LAST_SECONDS: Final = 5.0  # for what was typed before quit
ASKING: Final = frozenset({"play", "pause", "stop", "seek", "accept", "yes", "y", "refuse", "no", "n"})
KEPT_MAX: Final = 32  # of these words, as a pipe types them before there is a line
NOT_YET: Final = "Not connected yet."
LINE_MAX_BYTES: Final = 64 * 1024  # more than a message may have, so that it is said that it is too long


class PlainWatch:
    """One person at a line-by-line terminal, or a program in their place."""

    def __init__(self, evening: Evening, teller: Teller, stdin: TextIO, *, is_interactive: bool) -> None:
        self._evening = evening
        self._watching = evening.watching
        self._teller = teller
        self._stdin = stdin
        self._is_interactive = is_interactive
        self._narrator = Narrator(evening.viewer.user_id)
        self._talk = PlainTalk(evening, teller)
        self._predictions = PlainPredictions(evening, teller)
        self._is_connected = asyncio.Event()
        self._kept: list[tuple[str, list[str]]] = []
        self._nobody_types = False
        self._lost_since: float | None = None
        self._is_still_lost_said = False
        self._reopening: asyncio.Future[bool] | None = None
        evening.listen(self._heard)

    async def run(self) -> None:
        """Tell and obey until `quit`, the end of typed input, or the end of the evening."""
        async with asyncio.TaskGroup() as group:
            parts = (self._obey, self._talk.mind_drafts, self._predictions.run)
            beside = [group.create_task(part()) for part in parts]
            await self._evening.run(may_reopen=self._may_reopen)
            for task in beside:
                task.cancel()
        self._talk.tell_lost()

    # --- telling ------------------------------------------------------------------------------------------------

    def _heard(self, update: Happening) -> None:
        match update:
            case Told() | LinkChanged() | PlayerChanged() | Notice():
                self._heard_of_film(update)
            case Changed() | Unproven() | ScoresChanged() | PredictionsLine() | PredictionsRefused():
                self._predictions.heard(update)
            case _:
                self._talk.heard(update)

    def _heard_of_film(self, update: Update) -> None:
        sentence = self._narrator.sentence(update)
        match update:
            case Told(frame=frame):
                sentence = self._asked(frame, sentence) if self._is_connected.is_set() else self._arrived(frame)
                self._is_connected.set()
                if frame.reason == "end" and self._nobody_types:
                    self._evening.stop()
            case Notice(kind="granted"):
                sentence = None  # told with what was asked for
            case LinkChanged(is_open=True):
                self._lost_since, self._is_still_lost_said = None, False
            case LinkChanged():
                sentence = self._lost(sentence)
            case PlayerChanged(kind="speed-refused") if self._is_by_hand:
                sentence = None  # nobody has a hand for that
            case PlayerChanged(kind="trouble" | "speed-refused" | "gave-up", text=text):
                sentence = f"Your player: {text.rstrip('.')}."
            case PlayerChanged(kind="closed") if self._is_interactive:
                sentence = "Your player is closed; the others go on. Type again to open it, or quit to leave."
            case PlayerChanged(kind="closed"):
                sentence = "Your player is closed: you leave, the others go on."
        self._teller.update(update, sentence)
        if self._kept and self._is_connected.is_set():
            self._ask_what_was_kept()

    def _arrived(self, frame: TimecodeFrame) -> str:
        """The first that is known of the others."""
        others = [one for user_id, one in frame.participants.items() if user_id != self._evening.viewer.user_id]
        names = " and ".join(one.name or one.role for one in others if one.connected)
        return f"You are here, and so is {names}." if names else "You are here; nobody else is yet."

    def _asked(self, frame: TimecodeFrame, sentence: str | None) -> str | None:
        """What is agreed to on this person's behalf is no question to them."""
        pending, viewer = frame.pending, self._evening.viewer
        if sentence is None or pending is None or pending.by == viewer.user_id:
            return sentence
        match viewer.consent.of(pending.to if isinstance(pending.to, str) else "seek"):
            case Consent.ASK:
                return sentence
            case Consent.TELL:
                return f"{sentence.partition(';')[0]}; agreed for you."
            case Consent.FREE:
                return None

    def _lost(self, sentence: str | None) -> str | None:
        """A line that stays lost is told twice, not at every try."""
        now = time.monotonic()
        if self._lost_since is None:
            self._lost_since = now
            return sentence
        if self._is_still_lost_said or now < self._lost_since + STILL_LOST_SECONDS:
            return None
        self._is_still_lost_said = True
        return "There is still no line. It comes back by itself when it can; type quit to leave."

    # --- obeying ------------------------------------------------------------------------------------------------

    async def _obey(self) -> None:
        async for line in typed_lines(self._stdin, LINE_MAX_BYTES, cuts_long_ones=True):
            if not line.strip():
                continue
            if line.strip().lower().removeprefix("/") in ("quit", "q", "exit"):
                await self._leave()
                return
            self._command(line.strip())
        self._nobody_types = True
        if self._is_interactive:
            await self._leave()

    async def _leave(self) -> None:
        """What was typed before is done first, if that can be."""
        parts = (self._predictions.is_done, self._talk.is_sent, self._is_asked)
        await asyncio.gather(*(part(LAST_SECONDS) for part in parts))
        if self._kept:
            self._teller.say(NOT_YET, "help")
        self._evening.stop()

    async def _is_asked(self, seconds: float) -> None:
        """Wait until there is a line for what is kept, or for so long."""
        if self._kept:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_connected.wait(), seconds)

    def _command(self, line: str) -> None:
        if line.startswith(">"):
            self._talk.say(line[1:])
            return
        first, _, rest = line.partition(" ")
        word = first.lower().removeprefix("/")
        if self._reopening is not None and word in ("again", "play", "yes", "y"):
            self._reopening.set_result(True)
            self._reopening = None
            return
        match word:
            case "say":
                self._talk.say(rest)
            case "me":
                self._talk.act(rest)
            case "react":
                self._talk.react(rest)
            case _ if word in plain_predictions.WORDS:
                self._predictions.asked(word, rest.strip())
            case _:
                self._film_command(word, rest.split())

    def _film_command(self, word: str, rest: list[str]) -> None:
        if word in ASKING and not self._is_connected.is_set():
            self._too_early(word, rest)
            return
        match word:
            case "play" | "pause" | "stop":
                self._watching.ask(word)
            case "seek":
                self._seek(rest)
            case "accept" | "yes" | "y":
                self._watching.confirm()
            case "refuse" | "no" | "n":
                self._watching.refuse()
            case "where":
                self._teller.say(self._where(), "where", clock_uncertainty=self._uncertainty())
            case "at" if self._is_by_hand:
                self._i_am_at(rest)
            case "retry":
                self._evening.reconnect()
            case _:
                unknown = "" if word in ("help", "?", "h") else f"'{word[:SHOWN_CHARACTERS]}' is no command. "
                self._teller.say(unknown + self.help, "help")
                return
        if not self._evening.viewer.connected and word not in ("where", "at", "retry"):
            self._teller.say("There is no line, so the other does not hear of it.")

    def _too_early(self, word: str, rest: list[str]) -> None:
        """What is asked of nobody would be lost: a person types it again; what a pipe asks waits for a line."""
        if self._is_interactive or len(self._kept) >= KEPT_MAX:
            self._teller.say(NOT_YET, "help")
        else:
            self._kept.append((word, rest))

    def _ask_what_was_kept(self) -> None:
        kept, self._kept = self._kept, []
        for word, rest in kept:
            self._film_command(word, rest)

    @property
    def help(self) -> str:
        """What can be typed."""
        parts = [HELP, HELP_BY_HAND if self._is_by_hand else ""]
        parts += [plain_talk.HELP if self._evening.conversation is not None else ""]
        parts += [plain_predictions.HELP if self._evening.predictions is not None else ""]
        return " ".join(part for part in parts if part)

    @property
    def _is_by_hand(self) -> bool:
        return self._evening.screen.player.name == "manual"

    async def _may_reopen(self) -> bool:
        if not self._is_interactive:
            return False
        self._reopening = asyncio.get_running_loop().create_future()
        return await self._reopening

    def _seek(self, rest: list[str]) -> None:
        text = rest[0] if rest else ""
        sign = {"+": 1, "-": -1}.get(text[:1], 0)
        try:
            to = self._here() + sign * parse_position(text[1:]) if sign else parse_position(text)
        except ValueError:
            self._teller.say("Where to? Type seek 41:00, seek +30 or seek -10.", "help")
            return
        self._watching.seek(max(0.0, to))

    def _here(self) -> float:
        now = time.monotonic()
        line = self._evening.viewer.line(now)
        return line.position_at(now) if line is not None else 0.0

    def _i_am_at(self, rest: list[str]) -> None:
        try:
            cast("ManualPlayer", self._evening.screen.player).i_am_at(parse_position(rest[0] if rest else ""))
        except ValueError:
            self._teller.say("Where are you? Type at 41:12.", "help")

    def _where(self) -> str:
        now = time.monotonic()
        viewer = self._evening.viewer
        told, line = viewer.timecode, viewer.line(now)
        if told is None or line is None:
            return NOT_YET
        error = viewer.error(now, self._watching.player.playhead(now))
        mine = "your player cannot be read" if error is None else f"you {-error:+.3f} s"
        others = [
            f"{one.name or one.role} {_drift_of(one)}"
            for user_id, one in told.participants.items()
            if user_id != viewer.user_id
        ]
        here = f"{told.status.capitalize()} at {clock_text(line.position_at(now))} of {clock_text(told.length)}"
        doubt = self._uncertainty()
        clock = "" if doubt is None else f"; clocks within {1000 * doubt:.1f} ms"
        return f"{here}: {', '.join([mine, *others])}{clock}."

    def _uncertainty(self) -> float | None:
        """By how much the server's clock may be another than is believed here, in seconds, once it was looked at."""
        doubt = self._evening.viewer.clock.uncertainty
        return None if math.isinf(doubt) else round(doubt, 6)


def _drift_of(one: ParticipantState) -> str:
    if one.drift is not None:
        return f"{one.drift:+.3f} s"
    return "with a player that cannot be read" if one.connected else "away"
