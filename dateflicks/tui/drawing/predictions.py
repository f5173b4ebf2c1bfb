"""The session's predictions: what is open and sealed, what waits for the film, what wants an answer, how all stand."""

from collections.abc import Sequence
from typing import Final

from dateflicks.client.prediction_sentences import percent
from dateflicks.protocol.predictions import CallBody, PredictionBody, ScoreBody
from dateflicks.tui.drawing import words
from dateflicks.tui.drawing.cells import clean, cut
from dateflicks.tui.drawing.rows import Row, Segment, fitted, spread, wrapped
from dateflicks.tui.glyphs import Glyphs, own_text
from dateflicks.tui.keys import Keymap
from dateflicks.tui.model.state import WatchState
from dateflicks.tui.themes import Style

_CALLS: Final = 1  # the urgency of a call that was not made yet
LONG_CELLS: Final = 60  # from here on, calls and what to do about them stand in one row
_VOID: Final = {
    "objection": "they did not agree on the outcome",
    "silence": "nobody was there to confirm",
    "called-off": "called off",
}


def panel(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap, limit: int = 4) -> list[Row]:
    """At most `limit` rows beside the film: what wants something of this person first."""
    items = sorted(state.bets.items, key=lambda one: _urgency(state, one))[:limit]
    rows = [_short(state, one, width, glyphs, keys) for one in items]
    if not rows:
        key = keys.shown("predict", ascii_only=glyphs.is_ascii)
        rows = [fitted([(f" Nothing is predicted yet; {key} opens this.", "dim")], width, glyphs)]
    return rows


def wanted(state: WatchState, width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """One row above the chat for the prediction that most wants something of this person; none where none does."""
    wants = [one for one in state.bets.items if _urgency(state, one) <= _CALLS]
    if not wants:
        return []
    one = min(wants, key=lambda each: _urgency(state, each))
    text, label = _author(state, one), "call it"
    style: Style = "accent"
    if one.proposed_outcome is not None:
        text, label, style = f"came out {clean(one.proposed_outcome)}?", "confirm or object", "warning"
    key = f"[{keys.shown('predict', ascii_only=glyphs.is_ascii)}]"
    right: list[Segment] = [("  ", "text"), (key, "key"), (f" {label} ", "text")]
    if width < LONG_CELLS:
        right = [("  ", "text"), (key, "key"), (" ", "text")]
    sign, sign_style = _sign(state, one, glyphs)
    left: list[Segment] = [(f" {sign} ", sign_style), (f"{text} ", style), (_details(one, glyphs), "text")]
    return [spread(left, right, width, glyphs)]


def asked(state: WatchState, glyphs: Glyphs) -> str:
    """What the other predicts and this person has not called, or says came true; nothing where there is no such."""
    wants = [one for one in state.bets.items if _urgency(state, one) <= _CALLS and _is_of_other(state, one)]
    if not wants:
        return ""
    one = min(wants, key=lambda each: _urgency(state, each))
    if one.proposed_outcome is None:
        return f"{_author(state, one)} {_details(one, glyphs)}"
    return f"came out {clean(one.proposed_outcome)}? {_details(one, glyphs)}"


def empty(width: int, glyphs: Glyphs, keys: Keymap) -> list[Row]:
    """What predictions are, where there is none yet."""
    new, call, settle = (
        f"[{keys.shown(one, ascii_only=glyphs.is_ascii)}]" for one in ("predict-new", "call", "settle")
    )
    texts = [
        "",
        "Nothing is predicted yet.",
        "",
        f"{new} says what you think will happen in the film.",
        f"{call} calls it: what you believe, and how sure you are. Nobody sees it until calls close.",
        f"{settle} says what came true. Once the other has confirmed it, there are points.",
    ]
    rows = [part for text in texts for part in wrapped(own_text(text, glyphs), max(10, width - 4))]
    return [fitted([("  ", "text"), (row, "text")], width, glyphs) for row in rows]


def listing(
    state: WatchState, width: int, glyphs: Glyphs, keys: Keymap, selected: str | None = None
) -> list[tuple[str, list[Row]]]:
    """All predictions, the newest first: the id of each, and its rows with the number that `/call #2` knows it by."""
    count = len(state.bets.items)
    return [
        (one.id, _long(state, one, width, glyphs, keys, count - at, is_selected=one.id == selected))
        for at, one in enumerate(state.bets.items)
    ]


def scores(state: WatchState, width: int, glyphs: Glyphs) -> list[Row]:
    """One row: everybody's points, the best first."""
    found = [
        f"{_score_name(state, one)} {one.points:+.0f} ({one.right} of {one.calls} right)" for one in state.bets.scores
    ]
    text = own_text(" · ".join(found), glyphs) if found else "No points yet: nothing is settled."
    return [fitted([(f" {text}", "text" if found else "dim")], width, glyphs)]


def standing(state: WatchState, glyphs: Glyphs) -> str:
    """Everybody's points in few words: bea +12 — you -3."""
    return own_text(" — ", glyphs).join(f"{_score_name(state, one)} {one.points:+.0f}" for one in state.bets.scores[:3])


# --- one prediction ---------------------------------------------------------------------------------------------


def _short(state: WatchState, one: PredictionBody, width: int, glyphs: Glyphs, keys: Keymap) -> Row:
    sign, style = _sign(state, one, glyphs)
    left: list[Segment] = [(f" {sign} ", style), (_details(one, glyphs), "text")]
    right_text, right_style = _said(state, one, glyphs, keys)
    return _beside(left, right_text, right_style, width, glyphs)


def _long(
    state: WatchState,
    one: PredictionBody,
    width: int,
    glyphs: Glyphs,
    keys: Keymap,
    number: int,
    *,
    is_selected: bool,
) -> list[Row]:
    sign, style = _sign(state, one, glyphs)
    pointer = glyphs.marked if is_selected else " "
    first: list[Segment] = [
        (f"{pointer}{sign} ", "marked" if is_selected else style),
        (f"#{number} ", "dim"),
        (_details(one, glyphs), "marked" if is_selected else "strong"),
    ]
    rows = [_beside(first, _state_word(state, one), "dim", width, glyphs)]
    if not one.waits:
        nobody = "nobody has called it yet" if one.status == "open" else "nobody called it"
        calls = "   ".join(_call(state, call, one) for call in one.calls) or nobody
        said, said_style = _said(state, one, glyphs, keys, is_long=True)
        if said and width < LONG_CELLS:
            rows.append(fitted([(f"     {calls}", "text")], width, glyphs))
            rows.append(fitted([(f"     {said}", said_style)], width, glyphs))
        else:
            rows.append(_beside([(f"     {calls}", "text")], said, said_style, width, glyphs))
    if one.id in state.bets.unproven:
        warning = f"   {glyphs.no} Not proven: a call is not what was sealed. Talk before you settle it."
        rows.append(fitted([(warning, "bad")], width, glyphs))
    return rows


def _beside(left: Sequence[Segment], text: str, style: Style, width: int, glyphs: Glyphs) -> Row:
    """What is predicted, and what can be done about it, which may take up to two thirds."""
    if not text:
        return fitted(left, width, glyphs)
    right: list[Segment] = [
        ("  ", "text"),
        (cut(text, max(5, width * 2 // 3 - 3), glyphs.ellipsis), style),
        (" ", "text"),
    ]
    return spread(left, right, width, glyphs)


def _sign(state: WatchState, one: PredictionBody, glyphs: Glyphs) -> tuple[str, Style]:
    if one.id in state.bets.unproven:
        return glyphs.no, "bad"
    if one.waits:
        return glyphs.wait, "dim"
    match one.status:
        case "open":
            return "?", "accent"
        case "locked":
            return "!" if one.proposed_outcome is not None else "=", "warning"
        case "settled":
            return glyphs.yes, "good"
        case "void":
            return glyphs.no, "dim"


def _details(one: PredictionBody, glyphs: Glyphs) -> str:
    if one.waits:
        return "A prediction waits until your film gets to it"
    return own_text("“", glyphs) + clean(one.details) + own_text("”", glyphs)


def _state_word(state: WatchState, one: PredictionBody) -> str:
    if one.waits:
        return ""
    if one.status == "open" and one.locks_at_position is not None:
        return f"locks at {words.position_text(one.locks_at_position, state.film.length)}"
    return {"open": "open", "locked": "locked", "settled": f"came out: {clean(one.outcome or '?')}", "void": "void"}[
        one.status
    ]


def _said(
    state: WatchState, one: PredictionBody, glyphs: Glyphs, keys: Keymap, *, is_long: bool = False
) -> tuple[str, Style]:
    """How it stands with it, and what to press where something is to be done; less where the calls stand beside it.

    Beside the film there is one key for all of it, which opens the list.
    """

    def key(name: str) -> str:
        return f"[{keys.shown(name if is_long else 'predict', ascii_only=glyphs.is_ascii)}]"

    if one.waits:
        return "", "dim"
    mine = next((call for call in one.calls if call.author == state.me), None)
    if one.status == "open":
        if mine is None or mine.option is None:
            return f"{key('call')} call it", "accent"
        if is_long:
            return f"{key('settle')} once known   {key('call')} call anew", "dim"
        others = sum(call.author != state.me for call in one.calls)
        sealed = f", {others} sealed" if others else ""
        return f"you: {clean(mine.option)}{_sure(mine)}{sealed}", "text"
    if one.status == "locked":
        if one.proposed_outcome is None:
            return f"{key('settle')} say what came true", "accent"
        outcome = clean(one.proposed_outcome)
        if one.proposed_by == state.me:
            return f"you say {outcome}; now the other confirms", "dim"
        if not is_long:
            return f"{outcome}? {key('confirm')} confirm or object", "warning"
        return f"{outcome}? {key('confirm')} confirm {key('object')} object", "warning"
    if one.status == "settled":
        points = ", ".join(f"{_caller(state, call)} {call.points or 0:+.0f}" for call in one.calls)
        outcome = clean(one.outcome or "?")
        if is_long:
            return points, "good"
        return f"{outcome}: {points}" if points else outcome, "good"
    return f"void: {_VOID.get(one.void_reason or '', 'it does not count')}", "dim"


def _is_of_other(state: WatchState, one: PredictionBody) -> bool:
    """Whether it is the other who wants the answer: nobody waits for a call on what one has predicted oneself."""
    return one.proposed_outcome is not None or one.author != state.me


def _author(state: WatchState, one: PredictionBody) -> str:
    return (
        "you predict" if one.author == state.me else f"{words.shown_name(one.author_name or 'somebody', 12)} predicts"
    )


def _call(state: WatchState, call: CallBody, one: PredictionBody) -> str:
    said = "sealed" if call.option is None else f"{clean(call.option)}{_sure(call)}"
    is_right = one.status == "settled" and call.option is not None and call.option == one.outcome
    return f"{_caller(state, call)}: {said}{', right' if is_right else ''}"


def _caller(state: WatchState, call: CallBody) -> str:
    return "you" if call.author == state.me else words.shown_name(call.author_name, 12)


def _sure(call: CallBody) -> str:
    return "" if call.confidence is None else f" {percent(call.confidence)}"


def _score_name(state: WatchState, score: ScoreBody) -> str:
    return "you" if score.user_id == state.me else words.shown_name(score.name, 12)


def _urgency(state: WatchState, one: PredictionBody) -> int:
    """What wants an answer of this person comes first, what is over last."""
    if one.waits:
        return 4
    if one.status == "locked":
        return 0 if one.proposed_outcome is not None and one.proposed_by != state.me else 2
    if one.status == "open":
        return 3 if any(call.author == state.me for call in one.calls) else 1
    return 5
