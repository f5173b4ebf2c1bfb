"""Admission: whoever has shown a session's ticket is let in there while that ticket holds, and nowhere else."""

import pytest

from dateflicks.core.errors import Forbidden, Unauthenticated
from dateflicks.server.auth.admission import Admission
from dateflicks.server.auth.caller import UserToken
from dateflicks.server.auth.tokens import Signer

NOW = 1.76e9


class Door:
    """An admission on a clock that is moved by hand."""

    def __init__(self, places_max: int = 100) -> None:
        self.now = NOW
        self.signer = Signer(b"the key of a deployment in a test", lambda: self.now)
        self.admission = Admission(self.signer, places_max=places_max)

    def ticket(self, session_id: str = "ses_a", user_id: str = "usr_a", *, lifetime_seconds: float = 60.0) -> str:
        return self.signer.issue_ticket(session_id, user_id, "ana", "host", lifetime_seconds=lifetime_seconds)

    def token(self, user_id: str = "usr_a") -> str:
        return self.signer.issue_user_token(UserToken("tok_a", user_id, "ana", NOW + 3_600.0))

    def enters(self, bearer: str, session_id: str = "ses_a") -> float:
        """When the place that somebody is given runs out."""
        return self.admission.admit(self.admission.identify(bearer), session_id).expires_at - NOW


def test_a_ticket_opens_its_own_session_only() -> None:
    door = Door()
    assert door.enters(door.ticket()) == 60.0
    with pytest.raises(Forbidden):
        door.enters(door.ticket(), "ses_b")


def test_a_user_token_opens_what_its_person_has_shown_a_ticket_for() -> None:
    door = Door()
    with pytest.raises(Forbidden):
        door.enters(door.token())
    door.enters(door.ticket())
    assert door.enters(door.token()) == 60.0
    with pytest.raises(Forbidden):
        door.enters(door.token(), "ses_b")
    with pytest.raises(Forbidden):
        door.enters(door.token("usr_b"))


def test_a_place_runs_out_with_its_ticket() -> None:
    door = Door()
    door.enters(door.ticket())
    door.now += 60.0
    with pytest.raises(Unauthenticated):
        door.enters(door.token())
    door.enters(door.ticket())
    door.enters(door.token())


def test_an_older_ticket_that_is_shown_later_takes_nothing_away() -> None:
    door = Door()
    older, newer = door.ticket(lifetime_seconds=30.0), door.ticket(lifetime_seconds=90.0)
    for ticket in (older, newer, older):
        door.enters(ticket)
    assert door.enters(door.token()) == 90.0


def test_those_who_came_longest_ago_show_their_ticket_again() -> None:
    door = Door(places_max=2)
    for user_id in ("usr_a", "usr_b", "usr_a", "usr_c"):
        door.enters(door.ticket(user_id=user_id))
    door.enters(door.token("usr_a"))
    door.enters(door.token("usr_c"))
    with pytest.raises(Forbidden):
        door.enters(door.token("usr_b"))


def test_a_token_that_was_signed_out_opens_nothing_and_a_ticket_goes_on() -> None:
    door = Door()
    door.enters(door.ticket())
    assert door.enters(door.token()) == 60.0
    door.admission.signed_out.hear("signed-out", {"tokenId": "tok_a"})
    with pytest.raises(Unauthenticated):
        door.admission.identify(door.token())
    assert door.enters(door.ticket()) == 60.0
