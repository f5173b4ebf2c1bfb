"""The life of a prediction: who may do what and when, as a table read aloud and as a machine that tries everything."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dateflicks.core.errors import Conflict, Forbidden, Invalid, RuleError
from dateflicks.core.prediction import TABLE, Action, Call, Prediction, State, VoidReason, Who
from tests.conftest import examples

ANA, BEN, CAT = "usr_ana", "usr_ben", "usr_cat"
NOW = 1_764_000_000.0


def call(user_id: str, option: str = "yes", confidence: float = 0.8, at: float = NOW) -> Call:
    return Call(user_id, user_id[4:], option, confidence, f"salt of {user_id}", at)


OPEN = Prediction(
    id="prd_a",
    session_id="ses_a",
    author=ANA,
    author_name="ana",
    details="he did it",
    options=("yes", "no"),
    created_at=NOW,
)
CALLED = OPEN.called(call(ANA)).called(call(BEN, "no", 0.6))
LOCKED = CALLED.locked(NOW + 1)
PROPOSED = LOCKED.proposed(ANA, "yes", NOW + 2)
SETTLED = PROPOSED.confirmed(BEN, NOW + 3)
OBJECTED = PROPOSED.objected(BEN)
CALLED_OFF = CALLED.called_off(ANA)
SILENCED = PROPOSED.silenced()

DEEDS: dict[Action, Callable[[Prediction, str], Prediction]] = {
    Action.CALL: lambda one, who: one.called(call(who, "no", 0.9)),
    Action.LOCK: lambda one, who: one.locked(NOW, who),
    Action.PROPOSE: lambda one, who: one.proposed(who, "no", NOW),
    Action.CONFIRM: lambda one, who: one.confirmed(who, NOW),
    Action.OBJECT: lambda one, who: one.objected(who),
    Action.VOID: lambda one, who: one.called_off(who),
}


@pytest.mark.parametrize(
    ("before", "action", "who", "outcome"),
    [
        (OPEN, Action.CALL, ANA, State.OPEN),
        (OPEN, Action.CALL, BEN, State.OPEN),
        (OPEN, Action.LOCK, BEN, State.LOCKED),
        (OPEN, Action.PROPOSE, ANA, Conflict),
        (OPEN, Action.CONFIRM, BEN, Conflict),
        (OPEN, Action.OBJECT, BEN, Conflict),
        (OPEN, Action.VOID, BEN, State.VOID),
        (LOCKED, Action.CALL, ANA, Conflict),
        (LOCKED, Action.CALL, CAT, Conflict),
        (LOCKED, Action.PROPOSE, BEN, State.LOCKED),
        (LOCKED, Action.CONFIRM, BEN, Conflict),
        (LOCKED, Action.OBJECT, BEN, Conflict),
        (LOCKED, Action.VOID, ANA, State.VOID),
        (PROPOSED, Action.CALL, ANA, Conflict),
        (PROPOSED, Action.PROPOSE, ANA, Conflict),
        (PROPOSED, Action.PROPOSE, BEN, Conflict),
        (PROPOSED, Action.CONFIRM, ANA, Forbidden),
        (PROPOSED, Action.CONFIRM, BEN, State.SETTLED),
        (PROPOSED, Action.OBJECT, ANA, Forbidden),
        (PROPOSED, Action.OBJECT, BEN, State.VOID),
        (PROPOSED, Action.VOID, ANA, State.VOID),
        *[
            (over, action, BEN, Conflict)
            for over in (OBJECTED, CALLED_OFF, SILENCED)
            for action in Action
            if action is not Action.SILENCE and (over, action) != (OBJECTED, Action.OBJECT)
        ],
        *[(SETTLED, action, ANA, Conflict) for action in Action if action not in (Action.SILENCE, Action.LOCK)],
    ],
)
def test_who_may_do_what_and_what_comes_of_it(
    before: Prediction, action: Action, who: str, outcome: State | type[RuleError]
) -> None:
    if isinstance(outcome, State):
        assert DEEDS[action](before, who).state is outcome
    else:
        with pytest.raises(outcome):
            DEEDS[action](before, who)


def test_the_table_has_a_row_for_every_action() -> None:
    assert set(TABLE) == set(Action)
    assert {action for action, row in TABLE.items() if row.who is Who.OTHERS} == {Action.CONFIRM, Action.OBJECT}
    assert all(State.SETTLED not in row.origins and State.VOID not in row.origins for row in TABLE.values())


def test_what_is_done_already_changes_nothing_when_it_is_repeated() -> None:
    assert CALLED.called(call(ANA, at=NOW + 9)) is CALLED
    assert CALLED.called(call(ANA, "YES", 0.80001)) is CALLED
    assert LOCKED.called(call(ANA)) is LOCKED  # whoever never heard that it was taken
    assert LOCKED.locked(NOW + 9, BEN) is LOCKED
    assert SETTLED.locked(NOW + 9, BEN) is SETTLED
    assert PROPOSED.proposed(ANA, "Yes", NOW + 9) is PROPOSED
    assert SETTLED.proposed(ANA, "yes", NOW + 9) is SETTLED
    assert SETTLED.confirmed(BEN, NOW + 9) is SETTLED
    assert SETTLED.proposed(BEN, "yes", NOW + 9) is SETTLED
    assert OBJECTED.objected(BEN) is OBJECTED
    assert CALLED_OFF.called_off(ANA) is CALLED_OFF
    assert SETTLED.silenced() is SETTLED
    assert LOCKED.silenced() is LOCKED


def test_a_call_can_be_changed_and_keeps_its_place_to_nobody() -> None:
    changed = CALLED.called(call(ANA, "no", 0.5, NOW + 5))
    assert [(one.user_id, one.option, one.confidence) for one in changed.calls] == [(BEN, "no", 0.6), (ANA, "no", 0.5)]
    assert changed.call_of(CAT) is None


def test_a_call_names_an_option_and_is_no_less_sure_than_knowing_nothing() -> None:
    three = replace(OPEN, options=("one", "two", "three"))
    assert three.called(call(ANA, "TWO", 0.33333333)).calls[0].option == "two"
    for option, confidence in (("four", 0.5), ("one", 0.33), ("one", 1.01), ("", 0.5)):
        with pytest.raises(Invalid):
            three.called(call(ANA, option, confidence))
    with pytest.raises(Invalid):
        LOCKED.proposed(ANA, "perhaps", NOW)


def test_the_other_proposing_the_same_confirms() -> None:
    settled = PROPOSED.proposed(BEN, "YES", NOW + 3)
    assert settled == SETTLED
    assert (settled.outcome, settled.confirmations, settled.settled_at) == ("yes", (BEN,), NOW + 3)


def test_the_other_proposing_something_else_is_told_to_confirm_or_object() -> None:
    with pytest.raises(Conflict, match="confirm or object"):
        PROPOSED.proposed(BEN, "no", NOW)
    with pytest.raises(Conflict, match="void it"):
        PROPOSED.proposed(ANA, "no", NOW)


def test_in_a_party_everybody_else_who_called_confirms() -> None:
    proposed = CALLED.called(call(CAT)).locked(NOW).proposed(ANA, "yes", NOW)
    assert proposed.awaited == {BEN, CAT}
    one = proposed.confirmed(CAT, NOW + 1)
    assert (one.state, one.awaited, one.outcome) == (State.LOCKED, frozenset({BEN}), None)
    assert one.confirmed(CAT, NOW + 2) is one
    onlooker = one.confirmed("usr_dan", NOW + 2)
    assert onlooker.state is State.LOCKED
    assert onlooker.confirmed(BEN, NOW + 3).state is State.SETTLED
    assert one.objected(CAT).void_reason is VoidReason.OBJECTION


def test_somebody_who_has_not_called_confirms_what_nobody_else_called() -> None:
    alone = OPEN.called(call(ANA)).locked(NOW).proposed(ANA, "no", NOW)
    assert alone.awaited == frozenset()
    assert alone.confirmed(BEN, NOW).state is State.SETTLED


def test_what_calls_were_worth_is_known_once_it_is_settled() -> None:
    assert all(PROPOSED.score(one) is None for one in PROPOSED.calls)
    assert all(OBJECTED.score(one) is None for one in OBJECTED.calls)
    scores = [SETTLED.score(one) for one in SETTLED.calls]
    assert [score and round(score.points, 6) for score in scores] == [84.0, -44.0]


def test_calls_stay_sealed_for_good_where_the_lock_never_came() -> None:
    assert OPEN.is_sealed
    assert CALLED_OFF.is_sealed
    assert not LOCKED.is_sealed
    assert not SETTLED.is_sealed
    assert not OBJECTED.is_sealed


class PredictionMachine(RuleBasedStateMachine):
    """Anybody does anything at any time."""

    @initialize()
    def begin(self) -> None:
        self.prediction = OPEN
        self.before = OPEN

    def do(self, deed: Callable[[Prediction], Prediction]) -> None:
        before = self.prediction
        try:
            after = deed(before)
        except (Conflict, Forbidden):
            assert self.prediction == before
            return
        assert after is before or after != before
        assert deed(after) is after  # again: nothing
        self.before, self.prediction = before, after

    @rule(
        who=st.sampled_from([ANA, BEN, CAT]),
        option=st.sampled_from(["yes", "no"]),
        confidence=st.sampled_from([0.5, 1.0]),
    )
    def call(self, who: str, option: str, confidence: float) -> None:
        self.do(lambda one: one.called(call(who, option, confidence)))

    @rule(who=st.sampled_from([ANA, BEN, None]))
    def lock(self, who: str | None) -> None:
        self.do(lambda one: one.locked(NOW, who))

    @rule(who=st.sampled_from([ANA, BEN, CAT]), outcome=st.sampled_from(["yes", "no"]))
    def propose(self, who: str, outcome: str) -> None:
        self.do(lambda one: one.proposed(who, outcome, NOW))

    @rule(who=st.sampled_from([ANA, BEN, CAT]))
    def confirm(self, who: str) -> None:
        self.do(lambda one: one.confirmed(who, NOW))

    @rule(who=st.sampled_from([ANA, BEN, CAT]))
    def object_to_it(self, who: str) -> None:
        self.do(lambda one: one.objected(who))

    @rule(who=st.sampled_from([ANA, BEN, CAT]))
    def call_off(self, who: str) -> None:
        self.do(lambda one: one.called_off(who))

    @rule()
    def stay_silent(self) -> None:
        self.do(lambda one: one.silenced())

    @invariant()
    def it_holds_together(self) -> None:
        one = getattr(self, "prediction", OPEN)
        assert (one.outcome is not None) == (one.state is State.SETTLED) == (one.settled_at is not None)
        assert (one.void_reason is not None) == (one.state is State.VOID)
        assert one.state is not State.OPEN or (one.proposed_by is None and one.locked_at is None)
        assert one.outcome is None or one.outcome == one.proposed_outcome
        assert one.proposed_by not in one.confirmations
        assert one.state is not State.SETTLED or one.confirmations
        assert len({each.user_id for each in one.calls}) == len(one.calls)

    @invariant()
    def nothing_is_taken_back(self) -> None:
        before, after = getattr(self, "before", OPEN), getattr(self, "prediction", OPEN)
        order = [State.OPEN, State.LOCKED, State.SETTLED]
        if after.state is not State.VOID:
            assert order.index(after.state) >= order.index(before.state)
        if before.locked_at is not None:
            assert (after.calls, after.locked_at) == (before.calls, before.locked_at)
        if before.proposed_by is not None:
            assert (after.proposed_by, after.proposed_outcome) == (before.proposed_by, before.proposed_outcome)


PredictionMachine.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=20, deadline=None)
TestPrediction = PredictionMachine.TestCase
