"""Where films are heard to be, and carried forward; on clocks that a test moves."""

import pytest

from dateflicks.core.playback import Timeline
from dateflicks.server.services.prediction import films
from dateflicks.server.services.prediction.films import Film, Films, moving, reached_at

UNIX, NOW = 1_764_000_000.0, 100.0


def heard(**hint: object) -> Film:
    known = Films()
    assert known.hear({"sessionId": "ses_a", "position": 50.0, **hint}, UNIX, NOW) == "ses_a"
    film = known.get("ses_a")
    assert film is not None
    return film


def test_a_film_goes_on_at_its_rate_from_the_moment_of_the_hint_to_its_end() -> None:
    film = heard(length=60.0, rate=1.0, at=UNIX)
    assert [film.timeline.position_at(NOW + after) for after in (0, 5, 20)] == [50, 55, 60]


def test_a_hint_may_be_of_a_moment_to_come_or_past() -> None:
    assert heard(rate=1.0, at=UNIX + 2).timeline.position_at(NOW + 3) == 51
    assert heard(rate=1.0, at=UNIX - 2).timeline.position_at(NOW) == 52


@pytest.mark.parametrize("at", [UNIX + 3_600, 0.0, None, "now", float("nan")])
def test_a_moment_of_another_clock_counts_as_now(at: object) -> None:
    assert heard(rate=1.0, at=at).timeline.position_at(NOW + 1) == 51


def test_without_a_rate_it_stands_still_and_without_a_length_it_has_no_end() -> None:
    film = heard()
    assert film.timeline.position_at(NOW + 99) == 50
    assert film.length == 0
    assert not film.timeline.moves_at(NOW)


def test_people_are_heard_of_with_it_as_far_as_it_makes_sense() -> None:
    film = heard(rate=1.0, people={"usr_a": 49.0, "usr_b": None, "usr_c": -1, 5: 1.0, "usr_d": True})
    assert {user_id: one.position_at(NOW + 1) for user_id, one in film.people.items()} == {"usr_a": 50.0}
    assert heard(people=[1, 2]).people == {}
    assert len(heard(people={f"usr_{number}": 1.0 for number in range(100)}).people) == 8


def test_a_running_film_that_is_not_heard_of_for_long_is_believed_no_more() -> None:
    assert heard(rate=1.0).is_fresh(NOW + films.FRESH_SECONDS)
    assert not heard(rate=1.0).is_fresh(NOW + films.FRESH_SECONDS + 1)
    assert heard().is_fresh(NOW + 1e6)


@pytest.mark.parametrize(
    ("timeline", "position", "at"),
    [
        (moving(50, NOW, 1.0), 60, NOW + 10), (moving(50, NOW, 1.0), 50, NOW), (moving(50, NOW, 1.0), 40, NOW),
        (moving(50, NOW, 0.0), 60, float("inf")), (moving(50, NOW, 0.5), 60, NOW + 20),
        (moving(50, NOW, 1.0, 55), 60, NOW + 5), (moving(55, NOW, 0.0, 55), 60, NOW), (moving(50, NOW, 1.0), -1, NOW),
    ],
)  # fmt: skip
def test_a_film_gets_to_a_place_when_its_timeline_says_and_never_where_it_stands_before_it(
    timeline: Timeline, position: float, at: float
) -> None:
    assert reached_at(timeline, position, NOW) == pytest.approx(at, abs=0.005)


def test_only_so_many_films_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "FILMS_MAX", 3)
    known = Films()
    for number in (1, 2, 3, 1, 4, 5):
        known.hear({"sessionId": f"ses_{number}", "position": 1.0}, UNIX, NOW)
    assert len(known) == 3
    assert known.get("ses_1") is not None
    assert known.get("ses_2") is None
