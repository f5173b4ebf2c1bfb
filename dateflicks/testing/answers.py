"""Recorded answers in place of a network: the `HttpClient` of a trial gives them, and remembers what was asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from dateflicks.server.providers.fetching import FetchedAnswer
from dateflicks.server.providers.source import NotOffered

_JSON_DEPTH: Final = 64

Fault = Callable[[FetchedAnswer], FetchedAnswer]
"""What becomes of an answer; may raise a SourceError instead."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a provider answers, by address: JSON, or text as `str`, or `bytes`.

    An address fits when a request has its parameters among others; of several that fit, the most exact one is taken.
    What fits none is 404.
    """

    by_url: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, url: str) -> FetchedAnswer:
        """The answer to a request. Raises NotOffered."""
        asked = urlsplit(url)
        params = dict(parse_qsl(asked.query, keep_blank_values=True))
        fitting = []
        for address, value in self.by_url.items():
            known = urlsplit(address)
            wanted = dict(parse_qsl(known.query, keep_blank_values=True))
            if known[:3] == asked[:3] and wanted.items() <= params.items():
                fitting.append((len(wanted), value))
        if not fitting:
            raise NotOffered(f"{asked.scheme}://{asked.netloc}{asked.path} is not there (404).")
        return answer_of(url, max(fitting, key=lambda one: one[0])[1])


def answer_of(url: str, value: Any) -> FetchedAnswer:
    """An answer with this body."""
    kind = "text/plain" if isinstance(value, str | bytes) else "application/json"
    body = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    return FetchedAnswer(200, {"content-type": f"{kind}; charset=utf-8"}, body, url.partition("?")[0], _JSON_DEPTH)


class RecordedClient:
    """The `HttpClient` of one trial. `faults` are by the number of the request, from 0."""

    def __init__(
        self,
        answers: Answers,
        may_reach: Callable[[str], bool],
        faults: Mapping[int, Fault] | None = None,
    ) -> None:
        self.asked: list[Request] = []
        self.foreign: list[str] = []
        self._answers = answers
        self._may_reach = may_reach
        self._faults = faults or {}

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        conditional: bool = False,
    ) -> FetchedAnswer:
        """The recorded answer; see `HttpClient`."""
        del conditional  # nothing is known from an earlier time
        address = url
        if params:
            address += ("&" if urlsplit(url).query else "?") + urlencode(params)
        number = len(self.asked)
        self.asked.append(Request(address, dict(headers or {})))
        if not self._may_reach(address):
            self.foreign.append(address)
        answer = self._answers.answer(address)
        return self._faults[number](answer) if number in self._faults else answer
