"""Each part of the watch screen: what stands where, and what a person can read from it without colours."""

from dataclasses import replace

import pytest

from dateflicks.client.chat_updates import Said
from dateflicks.client.consent import Consent, ConsentSettings
from dateflicks.client.ledger import Changed, Unproven
from dateflicks.core.playback import Timeline
from dateflicks.protocol.frames import StatusWord
from dateflicks.protocol.predictions import PredictionBody
from dateflicks.tui.drawing import banner, film, foot, meter, people, predictions, watch
from dateflicks.tui.drawing.rows import Row, text_of
from dateflicks.tui.glyphs import ASCII, UNICODE
from dateflicks.tui.keys import read_keys
from dateflicks.tui.model import (
    Answered,
    ConsentChosen,
    LinkChanged,
    Notice,
    PlayerChanged,
    PlayerSaid,
    Tick,
    Toasted,
    WatchState,
    Wished,
    reduce,
)
from tests.tui.evenings import (
    BEA,
    LENGTH,
    ME,
    TEO,
    after,
    bet,
    bets,
    call,
    draft,
    live,
    message,
    opened,
    pending,
    person,
    sample,
    states,
    timecode,
)

KEYS = read_keys({})
STATES = states()
PLAYING = STATES["playing"]


def lines(rows: list[Row]) -> list[str]:
    return [text_of(row).rstrip() for row in rows]


def line(rows: list[Row]) -> str:
    assert len(rows) == 1
    return text_of(rows[0])


# --- header and transport ---------------------------------------------------------------------------------------


def test_the_first_row_says_what_with_whom_and_whether_there_is_a_line() -> None:
    text = line(film.header(PLAYING, 80, UNICODE))
    assert "Night of the Living Dead (1968) · with bea" in text
    assert text.endswith("mpv ✓  ● live   42 ms ")


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_a_player_that_is_gone_shows_in_every_size_that_has_room(width: int) -> None:
    state = reduce(PLAYING, PlayerChanged("died", "died"), 2.0)
    text = line(film.header(state, width, UNICODE))
    assert ("✗ mpv: died" in text) or width == 40
    assert "live" in text


@pytest.mark.parametrize(
    ("name", "word"),
    [("opened", "○ nobody here yet"), ("nothing", "○ connecting"), ("playing", "● live"), ("offline", "○ offline")],
)
@pytest.mark.parametrize("width", [40, 60, 80])
def test_the_line_is_a_sign_and_a_word(name: str, word: str, width: int) -> None:
    assert word in line(film.header(STATES[name], width, UNICODE))


def test_a_long_title_gives_way_to_the_line() -> None:
    state = replace(PLAYING, film=replace(PLAYING.film, title="A very long title " * 20))
    assert line(film.header(state, 60, UNICODE)).endswith("…  ● live   42 ms ")


def test_the_second_row_says_where_the_film_is_and_who_is_host() -> None:
    text = line(film.transport(PLAYING, 80, UNICODE))
    assert text.startswith(" ▶ PLAYING  0:41:13 / 1:35:52 ")
    assert text.endswith("you: host   bea: guest ")


def test_in_a_narrow_terminal_the_second_row_has_the_verdict() -> None:
    assert line(film.transport(PLAYING, 60, UNICODE)).endswith("in sync ")


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        (Wished(kind="pause"), "‖ asking to pause…"),
        (Wished(kind="stop"), "■ asking to stop…"),
        (Wished(kind="seek", target=2460.0), "» asking for 0:41:00…"),
    ],
)
@pytest.mark.parametrize("width", [60, 80, 140])
def test_an_own_wish_is_shown_as_asked_and_the_film_as_it_is(wish: Wished, text: str, width: int) -> None:
    shown = line(film.transport(reduce(PLAYING, wish, 1.0), width, UNICODE))
    assert text in shown
    assert shown.startswith(" ▶")


@pytest.mark.parametrize(
    ("changes", "role"), [({"connected": True}, "bea: guest"), ({"connected": False}, "bea: away")]
)
def test_who_is_away_is_said_to_be(changes: dict[str, bool], role: str) -> None:
    state = after(
        [*live(), (2.0, timecode(2.0, participants={ME: person("ana", role="host"), BEA: person("bea", **changes)}))]
    )
    assert role in line(film.transport(state, 80, UNICODE))


def test_without_a_line_nobody_knows_of_the_other() -> None:
    assert "bea: ?" in line(film.transport(STATES["offline"], 80, UNICODE))


# --- timeline ---------------------------------------------------------------------------------------------------


def at(mine: float, theirs: float | None, length: float = LENGTH) -> WatchState:
    drift = None if theirs is None else theirs - mine
    told = timecode(
        0.0,
        current_position=mine,
        rate=0.0,
        status="pause",
        length=length,
        participants={ME: person("ana", role="host"), BEA: person("bea", drift=drift, position=theirs)},
    )
    return replace(after([(0.0, opened()), (0.0, LinkChanged(True)), (0.0, told)]), position=mine)


@pytest.mark.parametrize(
    ("mine", "theirs", "bar"),
    [
        (0.0, 0.0, "GH┄┄┄┄┄┄┄┄┄"),
        (50.0, 50.0, "━━━━GH┄┄┄┄┄"),
        (50.0, 90.0, "━━━━━H┄┄┄G┄"),
        (50.0, 10.0, "━G━━━H┄┄┄┄┄"),
        (100.0, 100.0, "━━━━━━━━━GH"),
        (50.0, None, "━━━━━H┄┄┄┄┄"),
        (100.0, 0.0, "G━━━━━━━━━H"),
    ],
)
def test_each_one_s_own_position_is_a_letter_on_the_film(mine: float, theirs: float | None, bar: str) -> None:
    assert line(film.timeline(at(mine, theirs, 100.0), 18, UNICODE)).split()[0] == bar


def test_who_has_no_drift_stands_where_they_last_were() -> None:
    state = at(50.0, 90.0, 100.0)
    state = replace(state, people=tuple(replace(one, drift=None) for one in state.people))
    assert line(film.timeline(state, 18, UNICODE)).split()[0] == "━━━━━H┄┄┄G┄"


def test_eight_people_on_one_place_all_have_a_cell() -> None:
    people_ = {f"usr_{number}": person(f"p{number}", drift=0.0) for number in range(7)}
    people_[ME] = person("ana", role="host")
    state = after([*live(), (2.0, timecode(2.0, participants=people_))])
    text = line(film.timeline(state, 80, UNICODE)).split()[0]
    assert sorted(one for one in text if one in "HG234567") == sorted("HG234567")


def test_a_film_of_which_nobody_knows_the_length_has_no_marks() -> None:
    state = replace(PLAYING, film=replace(PLAYING.film, length=0.0))
    assert "H" not in line(film.timeline(state, 80, UNICODE))
    assert "--%" in line(film.timeline(state, 80, UNICODE))


def test_reactions_stand_under_the_place_of_the_film_that_they_are_about() -> None:
    reacted = [(1, LENGTH / 2), (2, LENGTH / 2), (3, LENGTH)]
    said = [Said(message(seq, ":joy:", type="reaction", position=position), True) for seq, position in reacted]
    state = after([*live(), *((1.0, one) for one in said)])
    text = line(film.reactions(state, 27, UNICODE))
    assert (text[1:21].index("▄"), text[1:21].rstrip()[-1]) == (10, "▂")


def test_a_reaction_that_was_taken_back_is_not_counted_and_the_row_stays() -> None:
    gone = message(1, "", type="reaction", position=9.0, deleted_at="2027-01-15T08:00:00.000Z")
    assert line(film.reactions(after([*live(), (1.0, Said(gone, True))]), 80, UNICODE)).strip() == ""


# --- meter ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("half", [4, 7, 12, 23, 30])
def test_the_meter_shows_a_millisecond_and_keeps_the_order(half: int) -> None:
    drifts = [0.0, 0.001, 0.004, 0.02, 0.15, 0.5, 1.0, 2.4, 3.0, 50.0]
    cells = [meter.offset_cells(drift, half) for drift in drifts]
    assert cells == sorted(cells)
    assert (cells[0], cells[1] >= 1, cells[-1]) == (0, True, half)
    assert [meter.offset_cells(-drift, half) for drift in drifts] == [-cell for cell in cells]


def test_less_than_half_a_millisecond_is_the_centre() -> None:
    assert meter.offset_cells(0.0004, 30) == 0


@pytest.mark.parametrize("half", [12, 23, 30])
def test_inside_the_tolerance_is_inside_the_brackets(half: int) -> None:
    state = after([*live(), (2.0, sample(2.0, 0.14))])
    text = line(meter.folded(state, 100, UNICODE))
    assert text.index("[") < text.index("H") <= text.index("]")
    assert meter.offset_cells(0.14, half) <= meter.offset_cells(0.15, half) < meter.offset_cells(1.0, half)


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_the_folded_meter_always_has_the_own_drift_and_the_verdict(width: int) -> None:
    text = line(meter.folded(PLAYING, width, UNICODE))
    assert "you   +1 ms" in text
    assert text.endswith("in sync ")


def test_the_folded_meter_has_both_letters_or_one_sign_for_both() -> None:
    assert "G┼H" in line(meter.folded(PLAYING, 80, UNICODE))
    people_ = {ME: person("ana", role="host"), BEA: person("bea", drift=0.001)}
    same = after([*live(), (2.0, timecode(2.0, participants=people_)), (2.0, sample(2.0))])
    assert "┼●" in line(meter.folded(same, 80, UNICODE))


@pytest.mark.parametrize("width", range(50, 140, 3))
def test_the_scale_of_the_wide_meter_tells_the_same_to_both_sides(width: int) -> None:
    before, _, behind = lines(meter.wide(PLAYING, width, UNICODE))[0].partition(" 0 ")
    assert [one[1:] for one in before.split()] == [one[1:] for one in behind.split()[::-1]]


def test_the_wide_meter_has_a_row_for_each_with_what_they_do() -> None:
    scale, mine, theirs = lines(meter.wide(PLAYING, 93, UNICODE))
    assert scale.split() == ["−1s", "−100", "−10", "0", "+10", "+100", "+1s"]
    assert "H" in mine
    assert mine.endswith("+1 ms  plays")
    assert theirs.endswith("−1 ms  plays")
    assert scale[mine.index("┼")] == "0"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"buffering": True}, "buffering"),
        ({"connected": False}, "away"),
        ({"excused": True}, "excused"),
        ({"status": "pause"}, "paused"),
    ],
)
def test_the_wide_meter_says_what_the_other_does(changes: dict[str, object], text: str) -> None:
    state = after(
        [*live(), (2.0, timecode(2.0, participants={ME: person("ana", role="host"), BEA: person("bea", **changes)}))]
    )
    assert lines(meter.wide(state, 93, UNICODE))[2].endswith(text)


def test_the_history_grows_from_the_right_and_names_the_worst() -> None:
    state = replace(PLAYING, drift_history=(None, 0.001, 2.4, 0.001))
    text = line(meter.history(state, 93, UNICODE))
    assert "▁█▁" in text
    assert "worst 2.4 s" in text


def test_a_history_of_nothing_says_so() -> None:
    assert "nothing measured yet" in line(meter.history(STATES["opened"], 93, UNICODE))


def test_a_narrow_history_still_shows_the_worst_of_each_part() -> None:
    state = replace(PLAYING, drift_history=tuple(2.4 if one == 31 else 0.001 for one in range(60)))
    assert line(meter.history(state, 50, UNICODE)).count("█") == 1


# --- banners ----------------------------------------------------------------------------------------------------


def asked(to: StatusWord | float = "pause", by: str = BEA) -> WatchState:
    told = timecode(2.0, revision=2, by=by, pending=pending(to, by))
    return after([(1.0, ConsentChosen(consent=ConsentSettings.all(Consent.ASK))), (2.0, told), (13.0, Tick())], PLAYING)


@pytest.mark.parametrize(
    ("to", "text"),
    [
        ("pause", "▌bea wants to PAUSE — reverts to PLAYING in 0:47    [y] pause  [n] keep playing"),
        ("stop", "▌bea wants to STOP — reverts to PLAYING in 0:47      [y] stop  [n] keep playing"),
        (900.0, "▌bea wants to GO TO 0:15:00 — forgotten in 0:47     [y] go there  [n] stay here"),
    ],
)
def test_a_question_says_who_what_until_when_and_how_to_answer(to: StatusWord | float, text: str) -> None:
    assert lines(banner.banners(asked(to), 80, UNICODE, KEYS)) == [text]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 140])
@pytest.mark.parametrize("to", ["pause", "stop", 900.0])
def test_a_question_has_name_countdown_and_both_keys_in_every_size(to: StatusWord | float, width: int) -> None:
    text = lines(banner.banners(asked(to), width, UNICODE, KEYS))[0]
    for part in ("bea", "0:47", "[y]", "[n]"):
        assert part in text


@pytest.mark.parametrize("width", [26, 30, 40])
def test_a_long_name_does_not_push_the_countdown_away(width: int) -> None:
    state = asked(900.0)
    assert state.pending is not None
    state = replace(state, pending=replace(state.pending, by_name="bartholomew-the-third"))
    assert "0:15:00? 0:47" in lines(banner.banners(state, width, UNICODE, KEYS))[0]


def test_a_wide_banner_runs_out() -> None:
    long = lines(banner.banners(asked(), 140, UNICODE, KEYS))[1]
    short = lines(banner.banners(reduce(asked(), Tick(), 50.0), 140, UNICODE, KEYS))[1]
    assert long.count("█") > 2 * short.count("█") > 0


def test_the_keys_of_a_banner_are_those_of_the_settings() -> None:
    keys = read_keys({"agree": "ctrl+a", "refuse": "ctrl+n"})
    assert lines(banner.banners(asked(), 80, UNICODE, keys))[0].endswith("[^a] pause  [^n] keep playing")


def test_an_answered_question_asks_for_no_key() -> None:
    text = line(banner.banners(reduce(asked(), Answered(agreed=True), 13.0), 80, UNICODE, KEYS))
    assert "answered" in text
    assert "[y]" not in text


@pytest.mark.parametrize(("now", "is_shown"), [(2.1, False), (3.9, False), (9.0, True)])
def test_what_is_agreed_to_by_itself_is_no_banner_unless_somebody_else_keeps_it_waiting(
    now: float, is_shown: bool
) -> None:
    told = timecode(2.0, revision=2, by=BEA, pending=pending("pause", BEA, deadline=62.0))
    free = ConsentSettings.all(Consent.FREE)
    state = after([(1.0, ConsentChosen(consent=free)), (2.0, told), (now, Tick())], PLAYING)
    assert bool(banner.banners(state, 80, UNICODE, KEYS)) is is_shown


def test_an_own_question_waits_and_can_be_taken_back() -> None:
    text = lines(banner.banners(asked("pause", ME), 100, UNICODE, KEYS))[0]
    assert text.startswith("▌You ask to PAUSE — waiting for an answer, reverts to PLAYING in 0:47")
    assert text.endswith("[n] take back")
    text = lines(banner.banners(asked(900.0, ME), 80, UNICODE, KEYS))[0]
    assert text.startswith("▌You ask to GO TO 0:15:00 — waiting for an answer, 0:47")


def standing(status: StatusWord = "stop", position: float = 0.0, **changes: object) -> WatchState:
    told = timecode(2.0, revision=2, status=status, rate=0.0, current_position=position, **changes)
    return after([(2.0, told), (2.0, sample(2.0, line=Timeline(position, 2.0, 0.0, LENGTH)))], PLAYING)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_before_the_beginning_it_is_said_who_is_here_and_how_to_begin(width: int) -> None:
    text = line(banner.banners(standing(), width, UNICODE, KEYS))
    assert "bea" in text
    assert "[space] start the film" in text


@pytest.mark.parametrize(
    "state",
    [
        standing("pause"),
        standing("stop", 1200.0),
        standing(participants={ME: person("ana", role="host"), BEA: person("bea", connected=False)}),
        reduce(standing(), Wished(kind="play"), 3.0),
        reduce(standing(), Notice("ended", "The session was ended for everybody."), 3.0),
    ],
)
def test_how_to_begin_is_said_to_nobody_else(state: WatchState) -> None:
    assert banner.banners(state, 80, UNICODE, KEYS) == []


def test_what_is_to_be_done_by_hand_stands_for_a_while_or_until_something_else_is() -> None:
    state = reduce(PLAYING, PlayerSaid(text="Go to 41:00 and pause there, then say where you are."), 2.0)
    assert lines(banner.banners(state, 80, UNICODE, KEYS)) == [
        "▌Your player: Go to 41:00 and pause there, then say where you are. Type /at",
        "▌41:12",
    ]
    assert len(banner.banners(state, 40, UNICODE, KEYS)) == 3
    assert "3 …" in line(banner.banners(reduce(state, PlayerSaid(text="3 …"), 3.0), 80, UNICODE, KEYS))
    assert banner.banners(reduce(state, Tick(), 63.0), 80, UNICODE, KEYS) == []


def test_a_film_that_is_stopped_here_while_the_line_is_away_is_said_to_stand() -> None:
    stood = sample(19.0, line=Timeline(2490.0, 18.5, 0.0, LENGTH))
    state = reduce(STATES["offline"], stood, 19.0)
    assert "PAUSED (unsynced)" in line(film.transport(state, 80, UNICODE))
    assert "the film stands here" in lines(banner.banners(state, 80, UNICODE, KEYS))[1]


def test_above_the_chat_stands_the_prediction_that_most_wants_something_of_this_person() -> None:
    text = line(predictions.wanted(PLAYING, 80, UNICODE, KEYS))
    assert text.startswith(" ! came out no? “The dog did it”")
    assert text.endswith("[p] confirm or object ")
    fresh = after([*live(), (2.0, Changed(bet(1), "made", None))])
    assert "bea predicts “Ben survives the night”" in line(predictions.wanted(fresh, 80, UNICODE, KEYS))
    called = reduce(fresh, Changed(bet(1, revision=2, calls=[call(ME)]), "called", None), 3.0)
    assert predictions.wanted(called, 80, UNICODE, KEYS) == []


def test_a_list_without_predictions_says_what_they_are_and_which_keys_make_them() -> None:
    text = " ".join(lines(predictions.empty(80, UNICODE, KEYS)))
    for part in ("Nothing is predicted yet.", "[a]", "[enter]", "[s]", "points"):
        assert part in text


def test_a_line_that_is_away_is_said_with_its_tries_and_what_goes_on() -> None:
    assert lines(banner.banners(STATES["offline"], 80, UNICODE, KEYS)) == [
        "▌No line for 9 s (gone) — try 2 in 4 s                                  [s] now",
        "▌ the film goes on here, unsynced; 1 message queued",
    ]


def test_without_a_line_no_question_is_shown_because_no_answer_would_be_heard() -> None:
    state = reduce(asked(), LinkChanged(False, "gone", 1.0), 14.0)
    assert not any("wants" in text for text in lines(banner.banners(state, 80, UNICODE, KEYS)))


def test_where_nothing_has_to_be_said_there_is_no_banner() -> None:
    assert banner.banners(PLAYING, 80, UNICODE, KEYS) == []
    assert banner.banners(STATES["opened"], 80, UNICODE, KEYS) == []


# --- people -----------------------------------------------------------------------------------------------------


def test_each_person_has_a_row_with_letter_role_status_and_drift() -> None:
    state = after(live())
    assert lines(people.people(state, 46, UNICODE)) == [
        " ● H you (host)                PLAYING  +1 ms",
        " ● G bea (guest)               PLAYING  −1 ms",
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"connected": False}, "○ G bea (guest)"),
        ({"buffering": True}, "BUFFERING"),
        ({"excused": True}, "PLAYING, excused"),
    ],
)
def test_what_is_with_somebody_is_said_in_words(changes: dict[str, object], text: str) -> None:
    state = after(
        [*live(), (2.0, timecode(2.0, participants={ME: person("ana", role="host"), BEA: person("bea", **changes)}))]
    )
    assert text in lines(people.people(state, 46, UNICODE))[1]


def test_who_writes_is_said_to() -> None:
    assert lines(people.people(PLAYING, 46, UNICODE))[1].endswith("writing…")
    assert "bea is writing…" in text_of(people.chat_rule(PLAYING, 80, UNICODE))


def test_what_is_queued_and_new_stands_above_the_chat() -> None:
    text = text_of(people.chat_rule(STATES["offline"], 80, UNICODE, 3))
    assert text.endswith(" 1 queued · 3 new ↓ ─")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_line_to_read_to_a_friend_is_whole_however_narrow_it_is(width: int) -> None:
    rows = lines(people.invitation(STATES["opened"], width, UNICODE))
    inside = "".join(row.strip(" │╭╮╰╯─") for row in rows)
    assert "k3v9x-tzq41-09ajm-hd2we@192.168.1.7:8700" in inside
    assert people.invitation(PLAYING, width, UNICODE) == []


def test_what_is_told_has_a_sign_for_trouble() -> None:
    state = after([(1.0, Toasted(text="fine")), (1.0, Toasted(text="bad [red]x[/]", is_trouble=True))])
    assert lines(people.toasts(state, 40, UNICODE)) == [" · fine", " ✗ bad [red]x[/]"]


# --- predictions ------------------------------------------------------------------------------------------------

MINE = call(ME, option="yes", confidence=0.8)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (bet(), "[p] call it"),
        (bet(calls=[call(BEA)]), "[p] call it"),
        (bet(calls=[MINE]), "you: yes 80%"),
        (bet(calls=[MINE, call(BEA)]), "you: yes 80%, 1 sealed"),
        (bet(status="locked", calls=[MINE]), "[p] say what came true"),
        (bet(status="locked", proposed_outcome="no", proposed_by=BEA), "no? [p] confirm or object"),
        (bet(status="locked", proposed_outcome="no", proposed_by=ME), "you say no; now the other confirms"),
        (bet(status="settled", outcome="yes", calls=[call(ME, option="yes", points=21.0)]), "yes: you +21"),
        (bet(status="settled", outcome="yes"), "yes"),
        (bet(status="void", void_reason="silence"), "void: nobody was there to confirm"),
        (bet(status="void", void_reason="new-reason"), "void: it does not count"),
    ],
)
def test_a_prediction_says_how_it_stands_and_what_to_press(one: PredictionBody, text: str) -> None:
    state = after([(0.0, opened()), (1.0, Changed(one, "present", None))])
    assert line(predictions.panel(state, 93, UNICODE, KEYS)).rstrip().endswith(f"  {text}")


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (bet(), "[enter] call it"),
        (bet(calls=[MINE]), "[s] once known   [enter] call anew"),
        (bet(status="locked", calls=[MINE]), "[s] say what came true"),
        (bet(status="locked", proposed_outcome="no", proposed_by=BEA), "no? [y] confirm [n] object"),
    ],
)
def test_in_the_list_the_keys_are_those_of_the_list(one: PredictionBody, text: str) -> None:
    state = after([(0.0, opened()), (1.0, Changed(one, "present", None))])
    assert lines(predictions.listing(state, 93, UNICODE, KEYS)[0][1])[1].endswith(f"  {text}")


def test_what_waits_for_the_film_says_nothing_of_itself() -> None:
    state = after([(0.0, opened()), (1.0, Changed(bet(waits=True, details="Ben dies"), "present", None))])
    for rows in (predictions.panel(state, 93, UNICODE, KEYS), predictions.listing(state, 93, UNICODE, KEYS)[0][1]):
        assert "waits until your film gets to it" in lines(rows)[0]
        assert not any("Ben" in text for text in lines(rows))


def test_another_s_call_is_sealed_until_the_lock() -> None:
    state = after([(0.0, opened()), (1.0, Changed(bet(calls=[MINE, call(BEA)]), "present", None))])
    assert "you: yes 80%   bea: sealed" in lines(predictions.listing(state, 80, UNICODE, KEYS)[0][1])[1]


def test_the_panel_begins_with_what_wants_an_answer() -> None:
    shown = lines(predictions.panel(PLAYING, 93, UNICODE, KEYS, limit=3))
    assert [text.split("“")[1].split("”")[0] for text in shown] == [
        "The dog did it", "The radio gives good news", "Barbara speaks again",
    ]  # fmt: skip


def test_the_list_has_all_of_them_the_newest_first_and_marks_one() -> None:
    listed = predictions.listing(PLAYING, 80, UNICODE, KEYS, "prd_5")
    assert [name for name, _ in listed] == [f"prd_{number}" for number in range(7, 0, -1)]
    marked = [name for name, rows in listed if lines(rows)[0].startswith("▸")]
    assert marked == ["prd_5"]


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_what_to_press_is_whole_in_the_list_of_every_size(width: int) -> None:
    texts = [text for _, rows in predictions.listing(PLAYING, width, UNICODE, KEYS) for text in lines(rows)]
    for part in ("[enter] call it", "[s] say what came true", "[y] confirm [n] object"):
        assert any(part in text for text in texts)


def test_a_call_that_is_not_proven_is_said_loudly() -> None:
    state = reduce(PLAYING, Unproven(bets()[1], BEA, "bea", "it is gone"), 2.0)
    rows = dict(predictions.listing(state, 93, UNICODE, KEYS))["prd_2"]
    assert "✗ Not proven" in lines(rows)[-1]


def test_nothing_predicted_says_how_to_begin() -> None:
    assert "p opens this" in line(predictions.panel(after(live()), 93, UNICODE, KEYS))


def test_scores_have_a_sign_and_the_number_that_were_right() -> None:
    assert line(predictions.scores(PLAYING, 80, UNICODE)).strip() == "bea +23 (1 of 1 right) · you -11 (0 of 1 right)"


# --- foot -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "parts"),
    [
        (40, ["space play/pause", "/ chat", "?", "^p"]),
        (60, ["space play/pause", "/ chat", "←/→ 10 s", "?", "^p"]),
        (80, ["space play/pause", "/ chat", "←/→ 10 s", "r react", "p predict", "? help", "^p palette"]),
        (140, ["s resync", "g go to", "q leave", "z zen", "? help", "^p palette"]),
    ],
)
def test_the_keys_that_matter_most_are_hinted_at_in_every_size(width: int, parts: list[str]) -> None:
    text = line(foot.hints("film", width, UNICODE, KEYS))
    assert [part for part in parts if part not in text] == []


def test_hints_follow_the_settings() -> None:
    text = line(foot.hints("film", 80, UNICODE, read_keys({"play-pause": "k", "forward-10": ""})))
    assert text.startswith(" k play/pause  / chat  ← -10 s ")


@pytest.mark.parametrize(
    ("width", "text"), [(60, "Enlarge this terminal to 40×10: it is 60×9."), (24, "Enlarge to 40×10"), (8, "Enlarge")]
)
def test_a_terminal_that_is_too_small_is_asked_to_grow(width: int, text: str) -> None:
    assert line(foot.enlarge(width, 9, UNICODE)).rstrip() == text


def test_a_terminal_that_is_too_small_is_asked_in_ascii_too() -> None:
    assert "40x10" in line(foot.enlarge(60, 9, ASCII))


def test_the_farewell_says_what_the_evening_was_and_how_to_go_on() -> None:
    state = replace(PLAYING, together=4_330.0)
    first, second = lines(foot.farewell(state, 100, UNICODE, "dateflicks watch --resume"))
    assert first == "Night of the Living Dead (1968) with bea: 1 h 12 min together · 2 messages · bea +23 — you -11"
    assert second == "You left at 41:13. Go on with: dateflicks watch --resume"


def test_after_the_end_there_is_nothing_to_go_on_with() -> None:
    assert lines(foot.farewell(replace(PLAYING, is_over=True), 80, UNICODE, "x"))[1] == "Good night."


def test_one_message_is_one() -> None:
    state = after([*live(), (1.0, draft())])
    assert "1 message" in lines(foot.farewell(state, 80, UNICODE))[0]
    assert "1 messages" not in lines(foot.farewell(state, 80, UNICODE))[0]


# --- the whole --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (40, 10, "tiny"),
        (60, 16, "tiny"),
        (71, 40, "tiny"),
        (80, 19, "tiny"),
        (80, 24, "narrow"),
        (140, 29, "narrow"),
        (120, 30, "wide"),
    ],
)
def test_a_terminal_gets_the_layout_that_fits(width: int, height: int, size: str) -> None:
    assert watch.size_of(width, height) == size


def test_more_than_two_people_are_all_there() -> None:
    crowd = {ME: person("ana", role="host"), BEA: person("bea"), TEO: person("teo", drift=-0.4)}
    state = after([*live(), (2.0, timecode(2.0, participants=crowd)), (2.0, sample(2.0))])
    assert "with bea and teo" in line(film.header(state, 140, UNICODE))
    assert len(people.people(state, 46, UNICODE)) == 3
    assert "teo 0.4 s behind" in line(meter.folded(state, 100, UNICODE))
