"""The reducer: from one state to the next. One function, total over all events; it never raises."""

from dataclasses import replace
from typing import Final, assert_never

from dateflicks.client import chat_updates, ledger, predictions
from dateflicks.client.prediction_sentences import prediction_sentence
from dateflicks.client.viewer import Notice
from dateflicks.client.watching import LinkChanged, PlayerChanged, Told
from dateflicks.tui.model import betting, talk, watching
from dateflicks.tui.model.events import (
    Answered,
    ConsentChosen,
    Event,
    PlayerAttached,
    PlayerSaid,
    Sampled,
    SessionOpened,
    Tick,
    Toasted,
    Wished,
)
from dateflicks.tui.model.state import Chat, Film, OwnPlayer, WatchState
from dateflicks.tui.model.telling import told

_GRANTED: Final = {"play": "play", "pause": "pause", "stop": "stop", "seek": "move the film"}
GAP_SECONDS: Final = 30.0
SAID_SECONDS: Final = 30.0  # what is to be done by hand stays until something else is, or it is surely done
WORD_SECONDS: Final = 5.0
SENTENCE_CHARACTERS: Final = 12  # shorter is a countdown
_OVER: Final = frozenset({"ended", "cancelled", "rejected"})


def reduce(state: WatchState, event: Event, now: float) -> WatchState:
    """The state after `event` at `now`; times before the newest one that is known count as that one."""
    if now > state.now:
        state = _passed(replace(state, now=now, together=state.together + _together(state, now)))
    match event:
        case Tick():
            return state
        case Told(frame=frame):
            return watching.timecode(state, frame)
        case Sampled():
            return watching.sampled(state, event)
        case LinkChanged():
            return _link(state, event)
        case PlayerChanged():
            return _player(state, event)
        case Notice():
            return _noticed(state, event)
        case Wished():
            return watching.wished(state, event)
        case Answered():
            return watching.answered(state, event)
        case ConsentChosen(consent=consent):
            return replace(state, consent=consent)
        case PlayerAttached(name=name):
            player = replace(state.player, name=name, is_attached=True, trouble="")
            return replace(state, player=player)
        case PlayerSaid(text=text):
            stays = SAID_SECONDS if len(text) >= SENTENCE_CHARACTERS else WORD_SECONDS
            return replace(state, player=replace(state.player, says=text, says_until=state.now + stays))
        case Toasted(text=text, is_trouble=is_trouble):
            return told(state, text, is_trouble=is_trouble)
        case SessionOpened():
            return _opened(event, state.now)
        case (
            ledger.Changed()
            | ledger.Unproven()
            | ledger.ScoresChanged()
            | predictions.PredictionsLine()
            | predictions.PredictionsRefused()
        ):
            return _bets(state, event)
        case _:
            return _chat(state, event)


def _opened(event: SessionOpened, now: float) -> WatchState:
    return WatchState(
        session_id=event.session_id,
        me=event.me,
        people=event.people,
        film=Film(title=event.title, length=event.length, at=now),
        player=OwnPlayer(name=event.player),
        consent=event.consent,
        invitation=event.invitation,
        now=now,
    )


def _passed(state: WatchState) -> WatchState:
    """What goes by itself."""
    toasts = state.toasts
    if any(one.until <= state.now for one in toasts):
        toasts = tuple(one for one in toasts if one.until > state.now)
    if state.player.says and state.player.says_until <= state.now:
        state = replace(state, player=replace(state.player, says=""))
    chat = talk.expired(state.chat, state.now)
    if toasts is not state.toasts or chat is not state.chat:
        state = replace(state, toasts=toasts, chat=chat)
    return watching.with_history(watching.expired(state), None)


def _together(state: WatchState, now: float) -> float:
    """Seconds of film that both have watched since the last event; over a gap, as of a sleeping computer, none."""
    passed = now - state.now
    is_shared = any(one.is_here and not one.is_me for one in state.people)
    return passed if is_shared and state.link.is_open and state.film.rate > 0 and passed < GAP_SECONDS else 0.0


def _link(state: WatchState, event: LinkChanged) -> WatchState:
    link = state.link
    if event.is_open:
        was_lost = link.lost_at is not None and link.round_trip is not None
        state = replace(state, link=replace(link, is_open=True, lost_at=None, retry_at=None, tries=0, why=""))
        return told(state, "The line is back.") if was_lost else state
    lost = replace(
        link,
        is_open=False,
        lost_at=state.now if link.lost_at is None else link.lost_at,
        retry_at=state.now + max(0.0, event.retry_in),
        tries=link.tries + 1,
        why=event.why,
    )
    if state.wish is not None:
        state = told(replace(state, wish=None), "The line went before your wish was heard.", is_trouble=True)
    return replace(state, link=lost)


def _player(state: WatchState, event: PlayerChanged) -> WatchState:
    player = state.player
    match event.kind:
        case "stalled":
            return replace(state, player=replace(player, trouble=event.text or "stands still"))
        case "recovered":
            return replace(state, player=replace(player, is_attached=True, trouble=""))
        case "died" | "closed" | "gave-up":
            state = replace(state, player=replace(player, is_attached=False, trouble=event.text), position=None)
            return told(state, "Your player died and is started again.") if event.kind == "died" else state
        case "ended":
            return told(state, "Your film is at its end.")
        case _:
            return told(state, f"Your player: {event.text}.", is_trouble=True)


def _noticed(state: WatchState, event: Notice) -> WatchState:
    if event.kind == "asked":
        return state  # the banner says it
    if event.kind == "granted":
        kind = event.text.split()[0] if event.text else ""
        who = state.name(event.by)
        return told(state, f"{who} asked to {_GRANTED.get(kind, kind)}: agreed for you.")
    if event.kind in _OVER:
        return told(replace(state, is_over=True), event.text)
    return told(replace(state, wish=None), event.text, is_trouble=True)


def _chat(state: WatchState, event: chat_updates.ChatUpdate) -> WatchState:
    chat, me = state.chat, state.me
    match event:
        case chat_updates.ChatLine(is_open=is_open):
            chat = replace(chat, is_open=is_open, typing=chat.typing if is_open else Chat().typing)
        case chat_updates.Said(message=message):
            chat = talk.said(chat, message, me)
        case chat_updates.Rewritten(message=message):
            chat = chat if message is None else talk.rewritten(chat, message, me)
        case chat_updates.DraftChanged(draft=draft):
            chat = talk.drafted(chat, draft, me)
        case chat_updates.DraftGone(client_id=client_id):
            chat = talk.gone(chat, client_id)
        case chat_updates.HasRead(user_id=user_id, seq=seq):
            chat = talk.read_by(chat, user_id, seq)
        case chat_updates.TypingNow(people=people):
            chat = talk.typing(chat, people, state.now)
        case chat_updates.Older(messages=messages, is_all=is_all):
            chat = talk.older(chat, messages, me, is_all=is_all)
        case chat_updates.CaughtUp(seq=seq, is_anew=is_anew):
            chat = talk.caught_up(chat, seq, is_anew=is_anew)
        case chat_updates.ChangeFailed(reason=reason):
            return told(state, f"Not changed: {reason}", is_trouble=True)
        case chat_updates.Trouble(text=text):
            return told(state, text, is_trouble=True)
        case _:
            assert_never(event)
    return replace(state, chat=chat)


def _bets(state: WatchState, event: predictions.PredictionsUpdate) -> WatchState:
    bets, is_trouble = state.bets, False
    match event:
        case ledger.Changed(prediction=prediction):
            bets = betting.changed(bets, prediction)
            if bets is state.bets:
                return state
        case ledger.Unproven(prediction=prediction):
            bets, is_trouble = replace(bets, unproven=bets.unproven | {prediction.id}), True
        case ledger.ScoresChanged(scores=scores):
            bets = replace(bets, scores=scores)
        case predictions.PredictionsLine(is_open=is_open):
            return replace(state, bets=replace(bets, is_open=is_open))
        case predictions.PredictionsRefused():
            is_trouble = True
        case _:
            assert_never(event)
    state = replace(state, bets=bets)
    sentence = prediction_sentence(event, state.me)
    return told(state, sentence, is_trouble=is_trouble) if sentence else state
