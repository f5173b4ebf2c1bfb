"""A session's predictions as one person knows them: the newest of each, whether its calls are proven, who stands how.

Pure: what was heard goes in, what is new about it comes out. A sealed call is remembered by its commitment, so that at
the lock it shows whether somebody, or the service, has put another one in its place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec

from dateflicks.protocol.predictions import CallBody, PredictionBody, PredictionReason, ScoreBody, commitment

_UNSEALED: Final = frozenset({"locked", "settled"})


@dataclass(frozen=True, slots=True)
class Changed:
    """A prediction is new, or another than it was; `before` is how it was known until now."""

    prediction: PredictionBody
    reason: PredictionReason
    before: PredictionBody | None


@dataclass(frozen=True, slots=True)
class Unproven:
    """A call is not what was sealed, to be said loudly; `why` is a clause such as "it is gone"."""

    prediction: PredictionBody
    author: str
    author_name: str
    why: str


@dataclass(frozen=True, slots=True)
class ScoresChanged:
    """How everybody stands now, the best first."""

    scores: tuple[ScoreBody, ...]


LedgerUpdate = Changed | Unproven | ScoresChanged


class SealedCall(msgspec.Struct, frozen=True):
    """What was seen of a call: enough to know it again."""

    name: str
    commitment: str
    called_at: str


class Sealed(msgspec.Struct, frozen=True):
    """The calls of one prediction, by author, as they were last seen; once it is locked none may change any more."""

    revision: int
    is_locked: bool
    calls: dict[str, SealedCall]


class Ledger:
    """What is known of one session's predictions; `take` learns, everything else tells.

    With `sealed`, as another ledger had it, calls are held to what was seen then.
    """

    def __init__(self, sealed: Mapping[str, Sealed] | None = None) -> None:
        self._known: dict[str, PredictionBody] = {}
        self._sealed: dict[str, Sealed] = dict(sealed or {})
        self._doubted: dict[str, set[str]] = {}
        self.scores: tuple[ScoreBody, ...] = ()

    @property
    def sealed(self) -> Mapping[str, Sealed]:
        """What was seen of the calls of each prediction, to be remembered for another time."""
        return MappingProxyType(self._sealed)

    @property
    def items(self) -> tuple[PredictionBody, ...]:
        """Every prediction, the newest first."""
        return tuple(sorted(self._known.values(), key=lambda one: (one.created_at, one.id), reverse=True))

    @property
    def unproven(self) -> frozenset[str]:
        """The ids of predictions in which a call is not what was sealed."""
        return frozenset(self._doubted)

    def get(self, prediction_id: str) -> PredictionBody | None:
        """The newest that is known of one."""
        return self._known.get(prediction_id)

    def is_proven(self, prediction_id: str) -> bool | None:
        """Whether all calls are those that were sealed; None while that cannot be seen."""
        if prediction_id in self._doubted:
            return False
        known = self._known.get(prediction_id)
        is_open_to_see = known is not None and not known.waits and known.status in _UNSEALED
        return True if is_open_to_see and known is not None and known.calls else None

    def take(self, prediction: PredictionBody, reason: PredictionReason = "present") -> list[LedgerUpdate]:
        """What is new by this word of the service; nothing when it is an old one, or the same again."""
        before = self._known.get(prediction.id)
        if before is not None and not _is_newer(prediction, before):
            return []
        self._known[prediction.id] = prediction
        updates: list[LedgerUpdate] = [Changed(prediction, _reason(reason, prediction, before), before)]
        if not prediction.waits:
            updates += self._proved(prediction)
        scores = tuple(standings(self._known.values()))
        if scores != self.scores:
            self.scores = scores
            updates.append(ScoresChanged(scores))
        return updates

    # --- proof --------------------------------------------------------------------------------------------------

    def _proved(self, prediction: PredictionBody) -> Iterator[Unproven]:
        sealed = self._sealed.get(prediction.id)
        for author, name, why in (*_misfits(prediction), *(_replaced(prediction, sealed) if sealed else ())):
            doubted = self._doubted.setdefault(prediction.id, set())
            if author not in doubted:
                doubted.add(author)
                yield Unproven(prediction, author, name, why)
        if prediction.id not in self._doubted:  # what was seen before the doubt is what counts
            calls = {one.author: SealedCall(one.author_name, one.commitment, one.called_at) for one in prediction.calls}
            self._sealed[prediction.id] = Sealed(prediction.revision, prediction.status != "open", calls)


def _is_newer(prediction: PredictionBody, before: PredictionBody) -> bool:
    """The film's coming to it, and people's coming and going, change what is seen of a prediction and no more."""
    is_hidden = prediction.waits and not before.waits
    is_seen_anew = prediction.revision == before.revision and prediction != before and not is_hidden
    return prediction.revision > before.revision or is_seen_anew


def _reason(reason: PredictionReason, prediction: PredictionBody, before: PredictionBody | None) -> PredictionReason:
    """What has happened while there was no line: the service tells how things are, not how they came about."""
    if reason != "present" or before is None:
        return reason
    if prediction.status != before.status and prediction.status != "open":
        return prediction.status
    if prediction.proposed_by != before.proposed_by:
        return "proposed"
    if before.waits and not prediction.waits:
        return "shown"
    if prediction.revision == before.revision and prediction.deadline != before.deadline:
        return "away" if prediction.deadline else "back"
    return "confirmed" if prediction.confirmed_by != before.confirmed_by else "called"


def _misfits(prediction: PredictionBody) -> Iterator[tuple[str, str, str]]:
    """Calls that do not fit their own commitment: author, name, why."""
    for call in prediction.calls:
        if call.salt is None or call.option is None or call.confidence is None:
            if prediction.status in _UNSEALED:
                yield call.author, call.author_name, "it was not unsealed at the lock"
        elif commitment(call.salt, prediction.id, call.author, call.option, call.confidence) != call.commitment:
            yield call.author, call.author_name, "it does not fit its commitment"


def _replaced(prediction: PredictionBody, sealed: Sealed) -> Iterator[tuple[str, str, str]]:
    """Calls that are others than those seen before, though nobody could change them since: author, name, why.

    Until the lock everybody may change their own. Whoever has missed a revision cannot know of the last changes, and
    tells a rightful one by its time.
    """
    is_open = prediction.status == "open"
    has_missed = not sealed.is_locked and prediction.revision > sealed.revision + 1
    found = {call.author: call for call in prediction.calls}
    for author, earlier in sealed.calls.items():
        call = found.get(author)
        if call is None:
            yield author, earlier.name, "it is gone"
        elif call.commitment == earlier.commitment or is_open or (has_missed and call.called_at > earlier.called_at):
            continue
        else:
            yield author, call.author_name, "it is another than the one that was sealed"
    if not is_open and not has_missed:
        for author in found.keys() - sealed.calls.keys():
            yield author, found[author].author_name, "it came after the lock"


# --- scores -----------------------------------------------------------------------------------------------------


def standings(predictions: Iterable[PredictionBody]) -> list[ScoreBody]:
    """How everybody stands by the settled ones among these, the best first."""
    scored: dict[str, list[tuple[CallBody, bool]]] = {}
    for prediction in sorted(predictions, key=lambda one: one.settled_at or ""):
        if prediction.status == "settled":
            for call in prediction.calls:
                scored.setdefault(call.author, []).append((call, call.option == prediction.outcome))
    return sorted(map(_score, scored.values()), key=lambda score: (-score.points, score.name, score.user_id))


def _score(calls: list[tuple[CallBody, bool]]) -> ScoreBody:
    briers = [call.brier for call, _ in calls if call.brier is not None]
    return ScoreBody(
        user_id=calls[-1][0].author,
        name=calls[-1][0].author_name,
        points=round(sum(call.points or 0.0 for call, _ in calls), 2),
        calls=len(calls),
        right=sum(is_right for _, is_right in calls),
        brier=round(sum(briers) / len(briers), 4) if briers else None,
    )
