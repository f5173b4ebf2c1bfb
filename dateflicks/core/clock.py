"""A clock elsewhere as seen from here: offset by a two-sided minimum, with a fitted skew. Pure; times are arguments.

Each ping/pong gives two one-way differences, t1 − t0 (there) and t3 − t2 (back). Both hold a true offset and a delay
that is never negative, so the smallest of each, taken *on its own*, comes nearest to the bare line; half their
difference is the offset. This beats picking the exchange with the least round trip (the two smallest rarely fall in
one exchange); see Cristian (1989) for the bound and RFC 5905 section 10 for the clock filter that it replaces. Half of
a line's asymmetry can not be seen by any protocol: it stays inside `uncertainty`. Clients follow the server's clock so,
and the hosts of a deployment the one clock that they have in common.
"""

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

WINDOW_SECONDS: Final = 60.0  # the minimum is sought in this much of the past,
WINDOW_EXCHANGES: Final = 60  # and further back while that holds fewer exchanges
HISTORY_SECONDS: Final = 900.0  # the skew is fitted over this much: three times as much where exchanges are rare
BIN_SECONDS: Final = 5.0  # of which the best exchange stands for all
BIN_NOISE_SECONDS: Final = 0.010  # by so much even the best of them may be wrong
BIN_LATE: Final = 4.0  # later than so many times the usual lateness, and a bin is left out
SKEW_PRIOR: Final = 40e-6  # how far two ordinary quartz clocks are apart; the fit is shrunk towards 0 by it
SKEW_MAX: Final = 500e-6  # beyond this it is not skew but a broken fit
CONTRADICTION_SECONDS: Final = 0.100  # so far beyond what the window allows, and a clock has jumped
CONTRADICTIONS: Final = 3  # so many in a row and the past is forgotten
READY_EXCHANGES: Final = 3  # before that an offset is a guess
BURST: Final = 10  # exchanges right after each other while the clock is new
BURST_INTERVAL_SECONDS: Final = 0.100  # between these
INTERVAL_SECONDS: Final = 1.0  # between those that follow
CALM_INTERVAL_SECONDS: Final = 5.0  # once the offset and the skew are known well, as many exchanges are worth as much
CALM_AFTER_EXCHANGES: Final = 240
INTERVAL_SPREAD: Final = (0.7, 1.3)  # of it, drawn anew each time, so that many clients do not ask together


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One exchange: when (own clock), and its two one-way differences, in seconds."""

    at: float
    there: float
    back: float


class FollowedClock:
    """Maps between the own monotonic clock and the other; both in seconds."""

    def __init__(self) -> None:
        self.clock_id: str | None = None
        self._exchanges: deque[_Exchange] = deque()
        self._bins: deque[_Exchange] = deque()
        self._doubts: list[_Exchange] = []
        self._skew = 0.0
        self._offset = 0.0
        self._at = 0.0
        self._uncertainty = float("inf")
        self._total = 0

    @property
    def ready(self) -> bool:
        """Whether enough exchanges have been made to rely on it."""
        return self._total >= READY_EXCHANGES

    @property
    def interval(self) -> float:
        """How long to wait for the next exchange, on average, in seconds."""
        return CALM_INTERVAL_SECONDS if self._total >= CALM_AFTER_EXCHANGES else INTERVAL_SECONDS

    @property
    def uncertainty(self) -> float:
        """Half the smallest round trip: the offset is wrong by at most this much."""
        return self._uncertainty

    @property
    def round_trip(self) -> float:
        """The smallest round trip of the window, in seconds."""
        return 2 * self._uncertainty

    @property
    def skew(self) -> float:
        """How much faster the other clock runs (1e-6 is one part per million)."""
        return self._skew

    def server(self, local: float) -> float:
        """The other's time at a local instant."""
        return local + self._offset + self._skew * (local - self._at)

    def local(self, server: float) -> float:
        """The local instant at a time of the other."""
        return (server - self._offset + self._skew * self._at) / (1 + self._skew)

    def forget(self) -> None:
        """Forget all: the clocks are new to each other. What was computed last stays in use until then."""
        self._exchanges.clear()
        self._bins.clear()
        self._doubts.clear()
        self._total = 0
        self._skew = 0.0

    def exchanged(self, t0: float, t1: float, t2: float, t3: float, clock_id: str) -> bool:
        """Take in one exchange; True when the past was forgotten because of it (then a new burst is due).

        `t0` and `t3` are the own clock at sending and receiving, `t1` and `t2` the other's; all in seconds.
        """
        one = _Exchange(t3, t1 - t0, t3 - t2)
        forgot = False
        if clock_id != self.clock_id:
            forgot = self.clock_id is not None
            self.clock_id = clock_id
            self.forget()
        elif self._contradicts(one):
            self._doubts.append(one)
            if len(self._doubts) < CONTRADICTIONS:
                return False
            doubts = list(self._doubts)
            self.forget()
            for doubt in doubts[:-1]:
                self._take(doubt)
            forgot = True
        self._doubts.clear()
        self._take(one)
        return forgot

    def _contradicts(self, one: _Exchange) -> bool:
        """Whether the offset can not be both what this exchange and what the window allows."""
        if not self.ready:
            return False
        offset = self.server(one.at) - one.at
        low, high = offset - self._uncertainty, offset + self._uncertainty
        return -one.back > high + CONTRADICTION_SECONDS or one.there < low - CONTRADICTION_SECONDS

    def _take(self, one: _Exchange) -> None:
        self._total += 1
        self._exchanges.append(one)
        while len(self._exchanges) > WINDOW_EXCHANGES and self._exchanges[0].at < one.at - WINDOW_SECONDS:
            self._exchanges.popleft()
        self._bin(one)
        # Seen from now, an older exchange's differences have moved on by the skew.
        there = min(each.there + self._skew * (one.at - each.at) for each in self._exchanges)
        back = min(each.back - self._skew * (one.at - each.at) for each in self._exchanges)
        self._offset = (there - back) / 2
        self._uncertainty = max((there + back) / 2, 0.0)
        self._at = one.at

    def _bin(self, one: _Exchange) -> None:
        """Keep the smallest of each side for every few seconds, and fit the skew when such a bin is full."""
        if self._bins and one.at - self._bins[-1].at < BIN_SECONDS:
            last = self._bins[-1]
            self._bins[-1] = _Exchange(last.at, min(last.there, one.there), min(last.back, one.back))
            return
        if len(self._bins) >= 3:
            self._skew = _fitted_skew(self._bins)
        self._bins.append(one)
        while self._bins[0].at < one.at - HISTORY_SECONDS:
            self._bins.popleft()


def _fitted_skew(bins: deque[_Exchange]) -> float:
    """Least squares of the offset over time, shrunk by what is known of quartz: a poor fit says nothing.

    A bin is as good as its round trip is short. One that holds nothing but a single late exchange, as around a lost
    line, is left out: it would spoil the fit for minutes.
    """
    shortest = min(one.there + one.back for one in bins)
    usual = median(one.there + one.back for one in bins) - shortest + BIN_NOISE_SECONDS
    bins = deque(one for one in bins if one.there + one.back - shortest <= BIN_LATE * usual)
    weights = [(one.there + one.back - shortest + BIN_NOISE_SECONDS) ** -2 for one in bins]
    offsets = [(one.there - one.back) / 2 for one in bins]
    total = sum(weights)
    mean_at = sum(weight * one.at for weight, one in zip(weights, bins, strict=True)) / total
    mean_offset = sum(weight * offset for weight, offset in zip(weights, offsets, strict=True)) / total
    spread = covariance = 0.0
    for weight, one, offset in zip(weights, bins, offsets, strict=True):
        spread += weight * (one.at - mean_at) ** 2
        covariance += weight * (one.at - mean_at) * (offset - mean_offset)
    slope = covariance / spread
    residual = sum(
        weight * (offset - mean_offset - slope * (one.at - mean_at)) ** 2
        for weight, one, offset in zip(weights, bins, offsets, strict=True)
    )
    variance = residual / max(len(bins) - 2, 1) / spread
    shrunk = slope * SKEW_PRIOR**2 / (SKEW_PRIOR**2 + variance)
    return min(max(shrunk, -SKEW_MAX), SKEW_MAX)
