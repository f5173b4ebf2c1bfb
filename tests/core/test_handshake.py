"""The handshake: who may do what and when, as a table read aloud and as a machine that tries everything."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dateflicks.core.errors import Conflict, Forbidden, NotFound, RuleError
from dateflicks.core.handshake import Action, Handshake, State
from dateflicks.core.playback.messages import Role
from tests.conftest import examples

HOST, GUEST, STRANGER = "usr_host", "usr_guest", "usr_stranger"
ASKED = Handshake(HOST, GUEST)


@pytest.mark.parametrize(
    ("state", "action", "user_id", "outcome"),
    [
        (State.PENDING, Action.ACCEPT, GUEST, State.ACCEPTED),
        (State.PENDING, Action.ACCEPT, HOST, Forbidden),
        (State.PENDING, Action.REJECT, GUEST, State.REJECTED),
        (State.PENDING, Action.REJECT, HOST, Forbidden),
        (State.PENDING, Action.CANCEL, HOST, State.CANCELLED),
        (State.PENDING, Action.CANCEL, GUEST, Forbidden),
        (State.PENDING, Action.END, HOST, Conflict),
        (State.PENDING, Action.END, GUEST, Conflict),
        (State.ACCEPTED, Action.ACCEPT, GUEST, Conflict),
        (State.ACCEPTED, Action.REJECT, GUEST, Conflict),
        (State.ACCEPTED, Action.CANCEL, HOST, Conflict),
        (State.ACCEPTED, Action.END, HOST, State.ENDED),
        (State.ACCEPTED, Action.END, GUEST, State.ENDED),
        *[
            (state, action, GUEST if action in (Action.ACCEPT, Action.REJECT) else HOST, Conflict)
            for state in (State.REJECTED, State.CANCELLED, State.ENDED)
            for action in Action
        ],
    ],
)
def test_who_may_do_what_and_what_comes_of_it(
    state: State, action: Action, user_id: str, outcome: State | type[RuleError]
) -> None:
    handshake = Handshake(HOST, GUEST, state)
    if isinstance(outcome, State):
        assert handshake.after(action, user_id).state is outcome
    else:
        with pytest.raises(outcome):
            handshake.after(action, user_id)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_a_stranger_is_told_that_there_is_nothing(state: State, action: Action) -> None:
    with pytest.raises(NotFound):
        Handshake(HOST, GUEST, state).after(action, STRANGER)


def test_the_answer_is_what_the_guest_said() -> None:
    accepted = ASKED.after(Action.ACCEPT, GUEST)

    assert ASKED.is_accepted is None
    assert accepted.is_accepted is True
    assert accepted.after(Action.END, HOST).is_accepted is True
    assert ASKED.after(Action.REJECT, GUEST).is_accepted is False
    assert ASKED.after(Action.CANCEL, HOST).is_accepted is None


def test_a_link_is_redeemed_once_and_not_by_its_own_host() -> None:
    link = Handshake(HOST, None)
    with pytest.raises(Forbidden):
        link.redeemed(HOST)
    taken = link.redeemed(GUEST)

    assert taken.role_of(GUEST) is Role.GUEST
    assert taken.is_live
    for user_id in (GUEST, STRANGER):
        with pytest.raises(NotFound):
            taken.redeemed(user_id)
    with pytest.raises(NotFound):
        ASKED.redeemed(STRANGER)
    with pytest.raises(NotFound):
        link.after(Action.CANCEL, HOST).redeemed(GUEST)


def test_whoever_came_by_a_link_may_say_yes_in_words_once() -> None:
    taken = Handshake(HOST, None).redeemed(GUEST)
    said = taken.after(Action.ACCEPT, GUEST)

    assert said.state is State.ACCEPTED
    with pytest.raises(Conflict):
        said.after(Action.ACCEPT, GUEST)
    with pytest.raises(Conflict):
        taken.after(Action.REJECT, GUEST)


def test_a_session_without_a_guest_has_nobody_to_answer() -> None:
    with pytest.raises(Forbidden):
        Handshake(HOST, None).after(Action.ACCEPT, HOST)
    with pytest.raises(NotFound):
        Handshake(HOST, None).after(Action.ACCEPT, "None")


class HandshakeMachine(RuleBasedStateMachine):
    """Three people do whatever they like in any order."""

    @initialize(is_link=st.booleans())
    def ask(self, is_link: bool) -> None:
        self.handshake = Handshake(HOST, None if is_link else GUEST)
        self.said: list[tuple[str, str]] = []

    @rule(action=st.sampled_from(Action), user_id=st.sampled_from([HOST, GUEST, STRANGER]))
    def act(self, action: Action, user_id: str) -> None:
        before = self.handshake
        try:
            self.handshake = before.after(action, user_id)
        except NotFound:
            assert before.role_of(user_id) is None
            return
        except (Forbidden, Conflict):
            assert before.role_of(user_id) is not None
            return
        assert self.handshake != before
        assert before.role_of(user_id) is not None
        self.said.append((action.value, user_id))

    @rule(user_id=st.sampled_from([HOST, GUEST, STRANGER]))
    def redeem(self, user_id: str) -> None:
        before = self.handshake
        try:
            self.handshake = before.redeemed(user_id)
        except (NotFound, Forbidden):
            return
        assert before.guest_id is None
        self.said.append(("redeem", user_id))

    @invariant()
    def at_most_one_answer_and_one_end(self) -> None:
        verbs = [verb for verb, _ in getattr(self, "said", [])]
        assert verbs.count("reject") + verbs.count("cancel") + verbs.count("end") <= 1
        assert verbs.count("accept") <= 1
        assert verbs.count("redeem") <= 1
        assert "accept" not in verbs or "reject" not in verbs

    @invariant()
    def what_it_says_of_itself_holds_together(self) -> None:
        handshake = getattr(self, "handshake", None)
        if handshake is None:
            return
        assert not (handshake.is_live and handshake.is_over)
        assert handshake.is_accepted is not None or handshake.state in (State.PENDING, State.CANCELLED)
        assert handshake.guest_id != handshake.host_id
        assert not handshake.is_live or handshake.guest_id is not None


HandshakeMachine.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=12, deadline=None)
TestHandshake = HandshakeMachine.TestCase
