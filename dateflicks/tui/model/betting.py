"""How predictions change: the newest revision of each is kept, the newest prediction stands first."""

from dataclasses import replace

from dateflicks.protocol.predictions import PredictionBody
from dateflicks.tui.model.state import Bets


def changed(bets: Bets, prediction: PredictionBody) -> Bets:
    """A prediction as it is now, unless a newer one is known."""
    before = next((one for one in bets.items if one.id == prediction.id), None)
    if before is not None and not _is_newer(prediction, before):
        return bets
    items = [one for one in bets.items if one.id != prediction.id]
    items.append(prediction)
    items.sort(key=lambda one: (one.created_at, one.id), reverse=True)
    return replace(bets, items=tuple(items))


def _is_newer(prediction: PredictionBody, before: PredictionBody) -> bool:
    """Of one revision, what can be read is newer than what waits for the film."""
    if prediction.revision != before.revision:
        return prediction.revision > before.revision
    return before.waits or not prediction.waits
