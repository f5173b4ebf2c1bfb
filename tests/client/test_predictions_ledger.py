"""What one person knows of a session's predictions: the newest of each, proofs, and how everybody stands."""

import msgspec
import pytest

from dateflicks.client.ledger import Changed, Ledger, LedgerUpdate, ScoresChanged, Unproven
from dateflicks.protocol.predictions import CallBody
from tests.client.prediction_scenes import ID, ME, OTHER, call, prediction, sealed, waiting


def doubts(updates: list[LedgerUpdate]) -> list[tuple[str, str]]:
    return [(update.author, update.why) for update in updates if isinstance(update, Unproven)]


def points(one: CallBody, points: float, brier: float) -> CallBody:
    return msgspec.structs.replace(one, points=points, brier=brier)


# --- the newest -----------------------------------------------------------------------------------------------------


def test_each_newer_revision_is_told_with_what_was_known_before() -> None:
    ledger = Ledger()
    first, second = prediction(1), prediction(2, sealed(call()))
    assert ledger.take(first, "made") == [Changed(first, "made", None)]
    assert ledger.take(second, "called") == [Changed(second, "called", first)]
    assert ledger.get(ID) == second


def test_the_same_again_and_what_is_older_is_not_told() -> None:
    ledger = Ledger()
    ledger.take(prediction(2))
    assert ledger.take(prediction(2)) == []
    assert ledger.take(prediction(1, details="Something else")) == []
    assert [one.details for one in ledger.items] == ["The butler did it"]


def test_a_deadline_comes_and_goes_without_a_new_revision() -> None:
    ledger = Ledger()
    proposed = prediction(4, status="locked", proposed_by=ME, proposed_outcome="yes")
    ledger.take(proposed)
    runs = msgspec.structs.replace(proposed, deadline="2026-11-24T01:45:00.000Z")
    assert ledger.take(runs, "away") == [Changed(runs, "away", proposed)]
    assert ledger.take(proposed, "present") == [Changed(proposed, "back", runs)]


def test_one_that_waits_is_shown_without_a_new_revision_and_never_hidden_by_the_same_one() -> None:
    ledger = Ledger()
    ledger.take(waiting(3))
    assert ledger.take(prediction(3), "shown") == [Changed(prediction(3), "shown", waiting(3))]
    assert ledger.take(waiting(3)) == []


def test_the_newest_prediction_stands_first() -> None:
    ledger = Ledger()
    for second in (1, 3, 2):
        ledger.take(prediction(id=f"prd_{second}", created_at=f"2026-11-24T01:43:0{second}.000Z"))
    assert [one.id for one in ledger.items] == ["prd_3", "prd_2", "prd_1"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "locked"}, "locked"),
        ({"status": "settled", "outcome": "yes"}, "settled"),
        ({"status": "void"}, "void"),
        ({}, "called"),
    ],
)
def test_what_happened_while_there_was_no_line_is_told_as_that(changes: dict[str, str], reason: str) -> None:
    ledger = Ledger()
    ledger.take(prediction(1))
    update = ledger.take(prediction(4, **changes), "present")[0]
    assert isinstance(update, Changed)
    assert update.reason == reason


def test_a_proposal_that_came_while_there_was_no_line_is_told_as_that() -> None:
    ledger = Ledger()
    ledger.take(prediction(3, status="locked"))
    update = ledger.take(prediction(4, status="locked", proposed_by=OTHER, proposed_outcome="yes"), "present")[0]
    assert isinstance(update, Changed)
    assert update.reason == "proposed"


# --- proof ----------------------------------------------------------------------------------------------------------


def test_a_call_that_is_unsealed_as_it_was_sealed_is_proven() -> None:
    ledger = Ledger()
    ledger.take(prediction(1))
    ledger.take(prediction(2, sealed(call())))
    assert ledger.is_proven(ID) is None
    assert doubts(ledger.take(prediction(3, call(), status="locked"))) == []
    assert ledger.is_proven(ID) is True
    assert ledger.unproven == frozenset()


@pytest.mark.parametrize(
    "put_in_its_place",
    [call(option="no"), call(confidence=0.9), call(salt="0ther"), call(option="no", second=9)],
)
def test_another_call_in_the_place_of_the_sealed_one_is_told(put_in_its_place: CallBody) -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    updates = ledger.take(prediction(3, put_in_its_place, status="locked"))
    assert doubts(updates) == [(OTHER, "it is another than the one that was sealed")]
    assert (ledger.is_proven(ID), ledger.unproven) == (False, frozenset({ID}))


def test_a_call_that_does_not_fit_its_own_commitment_is_told_whatever_was_seen_before() -> None:
    ledger = Ledger()
    lie = msgspec.structs.replace(call(), option="no")
    assert doubts(ledger.take(prediction(3, lie, status="locked"))) == [(OTHER, "it does not fit its commitment")]


def test_a_call_that_stays_sealed_after_the_lock_is_told() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    updates = ledger.take(prediction(3, sealed(call()), status="locked"))
    assert doubts(updates) == [(OTHER, "it was not unsealed at the lock")]


def test_a_call_that_is_gone_is_told() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    assert doubts(ledger.take(prediction(3, status="locked"))) == [(OTHER, "it is gone")]


def test_a_call_that_comes_with_the_lock_is_told() -> None:
    ledger = Ledger()
    ledger.take(prediction(2))
    assert doubts(ledger.take(prediction(3, call(), status="locked"))) == [(OTHER, "it came after the lock")]


def test_a_call_that_is_another_after_the_lock_is_told_however_much_was_missed() -> None:
    ledger = Ledger()
    ledger.take(prediction(3, call(), status="locked"))
    updates = ledger.take(prediction(9, call(option="no", second=9), status="settled", outcome="no"))
    assert doubts(updates) == [(OTHER, "it is another than the one that was sealed")]


def test_a_call_may_be_changed_until_the_lock_even_while_nobody_here_is_looking() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    ledger.take(prediction(3, sealed(call(option="no", second=2))))
    assert doubts(ledger.take(prediction(5, call(option="yes", second=9), status="locked"))) == []
    assert ledger.is_proven(ID) is True


def test_a_call_may_be_made_while_nobody_here_is_looking() -> None:
    ledger = Ledger()
    ledger.take(prediction(1))
    assert doubts(ledger.take(prediction(3, call(), status="locked"))) == []


def test_a_call_that_was_changed_unseen_has_a_later_time_than_the_one_that_was_seen() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call(second=5))))
    updates = ledger.take(prediction(9, call(option="no", second=5), status="locked"))
    assert doubts(updates) == [(OTHER, "it is another than the one that was sealed")]


def test_the_own_call_is_held_to_its_commitment_as_well() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, call(ME)))
    updates = ledger.take(prediction(3, call(ME, "no"), status="locked"))
    assert doubts(updates) == [(ME, "it is another than the one that was sealed")]


def test_a_doubt_is_told_once() -> None:
    ledger = Ledger()
    lie = msgspec.structs.replace(call(), option="no")
    assert len(doubts(ledger.take(prediction(3, lie, status="locked")))) == 1
    assert doubts(ledger.take(prediction(4, lie, status="locked"))) == []
    assert ledger.is_proven(ID) is False


def test_what_is_called_off_stays_sealed_and_nothing_is_wrong_with_that() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    assert doubts(ledger.take(prediction(3, sealed(call()), status="void", void_reason="called-off"))) == []
    assert ledger.is_proven(ID) is None


def test_one_that_waits_proves_nothing_and_forgets_nothing() -> None:
    ledger = Ledger()
    ledger.take(prediction(2, sealed(call())))
    ledger.take(waiting(3, status="locked"))
    assert ledger.is_proven(ID) is None
    updates = ledger.take(prediction(3, call(option="no"), status="locked"), "shown")
    assert doubts(updates) == [(OTHER, "it is another than the one that was sealed")]


def test_another_ledger_holds_calls_to_what_the_first_has_seen() -> None:
    first = Ledger()
    first.take(prediction(2, sealed(call())))
    assert doubts(Ledger(first.sealed).take(prediction(3, call(), status="locked"))) == []
    second = Ledger(first.sealed)
    assert doubts(second.take(prediction(3, call(option="no"), status="locked"))) != []
    assert doubts(Ledger(second.sealed).take(prediction(3, call(option="no"), status="locked"))) != []


# --- scores ---------------------------------------------------------------------------------------------------------


def test_scores_are_kept_over_the_settled_ones_and_told_when_they_change() -> None:
    ledger = Ledger()
    mine, theirs = points(call(ME, "yes", 0.9), 96.0, 0.02), points(call(OTHER, "no", 0.6), -44.0, 0.72)
    settled = prediction(5, mine, theirs, status="settled", outcome="yes")
    told = [update for update in ledger.take(settled, "settled") if isinstance(update, ScoresChanged)]
    assert [update.scores for update in told] == [ledger.scores]
    assert [(score.name, score.points, score.calls, score.right) for score in ledger.scores] == [
        ("ana", 96.0, 1, 1),
        ("bea", -44.0, 1, 0),
    ]
    second = msgspec.structs.replace(settled, id="prd_2", calls=[points(call(ME, "no", 0.7), 10.0, 0.12)])
    ledger.take(second)
    assert (ledger.scores[0].calls, ledger.scores[0].points) == (2, 106.0)
    assert ledger.scores[0].brier == pytest.approx(0.07)


def test_what_is_not_settled_scores_nothing() -> None:
    ledger = Ledger()
    for number, status in enumerate(("open", "locked", "void")):
        ledger.take(prediction(2, call(), id=f"prd_{number}", status=status))
    assert ledger.scores == ()
