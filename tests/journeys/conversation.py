"""Examples of the wire as a page shows them, played against a real deployment: what is asked is sent as it stands, and
what is answered has to be in what comes.

In `http` blocks a request stands above a line of `-->` and what is answered below it; several are parted by a line of
`---`. In `websocket` blocks `NAME connects to PATH as BEARER` opens a connection, `NAME → FRAME` says, `NAME ← FRAME`
hears (others may come between), `NAME ← closed CODE` hears the end. `<word>` stands for what it was told as first, and
`…` for anything; an answer may hold more than the page shows; numbers with a point are examples.
"""

import contextlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.journeys.deployment import Deployment
from tests.journeys.people import fresh_name
from tests.journeys.wire import Feed, Json, Rest, open_feed, open_rest, refusal, strict_json

PEOPLE: Final = ("ana", "bea", "cleo")
_FENCE: Final = re.compile(r"^```(http|websocket)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WORD: Final = re.compile(r"<([a-z][a-z ]*)>")
_LINE: Final = re.compile(r"^(\w+) (connects to|→|←|leaves)(?: (.*))?$")
_CONNECT: Final = re.compile(r"^(\S+) as (<[a-z ]+>)(?: is refused with (\d+))?$")


@dataclass(frozen=True)
class Example:
    """One block of a page."""

    kind: str
    text: str
    line: int


def examples_of(page: Path) -> list[Example]:
    """The examples of the wire on a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Example(found[1], found[2], text[: found.start()].count("\n") + 1) for found in _FENCE.finditer(text)]


@dataclass
class Conversation:
    """All that was told so far, and who is connected. Feeds are read in order: what was heard is behind."""

    deployment: Deployment
    known: dict[str, Any] = field(default_factory=dict)
    _feeds: dict[str, Feed] = field(default_factory=dict)
    _behind: dict[str, int] = field(default_factory=dict)
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    _closing: dict[str, contextlib.AsyncExitStack] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {name: fresh_name(name) for name in PEOPLE}  # others were called so before
        self._address = self.deployment.fresh_address()

    async def play(self, example: Example) -> None:
        """One block. Raises AssertionError, with its line on the page."""
        try:
            if example.kind == "http":
                async with open_rest(self.deployment, self._address) as rest:
                    for exchange in example.text.split("\n---\n"):
                        await self._call(rest, exchange)
            else:
                for line in _joined(example.text):
                    await self._speak(line)
        except AssertionError as error:
            raise AssertionError(f"line {example.line}: {error}") from error

    async def close(self) -> None:
        """Everybody leaves."""
        for closing in self._closing.values():
            await closing.aclose()
        await self._stack.aclose()

    # --- HTTP ---------------------------------------------------------------------------------------------------

    async def _call(self, rest: Rest, exchange: str) -> None:
        asked, arrow, expected = exchange.partition("\n-->\n")
        assert arrow, f"no answer is shown to {asked!r}"
        head, _, body = asked.strip().partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split(" ", 1)
        headers = dict(line.split(": ", 1) for line in lines)
        status, _, shown = expected.strip().partition("\n")
        answer = await rest.call(
            method, self._filled(path),
            content=self._said(self._filled(body)).encode() if body.strip() else None,
            headers={name: self._filled(value) for name, value in headers.items()},
            expect=int(status.split()[0]),
        )  # fmt: skip
        if shown.strip():
            self._match(self._renamed(_json(shown)), answer.body, f"{method} {path}")
        else:
            assert not answer.text, f"{method} {path}: the page shows no body, and there is {answer.text[:200]}"

    # --- WebSockets ---------------------------------------------------------------------------------------------

    async def _speak(self, line: str) -> None:
        found = _LINE.match(line)
        assert found is not None, f"not understood: {line!r}"
        name, verb, rest = found[1], found[2], found[3] or ""
        if verb == "connects to":
            await self._connect(name, rest)
        elif verb == "leaves":
            await self._closing.pop(name).aclose()
        elif verb == "→":
            await self._feeds[name].send_text(self._said(self._filled(rest)))
        elif rest.startswith("closed "):
            code = await self._feeds[name].expect_closed()
            assert code == int(rest.split()[1]), f"{name} was closed with {code}, not {rest}"
        else:
            await self._hear(name, self._renamed(_json(rest)))

    async def _connect(self, name: str, rest: str) -> None:
        found = _CONNECT.match(rest)
        assert found is not None, f"not understood: {rest!r}"
        path, token = self._filled(found[1]), str(self._told(found[2]))
        if found[3] is not None:
            code = await refusal(self.deployment, path, token, address=self._address)
            assert code == int(found[3]), f"{name} was refused with {code}"
            return
        self._closing[name] = closing = contextlib.AsyncExitStack()
        self._feeds[name] = await closing.enter_async_context(
            open_feed(self.deployment, path, token, address=self._address)
        )
        self._behind[name] = 0

    async def _hear(self, name: str, expected: Json) -> None:
        """The next frame that fits; what came before it is not looked at again."""
        feed = self._feeds[name]

        def fits(frame: Json) -> bool:
            return not self._differences(expected, frame, "", dict(self.known))

        heard = await feed.expect(fits, json.dumps(expected, ensure_ascii=False), since=self._behind[name])
        self._behind[name] = next(i for i, frame in enumerate(feed.frames) if frame is heard) + 1
        self._match(expected, heard, f"{name} heard")

    # --- words --------------------------------------------------------------------------------------------------

    def _told(self, placeholder: str) -> Any:
        word = placeholder.strip("<>")
        assert word in self.known, f"nothing was told as <{word}>"
        return self.known[word]

    def _filled(self, text: str) -> str:
        """With what is known in place of its placeholders; a string that is one whole becomes what it was, too."""
        return _WORD.sub(lambda found: str(self._told(found[0])), text)

    def _said(self, text: str) -> str:
        """What is sent: JSON with the names of this conversation, and anything else as it stands."""
        try:
            return json.dumps(self._renamed(json.loads(text)))
        except ValueError:
            return text

    def _renamed(self, value: Any) -> Any:
        """With the names of this conversation's people in place of the page's."""
        if isinstance(value, dict):
            return {key: self._renamed(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self._renamed(one) for one in value]
        return self._names.get(value, value) if isinstance(value, str) else value

    def _match(self, expected: Any, actual: Any, where: str) -> None:
        differences = self._differences(expected, actual, "", self.known)
        assert not differences, f"{where}: {'; '.join(differences)}; it was {json.dumps(actual)[:900]}"

    def _differences(self, expected: Any, actual: Any, where: str, known: dict[str, Any]) -> list[str]:
        """What of the page is not so; what is told for the first time goes into `known`."""
        if isinstance(expected, dict):
            if not isinstance(actual, dict):
                return [f"{where or 'it'} is no object"]
            found: list[str] = []
            for key, one in expected.items():
                word = _WORD.fullmatch(key)
                name = str(known.get(word[1], key)) if word else key
                if name not in actual:
                    found.append(f"{where}.{name} is missing")
                else:
                    found += self._differences(one, actual[name], f"{where}.{name}", known)
            return found
        if isinstance(expected, list):
            if not isinstance(actual, list) or len(actual) < len([one for one in expected if one != "…"]):
                return [f"{where} is no list of as many"]
            pairs = zip(expected, actual, strict=False)
            return [
                one
                for number, (left, right) in enumerate(pairs)
                if left != "…"
                for one in self._differences(left, right, f"{where}[{number}]", known)
            ]
        if expected == "…":
            return []
        if isinstance(expected, str) and (word := _WORD.fullmatch(expected)):
            if word[1] not in known:
                known[word[1]] = actual
                return []
            expected = known[word[1]]
        if isinstance(expected, float):
            is_number = isinstance(actual, int | float) and not isinstance(actual, bool)
            return [] if is_number else [f"{where} is {actual!r}, no number"]
        same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
        return [] if same else [f"{where} is {actual!r}, not {expected!r}"]


def _json(text: str) -> Any:
    """JSON in which a lone `…` may stand for more members of an object or a list, and a placeholder for any value."""
    text = re.sub(r'(?<!")(<[a-z][a-z ]*>)(?!")', r'"\1"', text)
    text = re.sub(r"(?<=: )…", '"…"', text)
    return strict_json(re.sub(r",\s*…(?=\s*[}\]])", "", re.sub(r"([{\[])\s*…\s*(?=[}\]])", r"\1", text)))


def _joined(text: str) -> list[str]:
    """Lines, with those that are indented put behind the one that they go on."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line)
    return lines
