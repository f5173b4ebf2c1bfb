"""The reducer: the film's line in local time, people, what is asked for, wishes, and the history of drift."""

from dataclasses import replace

import pytest

from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.core.playback import Timeline
from dateflicks.protocol import frames
from dateflicks.tui.model import (
    Answered,
    ConsentChosen,
    LinkChanged,
    Notice,
    Person,
    Sampled,
    SessionOpened,
    Tick,
    WatchState,
    Wished,
    reduce,
)
from dateflicks.tui.model.state import BUCKET_SECONDS, DRIFT_BUCKETS
from dateflicks.tui.model.watching import WISH_SECONDS
from tests.tui.evenings import (
    BEA,
    LENGTH,
    ME,
    OFFSET,
    SESSION,
    TEO,
    after,
    live,
    opened,
    pending,
    person,
    sample,
    timecode,
)

ASK = ConsentSettings.all(Consent.ASK)


def asking(to: frames.StatusWord | float = "pause", by: str = BEA, **changes: object) -> WatchState:
    """A film that plays, and a change that waits for an answer until 60 s."""
    told = timecode(2.0, revision=2, by=by, pending=pending(to, by), **{"reason": "pause", **changes})
    return after([*live(), (1.0, ConsentChosen(consent=ASK)), (2.0, told)])


def texts(state: WatchState) -> list[str]:
    return [one.text for one in state.toasts]


# --- the film's line --------------------------------------------------------------------------------------------


def test_a_timecode_holds_from_its_arrival_until_the_clock_is_known() -> None:
    state = after([(0.0, opened()), (0.0, LinkChanged(True)), (3.0, timecode(2.5))])
    assert (state.film.position, state.film.at, state.film.rate) == (2472.0, 3.0, 1.0)


def test_once_the_clock_is_known_a_timecode_holds_from_the_service_s_instant() -> None:
    state = after([*live(), (3.0, timecode(2.5, revision=2))])
    assert state.film.at == pytest.approx(2.5)
    assert state.film.position_at(4.0) == pytest.approx(2473.5)


def test_a_clock_that_becomes_known_lays_the_last_timecode_anew() -> None:
    state = after([(0.0, opened()), (3.0, timecode(2.5)), (3.2, Sampled(offset=OFFSET))])
    assert state.film.at == pytest.approx(2.5)


def test_the_viewer_s_own_line_is_taken_as_it_is() -> None:
    state = after([*live(), (5.0, Sampled(line=Timeline(2480.0, 5.0, 0.0, LENGTH)))])
    assert (state.film.position_at(9.0), state.film.status) == (2480.0, "play")


def test_another_clock_of_the_service_makes_the_known_offset_worthless() -> None:
    state = after([*live(), (3.0, timecode(2.5, revision=2, clock_id="other"))])
    assert (state.offset, state.film.at) == (None, 3.0)


@pytest.mark.parametrize("revision", [0, -1])
def test_an_older_timecode_changes_nothing(revision: int) -> None:
    state = after(live())
    assert reduce(state, timecode(1.0, revision=revision, status="stop"), 1.0) == state


def test_a_timecode_of_another_session_changes_nothing() -> None:
    state = after(live())
    assert reduce(state, timecode(1.0, revision=9, session_id="ses_2"), 1.0) == state


def test_a_timecode_of_the_same_revision_brings_news_of_people_but_no_toast() -> None:
    told = timecode(1.0, reason="join", by=BEA, participants={ME: person("ana", role="host"), BEA: person(drift=-0.2)})
    state = reduce(after(live()), told, 1.0)
    assert state.other is not None
    assert (state.other.drift, texts(state)) == (-0.2, [])


def test_the_service_s_limits_replace_the_usual_ones_until_it_says_others() -> None:
    limits = frames.SyncLimits(confirm_seconds=30.0, band_seconds=0.25, wait_seconds=5.0)
    state = after([*live(), (2.0, timecode(2.0, revision=2, limits=limits)), (3.0, timecode(3.0, revision=3))])
    assert (state.confirm_seconds, state.band) == (30.0, 0.25)


def test_a_length_that_nobody_knows_yet_leaves_the_known_one() -> None:
    assert after([*live(), (2.0, timecode(2.0, revision=2, length=0.0))]).film.length == LENGTH


def test_time_that_goes_back_counts_as_the_newest_that_is_known() -> None:
    assert reduce(after(live()), Tick(), -5.0).now == 1.0


# --- people -----------------------------------------------------------------------------------------------------


def test_the_own_person_stands_first_then_the_host_then_the_others() -> None:
    people = {TEO: person("teo"), BEA: person("bea", role="host"), ME: person("ana")}
    assert [one.user_id for one in after([*live(), (2.0, timecode(2.0, participants=people))]).people] == [ME, BEA, TEO]


def test_who_is_not_told_of_is_away_and_keeps_the_name() -> None:
    state = after([*live(), (2.0, timecode(2.0, participants={ME: person("ana", role="host")}))])
    assert state.other is not None
    assert (state.other.name, state.other.is_here) == ("bea", False)


def test_a_name_that_the_service_does_not_tell_stays_as_the_session_has_it() -> None:
    state = after([*live(), (2.0, timecode(2.0, participants={BEA: person("")}))])
    assert state.other is not None
    assert state.other.name == "bea"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"buffering": True}, "is_buffering"),
        ({"excused": True}, "is_excused"),
        ({"connected": True}, "is_here"),
    ],
)
def test_what_is_told_of_somebody_is_known(changes: dict[str, object], field: str) -> None:
    state = after([*live(), (2.0, timecode(2.0, participants={BEA: person("bea", **changes)}))])
    assert getattr(state.other, field) is True


def test_the_own_drift_is_what_was_measured_here_not_what_the_service_guesses() -> None:
    state = after([*live(), (2.0, timecode(2.0, participants={ME: person("ana", role="host", drift=0.9)}))])
    assert state.people[0].drift == pytest.approx(0.001)


def test_an_error_behind_the_film_is_a_negative_drift() -> None:
    state = after([*live(), (2.0, Sampled(error=0.3, position=5.0))])
    assert (state.drift, state.position, state.people[0].drift) == (-0.3, 5.0, -0.3)


@pytest.mark.parametrize(
    ("user_id", "name"), [(ME, "you"), (BEA, "bea"), ("usr_nobody", "somebody"), (None, "somebody")]
)
def test_everybody_has_something_to_be_called(user_id: str | None, name: str) -> None:
    assert after(live()).name(user_id) == name


def test_who_has_no_name_is_called_by_role() -> None:
    assert WatchState(people=(Person(user_id="u", name="", role="guest", is_me=False),)).name("u") == "the guest"


def test_the_invitation_goes_once_somebody_has_come() -> None:
    alone = {ME: person("ana", role="host")}
    state = after([(0.0, opened(invitation="dateflicks join x")), (1.0, timecode(1.0, participants=alone))])
    assert state.invitation == "dateflicks join x"
    assert after([(2.0, timecode(2.0, revision=2))], state).invitation == ""


def test_another_session_begins_with_nothing_of_the_one_before() -> None:
    state = after([*live(), (5.0, SessionOpened(session_id="ses_2", me=ME))])
    assert state == WatchState(session_id="ses_2", me=ME, now=5.0, film=state.film)
    assert state.film.title == ""


# --- what waits for an answer -----------------------------------------------------------------------------------


def test_the_countdown_is_the_service_s_deadline_in_local_time() -> None:
    state = asking()
    assert state.pending is not None
    assert state.pending.deadline == pytest.approx(60.0)
    assert (state.pending.kind, state.pending.by_name, state.pending.is_mine) == ("pause", "bea", False)


def test_without_the_clock_the_countdown_is_what_the_timecode_leaves_and_is_mended_later() -> None:
    told = timecode(10.0, revision=2, by=BEA, pending=pending(deadline=70.0))
    state = after([(0.0, opened()), (10.4, told)])
    assert state.pending is not None
    assert state.pending.deadline == pytest.approx(70.4)
    state = reduce(state, Sampled(offset=OFFSET), 10.6)
    assert state.pending is not None
    assert state.pending.deadline == pytest.approx(70.0)


def test_a_repeated_timecode_does_not_prolong_the_countdown_without_the_clock() -> None:
    first = timecode(10.0, revision=2, pending=pending(deadline=70.0))
    state = after([(0.0, opened()), (10.0, first), (15.0, timecode(10.0, revision=2, pending=pending(deadline=70.0)))])
    assert state.pending is not None
    assert state.pending.deadline == pytest.approx(70.0)


def test_no_countdown_is_longer_than_the_service_waits() -> None:
    state = after([*live(), (2.0, timecode(2.0, revision=2, pending=pending(deadline=9_000.0)))])
    assert state.pending is not None
    assert state.pending.deadline <= 2.0 + state.confirm_seconds


@pytest.mark.parametrize("kind", ["play", "pause", "stop"])
@pytest.mark.parametrize(("consent", "is_answered"), [("ask", False), ("tell", True), ("free", True)])
def test_the_banner_asks_only_where_the_person_is_to_be_asked(
    kind: frames.StatusWord, consent: str, is_answered: bool
) -> None:
    settings = ConsentSettings.all(Consent(consent))
    told = timecode(2.0, revision=2, by=BEA, pending=pending(kind))
    state = after([*live(), (1.0, ConsentChosen(consent=settings)), (2.0, told)])
    assert state.pending is not None
    assert state.pending.is_answered is is_answered


def test_consent_is_by_kind_of_change() -> None:
    settings = ConsentSettings(seek=Consent.ASK, pause=Consent.FREE)
    state = after([*live(), (1.0, ConsentChosen(consent=settings))])
    seek = after([(2.0, timecode(2.0, revision=2, by=BEA, pending=pending(900.0)))], state)
    assert seek.pending is not None
    assert (seek.pending.kind, seek.pending.target, seek.pending.is_answered) == ("seek", 900.0, False)


def test_what_was_agreed_to_by_itself_is_said_when_that_is_wanted() -> None:
    state = after([*live(), (2.0, Notice("granted", "pause was agreed to", BEA))])
    assert texts(state) == ["bea asked to pause: agreed for you."]


def test_being_asked_is_no_toast_because_the_banner_says_it() -> None:
    assert texts(after([*live(), (2.0, Notice("asked", "asks for pause", BEA))])) == []


@pytest.mark.parametrize("agreed", [True, False])
def test_an_answer_shows_at_once(agreed: bool) -> None:
    state = reduce(asking(), Answered(agreed=agreed), 3.0)
    assert state.pending is not None
    assert state.pending.is_answered


def test_an_answer_stays_given_while_the_service_repeats_the_question() -> None:
    state = reduce(asking(), Answered(agreed=True), 3.0)
    state = reduce(state, timecode(2.0, revision=2, reason="pause", by=BEA, pending=pending()), 5.0)
    assert state.pending is not None
    assert state.pending.is_answered


def test_a_new_question_is_not_answered_by_the_old_answer() -> None:
    state = reduce(asking(), Answered(agreed=True), 3.0)
    state = reduce(state, timecode(5.0, revision=3, by=BEA, pending=pending(deadline=65.0)), 5.0)
    assert state.pending is not None
    assert not state.pending.is_answered


def test_nobody_agrees_to_their_own_question() -> None:
    state = asking(by=ME)
    assert reduce(state, Answered(agreed=True), 3.0).pending == state.pending


@pytest.mark.parametrize("kind", ["pause", "play"])
def test_doing_what_is_asked_or_keeping_to_what_was_is_an_answer(kind: frames.StatusWord) -> None:
    state = reduce(asking("pause"), Wished(kind=kind), 3.0)
    assert state.pending is not None
    assert state.pending.is_answered
    assert state.wish is None


def test_seeking_where_the_other_wants_to_go_is_an_answer() -> None:
    state = reduce(asking(900.0), Wished(kind="seek", target=900.3), 3.0)
    assert state.pending is not None
    assert state.pending.is_answered


def test_seeking_elsewhere_is_a_wish_of_ones_own() -> None:
    state = reduce(asking(900.0), Wished(kind="seek", target=905.0), 3.0)
    assert state.wish is not None
    assert state.pending is not None
    assert not state.pending.is_answered


@pytest.mark.parametrize(
    ("reason", "by", "text"),
    [
        ("refused", BEA, "bea said no: the film plays."),
        ("refused", ME, "Taken back: the film plays."),
        ("restored", None, "Nobody answered in time: the film plays."),
    ],
)
def test_how_an_own_question_ended_is_told(reason: frames.Reason, by: str | None, text: str) -> None:
    state = reduce(asking(by=ME), timecode(9.0, revision=3, reason=reason, by=by), 9.0)
    assert (texts(state), state.pending) == ([text], None)


def test_who_takes_an_own_question_back_has_not_said_no() -> None:
    state = reduce(asking(by=BEA), timecode(9.0, revision=3, reason="refused", by=BEA), 9.0)
    assert texts(state) == ["bea took it back: the film plays."]


# --- wishes -----------------------------------------------------------------------------------------------------


def wishing(kind: str = "pause", target: float | None = None) -> WatchState:
    return after([*live(), (2.0, Wished(kind=kind, target=target))])  # type: ignore[arg-type]  # one of the four


def test_a_wish_shows_as_asked_and_the_film_is_not_changed_by_it() -> None:
    state = wishing()
    assert state.wish is not None
    assert (state.wish.kind, state.film.status) == ("pause", "play")


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "pause", "rate": 0.0, "reason": "pause"},
        {"pending": pending("pause", ME), "reason": "pause"},
        {"reason": "refused", "by": BEA},
        {"reason": "restored", "by": None},
        {"reason": "end", "status": "stop"},
    ],
)
def test_a_wish_goes_once_the_service_has_said_anything_about_it(changes: dict[str, object]) -> None:
    assert reduce(wishing(), timecode(2.5, revision=2, **changes), 2.5).wish is None


@pytest.mark.parametrize(
    "changes",
    [{}, {"revision": 1}, {"reason": "join", "by": BEA}, {"pending": pending("stop", BEA), "reason": "stop"}],
)
def test_a_wish_stays_while_the_service_speaks_of_something_else(changes: dict[str, object]) -> None:
    assert reduce(wishing(), timecode(2.5, **{"revision": 2, **changes}), 2.5).wish is not None


def test_a_wished_move_goes_once_it_waits_or_has_happened() -> None:
    state = wishing("seek", 900.0)
    assert reduce(state, timecode(2.5, revision=2, pending=pending(900.0, ME)), 2.5).wish is None
    assert reduce(state, timecode(2.5, revision=2, reason="seek", current_position=900.0), 2.5).wish is None
    assert reduce(state, timecode(2.5, revision=2, reason="play"), 2.5).wish is not None


def test_a_wish_that_nobody_answers_is_given_up_and_said_to_be() -> None:
    state = reduce(wishing(), Tick(), 2.0 + WISH_SECONDS)
    assert state.wish is not None
    state = reduce(state, Tick(), 2.1 + WISH_SECONDS)
    assert (state.wish, texts(state)) == (None, ["The service has not answered. Ask again."])


def test_an_error_of_the_service_ends_the_wish_and_is_told_as_trouble() -> None:
    state = reduce(wishing(), Notice("error", "The film has gone there just now."), 2.5)
    assert state.wish is None
    assert [(one.text, one.is_trouble) for one in state.toasts] == [("The film has gone there just now.", True)]


def test_wishing_for_what_is_so_already_is_no_wish() -> None:
    assert wishing("play").wish is None


def test_without_a_line_nothing_is_shown_as_asked() -> None:
    state = after([*live(), (2.0, LinkChanged(False, "gone", 1.0)), (3.0, Wished(kind="pause"))])
    assert state.wish is None
    assert "only your own player" in texts(state)[-1]


def test_a_line_that_goes_takes_the_wish_with_it() -> None:
    state = reduce(wishing(), LinkChanged(False, "gone", 1.0), 2.5)
    assert (state.wish, texts(state)) == (None, ["The line went before your wish was heard."])


# --- what is told -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"reason": "join", "by": BEA}, "bea is here."),
        ({"reason": "leave", "by": BEA}, "bea has gone; the place is kept."),
        ({"reason": "minimum", "by": BEA}, "Back to 41:12, where bea is."),
        ({"reason": "minimum", "by": ME}, "Back to 41:12, where you are."),
        ({"reason": "end", "by": None}, "The film is over."),
        (
            {"reason": "resume", "by": BEA, "participants": {BEA: person(excused=True)}},
            "On again, for now without bea.",
        ),
    ],
)
def test_what_one_should_hear_of_while_looking_elsewhere_is_told(changes: dict[str, object], text: str) -> None:
    assert texts(after([*live(), (2.0, timecode(2.0, revision=2, **changes))])) == [text]


@pytest.mark.parametrize("reason", ["start", "play", "pause", "stop", "seek", "wait", "resume"])
def test_what_the_screen_says_anyway_is_not_told(reason: frames.Reason) -> None:
    assert texts(after([*live(), (2.0, timecode(2.0, revision=2, reason=reason))])) == []


@pytest.mark.parametrize("reason", ["join", "leave"])
def test_the_own_coming_and_going_is_not_told(reason: frames.Reason) -> None:
    assert texts(after([*live(), (2.0, timecode(2.0, revision=2, reason=reason, by=ME))])) == []


def test_the_first_timecode_tells_nothing_because_nothing_has_happened() -> None:
    assert texts(after([(0.0, opened()), (1.0, timecode(1.0, reason="join", by=BEA))])) == []


# --- the history of drift ---------------------------------------------------------------------------------------


def test_a_bucket_keeps_the_worst_of_its_seconds_whatever_its_sign() -> None:
    state = after(live())
    for now, drift in ((1.2, 0.02), (1.4, -0.4), (1.6, 0.1)):
        state = reduce(state, sample(now, drift), now)
    assert state.drift_history == (0.4,)


def test_the_other_s_drift_counts_as_much_as_the_own() -> None:
    people = {ME: person("ana", role="host"), BEA: person(drift=-2.4)}
    state = after([*live(), (2.0, timecode(2.0, participants=people)), (2.1, sample(2.1))])
    assert state.drift_history == (2.4,)


def test_time_in_which_nothing_was_measured_leaves_gaps() -> None:
    state = after([*live(), (1.0 + 3 * BUCKET_SECONDS, Tick()), (1.1 + 3 * BUCKET_SECONDS, sample(16.1, 0.01))])
    assert state.drift_history == (0.001, None, None, 0.01)


def test_the_history_is_five_minutes_long_and_no_longer() -> None:
    state = after(live())
    for step in range(2 * DRIFT_BUCKETS):
        now = 1.0 + step * BUCKET_SECONDS
        state = reduce(state, sample(now, step / 1000), now)
    assert len(state.drift_history) == DRIFT_BUCKETS
    assert state.drift_history[-1] == pytest.approx((2 * DRIFT_BUCKETS - 1) / 1000)


def test_a_computer_that_slept_for_hours_has_an_empty_history() -> None:
    state = reduce(after(live()), Tick(), 40_000.0)
    assert state.drift_history == (None,) * DRIFT_BUCKETS


@pytest.mark.parametrize(
    "state",
    [
        after([*live(0.0), (6.0, LinkChanged(False, "gone", 1.0))]),
        after([*live(0.0), (6.0, timecode(6.0, revision=2, rate=0.0, status="pause"))]),
    ],
)
def test_without_a_line_or_while_the_film_stands_nothing_is_measured(state: WatchState) -> None:
    rate = 1.0 if not state.link.is_open else 0.0
    state = reduce(state, replace(sample(6.5, 0.7), line=Timeline(2478.0, 6.0, rate, LENGTH)), 6.5)
    assert state.drift_history[-1] is None


# --- together ---------------------------------------------------------------------------------------------------


def test_time_counts_as_together_while_the_film_moves_for_both() -> None:
    state = after([*live(), (11.0, Tick()), (16.0, Tick())])
    assert state.together == pytest.approx(16.0)


@pytest.mark.parametrize(
    "event",
    [
        LinkChanged(False, "gone", 1.0),
        timecode(1.0, revision=2, status="pause", rate=0.0),
        timecode(1.0, revision=2, participants={ME: person("ana", role="host"), BEA: person(connected=False)}),
    ],
)
def test_time_alone_or_of_a_film_that_stands_is_not_together(event: object) -> None:
    state = after([*live(), (1.0, event), (21.0, Tick())])  # type: ignore[list-item]  # one of the events
    assert state.together == pytest.approx(1.0)


def test_a_sleeping_computer_is_not_together() -> None:
    assert after([*live(), (5_000.0, Tick())]).together == pytest.approx(1.0)


def test_the_session_id_and_me_stay_through_everything() -> None:
    state = asking()
    assert (state.session_id, state.me) == (SESSION, ME)
